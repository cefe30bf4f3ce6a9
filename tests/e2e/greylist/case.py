"""Greylisting, as a real Postfix sees it: strangers wait and are told how long, on whichever node; who passed does not.

A later restriction of Postfix still rejects for good. Also: the embedded state over a restart, a Redis that is away,
`policyctl check`.
"""

import re

from support.case import E2eTest
from support.policy_client import make_request, outgoing
from support.policyd import Policyd
from support.postfix import Postfix
from support.redis import Redis
from support.wait import wait_until

LONG = "[greylist]\nenabled = true\n"
SHORT = LONG + 'block = "1s"\n'
AFTER = "reject_unauth_destination, reject_unlisted_recipient"
WAIT = re.compile(r"4\.7\.1 .*Greylisted, please try again in (\d+) seconds")


class Greylist(E2eTest):
    def seconds(self, reply):
        """The seconds that a greylisted client is told."""
        match = WAIT.search(str(reply))
        self.assertTrue(match, f"not greylisted: {reply}")
        return int(match[1])

    def pass_in_the_end(self, attempt):
        """Tries until it passes; each refusal has to say how long."""
        def accepted():
            reply = attempt()
            if str(reply).startswith("250 ") or reply == "DUNNO":
                return reply
            self.assertEqual(self.seconds(reply), 1)
            return None
        return wait_until(accepted, "the end of the block period", 20)

    def deliver(self, client, recipient="bob@test.example", sender="ann@stranger.example"):
        client.must(250, f"MAIL FROM:<{sender}>")
        reply = client.rcpt(recipient)
        if reply.code == 250:
            return client.data()
        client.must(250, "RSET")
        return reply

    def test_a_dialogue(self):
        for settings, code in (("", 450), ("access_map_defer_code = 451\n", 451)):
            with self.subTest(settings=settings):
                policyd = Policyd(self, f"policyd-{code}", tables=LONG)
                lists = f"smtpd_recipient_restrictions = check_policy_service {policyd.endpoint}, {AFTER}\n"
                client = Postfix(self, policyd.endpoint, settings=settings + lists).stranger()
                start = len(client.dialogue)
                first = self.deliver(client)
                self.assertEqual((first.code, self.seconds(first)), (code, 240))
                again = self.deliver(client)
                self.assertEqual(again.code, code)
                self.assertLessEqual(self.seconds(again), 240)
                for recipient, wanted in (("bob@elsewhere.example", 554), ("nobody@test.example", 550)):
                    self.assertEqual(self.deliver(client, recipient).code, wanted, "a later restriction has to win")
                bounce = self.deliver(client, sender="")
                self.assertEqual(bounce.code, 250, "the null sender is not greylisted")
                self.show("\n".join(client.dialogue[start:]) + "\n")
                self.show(policyd.wait_log("cause=greylist")[0])

    def test_who_comes_back_passes(self):
        redis = Redis(self)
        for name, store in (("memory", "memory:"), ("redis", redis.url)):
            with self.subTest(store=store):
                policyd = Policyd(self, f"policyd-{name}", store=store, tables=SHORT)
                postfix = Postfix(self, policyd.endpoint, ask_in=("client", "sender", "recipient"))
                client = postfix.stranger()
                start = len(client.dialogue)
                self.assertEqual(self.seconds(self.deliver(client)), 1)
                self.assertEqual(self.pass_in_the_end(lambda: self.deliver(client)).code, 250)
                self.show("\n".join([*client.dialogue[start:start + 4], "...", *client.dialogue[-7:]]) + "\n")
                self.assertEqual(self.deliver(client).code, 250)
                # Another host of the same operator, and a message with another VERP number.
                other = postfix.stranger("198.51.100.9", "mx7.stranger.example")
                self.assertEqual(self.deliver(other).code, 250)
                self.assertEqual(self.seconds(self.deliver(other, sender="bounce-1-a@stranger.example")), 1)
                self.assertEqual(self.pass_in_the_end(
                    lambda: self.deliver(other, sender="bounce-2-a@stranger.example")).code, 250)
                if name == "redis":
                    self.show("\n".join(f"{key} = {redis.cli('GET', key)}, {redis.cli('TTL', key)} s"
                                        for key in redis.cli("KEYS", "policyd:grey:*").splitlines()))

    def test_two_nodes(self):
        redis = Redis(self)
        nodes = [Policyd(self, name, store=url, tables=LONG)
                 for name, url in (("mx1", redis.url), ("mx2", redis.tcp_url))]
        first, early = (node.ask(make_request()) for node in nodes)
        self.show(f"first attempt on mx1: {first}\nearly retry on mx2:   {early}")
        self.assertEqual(self.seconds(first), 240)
        self.assertLess(self.seconds(early), 241)
        nodes[0].wait_log("greylist=first")
        nodes[1].wait_log("greylist=early")
        for node in nodes:
            node.configure(SHORT)
            node.reload()
            node.wait_log(f"{node.name}.toml: taken")
        self.show(f"after the block period, on mx2: "
                  f"{self.pass_in_the_end(lambda: nodes[1].ask(make_request()))}")
        self.assertEqual(nodes[0].ask(make_request()), "DUNNO")
        nodes[0].wait_log("greylist=known")
        keys = redis.cli("KEYS", "policyd:grey:*").splitlines()
        self.assertEqual(len(keys), 2)
        for key in keys:
            self.assertAlmostEqual(int(redis.cli("TTL", key)), 36 * 86400, delta=60)

    def test_without_redis_mail_passes(self):
        redis = Redis(self)
        policyd = Policyd(self, store=redis.url, tables=LONG)
        self.assertEqual(self.seconds(policyd.ask(make_request())), 240)
        redis.kill()
        policyd.wait_log("away:")
        self.assertEqual(policyd.ask(make_request()), "DUNNO")
        self.show(policyd.wait_log("greylist=unknown", "store=away")[0])

    def test_who_passed_is_known_after_a_restart(self):
        policyd = Policyd(self, store=f"memory:{self.directory}/state.db", tables=SHORT)
        self.pass_in_the_end(lambda: policyd.ask(make_request()))
        policyd.stop()
        policyd.start()
        self.assertEqual(policyd.ask(make_request()), "DUNNO")
        policyd.wait_log("greylist=known")

    def test_check_shows_it_and_changes_nothing(self):
        policyd = Policyd(self, tables=LONG)
        path = self.directory / "request.txt"
        path.write_bytes(make_request())
        self.show(policyd.ctl("check", path))
        for _ in range(2):
            verdict = policyd.ctl_json("check", path)
            self.assertEqual((verdict["action"], verdict["if_permit"], verdict["cause"]), ("DEFER", True, "greylist"))
            self.assertEqual(verdict["greylist"], {"outcome": "first", "client": "stranger.example", "wait": 240,
                                                   "counted": True})
        self.assertEqual(self.seconds(policyd.ask(make_request())), 240)
        self.assertEqual(policyd.ctl_json("check", path)["greylist"]["outcome"], "early")

    def test_only_mail_with_a_score_waits_where_so_configured(self):
        policyd = Policyd(self, tables=LONG + "min_score = 5\n")
        self.assertEqual(policyd.ask(make_request()), "DUNNO")
        self.assertEqual(policyd.ask(outgoing("joe@example.com", helo_name="nodot")), "DUNNO")
        self.assertEqual(self.seconds(policyd.ask(make_request(client_name="unknown"))), 240)
