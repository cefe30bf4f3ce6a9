"""A private Postfix with directories, a port and a log of its own; no mail leaves it, and it asks no DNS.

Its world: mail for *@test.example is for it, where bob, and rcpt0 to rcpt99, exist and nobody else does; a client
that is logged in (XCLIENT LOGIN) may send anywhere. Whatever is accepted is discarded. Needs root. `ask_in` names the
restriction lists that ask policyd: "client", "helo", "sender", "recipient", "data", "end_of_data".
"""

import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile

from support.daemon import Daemon
from support.smtp import SmtpClient
from support.wait import free_port, wait_until

DAEMONS = pathlib.Path("/usr/lib/postfix/sbin")
AFTER_POLICY = {"recipient": ["permit_sasl_authenticated", "reject_unauth_destination"]}
KNOWN_RECIPIENTS = ["bob"] + [f"rcpt{i}" for i in range(100)]

MAIN_CF = """\
compatibility_level = 3.6
maillog_file = {root}/mail.log
maillog_file_prefixes = {root}
queue_directory = {root}/spool
data_directory = {root}/data
mail_owner = postfix
setgid_group = postdrop
myhostname = mx.test.example
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks =
mydestination =
alias_maps =
local_recipient_maps =
virtual_mailbox_domains = test.example
virtual_mailbox_maps = inline:{{ {known} }}
virtual_transport = discard:
default_transport = discard:
relay_transport = discard:
local_transport = discard:
disable_dns_lookups = yes
smtpd_peername_lookup = no
smtpd_authorized_xclient_hosts = 127.0.0.1
smtpd_sasl_auth_enable = yes
smtpd_error_sleep_time = 0
smtpd_hard_error_limit = 1000
smtpd_client_connection_count_limit = 0
smtpd_recipient_limit = 1000
smtpd_relay_restrictions =
smtpd_policy_service_timeout = 10s
"""

MASTER_CF = """\
127.0.0.1:{port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
"""


def why_not_here():
    """Why a private Postfix cannot run here, or None."""
    if not (DAEMONS / "master").exists():
        return "Postfix is not installed (Debian package postfix)"
    if os.geteuid() != 0:
        return "a private Postfix needs root"
    return None


class Postfix(Daemon):
    def __init__(self, test, policy_service, ask_in=("recipient",), settings=""):
        super().__init__(test, "postfix-master")
        if why_not_here():
            test.skipTest(why_not_here())
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="postfix-", dir=test.directory))
        self.root.chmod(0o755)
        self.port = free_port()
        test.add_log("postfix", self.root / "mail.log")
        self._write(self._main_cf(policy_service, ask_in) + settings)
        self._start()

    def _main_cf(self, policy_service, ask_in):
        known = ", ".join(f"{{ {name}@test.example = x }}" for name in KNOWN_RECIPIENTS)
        text = MAIN_CF.format(root=self.root, known=known)
        for name in {*ask_in, "recipient"}:
            rules = [f"check_policy_service {{ {policy_service}, policy_context={name} }}"] * (name in ask_in)
            text += f"smtpd_{name}_restrictions = {', '.join(rules + AFTER_POLICY.get(name, []))}\n"
        return text

    def _write(self, main_cf):
        for name in ("conf", "spool", "data"):
            (self.root / name).mkdir(parents=True)
        shutil.chown(self.root / "data", "postfix")
        (self.root / "conf/main.cf").write_text(main_cf)
        (self.root / "conf/master.cf").write_text(MASTER_CF.format(port=self.port))

    def _start(self):
        # `postfix check` makes the queue's folders. master leads a session of its own, since it ends its process group.
        done = subprocess.run(["postfix", "-c", self.root / "conf", "check"], capture_output=True, text=True,
                              timeout=60, check=False)
        assert done.returncode == 0, f"postfix check: {done.stdout}{done.stderr}"
        self.launch([DAEMONS / "master", "-c", self.root / "conf", "-d"], new_session=True,
                    last_signal=signal.SIGTERM)
        self.wait_ready(self._greets)

    def _greets(self):
        try:
            with socket.create_connection(("127.0.0.1", self.port), 10) as connection:
                return connection.recv(4).startswith(b"220")
        except OSError:
            return False

    def kill(self):
        """SIGTERM, which master passes on to all its children."""
        if self.running():
            self.terminate()

    def mail_log(self):
        return (self.root / "mail.log").read_text(errors="replace")

    def message(self, reply):
        """Where the message that `reply` says is queued lies ("hold", "deferred", ...), and its content."""
        queue_id = reply.text.rpartition(" ")[2]
        def find():
            return next((self.root / "spool").glob(f"*/**/{queue_id}"), None)
        path = wait_until(find, f"{queue_id} in the queue")
        done = subprocess.run(["postcat", "-c", self.root / "conf", "-hbq", queue_id], capture_output=True, text=True,
                              timeout=20, check=True)
        return path.relative_to(self.root / "spool").parts[0], done.stdout

    def client(self, **xclient):
        """An SMTP session; with attributes, as a client who is known by them."""
        client = SmtpClient(self.port)
        self.test.addCleanup(client.close)
        if xclient:
            client.xclient(**xclient)
        return client

    def stranger(self, address="192.0.2.1", name="mail.stranger.example"):
        """A well-behaved mail server that nobody knows."""
        return self.client(ADDR=address, NAME=name, REVERSE_NAME=name, HELO=name)

    def user(self, login, address="198.51.100.7"):
        """A logged-in user."""
        name = "pc.customer.example"
        return self.client(ADDR=address, NAME=name, REVERSE_NAME=name, HELO=name, LOGIN=login)
