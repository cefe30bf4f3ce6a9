"""What the profile of incoming mail needs: a DNS server that knows its clients and senders, and policyd asking it.

1,000 clients with confirmed names, each sending for a domain of its own, as the load generator's profile says. On
no DNS list is any of them, every domain has an MX, its address and an SPF record whose second mechanism matches. All
answers hold for an hour, so that once each of them has been asked for, none is asked for again.
"""
import contextlib
import json
import subprocess
import sys
from pathlib import Path

from processes import BenchError

DNS_SERVER = Path(__file__).resolve().parents[1] / "support" / "dns_server.py"
HOLDS = {"ttl": 3600, "minimum": 3600}
LISTS = [f"list{i}.example.org" for i in range(8)]
DOMAINS = 1000

CHECKS = """
[dns]
servers = ["127.0.0.1:{port}"]

[checks.sender_domain]
incoming = 10

[checks.spf]
incoming = {{ fail = 20, softfail = 8, none = 2, pass = -2 }}
"""
LIST = """
[[checks.dnsbl.zones]]
zone = "{zone}"
answers = "127.0.0.[2..11]"
incoming = 10
"""


def zones() -> dict:
    names = {}
    for zone in LISTS:
        names[zone] = {"SOA": HOLDS}
        names[f"2.0.0.127.{zone}"] = {"A": ["127.0.0.2"], "ttl": HOLDS["ttl"]}
    for i in range(DOMAINS):
        domain = f"dest{i:03}.example"
        names[domain] = {"SOA": HOLDS, "MX": [f"10 mail.{domain}"], "ttl": HOLDS["ttl"],
                         "TXT": ["v=spf1 mx ip4:198.18.0.0/15 -all"]}
        names[f"mail.{domain}"] = {"A": [f"192.0.2.{i % 250 + 1}"], "ttl": HOLDS["ttl"]}
    return names


@contextlib.contextmanager
def dns_server(directory: Path, names: dict, delay: float = 0.0):
    """A DNS server in a process of its own, whose answers take `delay` seconds; gives lines for the configuration."""
    path = directory / "zones.json"
    path.write_text(json.dumps(names))
    command = [sys.executable, DNS_SERVER, path, "--delay", str(delay)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        port = server.stdout.readline().strip()
        if not port:
            raise BenchError("the DNS server did not start")
        yield CHECKS.format(port=port) + "".join(LIST.format(zone=zone) for zone in LISTS)
        server.stdin.close()
