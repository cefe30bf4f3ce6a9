"""Redis hung, killed, out of memory or read-only: every request answered soon, blocks in force, N/2 per node.

When it is back, what was counted meanwhile is merged. Printed: the worst latency under load of each phase.
"""

import signal
import time

from support.case import E2eTest
from support.policy_client import Load, PolicyClient, ask_all, make_request, outgoing
from support.policyd import Policyd
from support.redis import Redis
from support.wait import wait_until

ACCOUNTS = '[accounts.default]\nmessages = ["60/1m"]\n\n[log]\nverdicts = "none"\n'
REFUSAL = "550 5.7.1 "
CONNECTIONS = 20
WORST = 1.0  # seconds; generous, since the load generator shares the machine


def mixed(connection, number):
    """Blocked, outgoing (each from an account of its own) and incoming mail in turn: (tag, request)."""
    if number % 3 == 0:
        return "blocked", make_request(sender="joe@example.com")
    if number % 3 == 1:
        return "passes", outgoing(f"u{connection}.{number}@example.com")
    return "passes", make_request()


class RedisAway(E2eTest):
    def setUp(self):
        self.redis = Redis(self)
        self.redis.cli("HSET", "policyd:block:email:joe@example.com", "description", "x")
        self.nodes = [Policyd(self, name, store=url, tables=ACCOUNTS)
                      for name, url in (("mx1", self.redis.url), ("mx2", self.redis.tcp_url))]
        for node in self.nodes:
            wait_until(lambda: self.refuses_joe(node), "the block", 5)
            wait_until(lambda: len(node.ctl_json("status")["nodes"]) == 2, "both nodes to know of each other", 20)

    @staticmethod
    def refuses_joe(node):
        return node.ask(make_request(sender="joe@example.com")).startswith(REFUSAL)

    def start_load(self):
        self.load = Load([node.endpoint for node in self.nodes], CONNECTIONS, mixed)
        self.addCleanup(self.load.stop)
        wait_until(lambda: len(self.load.replies) > 500, "the load to run")
        self.phase("Redis there", 0)

    def phase(self, what, start):
        """Shows the worst latency since `start` and holds every reply to what it must be."""
        replies = self.load.since(start)
        self.assertEqual(self.load.errors, [])
        latencies = sorted(seconds for _, seconds, _, _ in replies)
        self.show(f"{what}: {len(replies)} requests, all answered; p50 {latencies[len(latencies) // 2] * 1000:.1f} ms, "
                  f"worst {latencies[-1] * 1000:.0f} ms")
        wrong = [(tag, action) for _, _, tag, action in replies
                 if not (action.startswith(REFUSAL) if tag == "blocked" else action == "DUNNO")]
        self.assertEqual(wrong, [], f"{len(wrong)} of {len(replies)} were answered wrongly: {wrong[:3]}")
        self.assertLess(latencies[-1], WORST)

    def passed(self, node, account, messages=100):
        """How many of `messages` of `account` pass on one node."""
        with node.client() as client:
            return sum(client.ask(outgoing(account)) == "DUNNO" for _ in range(messages))

    def share(self, account):
        counts = [self.passed(node, account) for node in self.nodes]
        self.show(f"60/1m on two nodes without Redis: mx1 passes {counts[0]}, mx2 {counts[1]} of 100 each")
        self.assertEqual(counts, [30, 30])

    def wait_states(self, available):
        for node in self.nodes:
            wait_until(lambda: node.ctl_json("status")["store"]["available"] is available,
                       f"{node.name} to find Redis {'there' if available else 'away'}", 15)

    def used(self, account):
        limits = self.nodes[0].ctl_json("account", "show", account)["limits"]
        return next(limit["used"] for limit in limits if limit["meter"] == "messages")

    def whole_limit_again(self, account):
        """Of 200 concurrent messages over two nodes 60 pass: the limit is one again."""
        clients = [PolicyClient(self.nodes[i % 2].endpoint) for i in range(200)]
        passed = ask_all(clients, [outgoing(account) for _ in clients]).count("DUNNO")
        for client in clients:
            client.close()
        self.show(f"200 concurrent messages at 60/1m: {passed} pass")
        self.assertEqual(passed, 60)

    def test_hung_then_back(self):
        self.start_load()
        self.show("kill -STOP redis")
        start = time.monotonic()
        self.redis.stop_answering()
        self.wait_states(False)
        self.share("hung@example.com")
        wait_until(lambda: len(self.load.since(start)) > 2000, "more load", 30)
        self.phase("Redis hung", start)

        self.show("kill -CONT redis")
        start = time.monotonic()
        self.redis.go_on()
        self.wait_states(True)
        used = wait_until(lambda: self.used("hung@example.com") == 60 and 60, "60 messages to be merged", 15)
        self.show(f"merged: {used} messages of the account stand in Redis")
        self.assertEqual([self.passed(node, "hung@example.com", 5) for node in self.nodes], [0, 0])
        self.whole_limit_again("fresh@example.com")
        self.phase("Redis back", start)
        self.load.stop()
        self.changes_of_state()

    def test_killed_then_back_empty(self):
        self.start_load()
        self.show("kill -9 redis")
        start = time.monotonic()
        self.redis.kill()
        self.wait_states(False)
        self.share("killed@example.com")
        wait_until(lambda: len(self.load.since(start)) > 2000, "more load", 30)
        self.phase("Redis killed", start)
        self.load.stop()

        self.show("start redis, empty")
        self.redis.start()
        self.wait_states(True)
        wait_until(lambda: self.used("killed@example.com") == 60, "60 messages to be merged", 15)
        self.whole_limit_again("fresh@example.com")
        self.redis.cli("HSET", "policyd:block:email:eve@example.com", "description", "x")
        for node in self.nodes:
            wait_until(lambda: node.ask(make_request(sender="eve@example.com")).startswith(REFUSAL), "a new block", 2)
        self.changes_of_state()

    def changes_of_state(self):
        """Each node has told of the loss and of the return, once each (and of the first connection)."""
        for node in self.nodes:
            away, back = node.log_lines(" away: "), node.log_lines(" available after ")
            self.show(f"{node.name}:\n" + "\n".join([*away, *back[1:]]))
            self.assertEqual((len(away), len(back)), (1, 2), node.log())

    def test_writes_refused(self):
        troubles = {"out of memory": (("CONFIG", "SET", "maxmemory", "1"), ("CONFIG", "SET", "maxmemory", "0")),
                    "read-only": (("REPLICAOF", "127.0.0.1", "1"), ("REPLICAOF", "NO", "ONE")),
                    "too few replicas": (("CONFIG", "SET", "min-replicas-to-write", "1"),
                                         ("CONFIG", "SET", "min-replicas-to-write", "0"))}
        for what, (spoil, mend) in troubles.items():
            with self.subTest(trouble=what):
                self.show(f"$ redis-cli {' '.join(spoil)}")
                self.redis.cli(*spoil)
                account = f"{what.replace(' ', '-')}@example.com"
                self.share(account)
                self.assertTrue(all(self.refuses_joe(node) for node in self.nodes))
                self.redis.cli(*mend)
                self.wait_states(True)
                wait_until(lambda: self.used(account) == 60, "60 messages to be merged", 15)

    def test_busy_with_a_script_while_a_block_changes(self):
        # Reads are refused too while a script of somebody else runs: what cannot be read must not be taken for gone.
        # The nodes sleep until the script runs, so that they hear of the change first and then cannot read it.
        self.redis.cli("CONFIG", "SET", "busy-reply-threshold", "50")
        for node in self.nodes:
            node.signal(signal.SIGSTOP)
        self.redis.cli("HSET", "policyd:block:email:joe@example.com", "description", "changed")
        busy = self.redis.open_pipe(["EVAL 'while true do end' 0"])
        wait_until(lambda: "BUSY" in self.redis.raw("PING"), "Redis to be busy")
        for node in self.nodes:
            node.signal(signal.SIGCONT)
        self.wait_states(False)
        self.assertTrue(all(self.refuses_joe(node) for node in self.nodes), "the block is in force while Redis is busy")
        self.redis.cli("SCRIPT", "KILL")
        busy.wait(20)
        self.wait_states(True)
        self.assertTrue(all(self.refuses_joe(node) for node in self.nodes), "the block is in force afterwards")
        for node in self.nodes:
            wait_until(lambda: node.ctl_json("block", "show", "joe@example.com")["description"] == "changed",
                       "the change to be known", 5)
        self.show("busy while a block changes: in force throughout, the change known afterwards")

    def test_away_at_the_start(self):
        self.redis.kill()
        late = Policyd(self, "mx3", store=self.redis.url, tables=ACCOUNTS)
        self.assertEqual(self.passed(late, "early@example.com"), 60)
        self.redis.start()
        self.redis.cli("HSET", "policyd:block:email:joe@example.com", "description", "x")
        wait_until(lambda: self.refuses_joe(late), "the late node to find Redis", 15)
        self.show("a node started without Redis answers, enforces the limit, and finds Redis when it comes")
