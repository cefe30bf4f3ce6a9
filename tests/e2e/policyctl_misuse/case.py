"""policyctl with arguments that cannot be meant, an output that takes nothing, and others in front of the socket: one
line, and the exit code."""

import socket
import subprocess

from support.case import E2eTest
from support.policyd import Policyd

DONE, REFUSED, USAGE = 0, 1, 2
HELP = "; `policyctl --help` lists the commands, and with a command what it takes\n"
LIMIT = "--limit: Value {} not in range 1 to 10000" + HELP


class PolicyctlMisuse(E2eTest):
    def setUp(self):
        self.policyd = Policyd(self)

    def run_ctl(self, *arguments, output=subprocess.PIPE):
        """(exit code, standard error)"""
        command = [self.build / "policyctl", "-c", self.policyd.config_path, *arguments]
        done = subprocess.run(command, stdout=output, stderr=subprocess.PIPE, text=True, timeout=30, check=False)
        return done.returncode, done.stderr

    def test_what_cannot_be_meant_is_a_usage_error(self):
        self.policyd.ctl("account", "set", "joe@example.com", "messages", "9/1h")
        table = [
            (["account", "show", ""], "ACCOUNT: is empty" + HELP),
            (["account", "set", "", "messages", "1/1h"], "ACCOUNT: is empty" + HELP),
            (["account", "unset", "", "messages"], "ACCOUNT: is empty" + HELP),
            (["account", "unset", "joe@example.com", ""], "KEY: is empty" + HELP),
            (["account", "reset", ""], "ACCOUNT: is empty" + HELP),
            (["block", "show", ""], "TARGET: is empty" + HELP),
            (["block", "rm", "", "--type", "email"], "TARGET: is empty" + HELP),
            (["block", "import", ""], "FILE: is empty" + HELP),
            (["check", ""], "FILE: is empty" + HELP),
            (["config", "check", ""], "FILE: is empty" + HELP),
            (["account", "list", "--limit", "-5"], LIMIT.format("-5")),
            (["account", "list", "--limit=-5"], LIMIT.format("-5")),
            (["account", "list", "--limit", "0"], LIMIT.format("0")),
            (["account", "list", "--limit", "10001"], LIMIT.format("10001")),
            (["account", "list", "--limit", "99999999999999999999"], LIMIT.format("99999999999999999999")),
            (["account", "list", "--limit", "x"], LIMIT.format("x")),
        ]
        for arguments, error in table:
            with self.subTest(arguments=arguments):
                self.assertEqual(self.run_ctl(*arguments), (USAGE, "policyctl: " + error))
        self.assertEqual(self.run_ctl("account", "list", "--limit", "10000"), (DONE, ""))

    def test_connections_that_ask_nothing_keep_nobody_out(self):
        def connect():
            idle = socket.socket(socket.AF_UNIX)
            self.addCleanup(idle.close)
            idle.connect(str(self.policyd.admin_socket))
            return idle
        begun = [connect() for _ in range(40)]
        for idle in begun:
            idle.sendall(b"GET /v1/status HTTP/1.1\r\nHost: policyd\r\n")
        silent = [connect() for _ in range(60)]
        for _ in range(3):
            self.assertIn("requests", self.policyd.ctl("status"))
        for idle in (begun[0], silent[-1]):
            idle.settimeout(30)
            self.assertIn(idle.recv(4096)[:12], (b"", b"HTTP/1.1 408"))

    def test_an_output_that_takes_nothing(self):
        error = "policyctl: cannot write to standard output: No space left on device\n"
        json_error = '{\n  "error": "cannot write to standard output: No space left on device"\n}\n'
        request = self.directory / "request"
        request.write_text("request=smtpd_access_policy\nprotocol_state=RCPT\n\n")
        blocks = self.directory / "blocks"
        blocks.write_text('{"target": "joe@example.com"}\n')
        for arguments in (["status"], ["block", "list"], ["account", "list"], ["check", request], ["config", "show"],
                          ["config", "check"], ["block", "import", blocks], ["--help"], ["--version"]):
            with self.subTest(arguments=arguments), open("/dev/full", "w", encoding="ascii") as full:
                self.assertEqual(self.run_ctl(*arguments, output=full), (REFUSED, error))
                if arguments[0][0] != "-":
                    self.assertEqual(self.run_ctl("--json", *arguments, output=full), (REFUSED, json_error))
        self.assertIn("joe@example.com", self.policyd.ctl("block", "list"), "what was done stays done")
