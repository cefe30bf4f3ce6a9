"""A locked account sends nothing: with a real Postfix, within a session, under way at DATA, on two nodes of one Redis.

Locks are made, and lifted, with policyctl and with redis-cli; they run out, are counted, and are told of once.
"""

import time

from support.case import E2eTest
from support.policy_client import outgoing, without_id
from support.policyd import Policyd
from support.postfix import Postfix
from support.redis import Redis
from support.wait import wait_until

JOE, ANN = "joe@example.com", "ann@example.com"
LOCK = f"policyd:lock:{{{JOE}}}"
FAR = "someone@far.example"
REFUSAL = "550 5.7.1 Mail refused by local policy"
REFUSED_BY_POSTFIX = r"^5\.7\.1 .*Mail refused by local policy"


class AccountLock(E2eTest):
    def setUp(self):
        self.redis = Redis(self)

    def two_nodes(self, tables=""):
        self.nodes = [Policyd(self, name, store=url, tables=tables)
                      for name, url in (("mx1", self.redis.url), ("mx2", self.redis.tcp_url))]
        self.clients = [node.client() for node in self.nodes]

    def answers(self, account=JOE):
        return [without_id(client.ask(outgoing(account, recipient=FAR))) for client in self.clients]

    def until(self, wanted, what):
        """Every node answers so, within a second of self.changed."""
        answers = wait_until(lambda: (now := self.answers()) and all(one == wanted for one in now) and now, what, 5)
        elapsed = (time.monotonic() - self.changed) * 1000
        self.show(f"{what}: {elapsed:.0f} ms, {answers}")
        self.assertLess(elapsed, 1000, what)

    def cli(self, *words):
        self.show("$ redis-cli " + " ".join(map(str, words)))
        self.changed = time.monotonic()
        return self.redis.cli(*words)

    def ctl(self, node, *words, **options):
        self.show("$ policyctl " + " ".join(words))
        self.changed = time.monotonic()
        return self.nodes[node].ctl(*words, **options)

    def knows(self, node, locked):
        return (self.nodes[node].ctl_json("account", "show", JOE)["lock"] is not None) == locked

    def test_locked_on_one_node_refused_on_the_other_within_a_session(self):
        self.two_nodes()
        postfix = Postfix(self, self.nodes[1].endpoint)
        joe, ann = postfix.user(JOE), postfix.user(ANN)
        self.assertEqual(joe.send(JOE, FAR).code, 250)
        self.ctl(0, "account", "lock", JOE, "--reason", "phished")
        wait_until(lambda: joe.send(JOE, FAR).code == 550, "the session to be refused", 5)
        elapsed = time.monotonic() - self.changed
        self.assertLess(elapsed, 1)
        start = len(joe.dialogue)
        refused = joe.send("alias@example.com", FAR)
        self.show("\n".join(joe.dialogue[start:]))
        self.assertEqual(refused.code, 550)
        self.assertRegex(refused.text, REFUSED_BY_POSTFIX)
        for secret in ("phished", "lock"):
            self.assertNotIn(secret, refused.text)
        self.assertEqual(ann.send(ANN, FAR).code, 250, "another account of the domain passes")
        self.nodes[1].wait_log("cause=lock", f'account="{JOE}"', 'lock="phished"')
        self.ctl(1, "account", "unlock", JOE)
        wait_until(lambda: joe.send(JOE, FAR).code == 250, "the session to be served again", 5)

    def test_a_message_under_way_does_not_go_out(self):
        self.two_nodes()
        postfix = Postfix(self, self.nodes[1].endpoint, ask_in=("recipient", "data", "end_of_data"))
        for before_data in (True, False):
            with self.subTest(before_data=before_data):
                joe = postfix.user(JOE)
                self.assertEqual(joe.mail(JOE).code, 250)
                self.assertEqual(joe.rcpt(FAR).code, 250)
                if not before_data:
                    self.assertEqual(joe.command("DATA").code, 354)
                start = len(joe.dialogue)
                self.ctl(0, "account", "lock", JOE, "--reason", "phished")
                wait_until(lambda: self.knows(1, locked=True), "the other node to know", 5)
                reply = joe.command("DATA") if before_data else joe.command("Subject: x\r\n\r\nx\r\n.")
                self.show("\n".join(joe.dialogue[start:]))
                self.assertEqual(reply.code, 550, reply)
                self.assertRegex(reply.text, REFUSED_BY_POSTFIX)
                self.ctl(0, "account", "unlock", JOE)
                wait_until(lambda: self.knows(1, locked=False), "the other node to know", 5)
        self.assertNotIn("status=sent", postfix.mail_log())

    def test_redis_cli_locks_and_unlocks(self):
        self.two_nodes()
        self.assertEqual(self.answers(), ["DUNNO"] * 2)
        self.cli("HSET", LOCK, "reason", "phished")
        self.until(REFUSAL, "locked on both nodes")
        self.assertEqual(self.answers(ANN), ["DUNNO"] * 2)
        self.cli("DEL", LOCK)
        self.until("DUNNO", "unlocked on both nodes")
        self.cli("HSET", LOCK, "reason", "phished")
        self.until(REFUSAL, "locked on both nodes")
        self.cli("PEXPIRE", LOCK, 300)
        self.until("DUNNO", "the TTL is over on both nodes")
        self.cli("HSET", LOCK, "reason", "phished")
        self.until(REFUSAL, "locked on both nodes")
        self.cli("FLUSHDB")
        self.until("DUNNO", "unlocked on both nodes")

    def test_a_lock_runs_out_and_is_told_once(self):
        self.two_nodes()
        self.ctl(0, "account", "lock", JOE, "--reason", "phished", "--for", "2s")
        locked_at = self.changed
        self.until(REFUSAL, "locked on both nodes")
        self.show(self.nodes[1].ctl("account", "list", "--locked"))
        wait_until(lambda: self.answers() == ["DUNNO"] * 2, "the lock's end on both nodes", 10)
        self.assertGreaterEqual(time.monotonic() - locked_at, 2, "it ended before its time")

        def ended():
            return [line for node in self.nodes for line in node.log_lines("lock: account=", " ended ")]
        wait_until(ended, "one of them to tell", 10)
        # Whoever had been told of it a second time would have said so by the end of the next lock.
        self.ctl(1, "account", "lock", JOE, "--reason", "again", "--for", "1s")
        wait_until(lambda: len(ended()) > 1, "the next one's end", 10)
        self.assertEqual(len([line for line in ended() if "phished" in line]), 1)
        shown = self.nodes[0].ctl_json("account", "show", JOE)
        self.show(self.nodes[0].ctl("account", "show", JOE))
        self.assertIsNone(shown["lock"])
        self.assertEqual([(event["event"], event["reason"]) for event in shown["lock_history"]],
                         [("ended", "again"), ("locked", "again"), ("ended", "phished"), ("locked", "phished")])
        self.assertEqual(self.redis.cli("GET", f"policyd:unlocks:{{{JOE}}}"), "2")
        self.assertEqual(self.nodes[0].ctl_json("account", "lock", JOE, "--reason", "third")["unlocks"], 2)

    def test_deferred_or_held_as_configured(self):
        for action, wanted in (("defer", "DEFER 4.7.1 Mail refused by local policy"), ("hold", "HOLD account locked")):
            with self.subTest(action=action):
                policyd = Policyd(self, f"mx-{action}", tables=f'[locks]\naction = "{action}"\n')
                policyd.ctl("account", "lock", JOE, "--reason", "phished")
                self.assertEqual(without_id(policyd.ask(outgoing(JOE, recipient=FAR))), wanted)

    def test_a_login_and_what_it_is_charged_to(self):
        policyd = Policyd(self, tables='[traffic]\naccount = "domain"\n')
        for locked, refused in ((JOE, [JOE]), ("example.com", [JOE, ANN])):
            with self.subTest(locked=locked):
                policyd.ctl("account", "lock", locked, "--reason", "phished")
                answers = {login: without_id(policyd.ask(outgoing(login, recipient=FAR))) for login in (JOE, ANN)}
                self.show(f"{locked} is locked: {answers}")
                self.assertEqual([login for login in answers if answers[login] == REFUSAL], refused)
                policyd.ctl("account", "unlock", locked)
        self.assertEqual(policyd.ctl("account", "report", JOE, "--invalid-recipient"),
                         "counted 1 invalid_recipients of example.com\n")
        self.assertIn("mail is charged to  example.com\n", policyd.ctl("account", "show", JOE))
        policyd.ctl("account", "lock", "example.com", "--reason", "phished")
        self.assertIn("mail is charged to  example.com, which is locked: phished, since ",
                      policyd.ctl("account", "show", JOE))
        self.assertNotIn("charged to", policyd.ctl("account", "show", "example.com"))

    def test_a_held_message_waits_in_the_hold_queue(self):
        policyd = Policyd(self, tables='[locks]\naction = "hold"\n')
        postfix = Postfix(self, policyd.endpoint, ask_in=("recipient", "data", "end_of_data"))
        policyd.ctl("account", "lock", JOE, "--reason", "phished")
        reply = postfix.user(JOE).send(JOE, FAR)
        self.assertEqual(reply.code, 250, reply)
        queue, _ = postfix.message(reply)
        self.assertEqual(queue, "hold")

    def test_locks_survive_a_crash(self):
        policyd = Policyd(self, store=f"memory:{self.directory}/state.db")
        for number in range(5):
            policyd.ctl("account", "lock", f"u{number}@example.com", "--reason", f"reason {number}")
            policyd.kill()
            self.show("kill -9, start")
            policyd.start()
            locks = policyd.ctl_json("account", "list", "--locked")["locks"]
            self.assertEqual([lock["reason"] for lock in locks], [f"reason {i}" for i in range(number + 1)])
        policyd.ctl("account", "unlock", "u3@example.com")
        policyd.kill()
        policyd.start()
        self.assertEqual(policyd.ask(outgoing("u3@example.com", recipient=FAR)), "DUNNO")
        self.assertEqual(without_id(policyd.ask(outgoing("u4@example.com", recipient=FAR))), REFUSAL)

    def test_policyctl_says_what_it_does_and_what_not(self):
        self.two_nodes()
        self.assertEqual(self.ctl(0, "account", "list", "--locked"), "no account is locked\n")
        self.assertEqual(self.ctl(0, "account", "lock", JOE, "--reason", "phished"),
                         f"locked {JOE} until it is unlocked\n")
        table = [
            (["account", "lock", JOE, "--reason", "x"], 1),
            (["account", "lock", JOE], 2),
            (["account", "lock", JOE, "--reason", "x", "--for", "soon"], 2),
            (["account", "lock", JOE, "--reason", ""], 2),
            (["account", "unlock", "nobody@example.com"], 1),
        ]
        for words, code in table:
            with self.subTest(words=words):
                self.nodes[0].ctl(*words, code=code)
        self.assertEqual(self.ctl(0, "account", "lock", JOE, "--reason", "spam", "--replace", "--for", "1h"),
                         f"locked {JOE} for 1h\n")
        request = self.directory / "request"
        request.write_bytes(outgoing(JOE, recipient=FAR))
        text = self.nodes[0].ctl("check", request)
        self.show(text)
        self.assertRegex(text, r"because of +the account is locked\n")
        self.assertRegex(text, r"lock +spam, since ")
        wait_until(lambda: self.nodes[1].ctl_json("status")["locks"] == 1, "the other node to count it", 5)
        self.assertEqual(self.ctl(1, "account", "unlock", JOE), f"unlocked {JOE}; its signs are counted anew\n")
