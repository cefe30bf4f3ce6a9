"""The sum of weighted checks decides, as a real Postfix sees it: deferred, held, rejected; the header stands once.

Also: `block = true`, a dry run, and `policyctl check`, which explains a verdict and changes nothing.
"""

from support.case import E2eTest
from support.policy_client import make_request, outgoing
from support.policyd import Policyd
from support.postfix import Postfix

SCORES = """
[score]
header = "X-Policyd-Score"

[score.incoming]
defer = 5
hold = 10
reject = 20

[checks.reverse_dns]
incoming = { missing = 10, unconfirmed = 5 }

[checks.ehlo]
incoming = { unqualified = 10, literal = 2 }
"""
UNKNOWN = "[UNAVAILABLE]"
NAME = "mail.stranger.example"
UNCONFIRMED = {"NAME": UNKNOWN, "REVERSE_NAME": NAME, "HELO": NAME}
MISSING = {"NAME": UNKNOWN, "REVERSE_NAME": UNKNOWN, "HELO": NAME}
KEEP = "defer_transports = discard\n"  # what is accepted stays in the queue, to be looked at
HEADER = "X-Policyd-Score: "


class Score(E2eTest):
    def send(self, postfix, recipients=("bob",), **xclient):
        """The last reply of a message to all recipients; shows the dialogue."""
        client = postfix.client(ADDR="192.0.2.1", **xclient)
        start = len(client.dialogue)
        client.must(250, "MAIL FROM:<ann@stranger.example>")
        replies = [client.rcpt(f"{name}@test.example") for name in recipients]
        reply = client.data() if replies[-1].code == 250 else replies[-1]
        self.show("\n".join(client.dialogue[start:]) + "\n")
        return reply

    def test_thresholds(self):
        postfix = Postfix(self, Policyd(self, tables=SCORES).endpoint, settings=KEEP)
        deferred = self.send(postfix, **UNCONFIRMED)
        self.assertEqual(deferred.code, 450)
        self.assertIn("client's reverse DNS name does not lead back to its address", deferred.text)

        held = self.send(postfix, **MISSING)
        self.assertEqual(held.code, 250)
        self.assertEqual(postfix.message(held)[0], "hold")

        rejected = self.send(postfix, **{**MISSING, "HELO": "localhost"})
        self.assertEqual(rejected.code, 554)
        for reason in ("client has no reverse DNS name", "EHLO name is not fully qualified"):
            self.assertIn(reason, rejected.text)

    def test_the_header_stands_once(self):
        policyd = Policyd(self, tables=SCORES)
        postfix = Postfix(self, policyd.endpoint, ask_in=("client", "helo", "sender", "recipient"), settings=KEEP)
        table = [({"NAME": NAME, "REVERSE_NAME": NAME, "HELO": NAME}, "0"),
                 ({"NAME": NAME, "REVERSE_NAME": NAME, "HELO": "[192.0.2.200]"}, "2 ")]
        for xclient, score in table:
            with self.subTest(**xclient):
                reply = self.send(postfix, recipients=("bob", "rcpt1", "rcpt2"), **xclient)
                queue, message = postfix.message(reply)
                headers = [line for line in message.splitlines() if line.startswith(HEADER)]
                self.show(f"four lists, three recipients; in the {queue} queue: {headers}")
                self.assertEqual(len(headers), 1, message)
                self.assertTrue(headers[0].startswith(HEADER + score), headers)

    def test_block_rejects_whatever_the_score_and_a_dry_run_does_nothing(self):
        request = make_request(client_name="unknown", reverse_client_name="unknown")
        check = "[checks.reverse_dns]\nincoming = {}\nblock = {}\ndry_run = {}\n"
        table = [(1, "true", "false", "REJECT "), (0, "true", "false", "DUNNO"), (100, "true", "true", "DUNNO"),
                 (100, "false", "false", "REJECT "), (1, "false", "false", "DUNNO")]
        policyd = Policyd(self)
        for weight, block, dry_run, action in table:
            with self.subTest(weight=weight, block=block, dry_run=dry_run):
                policyd.configure(check.format(weight, block, dry_run))
                before = len(policyd.log_lines("policyd.toml: taken"))
                policyd.reload()
                policyd.wait_log("policyd.toml: taken", count=before + 1)
                self.assertTrue(policyd.ask(request).startswith(action))

    def test_policyctl_check_explains_and_changes_nothing(self):
        scores = SCORES.replace('header = "X-Policyd-Score"', "")
        policyd = Policyd(self, tables=scores + '\n[accounts.default]\nmessages = ["1/1h"]\n')
        path = self.directory / "request.txt"
        path.write_bytes(make_request(client_name="unknown", reverse_client_name="unknown", helo_name="localhost"))
        self.show(policyd.ctl("check", path))
        verdict = policyd.ctl_json("check", path)
        self.assertEqual((verdict["action"], verdict["direction"], verdict["score"]), ("REJECT", "incoming", 20))
        self.assertEqual([(finding["check"], finding["score"]) for finding in verdict["findings"]],
                         [("reverse_dns", 10), ("ehlo", 10)])
        path.write_bytes(outgoing("joe@example.com"))
        self.assertEqual([policyd.ctl_json("check", path)["action"] for _ in range(3)], ["DUNNO"] * 3)
        self.assertEqual([policyd.ask(outgoing("joe@example.com")).split()[0] for _ in range(2)], ["DUNNO", "DEFER"])
        self.assertEqual(policyd.ctl_json("check", path)["action"], "DEFER")
