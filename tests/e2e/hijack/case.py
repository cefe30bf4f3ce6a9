"""A hijack: a login sends spam from three networks over two nodes and is locked; whoever should know is told, and what
followed is explained on the other node; then the lock ends, comes back for good, and a person lifts it.
"""

import json
import re
import stat
import time

from support.case import E2eTest
from support.policyd import Policyd, toml
from support.postfix import Postfix
from support.redis import Redis
from support.wait import wait_until

JOE = "joe@example.com"
NETWORKS = ["198.51.100.7", "203.0.113.9", "192.0.2.200"]
ADDRESSES, A_MESSAGE = 2000, 50

TABLES = """
[accounts.default]
messages = []
recipients = []
distinct_recipients = ["500/1d"]
client_networks = ["10/1d"]
lock_time = "3s"
max_unlocks = 1

[notify]
command = [{command}]
"""

# Appends the event that it is given to a file, in one write.
TELL = """\
#!/bin/sh
event=$(cat)
printf '%s\\n' "$event" >> {file}
"""


class Hijack(E2eTest):
    def setUp(self):
        self.events = self.directory / "events"
        command = self.directory / "tell"
        command.write_text(TELL.format(file=self.events))
        command.chmod(command.stat().st_mode | stat.S_IXUSR)
        redis = Redis(self)
        tables = TABLES.format(command=toml(str(command)))
        self.nodes = [Policyd(self, name, store=redis.url, tables=tables) for name in ("mx1", "mx2")]
        self.postfixes = [Postfix(self, node.endpoint, ask_in=("recipient", "end_of_data")) for node in self.nodes]

    def told(self, kind):
        lines = self.events.read_text().splitlines() if self.events.exists() else []
        return [event for event in map(json.loads, lines) if event["event"] == kind]

    def hijack(self, first=0):
        """Sends until an address is refused: how many passed before, the reply, the seconds, and the session."""
        begun = time.monotonic()
        passed = 0
        for message in range(first // A_MESSAGE, (first + ADDRESSES) // A_MESSAGE):
            client = self.postfixes[message % 2].user(JOE, NETWORKS[message % 3])
            client.mail(JOE)
            for number in range(A_MESSAGE):
                reply = client.rcpt(f"victim{message * A_MESSAGE + number}@far.example")
                if reply.code != 250:
                    return passed, reply, time.monotonic() - begun, client
                passed += 1
            self.assertEqual(client.data().code, 250)
            client.quit()
        self.fail(f"{passed} addresses, and never refused")

    def refused(self, node, login=JOE):
        client = self.postfixes[node].user(login)
        client.mail(login)
        reply = client.rcpt("friend@far.example")
        client.quit()
        return reply

    def locked(self, node=0):
        return self.nodes[node].ctl_json("account", "show", JOE).get("lock")

    def test_a_hijack_is_stopped_told_and_explained(self):
        passed, reply, seconds, client = self.hijack()
        self.show(f"{passed} addresses passed in {seconds / 60:.2f} minutes, then: {reply}")
        self.assertEqual(passed, 500)
        lock = wait_until(self.locked, "the lock", 5)
        self.show(f"lock: {lock}")
        self.assertEqual(lock["reason"], "distinct_recipients")

        # On both nodes, in the session that was open and in new ones; nobody else is.
        for node in (0, 1):
            wait_until(lambda: self.refused(node).code == 550, f"refused on {self.nodes[node].name}", 5)
        self.assertEqual(client.rcpt("victim0@far.example").code, 550)
        self.assertEqual(self.refused(0, "ann@example.com").code, 250)

        told = wait_until(lambda: self.told("lock"), "the notification", 5)
        self.show(f"told: {told}")
        self.assertEqual([event["account"] for event in told], [JOE])

        # The id in the reply of the first node explains itself on the second.
        reply = self.refused(0)
        self.assertEqual(reply.code, 550)
        found = re.search(r"\(([0-9A-Z-]{14})\)$", reply.text)
        self.assertTrue(found, reply.text)
        why = wait_until(lambda: self.explained(found[1]), "the entry on the other node", 5)
        self.show(f"S: {reply}\n$ policyctl why {found[1]}   (on mx2)\n{why}")
        self.assertIn("distinct_recipients", why)

        # It ends by itself once, then no more; a person lifts it.
        wait_until(lambda: self.refused(1).code == 250, "the lock's end", 20)
        ended = wait_until(lambda: self.told("unlock"), "the end is told", 5)
        self.show(f"told: {ended}")
        passed, reply, *_ = self.hijack(first=ADDRESSES)
        self.show(f"after the lock's end, signs are counted anew: {passed} further addresses passed, then: {reply}")
        lock = wait_until(self.locked, "the last lock", 5)
        self.show(f"lock: {lock}")
        self.assertEqual(lock["unlocks"], 1)
        self.assertIsNone(lock.get("until"))
        self.show(self.nodes[1].ctl("account", "unlock", JOE))
        for node in (0, 1):
            wait_until(lambda: self.refused(node).code == 250, f"unlocked on {self.nodes[node].name}", 5)
        self.show(self.nodes[0].ctl("account", "show", JOE))

    def explained(self, entry):
        try:
            return self.nodes[1].ctl("why", entry)
        except AssertionError:
            return None
