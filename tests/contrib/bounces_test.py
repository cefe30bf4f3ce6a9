#!/usr/bin/env python3
"""contrib/policyd-bounces: what is a hard bounce and whose, on lines as Postfix 3.7 writes them; rotated logs."""

import contextlib
import importlib.machinery
import importlib.util
import io
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

PROGRAM = pathlib.Path(__file__).resolve().parents[2] / "contrib" / "policyd-bounces"
sys.dont_write_bytecode = True
loader = importlib.machinery.SourceFileLoader("policyd_bounces", str(PROGRAM))
bounces = importlib.util.module_from_spec(importlib.util.spec_from_loader("policyd_bounces", loader))
loader.exec_module(bounces)

PREFIX = "Nov 21 16:50:37 mx postfix/"
JOE = "smtpd[28700]: {}: client=pc.customer.example[198.51.100.7], sasl_method=PLAIN, sasl_username=Joe@Example.com"
BOUNCE = ("smtp[28714]: {}: to=<a@nobody.example>, relay=mx.nobody.example[192.0.2.7]:25, delay=0.17, "
          "delays=0.04/0.04/0/0.1, dsn={}, status=bounced (host mx.nobody.example[192.0.2.7] said: 550 {} user unknown "
          "(in reply to RCPT TO command))")
TO_FILTER = ("smtp[27800]: {}: to=<a@nobody.example>, relay={}, delay=0.22, delays=0.06/0.01/0.05/0.11, dsn=2.0.0, "
             "status=sent (250 2.0.0 from MTA(smtp:[127.0.0.1]:10025): 250 2.0.0 Ok: queued as {})")
AMAVIS = "127.0.0.1[127.0.0.1]:10024"
# policyctl: keeps its arguments, and ends as the file beside it says.
POLICYCTL = """\
#!/bin/sh
echo "$*" >> "$0.said"
[ ! -e "$0.hangs" ] || exec tail -f "$0.said"
if [ -e "$0.says" ]; then cat "$0.says" >&2; else echo 'policyctl: no policyd here' >&2; fi
exit "$(cat "$0.code")"
"""


def follower(*codes, filters=(), bare=True):
    return bounces.Follower(set(codes or bounces.HARD_BOUNCES.split(",")), set(filters), bare)


def counts(lines, **more):
    follow = follower(**more)
    for line in lines:
        follow.line(line)
    return dict(follow.counts)


def bounce(queue_id, dsn="5.1.1"):
    return PREFIX + BOUNCE.format(queue_id, dsn, dsn)


def joe(queue_id):
    return PREFIX + JOE.format(queue_id)


