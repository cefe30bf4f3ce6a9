"""policyd itself, and policyctl: the programs of the build directory, run as an operator would.

Policyd writes a configuration, starts the program and waits until it accepts connections. stop() asserts that
SIGTERM ends it with exit code 0, and so does the end of the test. The log is policyd's stderr.
"""

import json
import os
import signal
import socket
import subprocess
import sys

from support.daemon import Daemon
from support.dns_server import DnsServer
from support.policy_client import PolicyClient, parse_endpoint

# Puts the sockets in argv[1] ("5,6") at descriptor 3 and up and runs the rest, as systemd would. They are moved out of
# the way first, since one may stand where another has to go.
ACTIVATE = """\
import fcntl, os, sys
away = [fcntl.fcntl(int(fd), fcntl.F_DUPFD_CLOEXEC, 100) for fd in sys.argv[1].split(",")]
for n, fd in enumerate(away):
    os.dup2(fd, 3 + n)
os.environ["LISTEN_PID"] = str(os.getpid())
os.execv(sys.argv[2], sys.argv[2:])
"""


# A DNS that speaks against nobody: every name exists and takes mail, no address has a name.
PEACEFUL_DNS = {f"*.{domain}": {"A": ["198.51.100.1"], "MX": ["10 mx.example"], "TXT": ["v=spf1 ?all"]}
                for domain in ("example", "com", "net", "org")}


def toml(value):
    """A value as TOML; what JSON and TOML write alike is all the tests need."""
    return json.dumps(value)


class Policyd(Daemon):
    """`listen`: endpoints, a unix socket if none is given; `tables`: more TOML; `server`, `store_keys`: more keys.

    Without a [dns] in `tables` it asks a DNS of its own, PEACEFUL_DNS.
    """

    def __init__(self, test, name="policyd", listen=None, store="memory:", tables="", server=None, store_keys=None,
                 start=True):
        super().__init__(test, name)
        self.listen = listen or [f"unix:{test.directory}/{name}.sock"]
        self.admin_socket = test.directory / f"{name}-admin.sock"
        self.config_path = test.directory / f"{name}.toml"
        self.tables = {"server": {"listen": self.listen, "node": name, **(server or {})},
                       "admin": {"listen": [f"unix:{self.admin_socket}"]},
                       "store": {"url": store, **(store_keys or {})}}
        if "[dns]" not in tables:
            dns = DnsServer(PEACEFUL_DNS).start()
            test.addCleanup(dns.stop)
            self.tables["dns"] = {"servers": [dns.address]}
        self.configure(tables)
        test.addCleanup(self._stop_if_running)
        if start:
            self.start()

    @property
    def endpoint(self):
        return self.listen[0]

    @property
    def program(self):
        return self.test.build / "policyd"

    def configure(self, tables):
        """Writes the configuration file; a running policyd hears of it by reload()."""
        text = "".join(f"[{name}]\n" + "".join(f"{key} = {toml(value)}\n" for key, value in keys.items()) + "\n"
                       for name, keys in self.tables.items())
        self.config_path.write_text(text + tables)

    def start(self):
        self.launch([self.program, "-c", self.config_path])
        self.wait_ready(lambda: self.handles(signal.SIGTERM, signal.SIGHUP)
                        and all(self.accepts(endpoint) for endpoint in self.listen))

    def start_with_sockets(self, sockets, names=""):
        """As systemd starts a service with a .socket unit: the listening sockets are handed over."""
        fds = [listener.fileno() for listener in sockets]
        environment = {"LISTEN_FDS": str(len(fds)), **({"LISTEN_FDNAMES": names} if names else {})}
        self.launch([sys.executable, "-c", ACTIVATE, ",".join(map(str, fds)), self.program, "-c", self.config_path],
                    environment, pass_fds=fds)
        self.wait_ready(self.admin_socket.exists)

    @staticmethod
    def accepts(endpoint):
        family, address = parse_endpoint(endpoint)
        with socket.socket(family) as probe:
            return probe.connect_ex(address) == 0

    def stop(self):
        code = self.terminate()
        assert code == 0, f"{self.name} ended with {code} on SIGTERM:\n{self.log()}"

    def _stop_if_running(self):
        if self.running():
            self.stop()
        elif self.process is not None:
            raise AssertionError(f"{self.name} ended by itself, exit code {self.process.poll()}:\n{self.log()}")

    def sanitized(self):
        """Whether it was built with AddressSanitizer, which keeps freed memory: then its growth says nothing."""
        with open(f"/proc/{self.pid}/maps", encoding="ascii") as maps:
            return "libasan" in maps.read()

    def reload(self):
        self.signal(signal.SIGHUP)

    def client(self):
        client = PolicyClient(self.endpoint)
        self.test.addCleanup(client.close)
        return client

    def ask(self, request):
        """One request on a connection of its own."""
        with PolicyClient(self.endpoint) as client:
            return client.ask(request)

    def ctl(self, *arguments, code=0, stdin=None):
        """policyctl against this node; its output. Another exit code than `code` is an AssertionError."""
        command = [str(self.test.build / "policyctl"), "-c", str(self.config_path), *map(str, arguments)]
        done = subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=30, check=False,
                              env={**os.environ, "NO_COLOR": "1"})
        assert done.returncode == code, f"{' '.join(command)}: exit code {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout

    def ctl_json(self, *arguments):
        return json.loads(self.ctl("--json", *arguments))
