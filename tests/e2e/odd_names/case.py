"""Names as strangers choose them: logins that hold what a terminal obeys, spaces, or tens of thousands of octets.

What is charged to them, or locked, is shown, unlocked and reset with policyctl, and nothing of them is obeyed.
"""

import json
import subprocess

from support.case import E2eTest
from support.policy_client import outgoing
from support.policyd import Policyd

CSI = "\u009b"  # one character that begins a control sequence
LIMITS = '[accounts.default]\ndistinct_recipients = ["2/1d"]\nmax_unlocks = 0\n'
OBEYED = [*map(chr, range(0x20)), *map(chr, range(0x7f, 0xa0)), "\u202e", "\u2066", "\u2028", "\u2029"]


class OddNames(E2eTest):
    def run_ctl(self, policyd, *arguments):
        """(exit code, output, standard error)"""
        command = [self.build / "policyctl", "-c", policyd.config_path, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
        return done.returncode, done.stdout, done.stderr

    def obeyed(self, text):
        return [hex(ord(character)) for character in text if character in OBEYED and character != "\n"]

    def test_what_a_terminal_obeys_is_shown(self):
        policyd = Policyd(self, tables=LIMITS)
        name = f"{CSI}31mx\u202e\u2028@example.com"
        shown = '"\\xc2\\x9b31mx\\xe2\\x80\\xae\\xe2\\x80\\xa8@example.com"'
        client = policyd.client()
        for number in range(4):
            client.ask(outgoing(name, sender="", recipient=f"r{number}@far.example"))
        confirmed = {
            ("account", "unlock", name): f"unlocked {shown}; its signs are counted anew\n",
            ("account", "lock", name, "--reason", "x"): f"locked {shown} until it is unlocked\n",
            ("account", "report", name, "--spam"): f"{shown} has no limit of spam: nothing is counted\n",
            ("account", "reset", name): f"forgot what {shown} has sent\n",
            ("block", "add", "--type", "account", f"{CSI}31mx"):
                'blocked account:"\\xc2\\x9b31mx" until it is removed\n',
            ("block", "rm", "--type", "account", f"{CSI}31mx"): 'lifted "account:\\xc2\\x9b31mx"\n',
        }
        for words, wanted in confirmed.items():
            with self.subTest(words=words):
                self.assertEqual(self.run_ctl(policyd, *words), (0, wanted, ""))
        for words in (["account", "show", name], ["account", "set", name, "messages", "1/1m"], ["account", "list"],
                      ["account", "unset", name, "messages"], ["account", "list", "--locked"], ["log"], ["held"],
                      ["top"], ["account", "list", "--limit", "x\x1b[31m"], ["account", "lock", name, "--reason", "x"],
                      ["account", f"sh{CSI}ow"], ["why", f"{CSI}31m"], ["account", "set", f"x{CSI}", "k\x1b", "1"]):
            for options in ([], ["--json"]):
                with self.subTest(words=words, options=options):
                    _, output, error = self.run_ctl(policyd, *options, *words)
                    self.assertEqual(self.obeyed(output + error), [], output + error)
        code, output, _ = self.run_ctl(policyd, "--json", "account", "show", name)
        self.assertEqual((code, json.loads(output)["account"]), (0, name))
        self.assertIn(r'"account": "\u009b31mx\u202e\u2028@example.com"', output)

    def test_what_is_locked_is_shown_unlocked_and_reset(self):
        policyd = Policyd(self, tables=LIMITS)
        client = policyd.client()
        for name, shown in [("a\tb", '"a\\x09b"'), ("\x7f", '"\\x7f"'), (" lead", '" lead"'), ("trail ", '"trail "'),
                            ("x" * 1024, "x" * 1024), ("y" * 4000, None), ("Z" * 60_000 + "@example.com", None)]:
            with self.subTest(name=name[:10]):
                for number in range(4):
                    refused = client.ask(outgoing(name, sender="", recipient=f"r{number}@far.example"))
                self.assertTrue(refused.startswith("550 "), refused)
                locks = [lock["account"] for lock in policyd.ctl_json("account", "list", "--locked")["locks"]]
                self.assertEqual(len(locks), 1)
                self.assertLessEqual(len(locks[0]), 1024)
                self.assertIn(shown or locks[0], policyd.ctl("account", "list", "--locked"))
                self.assertEqual(policyd.ctl_json("account", "show", "--", name)["lock"]["account"], locks[0])
                self.assertEqual(policyd.ctl("account", "unlock", "--", name),
                                 f"unlocked {shown or locks[0]}; its signs are counted anew\n")
                self.assertEqual(policyd.ctl("account", "reset", "--", name),
                                 f"forgot what {shown or locks[0]} has sent\n")
                self.assertEqual(client.ask(outgoing(name, sender="", recipient="r@far.example")), "DUNNO")

    def test_a_name_that_nothing_can_have(self):
        error = "policyctl: what is asked for is too long: policyd knows no such name\n"
        self.assertEqual(self.run_ctl(Policyd(self), "why", "x" * 100_000), (1, "", error))

    def test_what_no_mail_is_charged_to_is_not_locked(self):
        policyd = Policyd(self)
        charged = ('under traffic.account = "login" mail is charged to a login, or without one the client\'s address '
                   '(of IPv6 its /64)')
        for name in ("default", "192.0.2.0/24"):
            with self.subTest(name=name):
                self.assertEqual(self.run_ctl(policyd, "account", "lock", name, "--reason", "x"),
                                 (1, "", f'policyctl: "{name}" cannot be locked: {charged}\n'))
        self.assertEqual(policyd.ctl("account", "lock", "example.com", "--reason", "x"),
                         "locked example.com until it is unlocked; that is a login; the logins of a domain example.com "
                         "are locked one by one\n")
