"""How long a request takes where the DNS is slow: at first, and once all answers are in the cache.

The DNS server needs 50 ms for each answer. Strangers, whose names Postfix has not confirmed, send for domains that
nobody has sent for before: the longest chain of look-ups is that of SPF (the record, the one it includes, an address),
so 150 ms are needed, whatever else is asked beside it.
"""
import sys
import time
from pathlib import Path

import incoming
from processes import BenchError
from servers import Settings, policyd

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from support.policy_client import PolicyClient, make_request  # noqa: E402 (needs the path above)

DELAY = 0.05
STRANGERS = 20


def zones() -> dict:
    names = {zone: {"SOA": incoming.HOLDS} for zone in incoming.LISTS}
    for i in range(1, STRANGERS + 1):
        host, domain = f"mail.cold{i}.example", f"cold{i}.example"
        names[domain] = {"SOA": incoming.HOLDS, "MX": [f"10 {host}"], "TXT": [f"v=spf1 include:spf.{domain} -all"]}
        names[f"spf.{domain}"] = {"TXT": [f"v=spf1 a:out.{domain} -all"]}
        names[f"out.{domain}"] = {"A": [f"198.18.200.{i}"]}
        names[host] = {"A": [f"198.18.200.{i}"]}
        names[f"{i}.200.18.198.in-addr.arpa"] = {"PTR": [host]}
    return names


def measure(settings: Settings, directory: Path) -> tuple:
    """The milliseconds of each stranger's first request, and of his second. BenchError where one does not pass."""
    directory.mkdir()
    with incoming.dns_server(directory, zones(), DELAY) as more, \
            policyd(settings, directory, "memory:", str(directory / "policyd.log"), more) as (server, _), \
            PolicyClient(f"unix:{server.socket}") as client:
        return [ask(client, i) for i in range(1, STRANGERS + 1)], [ask(client, i) for i in range(1, STRANGERS + 1)]


def ask(client: PolicyClient, number: int) -> float:
    request = make_request(client_address=f"198.18.200.{number}", client_name="unknown", reverse_client_name="unknown",
                           helo_name=f"mail.cold{number}.example", sender=f"ann@cold{number}.example")
    begun = time.monotonic()
    action = client.ask(request)
    if action != "DUNNO":
        raise BenchError(f"a stranger was answered {action}")
    return 1000 * (time.monotonic() - begun)
