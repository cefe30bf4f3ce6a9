"""A real Postfix defers the 61st message of an account at 60/1m, says when to try again, and passes everybody else."""

import re

from support.case import E2eTest
from support.policyd import Policyd
from support.postfix import Postfix

LIMIT = '[accounts.default]\nmessages = ["60/1m"]\n'


class SendLimit(E2eTest):
    def test_the_61st_message_is_deferred(self):
        policyd = Policyd(self, tables=LIMIT)
        postfix = Postfix(self, policyd.endpoint, ask_in=("recipient", "end_of_data"))
        client = postfix.user("joe@example.com")
        start = len(client.dialogue)
        for number in range(1, 61):
            reply = client.send("joe@example.com", f"rcpt{number}@far.example")
            self.assertEqual(reply.code, 250, f"message {number}: {reply}")
        self.show("\n".join(client.dialogue[start:start + 8]) + "\n... 59 more like this ...")

        start = len(client.dialogue)
        deferred = client.send("joe@example.com", "rcpt61@far.example")
        self.show("\n".join(client.dialogue[start:]))
        self.assertEqual(deferred.code, 450)
        seconds = re.search(r"try again in (\d+) seconds", deferred.text)
        self.assertTrue(seconds, deferred.text)
        self.assertTrue(1 <= int(seconds[1]) <= 61, deferred.text)  # a window and the slack of one of its 60 buckets

        # However often it is tried, a refused message consumes nothing, and nobody else pays for it.
        for _ in range(5):
            self.assertEqual(client.send("joe@example.com", "rcpt61@far.example").code, 450)
        client.quit()
        self.assertEqual(postfix.user("JOE@example.com").send("joe@example.com", "x@far.example").code, 450,
                         "the login is one account in any case")
        self.assertEqual(postfix.user("ann@example.com").send("joe@example.com", "x@far.example").code, 250,
                         "another account passes, whatever its sender address")
        self.assertEqual(postfix.stranger().send("joe@example.com", "bob@test.example").code, 250,
                         "incoming mail is no account's")

    def test_without_a_login_the_client_in_our_networks_is_the_account(self):
        policyd = Policyd(self, tables='[traffic]\nnetworks = ["198.51.100.0/24"]\n\n'
                                       '[accounts.default]\nmessages = ["2/1h"]\n')
        postfix = Postfix(self, policyd.endpoint)
        codes = [postfix.stranger(address).send("app@test.example", "bob@test.example").code
                 for address in ["198.51.100.1"] * 3 + ["198.51.100.2", "192.0.2.1"]]
        self.show(f"198.51.100.1 three times, 198.51.100.2, a stranger: {codes}")
        self.assertEqual(codes, [250, 250, 450, 250, 250])
