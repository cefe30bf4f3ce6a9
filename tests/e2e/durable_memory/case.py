"""memory:/FILE: what a person changed by policyctl is there after kill -9, at once; nothing lifted comes back."""

from support.case import E2eTest
from support.policy_client import make_request, outgoing
from support.policyd import Policyd

ACCOUNTS = '[accounts.default]\nmessages = ["60/1m"]\n'


class DurableMemory(E2eTest):
    def setUp(self):
        self.policyd = Policyd(self, store=f"memory:{self.directory}/state.db", tables=ACCOUNTS)

    def crash(self):
        self.policyd.kill()
        self.show("kill -9, start")
        self.policyd.start()

    def blocked(self, sender):
        return self.policyd.ask(make_request(sender=sender)).startswith("550 5.7.1 ")

    def test_blocks_survive_a_crash(self):
        for number in range(10):
            self.policyd.ctl("block", "add", f"u{number}@example.com", "--for", "2d",
                             "--description", f"reason {number}")
            self.crash()
            self.assertTrue(all(self.blocked(f"u{i}@example.com") for i in range(number + 1)),
                            f"a block of {number + 1} was lost")
        self.show(self.policyd.ctl("block", "list"))
        self.policyd.ctl("block", "rm", "u3@example.com")
        self.crash()
        self.assertFalse(self.blocked("u3@example.com"), "a lifted block came back")
        self.assertEqual(self.policyd.ctl_json("block", "show", "u4@example.com")["description"], "reason 4")
        in_force = sum(self.blocked(f"u{i}@example.com") for i in range(10))
        self.show(f"10 blocks made, one lifted, 11 crashes: {in_force} in force")
        self.assertEqual(in_force, 9)

    def test_settings_survive_a_crash(self):
        self.policyd.ctl("account", "set", "joe@example.com", "messages", "2/1h")
        self.crash()
        actions = [self.policyd.ask(outgoing("joe@example.com")).split()[0] for _ in range(3)]
        self.assertEqual(actions, ["DUNNO", "DUNNO", "DEFER"])

    def test_counters_survive_a_stop(self):
        for _ in range(60):
            self.assertEqual(self.policyd.ask(outgoing("joe@example.com")), "DUNNO")
        self.policyd.stop()
        self.policyd.start()
        action = self.policyd.ask(outgoing("joe@example.com"))
        self.show(f"the 61st message after a restart: {action}")
        self.assertTrue(action.startswith("DEFER "), action)

    def test_a_broken_file_is_not_thrown_away(self):
        self.policyd.stop()
        path = self.directory / "state.db"
        path.write_bytes(b"this is no database " * 500)
        before = path.read_bytes()
        self.policyd.launch([self.policyd.program, "-c", self.policyd.config_path])
        code = self.policyd.wait_exit()
        self.show(self.policyd.log_lines("state.db")[-1])
        self.assertNotEqual(code, 0)
        self.assertEqual(path.read_bytes(), before)