class Lines(unittest.TestCase):
    def test_which_codes_are_hard(self):
        for dsn, hard in [("5.1.1", True), ("5.1.2", True), ("5.1.10", True), ("5.4.4", True), ("5.2.1", True),
                          ("5.7.1", False), ("5.7.26", False), ("5.0.0", False), ("5.2.2", False), ("5.3.4", False)]:
            with self.subTest(dsn):
                self.assertEqual(counts([joe("37C9AAAA2D4"), bounce("37C9AAAA2D4", dsn)]),
                                 {"joe@example.com": 1} if hard else {})

    def test_forms_of_lines(self):
        bounced = "relay=none, delay=0.1, delays=0.1/0/0/0, dsn=5.1.1, status=bounced (x)"
        login = "client=pc[192.0.2.1], sasl_method=PLAIN, sasl_username=joe"
        one = [([f"ABCDEF: {login}", f"ABCDEF: to=<a@b.example>, {bounced}"], "of the journal"),
               ([f"x postfix/smtpd[1]: 4jWyrL3QW7z1dHMS: {login}",
                 f"x postfix/error[1]: 4jWyrL3QW7z1dHMS: to=<a@b.example>, {bounced}"], "a long queue id"),
               ([f"2026-11-21T16:50:37.1+01:00 mx postfix-out/submission/smtpd[1]: ABCDEF: {login}, sasl_sender=x",
                 f"mx postfix-out/error[1]: ABCDEF: to=<a@b.example>, orig_to=<c@d.example>, {bounced}"], "an alias"),
               ([f"ABCDEF: client=pc[2001:db8::1]:4711, sasl_method=PLAIN, sasl_username=joe, orig_client=x[y]",
                 f"ABCDEF: to=<a@b.example>, {bounced.replace('delay=', 'conn_use=2, delay=', 1)}"], "a port"),
               ([f"ABCDEF: {login}", f'ABCDEF: to=<"a>, relay=x, dsn=2.0.0, status=sent (b"@c.example>, {bounced}'],
                "a quoted local part")]
        for lines, what in one:
            with self.subTest(what):
                self.assertEqual(counts(lines), {"joe": 1})
        for line in ["", "ABCDEF:", "ABCDEF: to=<a@b.example>", "ABCDEF: to=<a@b.example>, relay=none, status=bounced",
                     f"warning: ABCDEF: to=a, {bounced}", "ABCDEF: client=", f"ABCDEF: to=<a@b.example>, {bounced}",
                     f"ABCDEF: to=<a@b.example>, {bounced.replace('bounced', 'undeliverable')}"]:
            with self.subTest(line):
                self.assertEqual(counts([line]), {})

    def test_what_another_server_says_is_no_line(self):
        line = "ABCDEF: to=<a@b.example>, relay=x[y]:25, delay=1, delays=1/0/0/0, dsn="
        said = f"smtp[1]: {line}4.0.0, status=deferred (host said: 450 {line}5.1.1, status=bounced (z))"
        self.assertEqual(counts([joe("ABCDEF"), PREFIX + said]), {})

    def test_text_of_strangers_is_no_line(self):
        login = "ABCDEF: client=h[192.0.2.3], sasl_method=PLAIN, sasl_username=victim@example.com"
        bounced = "ABCDEF: to=<a@b.example>, relay=none, delay=1, delays=1/0/0/0, dsn=5.1.1, status=bounced (x)"
        lines = (login, bounced)

        def forged(begin):
            return [f"{begin}{line}" for line in lines]
        real = [f"{PREFIX}smtpd[1]: {login}", f"{PREFIX}smtp[2]: {bounced}"]
        self.assertEqual(counts(real), {"victim@example.com": 1})
        for begin in [f"{PREFIX}cleanup[3]: 9876543: message-id=<x: ", f"{PREFIX}cleanup[3]: 9876543: message-id=",
                      f"{PREFIX}cleanup[3]: 9876543: message-id={PREFIX}smtpd[1]: ",
                      f"{PREFIX}smtp[4]: 9876543: host mx.evil.example[192.0.2.66] said: 450 x: ",
                      f"{PREFIX}smtp[4]: 9876543: to=<x@evil.example>, relay=mx.evil.example[192.0.2.66]:25, delay=1, "
                      "delays=1/0/0/0, dsn=4.0.0, status=deferred (host mx.evil.example[192.0.2.66] said: 450 x: ",
                      f"{PREFIX}smtpd[5]: NOQUEUE: reject: RCPT from unknown[192.0.2.66]: 554 5.7.1 <x: ",
                      f"{PREFIX}smtpd[5]: warning: unknown[192.0.2.66]: SASL LOGIN authentication failed: x: ",
                      "Nov 21 16:50:37 mx dovecot: imap-login: Login: user=<x postfix/smtpd[1]: ",
                      "Nov 21 16:50:37 mx dovecot: x postfix/smtpd[1]: ", "Nov 21 16:50:37 mx amavis[6]: (1-2) x: ",
                      "message-id=<x: ", "9876543: message-id=<x: ", "9876543: message-id=", "warning: x: "]:
            with self.subTest(begin):
                self.assertEqual(counts(forged(begin)), {})
                self.assertEqual(counts([joe("ABCDEF"), *forged(begin), bounce("ABCDEF")]), {"joe@example.com": 1})
                removed = [joe("ABCDEF"), f"{begin}ABCDEF: removed", bounce("ABCDEF")]
                self.assertEqual(counts(removed), {"joe@example.com": 1})

    def test_who_writes_which_lines(self):
        login, bounced = joe("ABCDEF"), bounce("ABCDEF")
        self.assertEqual(counts([login.replace("smtpd[", "cleanup["), bounced]), {})
        self.assertEqual(counts([login, bounced.replace("smtp[", "smtpd[")]), {})
        self.assertEqual(counts([login.replace("postfix/smtpd", "sshd"), bounced]), {})
        self.assertEqual(counts([login, PREFIX + "smtp[1]: ABCDEF: removed", bounced]), {"joe@example.com": 1})
        for program in ["postfix/smtp", "postfix-out/lmtp", "postfix/relay/smtp", "postfix/virtual", "mta/error"]:
            with self.subTest(program):
                self.assertEqual(counts([login, bounced.replace("postfix/smtp", program)]), {"joe@example.com": 1})
        for time in ["Nov  1 16:50:37 ", "2026-11-21T16:50:37.123456+01:00 ", "2026-11-21T16:50:37Z ", "",
                     "Sat 2026-11-21 16:50:37 CET ", "2026 Nov 21 16:50:37 "]:
            with self.subTest(time):
                lines = [line.replace("Nov 21 16:50:37 ", time) for line in (login, bounced)]
                self.assertEqual(counts(lines), {"joe@example.com": 1})

    def test_lines_without_a_program_are_read_of_the_journal_alone(self):
        lines = [line.partition("]: ")[2] for line in (joe("ABCDEF"), bounce("ABCDEF"))]
        self.assertEqual(counts(lines), {"joe@example.com": 1})
        self.assertEqual(counts(lines, bare=False), {})

    def test_logins_stand_in_their_place(self):
        client = PREFIX + "smtpd[1]: ABCDEF: client=pc[192.0.2.1]"
        plain = f"{client}, sasl_method=PLAIN, sasl_username="
        for line, login in [(f"{plain}joe, sasl_sender=x, sasl_username=ann", "joe"),
                            (f"{plain}joe, sasl_sender=x, orig_queue_id=987654", "joe"),
                            (f"{plain}joe, ann", "joe, ann"), (f"{plain}joe, orig_client=unknown[192.0.2.9]", "joe"),
                            (f"{client}, orig_queue_id=987654, orig_client=x[192.0.2.9]", "ann"),
                            (f"{client}, sasl_method=x, sasl_sender=, sasl_username=joe", None),
                            (f"{client} sasl_username=joe", None),
                            (f"{client}, orig_queue_id=98765, 987654", None),
                            # MAIL FROM:<x@y> AUTH="x, orig_queue_id=987654, orig_client=y[192.0.2.9]"
                            (f"{client}, sasl_sender=x, orig_queue_id=987654, orig_client=y[192.0.2.9]", None),
                            (f"{client}, sasl_sender=x, orig_queue_id=987654", None)]:
            with self.subTest(line):
                follow = follower()
                follow.logins["987654"] = "ann"
                follow.line(line)
                self.assertEqual(follow.logins.get("ABCDEF"), login)
        lines = [joe("NOQUEUE"), PREFIX + "smtpd[1]: ABCDEF: client=x[y], orig_queue_id=NOQUEUE", bounce("ABCDEF")]
        self.assertEqual(counts(lines), {})  # a filter before the queue

    def test_queue_ids_are_used_again(self):
        lines = [joe("ABCDEF"), PREFIX + "qmgr[1]: ABCDEF: removed", bounce("ABCDEF")]
        self.assertEqual(counts(lines), {})
        stranger = PREFIX + "smtpd[1]: ABCDEF: client=mx.stranger.example[192.0.2.9]"
        self.assertEqual(counts([joe("ABCDEF"), stranger, bounce("ABCDEF")]), {})

    def test_behind_a_content_filter(self):
        back = PREFIX + "smtpd[2]: 00B12AAA2BD: client=localhost[127.0.0.1]"
        origin = back + ", orig_queue_id=D2B31AAA2BB, orig_client=pc.customer.example[198.51.100.7]"
        answered = PREFIX + TO_FILTER.format("D2B31AAA2BB", AMAVIS, "00B12AAA2BD")
        self.assertEqual(counts([joe("D2B31AAA2BB"), origin, bounce("00B12AAA2BD")]), {"joe@example.com": 1})
        self.assertEqual(counts([joe("D2B31AAA2BB"), back, answered, bounce("00B12AAA2BD")]), {"joe@example.com": 1})
        self.assertEqual(counts([joe("D2B31AAA2BB"), back, bounce("00B12AAA2BD"), bounce("00B12AAA2BD"), answered]),
                         {"joe@example.com": 2})

    def test_whose_answers_are_believed(self):
        for relay, believed in [(AMAVIS, True), ("localhost[::1]:10024", True), ("mx[/run/filter.sock]", True),
                                ("filter.test.example[192.0.2.50]:10024", True), ("localhost[192.0.2.66]:25", False),
                                ("mx.evil.example[192.0.2.66]:25", False)]:
            with self.subTest(relay):
                lines = [joe("D2B31AAA2BB"), PREFIX + TO_FILTER.format("D2B31AAA2BB", relay, "00B12AAA2BD"),
                         bounce("00B12AAA2BD")]
                self.assertEqual(counts(lines, filters=["filter.test.example"]),
                                 {"joe@example.com": 1} if believed else {})
        ann = PREFIX + "smtpd[2]: 00B12AAA2BD: client=pc[192.0.2.1], sasl_method=PLAIN, sasl_username=ann"
        lines = [joe("D2B31AAA2BB"), ann, PREFIX + TO_FILTER.format("D2B31AAA2BB", AMAVIS, "00B12AAA2BD"),
                 bounce("00B12AAA2BD")]
        self.assertEqual(counts(lines), {"ann": 1})  # who logged in himself is nobody else

    def test_memory_is_bounded(self):
        follow = follower()
        for number in range(bounces.MOST_MESSAGES + 10):
            follow.line(f"{number:08X}: client=pc[192.0.2.1], sasl_method=PLAIN, sasl_username=u{number}")
        self.assertEqual(len(follow.logins), bounces.MOST_MESSAGES)
        for number in range(bounces.MOST_WAITING + 10):
            follow.line(bounce(f"F{number:07X}"))
        self.assertEqual(len(follow.unexplained), bounces.MOST_WAITING)

    def test_overlong_and_broken_lines(self):
        lines = bounces.Lines()
        self.assertEqual(list(lines.feed(b"one\r\ntw")), ["one"])
        self.assertEqual(list(lines.feed(b"o\n" + b"x" * (bounces.LONGEST_LINE + 1))), ["two"])
        self.assertEqual(list(lines.feed(b"still\n\xff\nthree\n")), ["\ufffd", "three"])


