"""Bounces to a domain whose mail goes out with BATV tags, as a real Postfix takes them: only those with a valid tag.

And what operators see of it: the reasons, and no key.
"""

import hashlib
import hmac
import time

from support.case import E2eTest
from support.policyd import Policyd
from support.postfix import Postfix

BATV = """
[checks.batv]
[[checks.batv.domains]]
domain = "test.example"
keys = ["1:old secret", "2:new secret"]
lifetime = "7d"
"""
DAY = 86400
ANY_TAG = "smtpd_reject_unlisted_recipient = no\n"  # Postfix knows tagged recipients by a table of their own


def tagged(number, secret, address="bob@test.example", days=3):
    """The address as its mail would have been sent with `days` left, by the clock of now."""
    stamp = f"{number}{(int(time.time() / DAY) + days) % 1000:03}"
    digest = hmac.new(secret.encode(), (stamp + address).encode(), hashlib.sha1).hexdigest()
    return f"prvs={stamp}{digest[:6]}={address}"


class Batv(E2eTest):
    def test_bounces(self):
        policyd = Policyd(self, tables=BATV)
        postfix = Postfix(self, policyd.endpoint, settings=ANY_TAG)
        no_tag = "bounce of mail that was not sent from here (no BATV tag)"
        forged = "bounce of mail that was not sent from here (BATV tag is forged)"
        expired = "bounce of mail that was sent from here too long ago (BATV tag has expired)"
        table = [("", tagged(1, "old secret"), 250, ""),
                 ("", tagged(2, "new secret", days=7), 250, ""),
                 ("", tagged(2, "new secret", days=1), 250, ""),
                 ("", tagged(2, "new secret").upper(), 250, ""),
                 ("", tagged(2, "new secret", "bob+news@test.example"), 250, ""),
                 ("", "bob@test.example", 554, no_tag),
                 ("", tagged(1, "new secret"), 554, forged),
                 ("", tagged(3, "new secret"), 554, forged),
                 ("", tagged(1, "old secret", days=-2), 554, expired),
                 ("", tagged(1, "old secret", days=9), 554, expired),
                 ("", "postmaster@test.example", 250, ""),
                 ("ann@stranger.example", "bob@test.example", 250, "")]
        for sender, recipient, code, reason in table:
            with self.subTest(sender=sender, recipient=recipient):
                client = postfix.stranger()
                start = len(client.dialogue)
                client.must(250, f"MAIL FROM:<{sender}>")
                reply = client.rcpt(recipient)
                self.show("\n".join(client.dialogue[start:]))
                self.assertEqual(reply.code, code, reply.text)
                self.assertIn(reason, reply.text)
        self.assertEqual(len(policyd.log_lines("batv.missing:+30")), 1)

    def test_a_block_holds_for_the_tagged_address(self):
        policyd = Policyd(self, tables=BATV)
        policyd.ctl("block", "add", "bob@test.example", "--type", "recipient", "--direction", "in")
        client = Postfix(self, policyd.endpoint, settings=ANY_TAG).stranger()
        client.must(250, "MAIL FROM:<>")
        reply = client.rcpt(tagged(1, "old secret"))
        self.show("\n".join(client.dialogue))
        self.assertEqual(reply.code, 550)
        self.assertIn("Mail refused by local policy", reply.text)

    def test_keys_are_masked(self):
        policyd = Policyd(self, tables=BATV)
        shown = policyd.ctl("config", "show")
        self.assertIn('keys = ["1:***", "2:***"]', shown)
        for text in (shown, policyd.ctl("--json", "config", "show"), policyd.log()):
            self.assertNotIn("secret", text)
