"""Recipients that Postfix refuses are counted as invalid, without a milter: those of a message that has others, and
those of messages that never come to their end, as far as they were refused for certain.

With a real Postfix, which refuses a recipient that it does not know after policyd has let it pass.
"""

from support.case import E2eTest
from support.policyd import Policyd
from support.postfix import Postfix
from support.wait import wait_until

TABLES = ('[accounts.default]\nmessages = []\nrecipients = ["1000/1h"]\nbytes = []\n'
          'invalid_recipients = ["40/1d"]\ndistinct_recipients = ["500/1d"]\n')
JOE = "joe@example.com"


class RefusedRecipients(E2eTest):
    def used(self, policyd):
        limits = policyd.ctl_json("account", "show", JOE)["limits"]
        return {limit["meter"]: limit["used"] for limit in limits}

    def refuse(self, client, names):
        for name in names:
            reply = client.rcpt(f"{name}@test.example")
            self.assertEqual(reply.code, 550, reply)

    def test_thirty_unknown_recipients_in_a_message(self):
        policyd = Policyd(self, tables=TABLES)
        postfix = Postfix(self, policyd.endpoint, ask_in=("recipient", "data", "end_of_data"))
        client = postfix.user(JOE)
        client.must(250, f"MAIL FROM:<{JOE}>")
        self.refuse(client, [f"nobody{i}" for i in range(30)])
        for known in ("bob", "rcpt1"):
            self.assertEqual(client.rcpt(f"{known}@test.example").code, 250)
        self.assertEqual(self.used(policyd), {"recipients": 32, "distinct_recipients": 32, "invalid_recipients": 0})
        self.assertEqual(client.data().code, 250)
        used = self.used(policyd)
        self.show(f"30 unknown and 2 known recipients: {used}")
        self.assertEqual(used, {"recipients": 2, "distinct_recipients": 32, "invalid_recipients": 30})

    def test_thirty_messages_that_never_come_to_data(self):
        policyd = Policyd(self, tables=TABLES)
        postfix = Postfix(self, policyd.endpoint, ask_in=("recipient", "data"))
        client = postfix.user(JOE)
        self.refuse_alone(client, "early")
        client.must(250, "RSET")
        self.assertEqual(self.used(policyd)["invalid_recipients"], 0, "nobody knows yet whether Postfix asks at DATA")
        self.assertEqual(client.send(JOE, "bob@test.example").code, 250)
        for i in range(30):
            self.refuse_alone(client, f"nobody{i}")
            client.must(250, "RSET")
        client.must(250, f"MAIL FROM:<{JOE}>")
        self.refuse(client, ["another", "and-another"])
        client.quit()
        # The last one is over when the process of Postfix goes, and its connection with it.
        postfix.kill()
        wait_until(lambda: self.used(policyd)["invalid_recipients"] >= 32, "32 invalid recipients")
        used = self.used(policyd)
        self.show(f"30 messages of one unknown recipient, one of two: {used}")
        self.assertEqual(used["invalid_recipients"], 32)
        self.assertEqual(policyd.log_lines("sign="), [], "40 are allowed")

    def refuse_alone(self, client, name):
        client.must(250, f"MAIL FROM:<{JOE}>")
        self.refuse(client, [name])

    def settled_once(self, client):
        """Policyd knows from it that Postfix asks at the end of messages."""
        self.assertEqual(client.send(JOE, "bob@test.example").code, 250)

    def test_a_mistyped_recipient_among_sixty_and_a_message_without_any(self):
        policyd = Policyd(self, tables=TABLES)
        postfix = Postfix(self, policyd.endpoint, ask_in=("recipient", "data"))
        client = postfix.user(JOE)
        self.settled_once(client)
        client.must(250, f"MAIL FROM:<{JOE}>")
        for i in range(60):
            self.assertEqual(client.rcpt(f"rcpt{i}@test.example").code, 250)
        self.refuse(client, ["nobody"])
        client.must(250, "RSET")
        client.must(250, f"MAIL FROM:<{JOE}>")
        self.refuse(client, ["nobody"])
        wait_until(lambda: self.used(policyd)["invalid_recipients"] > 0, "the first message's end")
        self.assertEqual(self.used(policyd)["invalid_recipients"], 1)
        self.refuse(client, [f"nobody{i}" for i in range(29)])
        client.must(250, "RSET")
        client.must(250, f"MAIL FROM:<{JOE}>")
        self.refuse(client, ["nobody"])
        wait_until(lambda: self.used(policyd)["invalid_recipients"] > 1, "the second message's end")
        self.show(f"60 recipients and one unknown; 30 unknown ones: {self.used(policyd)}")
        self.assertEqual(self.used(policyd)["invalid_recipients"], 31)

    def test_what_was_never_mailed_is_given_back_and_what_was_is_not(self):
        policyd = Policyd(self, tables=TABLES)
        postfix = Postfix(self, policyd.endpoint, ask_in=("recipient", "data"))
        client = postfix.user(JOE)
        self.settled_once(client)
        self.refuse_alone(client, "nobody")
        self.assertEqual(self.used(policyd), {"recipients": 2, "distinct_recipients": 2, "invalid_recipients": 0})
        client.must(250, "RSET")
        client.must(250, f"MAIL FROM:<{JOE}>")
        self.assertEqual(client.rcpt("rcpt1@test.example").code, 250)
        self.show(client.command("VRFY bob@test.example"))  # ends no message
        self.assertEqual(client.data().code, 250)
        wait_until(lambda: self.used(policyd)["invalid_recipients"] > 0, "the first message's end")
        used = {"recipients": 2, "distinct_recipients": 3, "invalid_recipients": 1}  # who was tried stays tried
        self.assertEqual(self.used(policyd), used)
        client.quit()
        postfix.kill()
        wait_until(lambda: policyd.ctl_json("status")["connections"] == 0, "the end of all connections")
        self.assertEqual(self.used(policyd), used)
        self.show(f"two messages that were sent, and one of an unknown recipient alone: {used}")

    def test_a_connection_that_is_lost_within_data(self):
        policyd = Policyd(self, tables=TABLES)
        postfix = Postfix(self, policyd.endpoint, ask_in=("recipient", "end_of_data"))
        client = postfix.user(JOE)
        self.settled_once(client)
        client.must(250, f"MAIL FROM:<{JOE}>")
        for i in range(60):
            self.assertEqual(client.rcpt(f"rcpt{i}@test.example").code, 250)
        self.assertEqual(client.command("DATA").code, 354)
        client.close()
        postfix.kill()
        wait_until(lambda: self.used(policyd)["invalid_recipients"] > 0, "the message's end")
        self.show(f"60 recipients of a message that was lost within DATA: {self.used(policyd)}")
        self.assertEqual(self.used(policyd)["invalid_recipients"], 1)

    def test_behind_a_filter_no_message_has_a_queue_id(self):
        policyd = Policyd(self, tables=TABLES)
        behind = Postfix(self, policyd.endpoint, ask_in=())
        postfix = Postfix(self, policyd.endpoint, ask_in=("recipient", "data"),
                          settings=f"smtpd_proxy_filter = 127.0.0.1:{behind.port}\n")
        client = postfix.user(JOE)
        self.settled_once(client)
        client.must(250, f"MAIL FROM:<{JOE}>")
        for i in range(60):
            self.assertEqual(client.rcpt(f"rcpt{i}@test.example").code, 250)
        client.must(250, "RSET")
        client.must(250, f"MAIL FROM:<{JOE}>")
        self.refuse(client, ["nobody"])
        wait_until(lambda: self.used(policyd)["invalid_recipients"] > 0, "the message's end")
        self.assertEqual(self.used(policyd)["invalid_recipients"], 1)

    def test_policyd_ends_while_postfix_stands_between_rcpt_and_data(self):
        policyd = Policyd(self, store=f"memory:{self.directory}/state.db", tables=TABLES)
        postfix = Postfix(self, policyd.endpoint, ask_in=("recipient", "data"))
        client = postfix.user(JOE)
        self.settled_once(client)
        client.must(250, f"MAIL FROM:<{JOE}>")
        for i in range(3):
            self.assertEqual(client.rcpt(f"rcpt{i}@test.example").code, 250)
        policyd.terminate()
        policyd.start()
        self.assertEqual(self.used(policyd), {"recipients": 4, "distinct_recipients": 4, "invalid_recipients": 0})

    def test_a_sign_is_told_once_it_is_gone_over(self):
        policyd = Policyd(self, tables=TABLES.replace("40/1d", "3/1d"))
        postfix = Postfix(self, policyd.endpoint, ask_in=("recipient", "data"))
        client = postfix.user(JOE)
        client.must(250, f"MAIL FROM:<{JOE}>")
        self.refuse(client, [f"nobody{i}" for i in range(4)])
        self.assertEqual(client.rcpt("bob@test.example").code, 250)
        self.assertEqual(client.data().code, 250)
        self.show(policyd.wait_log('sign="invalid_recipients 4 of 3/1d"')[0])
