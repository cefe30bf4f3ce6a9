"""The weights of the checks add up, as a real Postfix and its clients see it, and the log says what added to them.

Four checks of weight 10, all asking a real DNS, under a threshold of 30: whichever three fail, the mail is rejected;
two do not reject it. A list of good senders outweighs one of them, a dry run counts for nothing, and `block = true`
needs no sum.
"""

import itertools
import re
from typing import NamedTuple

from support.case import E2eTest
from support.dns_server import DnsServer
from support.policy_client import without_id
from support.policyd import Policyd
from support.postfix import Postfix

TABLES = """
[score.incoming]
defer = 0
reject = 30

[checks.reverse_dns]
incoming = { missing = 10, unconfirmed = 10, generic = 0 }

[checks.ehlo]
incoming = { unresolvable = 10 }
DRY_RUN

[checks.sender_domain]
incoming = 0

[checks.spf]
incoming = { fail = 10, pass = 0 }
BLOCK

[[checks.dnsbl.zones]]
zone = "bad.example"
label = "Bad List"
incoming = 10

[[checks.dnsbl.zones]]
zone = "good.example"
label = "Good List"
incoming = -10
"""
HOST = "mail.stranger.example"
UNKNOWN = "[UNAVAILABLE]"


class Trait(NamedTuple):
    """Something about a client or its mail that one check looks at."""

    values: dict  # of the SMTP session: "client", "name", "reverse_name", "ehlo", "domain"
    finding: str = ""  # as the log names it; nothing: there is none
    reason: str = ""  # as the client is told


# By check, in the order of evaluation: what it is content with, then what it finds fault with.
REVERSE_DNS = (Trait({"name": HOST, "reverse_name": HOST}),
               Trait({"name": UNKNOWN, "reverse_name": UNKNOWN}, "reverse_dns.missing",
                     "client has no reverse DNS name"),
               Trait({"name": UNKNOWN, "reverse_name": "liar.example"}, "reverse_dns.unconfirmed",
                     "client's reverse DNS name does not lead back to its address"))
EHLO = (Trait({"ehlo": HOST}),
        Trait({"ehlo": "none.example"}, "ehlo.unresolvable", "EHLO name does not exist in the DNS"))
SPF = (Trait({"domain": "open.example"}),
       Trait({"domain": "strict.example"}, "spf.fail",
             "client is not permitted to send mail for the sender's domain (SPF)"))
DNSBL = (Trait({"client": "192.0.2.1"}),
         Trait({"client": "192.0.2.66"}, "dnsbl.listed", "client is listed by Bad List"))
CHECKS = (REVERSE_DNS, EHLO, SPF, DNSBL)
KNOWN_GOOD = Trait({"client": "192.0.2.77"}, "dnsbl.listed", "client is listed by Bad List")  # and by Good List

ZONES = {
    HOST: {"A": ["198.51.100.25"]},
    "liar.example": {"A": ["203.0.113.1"]},
    "open.example": {"TXT": ["v=spf1 +all"]},
    "strict.example": {"TXT": ["v=spf1 ip4:198.51.100.25 -all"]},
    "66.2.0.192.bad.example": {"A": ["127.0.0.2"]},
    "77.2.0.192.bad.example": {"A": ["127.0.0.2"]},
    "77.2.0.192.good.example": {"A": ["127.0.0.2"]},
    "2.0.0.127.bad.example": {"A": ["127.0.0.2"]},
    "2.0.0.127.good.example": {"A": ["127.0.0.2"]},
}
FINDING = re.compile(r"(\w+\.\w+:[+-]\d+(?: \(dry run\))?)(?: \"|[,\]])")


