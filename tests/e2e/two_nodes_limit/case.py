"""Two nodes on one Redis share one limit: of 200 concurrent messages at 60/1m exactly 60 pass."""

import collections

from support.case import E2eTest
from support.policy_client import PolicyClient, ask_all, new_instance, outgoing
from support.policyd import Policyd
from support.redis import Redis

ACCOUNTS = '[accounts.default]\nmessages = ["60/1m"]\nrecipients = ["100/1m"]\n'


class TwoNodesLimit(E2eTest):
    def setUp(self):
        redis = Redis(self)
        self.nodes = [Policyd(self, name, store=url, tables=ACCOUNTS)
                      for name, url in (("mx1", redis.url), ("mx2", redis.tcp_url))]

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
