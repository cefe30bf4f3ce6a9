"""Redis with a password, an ACL user of its own and another database, over TCP and a unix socket.

A wrong password is told, and costs the shared state alone: requests are answered, limits enforced on the node.
"""

from urllib.parse import quote

from support.case import E2eTest
from support.policy_client import make_request, outgoing
from support.policyd import Policyd
from support.redis import Redis
from support.wait import wait_until

PASSWORD = "p@ss:w/rd %41?#"
# As policyd-redis(7) gives them.
RIGHTS = ("~policyd:* &__redis__:invalidate -@all +@read +@write +@scripting +@connection -@dangerous +subscribe "
          "+unsubscribe +time")
JOE = "policyd:block:email:joe@example.com"
ACCOUNTS = '[accounts.default]\nmessages = ["3/1h"]\n'


class RedisLogin(E2eTest):
    def setUp(self):
        self.redis = Redis(self)

    def url(self, kind, user="", db=0):
        login = f"{quote(user)}:{quote(PASSWORD, safe='')}@"
        if kind == "tcp":
            return f"redis://{login}127.0.0.1:{self.redis.port}/{db}"
        return f"redis+unix://{login}{self.redis.socket}?db={db}"

    def works(self, policyd, db):
        """Blocks come from database `db` and counters go there."""
        self.redis.cli("-n", db, "HSET", JOE, "description", "x")
        refused = lambda: policyd.ask(make_request(sender="joe@example.com")).startswith("550 ")  # noqa: E731
        wait_until(refused, "the block", 5)
        self.assertEqual(policyd.ask(outgoing("ann@example.com")), "DUNNO")
        self.assertGreater(int(self.redis.cli("-n", db, "DBSIZE")), 1)
        self.assertEqual(self.redis.cli("-n", 0, "DBSIZE") == "0", db != 0)
        self.redis.cli("FLUSHALL")
        wait_until(lambda: not refused(), "the block to be lifted", 5)

    def test_password_and_database(self):
        self.redis.cli("CONFIG", "SET", "requirepass", PASSWORD)
        self.redis.password = PASSWORD
        for kind in ("tcp", "unix"):
            for db in (0, 3):
                with self.subTest(kind=kind, db=db):
                    policyd = Policyd(self, f"{kind}{db}", store=self.url(kind, db=db), tables=ACCOUNTS)
                    self.works(policyd, db)
                    self.assertNotIn(PASSWORD, policyd.log() + policyd.ctl("config", "show"))
                    policyd.stop()
                    self.redis.cli("FLUSHALL")  # its figures for reports, handed over at the end
                    self.show(f"password, {kind}, database {db}: shared state in use")

    def test_acl_user(self):
        self.redis.cli("ACL", "SETUSER", "mail", "on", f">{PASSWORD}", *RIGHTS.split())
        policyd = Policyd(self, store=self.url("tcp", user="mail", db=2), tables=ACCOUNTS)
        self.works(policyd, 2)
        clients = [line for line in self.redis.cli("CLIENT", "LIST").splitlines() if "user=mail" in line]
        self.show(f"{len(clients)} connections of the ACL user")
        self.assertGreaterEqual(len(clients), 1)
        policyd.ctl("report", "checks")
        policyd.stop()
        self.assertTrue(self.redis.cli("-n", 2, "KEYS", "policyd:{report}:checks:*"))
        self.assertEqual(policyd.log_lines("reports:"), [])

    def test_a_wrong_password_is_told_and_mail_goes_on(self):
        self.redis.cli("CONFIG", "SET", "requirepass", "another")
        self.redis.password = "another"
        policyd = Policyd(self, store=self.url("tcp"), tables=ACCOUNTS)
        actions = [policyd.ask(outgoing("joe@example.com")).split()[0] for _ in range(5)]
        self.show(f"wrong password, limit 3/1h: {actions}")
        self.assertEqual(actions, ["DUNNO"] * 3 + ["DEFER"] * 2)
        self.show(policyd.wait_log("WRONGPASS")[0])
        self.assertNotIn(PASSWORD, policyd.log())
        self.redis.cli("CONFIG", "SET", "requirepass", PASSWORD)
        self.redis.password = PASSWORD
        wait_until(lambda: policyd.ctl_json("status")["store"]["available"], "the right password to be found", 15)
