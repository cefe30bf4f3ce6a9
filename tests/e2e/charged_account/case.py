"""Who is charged for what: the login, the client without one, an IPv6 network; and what being over a limit does.

What is refused consumes nothing, at RCPT and, when the true size is known, at the message's end, with a real Postfix.
"""

from support.case import E2eTest
from support.policy_client import make_request, outgoing
from support.policyd import Policyd
from support.postfix import Postfix

ONE = '[accounts.default]\nmessages = ["1/1h"]\nrecipients = []\nbytes = []\n'


class ChargedAccount(E2eTest):
    def words(self, policyd, requests):
        return [policyd.ask(request).split()[0] for request in requests]

    def used(self, policyd, account):
        limits = policyd.ctl_json("account", "show", account)["limits"]
        mail = ("messages", "recipients", "bytes")
        return {limit["meter"]: limit["used"] for limit in limits if limit["meter"] in mail}

    def test_whose_limit_it_is(self):
        ours = {"policy_context": "outgoing"}
        table = {  # of two messages at 1/1h the second is deferred where both are the same account's
            "the login in any case": ([outgoing("Joe@Example.com"), outgoing("joe@example.COM")], "DEFER"),
            "two logins, one sender": ([outgoing("a", sender="x@y.example"), outgoing("b", sender="x@y.example")],
                                       "DUNNO"),
            "the same login, other senders and clients": (
                [outgoing("c", sender="x@y.example"), outgoing("c", sender="", client_address="203.0.113.9")], "DEFER"),
            "a client of our networks": ([make_request(client_address="127.0.0.9"),
                                          make_request(client_address="127.0.0.9")], "DEFER"),
            "two clients of our networks": ([make_request(client_address="127.0.0.10"),
                                             make_request(client_address="127.0.0.11")], "DUNNO"),
            "one IPv6 network": ([make_request(client_address="2001:db8:1:2::1", **ours),
                                  make_request(client_address="2001:db8:1:2:ffff::2", **ours)], "DEFER"),
            "two IPv6 networks": ([make_request(client_address="2001:db8:1:3::1", **ours),
                                   make_request(client_address="2001:db8:1:4::1", **ours)], "DUNNO"),
            "an IPv4-mapped address": ([make_request(client_address="::ffff:192.0.2.50", **ours),
                                        make_request(client_address="192.0.2.50", **ours)], "DEFER"),
            "incoming by policy_context": ([outgoing("d", policy_context="incoming"),
                                            outgoing("d", policy_context="incoming")], "DUNNO"),
            "strangers": ([make_request(), make_request()], "DUNNO"),
        }
        policyd = Policyd(self, tables=ONE)
        for what, (requests, second) in table.items():
            with self.subTest(account=what):
                words = self.words(policyd, requests)
                self.show(f"{what}: {words}")
                self.assertEqual(words, ["DUNNO", second])

    def test_what_being_over_the_limit_does(self):
        policyd = Policyd(self, tables=ONE + "".join(
            f'\n[accounts."{name}.example"]\non_limit = "{name}"\n' for name in ("defer", "reject", "hold")))
        for name, word in (("defer", "DEFER"), ("reject", "REJECT"), ("hold", "HOLD")):
            actions = [policyd.ask(outgoing(f"joe@{name}.example")) for _ in range(2)]
            self.show(f"on_limit = {name}: {actions[1]}")
            self.assertEqual([action.split()[0] for action in actions], ["DUNNO", word])
            self.assertEqual(self.used(policyd, f"joe@{name}.example"), {"messages": 1})

    def test_the_nearest_setting_wins_key_by_key(self):
        policyd = Policyd(self, tables='[accounts.default]\nmessages = ["1/1h"]\nrecipients = ["5/1h"]\n\n'
                                       '[accounts."example.com"]\nmessages = ["2/1h"]\n\n'
                                       '[accounts."joe@example.com"]\nmessages = ["3/1h"]\n')
        for account, messages in (("x@elsewhere.example", 1), ("ann@example.com", 2), ("joe@example.com", 3)):
            passed = self.words(policyd, [outgoing(account) for _ in range(5)]).count("DUNNO")
            self.assertEqual(passed, messages, account)
        policyd.ctl("account", "set", "joe@example.com", "messages", "none")
        passed = self.words(policyd, [outgoing("joe@example.com") for _ in range(5)]).count("DUNNO")
        self.assertEqual(passed, 2, "3 of 5 recipients were used")
        policyd.ctl("account", "unset", "joe@example.com", "messages")
        policyd.ctl("account", "reset", "joe@example.com")
        passed = self.words(policyd, [outgoing("joe@example.com") for _ in range(5)]).count("DUNNO")
        self.assertEqual(passed, 3, "the file's limit again, from nothing")

    def test_a_message_that_turns_out_too_large_is_given_back(self):
        policyd = Policyd(self, tables='[accounts.default]\nmessages = ["10/1h"]\nrecipients = ["10/1h"]\n'
                                       'bytes = ["2KB/1h"]\n')
        postfix = Postfix(self, policyd.endpoint, ask_in=("recipient", "end_of_data"))
        client = postfix.user("joe@example.com")
        small = "Subject: small\r\n\r\n" + "x" * 500 + "\r\n"
        client.must(250, "MAIL FROM:<joe@example.com>")
        client.rcpt("someone@far.example")
        self.assertEqual(client.data(small).code, 250)
        before = self.used(policyd, "joe@example.com")
        start = len(client.dialogue)
        client.must(250, "MAIL FROM:<joe@example.com>")
        client.rcpt("someone@far.example")
        self.assertEqual(client.data("Subject: large\r\n\r\n" + ("x" * 70 + "\r\n") * 40).code, 450)
        self.show("\n".join(client.dialogue[start:]))
        self.show(f"used before and after the large message: {before}")
        self.assertEqual(self.used(policyd, "joe@example.com"), before)
        self.assertEqual(before, {"messages": 1, "recipients": 1, "bytes": len(small)})
        client.must(250, "RSET")
        client.must(250, "MAIL FROM:<joe@example.com> SIZE=5000")
        self.assertEqual(client.rcpt("someone@far.example").code, 450, "a declared size is refused at once")
