"""DNS lists and the other checks that ask the DNS, as a real Postfix sees them, and when the lists lie or die.

Four checks of weight 10 under a threshold of 30: three failures reject, two do not. Then lists that refuse, do not
answer or fail: all mail passes, only the first requests wait, the log says why, and the lists come back by themselves.
"""

import time

from support.case import E2eTest
from support.dns_server import DnsServer
from support.policy_client import make_request
from support.policyd import Policyd
from support.postfix import Postfix
from support.wait import wait_until

ZONES = ["bl1.example", "bl2.example", "bl3.example"]
CHECKS = """
[score.incoming]
defer = 0
reject = 30

[checks.reverse_dns]
incoming = 10
[checks.ehlo]
incoming = 10
[checks.sender_domain]
incoming = 10
[checks.spf]
incoming = 0

[[checks.dnsbl.zones]]
zone = "bl1.example"
label = "First List"
incoming = 10
"""
LISTS = "[checks.reverse_dns]\nincoming = 0\n[checks.ehlo]\nincoming = 0\n[checks.sender_domain]\nincoming = 0\n" + \
    "[checks.spf]\nincoming = 0\n" + \
    "".join(f'[[checks.dnsbl.zones]]\nzone = "{zone}"\nincoming = 40\n' for zone in ZONES)
STRANGER = {
    "stranger.example": {"MX": ["10 mail.stranger.example"]},
    "mail.stranger.example": {"A": ["192.0.2.1"]},
    "1.2.0.192.in-addr.arpa": {"PTR": ["mail.stranger.example"]},
    "7.2.0.192.bl1.example": {"A": ["127.0.0.2"]},
    "2.0.0.127.bl1.example": {"A": ["127.0.0.2"]},
}


def lists(**behaviour):
    """The same for every name of every list."""
    return {f"*.{zone}": {"ttl": 1, **behaviour} for zone in ZONES}


class DnsLists(E2eTest):
    def dns(self, zones):
        server = DnsServer(zones)
        self.addCleanup(server.stop)
        return server.start()

    def policyd(self, dns, tables):
        return Policyd(self, tables=f'[dns]\nservers = ["{dns.address}"]\ntimeout = "500ms"\n' + tables)

    def test_three_of_four_failures_reject_and_two_do_not(self):
        postfix = Postfix(self, self.policyd(self.dns(STRANGER), CHECKS).endpoint)
        unknown = "[UNAVAILABLE]"
        known = "mail.stranger.example"
        table = [  # client, its name, EHLO name, sender domain, code
            ("192.0.2.1", known, known, "stranger.example", 250),
            ("192.0.2.7", unknown, known, "stranger.example", 250),
            ("192.0.2.7", unknown, "none.example", "stranger.example", 554),
            ("192.0.2.7", unknown, "none.example", "none.example", 554),
            ("192.0.2.8", unknown, "none.example", "none.example", 554),
        ]
        for client, name, ehlo, domain, code in table:
            with self.subTest(client=client, ehlo=ehlo, domain=domain):
                smtp = postfix.client(ADDR=client, NAME=name, REVERSE_NAME=name, HELO=ehlo)
                start = len(smtp.dialogue)
                smtp.must(250, f"MAIL FROM:<ann@{domain}>")
                reply = smtp.rcpt("bob@test.example")
                self.show("\n".join(smtp.dialogue[start:]) + "\n")
                self.assertEqual(reply.code, code)
                self.assertNotIn("bl1.example", reply.text)  # keys of paid lists stand in such names
                if code == 554 and client == "192.0.2.7":
                    self.assertIn("client is listed by First List", reply.text)

    def test_status_shows_servers_and_cache(self):
        dns = self.dns(STRANGER)
        policyd = self.policyd(dns, CHECKS)
        for _ in range(2):
            self.assertEqual(policyd.ask(make_request(client_name="unknown", reverse_client_name="unknown")), "DUNNO")
        wait_until(lambda: policyd.ctl_json("status")["zones"][0]["state"] == "good", "the list to be tested")
        status = policyd.ctl_json("status")["dns"]
        self.show(policyd.ctl("status"))
        self.assertEqual(status["servers"], [{"server": dns.address, "tries": dns.count(), "answers": dns.count(),
                                              "failures": 0}])
        self.assertEqual(status["queries"], dns.count())
        self.assertEqual(status["lookups"], status["hits"] + status["joins"] + status["queries"])
        self.assertGreater(status["hits"], 0)
        shown = policyd.ctl("status")
        share = 100 * status["hits"] // status["lookups"]
        self.assertRegex(shown, rf"dns +{status['lookups']} look-ups, {share}% from the cache "
                         rf"\({status['cached']} names, 1 KiB\); 0 not answered in time, 0 failed\n")
        self.assertRegex(shown, rf"{dns.address} +{dns.count()} +{dns.count()} +0 +0\n")

    def ask_many(self, policyd, first, requests=12):
        """The milliseconds that each of some requests took, from addresses that nobody has asked for before."""
        times = []
        with policyd.client() as client:
            for number in range(requests):
                request = make_request(client_address=f"198.51.{first}.{number}", client_name="unknown",
                                       reverse_client_name="unknown")
                begun = time.monotonic()
                self.assertEqual(client.ask(request), "DUNNO")
                times.append(round(1000 * (time.monotonic() - begun)))
        return times

    def test_lists_that_refuse_die_or_fail_cost_no_mail_and_come_back(self):
        dns = self.dns(lists())
        policyd = self.policyd(dns, LISTS)
        trouble = [("127.255.255.254", {"A": ["127.255.255.254"]}), ("no answer", {"answer": "timeout"}),
                   ("SERVFAIL", {"answer": "servfail"}), ("a list of everybody", {"A": ["127.0.0.2"]})]
        for number, (name, behaviour) in enumerate(trouble):
            with self.subTest(name):
                suspended = len(policyd.log_lines("suspended"))
                back = len(policyd.log_lines("is back"))
                dns.change(zones=lists(**behaviour))
                if name == "a list of everybody":
                    policyd.stop()  # only its test can tell that of a list, and that comes at the start
                    policyd.start()
                    lines = policyd.wait_log("suspended", count=suspended + len(ZONES))
                else:
                    self.show(f"{name}: ms for each request: {self.ask_many(policyd, number)}")
                    lines = policyd.wait_log("suspended", count=suspended + len(ZONES))
                self.show("\n".join(lines[suspended:]))
                asked = dns.count(f"0.99.51.198.{ZONES[0]}")
                self.ask_many(policyd, 99)
                self.assertEqual(dns.count(f"0.99.51.198.{ZONES[0]}"), asked)  # suspended: not asked
                states = [zone["state"] for zone in policyd.ctl_json("status")["zones"]]
                self.assertEqual(states, ["suspended"] * len(ZONES))
                for zone in policyd.ctl_json("status")["zones"]:
                    self.assertTrue(zone["detail"] and zone["since"], zone)
                self.show(policyd.ctl("status").split("LIST")[1])
                dns.change(zones=lists())
                policyd.wait_log("is back", count=back + len(ZONES), seconds=60)
        self.assertEqual([zone["state"] for zone in policyd.ctl_json("status")["zones"]], ["good"] * len(ZONES))
