"""[notify]: a real command is told of limits, of a store that is lost and back: once, by one node, and in nobody's way.

Commands that fail, hang or are not there are logged; the one that comes with policyd hands a mail to sendmail.
"""

import json
import pathlib

from support.case import E2eTest
from support.policy_client import outgoing
from support.policyd import Policyd, toml
from support.redis import Redis
from support.wait import wait_until

CONTRIB = pathlib.Path(__file__).resolve().parents[3] / "contrib"
ONE_AN_HOUR = '[accounts.default]\nmessages = ["1/1h"]\nrecipients = []\nbytes = []\n'


class Notify(E2eTest):
    def tables(self, script, timeout="10s"):
        """A command of /bin/sh that is given the test's directory as $0."""
        command = ["/bin/sh", "-c", script, str(self.directory)]
        return f'[notify]\ncommand = {toml(command)}\ntimeout = "{timeout}"\n' + ONE_AN_HOUR

    def reach_limit(self, policyd, account):
        self.assertEqual(policyd.ask(outgoing(account)), "DUNNO")
        self.assertTrue(policyd.ask(outgoing(account)).startswith("DEFER "))

    def told(self):
        path = self.directory / "told"
        text = path.read_text() if path.exists() else ""
        return [json.loads(line) for line in text.splitlines()]

    def wait_told(self, count):
        return wait_until(lambda: len(self.told()) >= count and self.told(), f"{count} events")

    def test_a_limit_is_told_once(self):
        policyd = Policyd(self, tables=self.tables("cat >> $0/told"))
        self.reach_limit(policyd, "joe@example.com")
        self.assertTrue(policyd.ask(outgoing("joe@example.com")).startswith("DEFER "))
        self.wait_told(1)
        self.reach_limit(policyd, "ann@example.com")
        events = self.wait_told(2)
        self.show(json.dumps(events[0]))
        self.assertEqual([(event["event"], event["account"], event["node"]) for event in events],
                         [("limit", "joe@example.com", "policyd"), ("limit", "ann@example.com", "policyd")])
        self.assertEqual(events[0]["text"], "joe@example.com has reached its limit of 1/1h messages")
        self.assertEqual((events[0]["details"]["limit"], events[0]["details"]["action"]), ("1/1h", "DEFER"))

    def test_of_two_nodes_one_tells(self):
        redis = Redis(self)
        tables = self.tables("cat >> $0/told")
        mx1, mx2 = (Policyd(self, name, store=redis.url, tables=tables) for name in ("mx1", "mx2"))
        self.reach_limit(mx1, "joe@example.com")
        self.wait_told(1)
        self.assertTrue(mx2.ask(outgoing("joe@example.com")).startswith("DEFER "))
        self.reach_limit(mx2, "ann@example.com")
        events = self.wait_told(2)
        self.assertEqual([(event["account"], event["node"]) for event in events],
                         [("joe@example.com", "mx1"), ("ann@example.com", "mx2")])
        self.show(redis.cli("GET", "policyd:claim:limit:joe@example.com"))
        self.assertGreater(int(redis.cli("PTTL", "policyd:claim:limit:joe@example.com")), 0)

    def test_the_store_is_lost_and_back(self):
        redis = Redis(self)
        policyd = Policyd(self, "mx1", store=redis.url, tables=self.tables("cat >> $0/told"))
        redis.kill()
        self.assertEqual([event["event"] for event in self.wait_told(1)], ["store_lost"])
        redis.start()
        events = self.wait_told(2)
        self.show("\n".join(event["text"] for event in events))
        self.assertEqual([event["event"] for event in events], ["store_lost", "store_back"])
        self.assertIn("limits are enforced on this node alone until it is back", events[0]["text"])
        self.assertTrue(policyd.running())

    def test_commands_that_fail(self):
        policyd = Policyd(self, tables=self.tables("echo 'no mail today' >&2; echo more >&2; exit 75"))
        self.reach_limit(policyd, "joe@example.com")
        policyd.wait_log('notify: "limit:joe@example.com" was not told: /bin/sh ended with exit status 75: '
                         '"no mail today"')
        policyd.configure('[notify]\ncommand = ["/nonexistent/command"]\n' + ONE_AN_HOUR)
        policyd.reload()
        policyd.wait_log("policyd.toml: taken")
        self.reach_limit(policyd, "ann@example.com")
        policyd.wait_log("/nonexistent/command cannot be started: no such file or directory")

    def test_a_command_that_hangs_is_ended_and_in_nobodys_way(self):
        # It reads nothing, and what it starts outlives neither it nor policyd.
        policyd = Policyd(self, tables=self.tables("echo $$ >> $0/pids; sleep 1000 & echo $! >> $0/pids; wait", "1s"))
        for number in range(20):
            self.reach_limit(policyd, f"u{number}@example.com")
        self.assertEqual(policyd.ask(outgoing("quick@example.com")), "DUNNO")
        policyd.wait_log("/bin/sh took longer than 1s and was ended", count=4)
        policyd.stop()
        self.assertTrue(policyd.log_lines("events are told to nobody: policyd ends"))
        pids = [int(pid) for pid in (self.directory / "pids").read_text().split()]
        self.show(f"{len(pids)} processes were started")
        self.assertGreaterEqual(len(pids), 8)
        for pid in pids:
            wait_until(lambda pid=pid: not self.alive(pid), f"the end of {pid}")

    def test_policyd_does_not_wait_for_a_command_at_its_end(self):
        policyd = Policyd(self, tables=self.tables("echo $$ > $0/new; mv $0/new $0/pid; exec sleep 1000", "5m"))
        self.reach_limit(policyd, "joe@example.com")
        path = self.directory / "pid"
        wait_until(path.exists, "the command")
        policyd.stop()
        self.assertTrue(policyd.log_lines('"limit:joe@example.com" was not told: /bin/sh was ended'))
        self.assertFalse(self.alive(int(path.read_text())))

    @staticmethod
    def alive(pid):
        try:
            with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
                return stat.read().rpartition(")")[2].split()[0] != "Z"
        except FileNotFoundError:
            return False

    def test_no_descriptor_is_given_away(self):
        policyd = Policyd(self, tables=self.tables("ls -l /proc/$$/fd > $0/fds; cat >> $0/told"))
        client = policyd.client()  # one more that is open
        self.assertEqual(client.ask(outgoing("ann@example.com")), "DUNNO")
        self.reach_limit(policyd, "joe@example.com")
        self.wait_told(1)
        listed = (self.directory / "fds").read_text()
        self.show(listed)
        # The shell puts its standard output aside while it lists.
        more = [line for line in listed.splitlines() if "->" in line and not line.endswith("-> /dev/null")
                and line.split()[-3] not in ("0", "1", "2")]
        self.assertEqual(more, [])

    def test_notify_mail(self):
        sendmail = self.directory / "sendmail"
        sendmail.write_text('#!/bin/sh\ncat > "$0.mail"\nmv "$0.mail" "$0.done"\n')
        sendmail.chmod(0o755)
        command = [str(CONTRIB / "notify-mail"), "--to", "postmaster@example.com", "--sendmail", str(sendmail)]
        policyd = Policyd(self, tables=f"[notify]\ncommand = {toml(command)}\n" + ONE_AN_HOUR)
        self.reach_limit(policyd, "joe@example.com")
        done = pathlib.Path(f"{sendmail}.done")
        wait_until(done.exists, "the mail", 30)
        self.show(done.read_text())
        self.assertIn("Subject: policyd on policyd: limit reached: joe@example.com", done.read_text())
        policyd.wait_log('notify: "limit:joe@example.com" was told')
