"""Random and mutated requests: no crash, no malformed reply, no wrong answer to a neighbour, no growth.

E2E_MUTATIONS says how many (100,000 if it does not), E2E_SEED which; both are printed.
"""

import os
import random
import socket
import time

from support.case import E2eTest
from support.policy_client import PolicyClient, check_reply, make_request
from support.policyd import Policyd

HOW_MANY = int(os.environ.get("E2E_MUTATIONS", "100000"))
SEED = int(os.environ.get("E2E_SEED", str(random.randrange(2**32))))
BATCH = 8  # requests on one connection, at most: a bad one ends it
MOST_GROWTH = 16 * 1024  # KiB, after half of the requests
ODD = [b"=", b"\n", b"\n\n", b"\r\n", b"\0", b"@", b"\xff\xfe", b"\xf0\x9f\x92\xa9", b"%s%n", b"{}", b"\\", b'"',
       b"[", b"]", b"request=", b"sender=", b"instance=", b"99999999999999999999", b"-1", b"::ffff:192.0.2.1",
       b"x" * 1000, b"action=OK\n\n", b"a" * 20000]


class Mutator:
    """A stream of requests from real ones, each damaged in up to four places, some made of nothing but noise."""

    def __init__(self, originals, seed):
        self.originals, self.random = originals, random.Random(seed)
        self.ways = [self.flip, self.cut, self.repeat, self.insert, self.odd, self.swap_lines, self.odd_value]

    def next(self):
        if self.random.random() < 0.02:
            return self.random.randbytes(self.random.randrange(1, 400))
        octets = bytearray(self.random.choice(self.originals))
        for _ in range(self.random.choice((0, 1, 1, 2, 4))):
            self.random.choice(self.ways)(octets)
        return bytes(octets)

    def place(self, octets):
        return self.random.randrange(len(octets) + 1)

    def flip(self, octets):
        if octets:
            octets[self.random.randrange(len(octets))] ^= 1 << self.random.randrange(8)

    def cut(self, octets):
        start = self.place(octets)
        del octets[start:start + self.random.randrange(40)]

    def repeat(self, octets):
        start = self.place(octets)
        octets[start:start] = octets[start:start + self.random.randrange(80)]

    def insert(self, octets):
        start = self.place(octets)
        octets[start:start] = self.random.randbytes(self.random.randrange(1, 20))

    def odd(self, octets):
        start = self.place(octets)
        octets[start:start] = self.random.choice(ODD)

    def swap_lines(self, octets):
        lines = octets[:-2].split(b"\n")
        self.random.shuffle(lines)
        octets[:] = b"\n".join(lines) + b"\n\n"

    def odd_value(self, octets):
        lines = octets[:-2].split(b"\n")
        number = self.random.randrange(len(lines))
        lines[number] = lines[number].split(b"=")[0] + b"=" + self.random.choice(ODD).replace(b"\n", b"")
        octets[:] = b"\n".join(lines) + b"\n\n"


class MutatedRequests(E2eTest):
    def test_mutations(self):
        originals = [path.read_bytes() for path in sorted((self.data / "postfix-requests").glob("*.txt"))]
        self.policyd = Policyd(self, tables='[log]\nlevel = "error"\n\n[score]\nheader = "X-Score"\n')
        self.policyd.ctl("block", "add", "joe@example.com")
        neighbour, mutator = self.policyd.client(), Mutator(originals, SEED)
        self.show(f"E2E_MUTATIONS={HOW_MANY} E2E_SEED={SEED}")
        sent = answered = ended = 0
        start, half = time.monotonic(), None
        while sent < HOW_MANY:
            requests = [mutator.next() for _ in range(BATCH)]
            replies, all_read = self.exchange(requests)
            sent, answered, ended = sent + BATCH, answered + replies, ended + (not all_read)
            self.assertTrue(neighbour.ask(make_request(sender="joe@example.com")).startswith("550 "))
            self.assertEqual(neighbour.ask(make_request()).split()[0], "PREPEND")
            if half is None and sent >= HOW_MANY // 2:
                half = self.policyd.memory_kib()
        growth = self.policyd.memory_kib() - half
        self.show(f"{sent} requests sent in {time.monotonic() - start:.0f} s, {answered} answered, {ended} connections "
                  f"ended as bad; resident: {half} KiB after one half, {growth:+} KiB after the other")
        if not self.policyd.sanitized():
            self.assertLess(growth, MOST_GROWTH)

    def exchange(self, requests):
        """Sends all on one connection and reads to its end: (well-formed replies, whether the connection was kept)."""
        with PolicyClient(self.policyd.endpoint) as client:
            try:
                client.send(b"".join(requests))
                client.socket.shutdown(socket.SHUT_WR)
            except OSError:
                pass  # closed before all was sent
            replies = client.wait_closed().split(b"\n\n")
        self.assertEqual(replies.pop(), b"", "the last reply is whole")
        for reply in replies:
            check_reply(reply + b"\n\n")
        return len(replies), len(replies) >= len(requests)
