"""All restriction lists ask about one RCPT, which counts once; at the message's end what Postfix took is settled."""

from support.case import E2eTest
from support.policyd import Policyd
from support.postfix import Postfix
from support.redis import Redis

EVERY_LIST = ("client", "helo", "sender", "recipient", "data", "end_of_data")


class AllLists(E2eTest):
    def test_a_message_counts_once_however_many_lists_ask(self):
        policyd = Policyd(self, tables='[accounts.default]\nmessages = ["3/1h"]\n')
        postfix = Postfix(self, policyd.endpoint, ask_in=EVERY_LIST)
        client = postfix.user("joe@example.com")
        codes = [client.send("joe@example.com", f"rcpt{i}@far.example").code for i in range(4)]
        self.show(f"six lists ask, limit 3/1h, four messages: {codes}")
        self.assertEqual(codes, [250, 250, 250, 450])

    def test_a_recipient_counts_once_however_many_lists_ask(self):
        policyd = Policyd(self, tables='[accounts.default]\nmessages = ["1/1h"]\nrecipients = ["3/1h"]\n')
        client = Postfix(self, policyd.endpoint, ask_in=EVERY_LIST).user("joe@example.com")
        client.must(250, "MAIL FROM:<joe@example.com>")
        codes = [client.rcpt(f"rcpt{i}@far.example").code for i in range(4)]
        self.show(f"six lists ask, 3 recipients/1h, one message of four: {codes}")
        self.assertEqual(codes, [250, 250, 250, 450])
        self.assertEqual(client.data().code, 250)

    def test_what_postfix_refused_is_given_back(self):
        redis = Redis(self)
        limits = '[accounts.default]\nmessages = ["10/1h"]\nrecipients = ["100/1h"]\nbytes = ["1MB/1h"]\n'
        for store in (redis.url, "memory:"):
            with self.subTest(store=store.partition(":")[0]):
                policyd = Policyd(self, f"policyd-{store[0]}", store=store, tables=limits)
                self.settled(policyd, Postfix(self, policyd.endpoint, ask_in=EVERY_LIST))

    def settled(self, policyd, postfix):
        client = postfix.user("joe@example.com")
        client.must(250, "MAIL FROM:<joe@example.com> SIZE=500000")
        codes = [client.rcpt(f"{name}{i}@test.example").code for i in range(5) for name in ("rcpt", "nobody")]
        self.show(f"10 recipients, Postfix' own replies: {codes}")
        self.assertEqual(codes, [250, 550] * 5)
        self.assertEqual(self.used(policyd), {"messages": 1, "recipients": 10, "bytes": 500000})
        body = "Subject: test\r\n\r\n" + "x" * 78 + "\r\n"
        self.assertEqual(client.data(body).code, 250)
        used = self.used(policyd)
        self.show(f"after the message's end: {used}")
        self.assertEqual(used, {"messages": 1, "recipients": 5, "bytes": len(body)})

    def used(self, policyd):
        limits = policyd.ctl_json("account", "show", "joe@example.com")["limits"]
        mail = ("messages", "recipients", "bytes")
        return {limit["meter"]: limit["used"] for limit in limits if limit["meter"] in mail}
