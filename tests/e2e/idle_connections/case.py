"""200 idle connections are kept and answer at once when they are asked; a half request is given up after a minute."""

import time

from support.case import E2eTest
from support.policy_client import ask_all, make_request
from support.policyd import Policyd


class IdleConnections(E2eTest):
    def test_idle_ones_are_kept_and_half_requests_given_up(self):
        policyd = Policyd(self, tables='[log]\nverdicts = "none"\n')
        idle = [policyd.client() for _ in range(200)]
        self.assertEqual(ask_all(idle, [make_request() for _ in idle]), ["DUNNO"] * 200)
        half = policyd.client()
        half.socket.settimeout(90)
        start = time.monotonic()
        half.send(make_request()[:-1])
        self.assertEqual(half.wait_closed(), b"")
        elapsed = time.monotonic() - start
        self.show(f"half a request: given up after {elapsed:.1f} s")
        self.show(policyd.wait_log("half a request for a minute")[0])
        self.assertTrue(55 <= elapsed <= 70, elapsed)

        start = time.monotonic()
        self.assertEqual(ask_all(idle, [make_request() for _ in idle]), ["DUNNO"] * 200)
        milliseconds = (time.monotonic() - start) * 1000
        self.show(f"200 connections, idle for {elapsed:.0f} s: all answered in {milliseconds:.0f} ms")
