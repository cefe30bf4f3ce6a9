"""policyctl report: two nodes' figures add up, who never came back is told; a stop or an absent Redis loses nothing."""

import datetime

from support.case import E2eTest
from support.dns_server import DnsServer
from support.policy_client import make_request
from support.policyd import Policyd
from support.redis import Redis
from support.wait import wait_until

GREYLIST = '[greylist]\nenabled = true\nblock = "1s"\n'
LISTS = """
[score.incoming]
defer = 0
reject = 10
[checks.ehlo]
incoming = 10
[checks.sender_domain]
incoming = 0
[checks.spf]
incoming = 0
[[checks.dnsbl.zones]]
zone = "bl.example"
incoming = 5
"""
HOUR = datetime.timedelta(hours=1)


def name_of(hour):
    return hour.strftime("%Y-%m-%dT%H")


class Report(E2eTest):
    def setUp(self):
        self.redis = Redis(self)

    def nodes(self, tables):
        return [Policyd(self, name, store=url, tables=tables)
                for name, url in (("mx1", self.redis.url), ("mx2", self.redis.tcp_url))]

    def come_back(self, node, **attributes):
        """A message that is tried until it passes; how many attempts that took."""
        attempts = 0

        def passed():
            nonlocal attempts
            attempts += 1
            return node.ask(make_request(**attributes)) == "DUNNO"
        wait_until(passed, "the end of the block period")
        return attempts

    @staticmethod
    def total(node, *options):
        return node.ctl_json("report", "greylist", *options)["total"]

    @staticmethod
    def check(node, name):
        found = [row for row in node.ctl_json("report", "checks")["checks"] if row["check"] == name]
        return found[0] if found else {"requests": 0}

    def test_greylisting_on_two_nodes_adds_up(self):
        mx1, mx2 = nodes = self.nodes(GREYLIST)
        self.assertTrue(mx1.ask(make_request()).startswith("DEFER_IF_PERMIT"))
        attempts = 1 + self.come_back(mx2)
        self.assertEqual(mx1.ask(make_request()), "DUNNO")  # known by now
        for node, recipient in ((mx1, "bob@test.example"), (mx2, "bob@other.example")):
            node.ask(make_request(client_name="unknown", client_address="198.51.100.7", recipient=recipient))
        wanted = {"attempts": attempts + 2, "new": 3, "passed": 1, "waiting": 2, "never": 0, "at_once": 1}
        for node in nodes:
            wait_until(lambda: self.total(node) == wanted, f"{wanted} on {node.name}", 20)
        self.show(mx2.ctl("report", "greylist", "--since", "2h"))
        report = mx2.ctl_json("report", "greylist")
        self.assertEqual([row["client"] for row in report["clients"]["rows"]], ["stranger.example", "198.51.100.0/24"])
        self.assertEqual([(row["recipient"], row["new"]) for row in report["recipients"]["rows"]],
                         [("test.example", 2), ("other.example", 1)])
        self.assertNotIn("clients", mx1.ctl_json("report", "greylist", "--by", "recipient", "--limit", 1))

    def test_who_never_came_back(self):
        policyd = Policyd(self, store=self.redis.url, tables=GREYLIST)
        self.come_back(policyd)
        policyd.ask(make_request(sender="eve@stranger.example"))
        self.assertEqual((self.total(policyd)["waiting"], self.total(policyd)["never"]), (1, 0))
        # As if that had been eight hours ago: the usual six to come back in are over.
        for key in self.redis.cli("KEYS", "policyd:{report}:*s:20*").splitlines():
            start, hour = key[:-13], datetime.datetime.strptime(key[-13:], "%Y-%m-%dT%H")
            self.redis.cli("RENAME", key, start + name_of(hour - 8 * HOUR))
        total = self.total(policyd)
        self.assertEqual((total["new"], total["passed"], total["waiting"], total["never"]), (2, 1, 0, 1))
        self.assertEqual(self.total(policyd, "--since", "2h")["new"], 0)
        self.show(policyd.ctl("report", "greylist", "--by", "client"))

    def test_checks_and_lists_on_two_nodes_add_up(self):
        with DnsServer({"*.example": {"A": ["198.51.100.1"]}, "bl.example": {},
                        "7.2.0.192.bl.example": {"A": ["127.0.0.2"], "delay": 0.1},
                        "2.0.0.127.bl.example": {"A": ["127.0.0.2"]}}) as dns:
            nodes = self.nodes(f'[dns]\nservers = ["{dns.address}"]\n' + LISTS)
            for node in nodes:
                self.assertEqual(node.ask(make_request(client_address="192.0.2.7")), "DUNNO")
            self.assertTrue(nodes[1].ask(make_request(helo_name="nodot")).startswith("REJECT"))
            for node in nodes:
                wait_until(lambda: self.check(node, "ehlo")["requests"] == 3, f"three requests on {node.name}", 20)
            self.show(nodes[0].ctl("report", "checks", "--since", "1h"))
            ehlo, dnsbl = (self.check(nodes[0], name) for name in ("ehlo", "dnsbl"))
            self.assertEqual((ehlo["hits"], ehlo["decided"], ehlo["outcomes"][0]["outcome"]), (1, 1, "unqualified"))
            self.assertEqual((dnsbl["requests"], dnsbl["hits"], dnsbl["decided"], dnsbl["errors"]), (3, 2, 0, 0))
            zone = dnsbl["zones"][0]
            self.assertEqual((zone["zone"], zone["requests"], zone["hits"]), ("bl.example", 3, 2))
            self.assertGreaterEqual(zone["median_ms"], 64)  # two of three took 100 ms and more

    def test_figures_outlive_a_restart(self):
        for store in (self.redis.url, f"memory:{self.directory}/state.db"):
            with self.subTest(store=store):
                self.redis.cli("FLUSHALL")
                policyd = Policyd(self, "node" + store[:5].strip(":"), store=store, tables=GREYLIST)
                policyd.ask(make_request())
                policyd.stop()  # before the next hand-over is due
                policyd.start()
                self.assertEqual(self.total(policyd), {"attempts": 1, "new": 1, "passed": 0, "waiting": 1, "never": 0,
                                                       "at_once": 0})
                policyd.stop()

    def test_what_was_counted_without_redis_is_added_when_it_is_back(self):
        policyd = Policyd(self, store=self.redis.url, tables=LISTS)
        self.redis.stop_answering()
        policyd.wait_log("away:")
        for _ in range(3):
            policyd.ask(make_request())
        error = policyd.ctl("report", "checks", code=1)
        self.assertEqual(error, "")
        self.redis.go_on()
        wait_until(lambda: policyd.ctl_json("status")["store"]["available"], "Redis", 20)
        wait_until(lambda: self.check(policyd, "ehlo")["requests"] == 3, "three requests", 20)
        self.assertEqual(policyd.log_lines("reports:"), [])
        keys = self.redis.cli("KEYS", "*").splitlines()
        self.assertEqual([key for key in keys if int(self.redis.cli("TTL", key)) < 0], [])

    def test_nothing_counted_and_wrong_usage(self):
        policyd = Policyd(self)
        for report, text in (("greylist", "nothing was greylisted"), ("checks", "no check was applied")):
            self.assertIn(f"{text} since 20", policyd.ctl("report", report))
            for since in ("", "0", "7", "-1d", "32d"):
                policyd.ctl("report", report, f"--since={since}", code=2)
        for wrong in (("--by", "zone"), ("--limit", "0"), ("--limit", "x")):
            policyd.ctl("report", "greylist", *wrong, code=2)
        policyd.ctl("report", code=2)
