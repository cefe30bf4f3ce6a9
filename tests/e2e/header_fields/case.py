"""Header fields of mail that passes, in the queue of a real Postfix: Received-SPF (RFC 7208, 9.1) and the score's.

Each message has each field once, however many lists and recipients ask; whoever writes hostile names gets no line of
his own into it. Postfix takes one field in a reply, so two fields take two questions before the message itself.
"""

import re

from support.case import E2eTest
from support.dns_server import DnsServer
from support.policyd import Policyd
from support.postfix import Postfix

SPF = "[score.incoming]\ndefer = 0\nreject = 0\n[checks.spf]\nincoming = 0\nreceived_spf = true\n"
SCORE = '[score]\nheader = "X-Policyd-Score"\n'
KEEP = "defer_transports = discard\n"  # what is accepted stays in the queue, to be looked at
ZONES = {"*.example": {"A": ["192.0.2.1"]}, "pass.example": {"TXT": ["v=spf1 ip4:192.0.2.1 -all"]}}
PREPENDED = re.compile(r"(Received-SPF|X-Policyd-Score): ")
LISTS = ("client", "helo", "sender", "recipient")


class HeaderFields(E2eTest):
    def start(self, tables, ask_in):
        """policyd with these tables, and a Postfix that asks it in these lists."""
        with_dns = f'[dns]\nservers = ["{self.dns.address}"]\n' + tables
        policyd = Policyd(self, f"policyd-{next(self.numbers)}", tables=with_dns)
        return policyd, Postfix(self, policyd.endpoint, ask_in, KEEP)

    def setUp(self):
        self.numbers = iter(range(100))
        self.dns = DnsServer(ZONES).start()
        self.addCleanup(self.dns.stop)

    def send(self, postfix, recipients=("bob@test.example",), sender="ann@pass.example", ehlo="mail.pass.example"):
        """The header of the queued message, its lines unfolded; shows the dialogue."""
        name = "mail.pass.example"
        smtp = postfix.client(ADDR="192.0.2.1", NAME=name, REVERSE_NAME=name, HELO=ehlo)
        start = len(smtp.dialogue)
        smtp.must(250, f"MAIL FROM:<{sender}>")
        for recipient in recipients:
            smtp.rcpt(recipient)
        reply = smtp.data("Subject: test\r\nX-Mine: 1\r\n\r\nHello.\r\n")
        self.assertEqual(reply.code, 250)
        header = postfix.message(reply)[1].split("\n\n")[0]
        lines = re.sub(r"\n[ \t]+", " ", header).splitlines()
        self.show("\n".join([*smtp.dialogue[start:], *(line for line in lines if PREPENDED.match(line))]) + "\n")
        smtp.quit()
        return lines

    def names(self, lines):
        """The names of the fields that policyd gave, in their order."""
        return [match[1] for match in map(PREPENDED.match, lines) if match]

    def test_received_spf_stands_once_and_first(self):
        _, postfix = self.start(SPF, LISTS)
        for recipients in (("bob@test.example",), ("bob@test.example", "rcpt1@test.example", "rcpt2@test.example")):
            with self.subTest(recipients=len(recipients)):
                lines = self.send(postfix, recipients)
                self.assertEqual(self.names(lines), ["Received-SPF"])
                self.assertRegex(lines[0], r"^Received-SPF: pass \(\S+: domain of ann@pass\.example designates "
                                 r'192\.0\.2\.1 as permitted sender\) client-ip=192\.0\.2\.1; identity=mailfrom; '
                                 r'envelope-from="ann@pass\.example"; helo=mail\.pass\.example; receiver=\S+; '
                                 r'mechanism="ip4:192\.0\.2\.1";$')
                self.assertRegex(lines[1], r"^Received: ")  # written by Postfix; a trace field stands above it

    def test_a_recipient_that_postfix_refuses_takes_no_field_away(self):
        _, postfix = self.start(SPF, ("recipient",))
        for refused in ("nobody@test.example", "bob@elsewhere.example"):
            with self.subTest(refused):
                self.assertEqual(self.names(self.send(postfix, (refused, "bob@test.example"))), ["Received-SPF"])

    def test_what_clients_say_stays_in_its_field(self):
        _, postfix = self.start(SPF, ("recipient",))
        plain = self.send(postfix)
        table = [(r'"a\"b\\c(d) <x>"@pass.example', "mail.pass.example"),
                 ("ann@pass.example", 'x);\\"\x01\x0b\x7f(\xe9=?utf-8?q?=0AX-Evil:_1?='),
                 (f'"{"(" * 60}"@pass.example', '"' * 200),
                 (f"{'a' * 64}@{'b.' * 90}pass.example", "x" * 255)]
        for sender, ehlo in table:
            with self.subTest(sender=sender, ehlo=ehlo):
                lines = self.send(postfix, sender=sender, ehlo=ehlo)
                self.assertEqual(self.names(lines), ["Received-SPF"])
                self.assertRegex(lines[0], r"^Received-SPF: [a-z]+ .*client-ip=192\.0\.2\.1; [ -~]*;$")
                self.assertLessEqual(len(lines[0]), 493)
                self.assertEqual([line.split(":")[0] for line in lines], [line.split(":")[0] for line in plain])

    def test_two_fields_take_two_questions(self):
        both = ["X-Policyd-Score", "Received-SPF"]
        one, two = ("bob@test.example",), ("bob@test.example", "rcpt1@test.example")
        table = [(("recipient", "data"), one, both), (("recipient", "data"), two, both), (("recipient",), two, both),
                 (LISTS, one, both), (("recipient", "end_of_data"), one, both[:1])]
        for lists, recipients, wanted in table:
            with self.subTest(lists=lists, recipients=len(recipients)):
                policyd, postfix = self.start(SCORE + SPF, lists)
                lines = self.send(postfix, recipients)
                self.show(f"asked in {', '.join(lists)}, {len(recipients)} recipient(s): {self.names(lines)}\n")
                self.assertEqual(self.names(lines), wanted)
                warnings = policyd.log_lines("warn", "went without its header field Received-SPF")
                self.assertEqual(len(warnings), 1 if "end_of_data" in lists else 0)
