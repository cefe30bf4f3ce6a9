"""What redis-cli does to a block is in force on two nodes within a second: HSET, DEL, expiry, FLUSHDB, a changed reply.

Also: every type of block hits what it should, and a node that starts later knows the blocks that are there.
"""

import time

from support.case import E2eTest
from support.policy_client import Load, make_request, outgoing
from support.policyd import Policyd
from support.redis import Redis
from support.wait import wait_until

JOE = "policyd:block:email:joe@example.com"
DEFAULT_REPLY = "550 5.7.1 "


class TwoNodesBlock(E2eTest):
    def setUp(self):
        self.redis = Redis(self)
        self.nodes = [Policyd(self, "mx1", store=self.redis.url), Policyd(self, "mx2", store=self.redis.tcp_url)]
        self.clients = [node.client() for node in self.nodes]

    def answers(self, request):
        return [client.ask(request) for client in self.clients]

    def until(self, request, condition, what):
        """Milliseconds until the condition holds for the answer of every node; a second at most."""
        start = self.changed
        answers = wait_until(lambda: (now := self.answers(request)) and all(map(condition, now)) and now, what, 5)
        elapsed = (time.monotonic() - start) * 1000
        self.show(f"{what}: {elapsed:.0f} ms, {answers}")
        self.assertLess(elapsed, 1000, what)
        return answers

    def cli(self, *words):
        self.show("$ redis-cli " + " ".join(f'"{word}"' if " " in str(word) else str(word) for word in words))
        self.changed = time.monotonic()
        return self.redis.cli(*words)

    def block(self, request, *hset, reply=DEFAULT_REPLY):
        self.cli("HSET", *hset)
        return self.until(request, lambda action: action.startswith(reply), "blocked on both nodes")

    def passes(self, request, what="lifted on both nodes"):
        self.until(request, lambda action: action == "DUNNO", what)

    def test_hset_blocks_and_del_lifts(self):
        joe = make_request(sender="Joe@Example.Com")
        self.assertEqual(self.answers(joe), ["DUNNO"] * 2)
        self.block(joe, JOE, "description", "x")
        self.assertEqual(self.answers(make_request(sender="jo@example.com")), ["DUNNO"] * 2)
        self.cli("DEL", JOE)
        self.passes(joe)

    def test_flushdb_lifts_everything(self):
        joe, spam = make_request(sender="joe@example.com"), make_request(sender="x@sub.spam.example")
        self.block(joe, JOE, "description", "x")
        self.block(spam, "policyd:block:domain:spam.example", "description", "x")
        self.cli("FLUSHDB")
        self.passes(joe)
        self.passes(spam)
        self.block(joe, JOE, "description", "once more")

    def test_a_block_runs_out_by_its_ttl(self):
        joe = make_request(sender="joe@example.com")
        self.block(joe, JOE, "description", "x")
        self.cli("PEXPIRE", JOE, 300)
        # Redis does not tell of the expiry in time when much expires: the nodes have to look at the clock.
        self.passes(joe, "run out on both nodes after a TTL of 300 ms")
        self.assertGreaterEqual(time.monotonic() - self.changed, 0.3, "lifted before its time")
        self.block(joe, JOE, "description", "x")
        self.cli("PEXPIRE", JOE, 600000)
        self.cli("PERSIST", JOE)
        self.assertTrue(all(action.startswith(DEFAULT_REPLY) for action in self.answers(joe)))

    def test_a_lost_connection_loses_no_change(self):
        # The connection that is told of changes dies, and the next change comes before anybody can have noticed.
        joe = make_request(sender="joe@example.com")
        for kind in ("pubsub", "normal"):
            with self.subTest(killed=kind):
                self.redis.pipe([f"CLIENT KILL TYPE {kind} SKIPME yes", f"HSET {JOE} description x"])
                self.changed = time.monotonic()
                self.show(f"$ redis-cli CLIENT KILL TYPE {kind}; redis-cli HSET {JOE} description x")
                self.until(joe, lambda action: action.startswith(DEFAULT_REPLY), "blocked on both nodes")
                self.redis.pipe([f"CLIENT KILL TYPE {kind} SKIPME yes", f"DEL {JOE}"])
                self.changed = time.monotonic()
                self.passes(joe)

    def test_a_key_in_another_form_counts_too(self):
        joe, other_form = make_request(sender="joe@example.com"), "policyd:block:email:Joe@Example.COM"
        self.block(joe, other_form, "description", "x")
        self.cli("HSET", JOE, "description", "x")
        self.passes(make_request(sender="ann@example.com"), "another passes")
        load = Load([node.endpoint for node in self.nodes], 4, lambda *_: ("blocked", joe), pace=0)
        for _ in range(20):
            self.redis.cli("DEL", other_form)
            self.redis.cli("HSET", other_form, "description", "x")
        passed = [action for _, _, _, action in load.stop() if not action.startswith(DEFAULT_REPLY)]
        self.assertEqual(len(passed), 0, "the block was lifted for a moment when one of its two keys was removed")
        self.redis.cli("DEL", other_form)
        self.cli("DEL", JOE)
        self.passes(joe)

    def test_policyctl_on_one_node_blocks_on_both(self):
        joe = make_request(sender="joe@example.com")
        self.changed = time.monotonic()
        self.nodes[0].ctl("block", "add", "joe@example.com", "--for", "2d", "--description", "abnormal volume")
        self.until(joe, lambda action: action.startswith(DEFAULT_REPLY), "policyctl block add: blocked on both nodes")
        self.show(self.redis.cli("HGETALL", JOE))
        self.assertGreater(int(self.redis.cli("TTL", JOE)), 86400)
        self.changed = time.monotonic()
        self.nodes[1].ctl("block", "rm", "joe@example.com")
        self.passes(joe, "policyctl block rm on the other node: lifted on both")

    def test_a_reply_of_its_own(self):
        joe = make_request(sender="joe@example.com")
        self.block(joe, JOE, "reply", "451 4.7.1 Come back tomorrow", reply="451 4.7.1 Come back tomorrow")
        self.block(joe, JOE, "reply", "535 5.7.8 Authentication failed", reply="535 5.7.8 Authentication failed")
        self.block(joe, JOE, "reply", "Call the postmaster", reply="550 5.7.1 Call the postmaster")
        self.block(joe, JOE, "reply", "250 2.0.0 let everything in")  # a slip of the pen does not lift a block
        self.cli("HDEL", JOE, "reply")  # the last field: the hash is gone
        self.passes(joe)

    def test_every_type_hits_what_it_should(self):
        far = {"recipient": "someone@far.example"}
        table = [  # key, extra fields, what it covers, what it does not
            ("email:joe@example.com", {},
             make_request(sender="joe@example.com"), make_request(sender="joe@sub.example.com")),
            ("email:joe@example.com", {"direction": "out"},
             outgoing("joe@example.com", **far), make_request(sender="joe@example.com")),
            ("email:joe@example.com", {"direction": "in"},
             make_request(sender="joe@example.com"), outgoing("joe@example.com", **far)),
            ("domain:example.com", {},
             make_request(sender="joe@a.b.example.com"), make_request(sender="x@notexample.com")),
            ("ehlo:spam.example", {},
             make_request(helo_name="Host7.SPAM.example"), make_request(helo_name="ham.example.com")),
            ("client:192.0.2.0/24", {},
             make_request(client_address="192.0.2.77"), make_request(client_address="192.0.3.1")),
            ("client:2001:db8::/32", {},
             make_request(client_address="2001:db8:1::5"), make_request(client_address="2001:db9::1")),
            ("account:joe@example.com", {},
             outgoing("JOE@example.com", sender="alias@example.com", **far), make_request(sender="joe@example.com")),
            ("recipient:bob@test.example", {},
             make_request(recipient="Bob@test.example"), make_request(recipient="bobby@test.example")),
        ]
        for key, fields, covered, other in table:
            with self.subTest(key=key, **fields):
                words = [word for pair in {"description": "x", **fields}.items() for word in pair]
                self.block(covered, f"policyd:block:{key}", *words)
                self.assertEqual(self.answers(other), ["DUNNO"] * 2)
                self.cli("DEL", f"policyd:block:{key}")
                self.passes(covered)

    def test_a_node_that_starts_later_knows_the_blocks(self):
        # More than one page of SCAN, so that a mirror that stops after the first is found out.
        self.redis.pipe(f"HSET policyd:block:email:u{number}@example.com description x" for number in range(2000))
        late = Policyd(self, "mx3", store=self.redis.url)
        with late.client() as client:
            def refused(number):
                return client.ask(make_request(sender=f"u{number}@example.com")).startswith(DEFAULT_REPLY)
            wait_until(lambda: refused(0), "the first block", 5)
            self.assertTrue(all(refused(number) for number in range(2000)))
        self.show("a node started later refuses all 2000 blocked senders")
