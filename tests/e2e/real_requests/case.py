"""What a real Postfix sent (tests/data/postfix-requests) gets a well-formed reply over unix, IPv4 and IPv6.

Whole, byte by byte, and all requests in one segment: the answers are the same.
"""

import collections

from support.case import E2eTest
from support.policy_client import PolicyClient
from support.policyd import Policyd
from support.wait import free_port


class RealRequests(E2eTest):
    def setUp(self):
        files = sorted((self.data / "postfix-requests").glob("*.txt"))
        self.requests = {path.name: path.read_bytes() for path in files}
        self.assertGreater(len(self.requests), 50)
        self.policyd = Policyd(self, listen=[f"unix:{self.directory}/policyd.sock", f"inet:127.0.0.1:{free_port()}",
                                             f"inet:[::1]:{free_port('::1')}"])

    def test_every_request_over_every_endpoint_in_every_fragmentation(self):
        whole = None
        for endpoint in self.policyd.listen:
            for fragment in (self.whole, self.byte_by_byte, self.in_one_segment):
                with self.subTest(endpoint=endpoint, fragmentation=fragment.__name__):
                    with PolicyClient(endpoint) as client:
                        answers = dict(zip(self.requests, fragment(client), strict=True))
                    self.show(f"{endpoint}, {fragment.__name__}: {len(answers)} replies, {self.tally(answers)}")
                    whole = whole or answers
                    self.assertEqual(answers, whole)

    def whole(self, client):
        return [client.ask(request) for request in self.requests.values()]

    def byte_by_byte(self, client):
        actions = []
        for request in self.requests.values():
            for position in range(len(request) - 1):
                client.send(request[position:position + 1])
            actions.append(client.ask(request[-1:]))
        return actions

    def in_one_segment(self, client):
        client.send(b"".join(self.requests.values()))
        return [client.read() for _ in self.requests]

    @staticmethod
    def tally(answers):
        return dict(collections.Counter(action.split()[0] for action in answers.values()))
