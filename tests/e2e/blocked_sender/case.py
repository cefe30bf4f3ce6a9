"""A real Postfix refuses a blocked sender at RCPT, with a neutral text, and takes his mail once the block is lifted.

The block is made and lifted as an operator would, by redis-cli alone.
"""

from support.case import E2eTest
from support.policyd import Policyd
from support.postfix import Postfix
from support.redis import Redis
from support.wait import free_port, wait_until

BLOCK = "policyd:block:email:joe@example.com"


class BlockedSender(E2eTest):
    def test_refused_until_lifted(self):
        redis = Redis(self)
        policyd = Policyd(self, listen=[f"inet:127.0.0.1:{free_port()}"], store=redis.url)
        postfix = Postfix(self, policyd.endpoint)

        before = self.message(postfix, "joe@example.com")
        self.assertEqual(before.code, 250, before)

        self.show("$ redis-cli " + f'HSET {BLOCK} description "abnormal volume"')
        redis.cli("HSET", BLOCK, "description", "abnormal volume")
        wait_until(lambda: self.refusal(postfix, "joe@example.com"), "the block to be enforced", 5)
        refused = self.message(postfix, "Joe@Example.COM")
        self.assertEqual(refused.code, 550)
        self.assertRegex(refused.text, r"^5\.7\.1 ")
        for secret in ("abnormal", "block", "example.com>: Sender"):
            self.assertNotIn(secret, refused.text, "the refusal tells which block hit")
        other = self.message(postfix, "ann@example.com")
        self.assertEqual(other.code, 250, "another sender of the same domain passes")

        self.show(f"$ redis-cli DEL {BLOCK}")
        redis.cli("DEL", BLOCK)
        wait_until(lambda: self.refusal(postfix, "joe@example.com") is None, "the block to be lifted", 5)
        lifted = self.message(postfix, "joe@example.com")
        self.assertEqual(lifted.code, 250, lifted)

    def test_refused_by_the_login_whatever_the_sender(self):
        redis = Redis(self)
        policyd = Policyd(self, store=redis.url)
        postfix = Postfix(self, policyd.endpoint)
        redis.cli("HSET", BLOCK, "direction", "out")
        wait_until(lambda: self.refusal(postfix, "alias@example.com", login="joe@example.com"), "the block", 5)
        client = postfix.user("joe@example.com")
        start = len(client.dialogue)
        client.mail("alias@example.com")
        self.assertEqual(client.rcpt("someone@far.example").code, 550)
        self.show("\n".join(client.dialogue[start:]))

    def refusal(self, postfix, sender, login=None):
        """The reply to RCPT if it refuses, else None."""
        client = postfix.user(login) if login else postfix.stranger()
        client.must(250, f"MAIL FROM:<{sender}>")
        reply = client.rcpt("bob@test.example")
        client.quit()
        return reply if reply.code >= 400 else None

    def message(self, postfix, sender):
        """Sends one message as a stranger and shows the dialogue."""
        client = postfix.stranger()
        start = len(client.dialogue)
        reply = client.send(sender, "bob@test.example")
        client.quit()
        self.show("\n".join(client.dialogue[start:]) + "\n")
        return reply
