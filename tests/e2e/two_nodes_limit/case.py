"""Two nodes on one Redis share one limit: of 200 concurrent messages at 60/1m exactly 60 pass."""

import collections

from support.case import E2eTest
from support.policy_client import PolicyClient, ask_all, new_instance, outgoing
from support.policyd import Policyd
from support.redis import Redis
from support.wait import wait_until

ACCOUNTS = '[accounts.default]\nmessages = ["60/1m"]\nrecipients = ["100/1m"]\n'


class TwoNodesLimit(E2eTest):
    def setUp(self):
        self.redis = Redis(self)
        self.nodes = [Policyd(self, name, store=url, tables=ACCOUNTS)
                      for name, url in (("mx1", self.redis.url), ("mx2", self.redis.tcp_url))]

    def connections(self, count):
        """Connections, in turn to the first and the second node."""
        clients = [PolicyClient(self.nodes[i % 2].endpoint) for i in range(count)]
        for client in clients:
            self.addCleanup(client.close)
        return clients

    def tally(self, clients, requests):
        actions = ask_all(clients, requests)
        counts = [collections.Counter(action.split()[0] for action in actions[node::2]) for node in (0, 1)]
        self.show(f"{len(requests)} concurrent requests: mx1 {dict(counts[0])}, mx2 {dict(counts[1])}")
        return counts[0] + counts[1]

    def test_of_200_concurrent_messages_60_pass(self):
        clients = self.connections(200)
        for account in ("joe@example.com", "ann@example.com"):
            counts = self.tally(clients, [outgoing(account) for _ in clients])
            self.assertEqual(counts, {"DUNNO": 60, "DEFER": 140})

    def test_one_message_asked_on_both_nodes_counts_once(self):
        # 60 recipients of one message, each asked four times, twice a node: one message and 60 recipients.
        instance = new_instance()
        requests = [outgoing("joe@example.com", instance=instance, recipient=f"rcpt{i // 4}@far.example")
                    for i in range(240)]
        self.assertEqual(self.tally(self.connections(240), requests), {"DUNNO": 240})
        # 40 recipients are left, so that of 50 further messages 40 pass.
        counts = self.tally(self.connections(50), [outgoing("joe@example.com") for _ in range(50)])
        self.assertEqual(counts, {"DUNNO": 40, "DEFER": 10})

    def test_a_redis_that_forgot_the_scripts_is_given_them_again(self):
        clients = self.connections(200)
        self.redis.cli("SCRIPT", "FLUSH")
        counts = self.tally(clients, [outgoing("joe@example.com") for _ in clients])
        self.assertEqual(counts, {"DUNNO": 60, "DEFER": 140})

    def test_settings_by_redis_cli_hold_on_every_node(self):
        clients = self.connections(20)
        joe, domain = "policyd:account:{joe@example.com}", "policyd:account:{example.com}"
        table = [  # what an operator types, the limit in force on every node, how many of 20 messages pass
            (("HSET", joe, "messages", "3/1m"), ["3/1m"], 3),
            (("HSET", joe, "messages", "none"), [], 20),
            (("HSET", domain, "messages", "5/1m"), [], 20),
            (("DEL", joe), ["5/1m"], 5),
            (("DEL", domain), ["60/1m"], 20),
        ]
        for words, limits, passing in table:
            with self.subTest(command=words):
                self.redis.cli("DEL", "policyd:rate:{joe@example.com}")
                self.redis.cli(*words)
                for node in self.nodes:
                    wait_until(lambda: self.limits(node) == limits, f"{limits} on {node.name}", 2)
                self.show(f"$ redis-cli {' '.join(words)}: {limits}")
                counts = self.tally(clients, [outgoing("joe@example.com") for _ in clients])
                self.assertEqual(counts["DUNNO"], passing)

    @staticmethod
    def limits(node):
        limits = node.ctl_json("account", "show", "joe@example.com")["limits"]
        return [limit["limit"] for limit in limits if limit["meter"] == "messages"]

    def test_what_policyd_writes_expires_by_itself(self):
        clients = self.connections(20)
        self.tally(clients, [outgoing(f"u{i}@example.com") for i in range(20)])
        keys = self.redis.cli("KEYS", "*").splitlines()
        lasting = [key for key in keys if int(self.redis.cli("TTL", key)) < 0]
        self.show(f"{len(keys)} keys, without a TTL: {lasting}")
        self.assertEqual(lasting, [])