class LogFiles(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.log = pathlib.Path(directory.name) / "mail.log"

    def test_of_a_line_that_is_there_in_part_nothing_is_read(self):
        tail = f"{joe('ABCDEF')}\nnext\n".ljust(bounces.LEARNED_AT_START, "\n")
        for begin, first in [("", joe("ABCDEF")), ("message-id=<", "next")]:
            with self.subTest(begin):
                self.log.write_text(begin + tail)
                source = bounces.LogFile(self.log)
                self.addCleanup(source.file.close)
                self.assertEqual(next(iter(source.learn())), first)

    def test_it_is_followed_when_it_is_rotated_cut_or_away(self):
        self.log.write_text("old 1\nold 2\nhalf")
        source = bounces.LogFile(self.log)
        self.addCleanup(lambda: source.file.close())
        self.assertEqual(list(source.learn()), ["old 1", "old 2"])

        def append(text):
            with open(self.log, "a", encoding="ascii") as log:
                log.write(text)

        def read():
            return list(source.read(0))
        append(" a line\nnew\n")
        self.assertEqual(read(), ["half a line", "new"])
        self.assertEqual(read(), [])
        append("last of it\n")
        self.log.rename(f"{self.log}.1")
        self.assertEqual(read(), ["last of it"])
        self.assertEqual(read(), [])  # not there yet
        append("first of the next\n")
        self.assertEqual(read(), ["first of the next"])
        os.truncate(self.log, 0)
        append("cut\n")
        self.assertEqual(read(), ["cut"])


class Reports(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.policyctl = pathlib.Path(directory.name) / "policyctl"
        self.policyctl.write_text(POLICYCTL)
        self.policyctl.chmod(0o755)

    def run_program(self, text, *options, code=0):
        pathlib.Path(f"{self.policyctl}.code").write_text(str(code))
        command = [sys.executable, PROGRAM, "--log", "-", "--policyctl", str(self.policyctl), *options]
        done = subprocess.run(command, input=text.encode(), capture_output=True, timeout=60, check=False)
        said = pathlib.Path(f"{self.policyctl}.said")
        return done.returncode, done.stderr.decode(), said.read_text().splitlines() if said.exists() else []

    def test_what_is_reported(self):
        login = "ABCDE{}: client=pc[192.0.2.1], sasl_method=PLAIN, sasl_username={}\n"
        text = login.format(1, "joe") + login.format(2, "-ann") + f"{bounce('ABCDE1')}\n" * 3 + bounce("ABCDE2")
        self.assertEqual(self.run_program(text),
                         (0, "policyd-bounces: following\n", ["account report joe --invalid-recipient --count 3",
                                                              "account report --invalid-recipient --count 1 -- -ann"]))

    def test_what_cannot_be_reported(self):
        text = f"{joe('ABCDEF')}\n{bounce('ABCDEF')}\n"
        code, said, _ = self.run_program(text, code=1)
        self.assertEqual((code, said), (0, "policyd-bounces: following\npolicyd-bounces: 1 invalid recipients of "
                                           "'joe@example.com' could not be reported: policyctl: no policyd here\n"))
        code, said, _ = self.run_program(text, code=69)
        self.assertEqual((code, said), (1, "policyd-bounces: following\npolicyd-bounces: policyd cannot be reached; "
                                           "reports wait: policyctl: no policyd here\n"))
        reporter = bounces.Reporter(["/nonexistent/policyctl"])
        waiting = {"joe": 2}
        self.assertFalse(reporter.report(waiting))
        self.assertEqual(waiting, {"joe": 2})

    def test_a_login_that_no_argument_can_hold(self):
        login = "ABCDE1: client=pc[192.0.2.1], sasl_method=PLAIN, sasl_username=a\0b"
        text = f"{login}\n{bounce('ABCDE1')}\n{joe('ABCDE2')}\n{bounce('ABCDE2')}\n"
        self.assertEqual(self.run_program(text),
                         (0, "policyd-bounces: following\npolicyd-bounces: 1 invalid recipients of 'a\\x00b' could not "
                             "be reported: embedded null byte\n",
                          ["account report joe@example.com --invalid-recipient --count 1"]))

    def test_more_than_policyctl_takes_at_once(self):
        pathlib.Path(f"{self.policyctl}.code").write_text("0")
        most = 1_000_000
        command = (PROGRAM.parents[1] / "policyd/ctl/account_report.cpp").read_text()
        self.assertIn("{1, 1'000'000}", command)
        waiting = {"joe": 2 * most + 3, "ann": most}
        self.assertTrue(bounces.Reporter([str(self.policyctl)]).report(waiting))
        self.assertEqual(pathlib.Path(f"{self.policyctl}.said").read_text().splitlines(),
                         [f"account report {account} --invalid-recipient --count {number}" for account, number in
                          [("joe", most), ("joe", most), ("joe", 3), ("ann", most)]])
        self.assertEqual(waiting, {})

    def test_what_may_have_been_reported_is_not_again(self):
        text = f"policyd at unix:/x does not answer: Timeout was reached; {bounces.MAY_BE_DONE}"
        client = (PROGRAM.parents[1] / "policyd/ctl/client.cpp").read_text()
        self.assertIn(bounces.MAY_BE_DONE, client)
        pathlib.Path(f"{self.policyctl}.says").write_text(f"policyctl: {text}\n")
        lines = [joe("ABCDEF"), bounce("ABCDEF"), joe("ABCDEF").replace("Joe@", "ann@"), bounce("ABCDEF")]
        code, said, reports = self.run_program("\n".join(lines), code=69)
        self.assertEqual((code, said), (1, "policyd-bounces: following\npolicyd-bounces: 1 invalid recipients of "
                                           "'joe@example.com' may not have been reported, and are not again: "
                                           f"policyctl: {text}\n"))
        self.assertEqual(reports, ["account report joe@example.com --invalid-recipient --count 1"])

    def test_a_report_that_does_not_end_is_not_made_again(self):
        pathlib.Path(f"{self.policyctl}.hangs").touch()
        reporter, waiting = bounces.Reporter([str(self.policyctl)], longest=0.2), {"joe": 2, "ann": 1}
        said = io.StringIO()
        with contextlib.redirect_stderr(said):
            self.assertFalse(reporter.report(waiting))
        self.assertEqual(waiting, {"ann": 1})
        self.assertEqual(said.getvalue(), "policyd-bounces: 2 invalid recipients of 'joe' may not have been reported, "
                                          f"and are not again: {self.policyctl} has not ended after 0.2 seconds\n")

    def test_usage(self):
        for options, code, said in [(("--dsn", "4.1.1"), 64, "--dsn: not a code of a bounce, such as 5.1.1: 4.1.1"),
                                    (("--every", "0"), 64, "--every: not more than 0"),
                                    (("--policyctl", " "), 64, "--policyctl: no command"),
                                    (("--log", "/nonexistent"), 66, "cannot read the log: [Errno 2] No such file or "
                                                                    "directory: '/nonexistent'")]:
            with self.subTest(options):
                self.assertEqual(self.run_program("", *options)[:2], (code, f"policyd-bounces: {said}\n"))


if __name__ == "__main__":
    unittest.main()