class Weights(E2eTest):
    def setUp(self):
        self.dns = DnsServer(ZONES).start()
        self.addCleanup(self.dns.stop)

    def start(self, dry_run="", block=""):
        """policyd, and a Postfix that asks it."""
        tables = TABLES.replace("DRY_RUN", dry_run).replace("BLOCK", block)
        policyd = Policyd(self, tables=f'[dns]\nservers = ["{self.dns.address}"]\n' + tables)
        return policyd, Postfix(self, policyd.endpoint)

    def rcpt(self, postfix, traits):
        """The reply to RCPT of a client with these traits; shows the dialogue."""
        values = {name: value for trait in traits for name, value in trait.values.items()}
        smtp = postfix.client(ADDR=values["client"], NAME=values["name"], REVERSE_NAME=values["reverse_name"],
                              HELO=values["ehlo"])
        start = len(smtp.dialogue)
        smtp.must(250, f"MAIL FROM:<ann@{values['domain']}>")
        reply = smtp.rcpt("bob@test.example")
        self.show("\n".join([f"client {values['client']} {values['reverse_name']}, EHLO {values['ehlo']}",
                             *smtp.dialogue[start:]]) + "\n")
        smtp.quit()
        return reply

    def assert_passed(self, reply):
        self.assertEqual(str(reply), "250 2.1.5 Ok")

    def assert_rejected(self, reply, traits):
        reasons = "; ".join(trait.reason for trait in traits if trait.reason)
        self.assertEqual(without_id(str(reply)), "554 5.7.1 <bob@test.example>: Recipient address rejected: "
                                     f"Message refused: {reasons}")

    def assert_logged(self, policyd, number, start, findings):
        """That the verdict of this number has a line that begins so, with these findings and no others."""
        line = policyd.wait_log("verdict=", count=number)[number - 1]
        self.assertIn(start + ' incoming state="RCPT" ', line)
        self.assertEqual(FINDING.findall(line), findings, line)

    def test_whichever_three_of_four_fail(self):
        policyd, postfix = self.start()
        for number, traits in enumerate(itertools.product(*CHECKS), 1):
            found = [trait for trait in traits if trait.finding]
            with self.subTest(findings=[trait.finding for trait in found]):
                reply = self.rcpt(postfix, traits)
                if len(found) >= 3:
                    self.assert_rejected(reply, found)
                else:
                    self.assert_passed(reply)
                start = "verdict=REJECT cause=score" if len(found) >= 3 else "verdict=DUNNO cause=none"
                self.assert_logged(policyd, number, start, [f"{trait.finding}:+10" for trait in found])
                if found:
                    self.assertIn(f" score={10 * len(found)} ", policyd.log_lines("verdict=")[-1])

    def test_a_list_of_good_senders_outweighs_a_failure(self):
        policyd, postfix = self.start()
        three = (REVERSE_DNS[1], EHLO[1], SPF[0], KNOWN_GOOD)
        self.assert_passed(self.rcpt(postfix, three))
        self.assert_logged(policyd, 1, "verdict=DUNNO cause=none",
                           ["reverse_dns.missing:+10", "ehlo.unresolvable:+10", "dnsbl.listed:+10", "dnsbl.listed:-10"])
        self.assertIn(" score=20 ", policyd.log_lines("verdict=")[0])
        four = (REVERSE_DNS[1], EHLO[1], SPF[1], KNOWN_GOOD)
        self.assert_rejected(self.rcpt(postfix, four), four)
        self.assert_logged(policyd, 2, "verdict=REJECT cause=score",
                           ["reverse_dns.missing:+10", "ehlo.unresolvable:+10", "spf.fail:+10", "dnsbl.listed:+10",
                            "dnsbl.listed:-10"])

    def test_a_dry_run_is_logged_and_counts_for_nothing(self):
        policyd, postfix = self.start(dry_run="dry_run = true")
        three = (REVERSE_DNS[1], EHLO[1], SPF[1], DNSBL[0])
        self.assert_passed(self.rcpt(postfix, three))
        self.assert_logged(policyd, 1, "verdict=DUNNO cause=none",
                           ["reverse_dns.missing:+10", "ehlo.unresolvable:+10 (dry run)", "spf.fail:+10"])
        self.assertIn(" score=20 ", policyd.log_lines("verdict=")[0])
        four = (REVERSE_DNS[1], EHLO[1], SPF[1], DNSBL[1])
        self.assert_rejected(self.rcpt(postfix, four), (REVERSE_DNS[1], SPF[1], DNSBL[1]))

    def test_block_rejects_at_once(self):
        policyd, postfix = self.start(block="block = true")
        one = (REVERSE_DNS[0], EHLO[0], SPF[1], DNSBL[0])
        self.assert_rejected(self.rcpt(postfix, one), one)
        self.assert_logged(policyd, 1, "verdict=REJECT cause=check", ["spf.fail:+10"])
        other = (REVERSE_DNS[1], EHLO[0], SPF[0], DNSBL[0])
        self.assert_passed(self.rcpt(postfix, other))
