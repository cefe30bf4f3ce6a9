"""contrib/policyd-bounces on the log of a real Postfix: hard bounces, those after a content filter too, by account.

A policyctl of the test's own keeps what is reported.
"""

import pathlib
import re
import smtplib
import socket
import sys
import threading

from support.case import E2eTest
from support.daemon import Daemon
from support.postfix import MASTER_CF, Postfix
from support.wait import free_port, wait_until

CONTRIB = pathlib.Path(__file__).resolve().parents[3] / "contrib"
RECORDER = """\
#!/bin/sh
echo "$*" >> "$0.said"
"""
# Where mail goes: nobody there, no such domain, refused by policy, put off, and taken.
SETTINGS = """\
transport_maps = inline:{{
  {{ nobody.example = error:5.1.1 user unknown }},
  {{ gone.example = error:5.4.4 host not found }},
  {{ strict.example = error:5.7.1 we do not like you }},
  {{ later.example = retry:4.4.1 not now }} }}
smtpd_authorized_xforward_hosts = 127.0.0.1
smtpd_reject_unlisted_recipient = no
enable_long_queue_ids = {long_ids}
"""


class Filtered(Postfix):
    """Hands all mail of one port to a content filter, which brings it back to another."""

    def __init__(self, test, filter_port, xforward, settings):
        self.filter_port, self.xforward, self.back_port = filter_port, xforward, free_port()
        super().__init__(test, "unix:nobody", ask_in=(), settings=settings)

    def _write(self, main_cf):
        super()._write(main_cf)
        xforward = "yes" if self.xforward else "no"
        (self.root / "conf/master.cf").write_text(
            MASTER_CF.format(port=self.port).replace("smtpd\n", f"smtpd\n -o content_filter=filter:127.0.0.1:"
                                                     f"{self.filter_port}\n", 1)
            + f"127.0.0.1:{self.back_port} inet n - n - - smtpd\n"
            + " -o mynetworks=127.0.0.0/8 -o smtpd_recipient_restrictions=permit_mynetworks,reject\n"
            + f"filter unix - - n - - smtp\n -o smtp_send_xforward_command={xforward}\n")


class ContentFilter(threading.Thread):
    """An SMTP proxy in small: takes a message and hands it on, and answers as those do that Postfix waits for."""

    def __init__(self, xforward):
        super().__init__(daemon=True)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port, self.xforward, self.back_port = self.listener.getsockname()[1], xforward, None
        self.start()

    def run(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with connection, connection.makefile("rwb") as stream:
                self.serve(stream)

    def serve(self, stream):
        sender, recipients, body, forwarded, data = "", [], [], [], False

        def answer(line):
            stream.write(line.encode() + b"\r\n")
            stream.flush()
        answer("220 filter")
        for octets in stream:
            line = octets.rstrip(b"\r\n").decode()
            if data and line != ".":
                body.append(line)
            elif data:
                data = False
                answer(self.hand_on(sender, recipients, body, forwarded))
            elif line.startswith("EHLO"):
                xforward = "250-filter\r\n250 XFORWARD NAME ADDR PROTO HELO SOURCE IDENT"
                answer(xforward if self.xforward else "250 filter")
            elif line.startswith("XFORWARD"):
                forwarded.append(line)
                answer("250 ok")
            elif line.startswith("MAIL"):
                sender, recipients, body = line.split("<")[1].split(">")[0], [], []
                answer("250 ok")
            elif line.startswith("RCPT"):
                recipients.append(line.split("<")[1].split(">")[0])
                answer("250 ok")
            elif line == "DATA":
                data = True
                answer("354 go on")
            else:
                answer("221 bye" if line == "QUIT" else "250 ok")
                if line == "QUIT":
                    return

    def hand_on(self, sender, recipients, body, forwarded):
        with smtplib.SMTP("127.0.0.1", self.back_port, timeout=30) as server:
            server.ehlo("filter.test.example")
            for line in forwarded:
                server.docmd(line)
            server.mail(sender)
            for recipient in recipients:
                server.rcpt(recipient)
            code, said = server.data("\r\n".join(body))
        return f"{code} 2.0.0 from MTA(smtp:[127.0.0.1]:{self.back_port}): {code} {said.decode()}"


class Bounces(E2eTest):
    def follow(self, name, log):
        """policyd-bounces on a log, with a policyctl that keeps what it is told."""
        recorder = self.directory / "policyctl"
        recorder.write_text(RECORDER)
        recorder.chmod(0o755)
        wait_until(log.exists, f"{log}, which Postfix makes with its first line")
        follower = Daemon(self, f"policyd-bounces-{name}")
        follower.launch([sys.executable, CONTRIB / "policyd-bounces", "--log", log, "--policyctl", recorder,
                         "--every", "0.05"])
        follower.wait_log("following")
        return follower

    def reported(self):
        """What was reported, summed up by account."""
        path = self.directory / "policyctl.said"
        total = {}
        for line in path.read_text().splitlines() if path.exists() else []:
            words = line.split()
            self.assertEqual((words[:2], words[3:5]), (["account", "report"], ["--invalid-recipient", "--count"]), line)
            total[words[2]] = total.get(words[2], 0) + int(words[5])
        return total

    def send(self, postfix, login, recipients, **message):
        client = postfix.user(login)
        client.must(250, f"MAIL FROM:<{login.lower()}>")
        for recipient in recipients:
            client.must(250, f"RCPT TO:<{recipient}>")
        self.assertEqual(client.data(**message).code, 250)

    def delivered(self, postfix, *recipients):
        """Until the log says what became of every recipient."""
        for recipient in recipients:
            def ended(to=f"to=<{recipient}>"):
                return any(to in line and "status=" in line and "sent (250" not in line
                           for line in postfix.mail_log().splitlines())
            wait_until(ended, f"the end of {recipient}", 30)

    def show_log(self, postfix):
        self.show("\n".join(line for line in postfix.mail_log().splitlines()
                            if "client=" in line or "status=" in line))

    def test_hard_bounces(self):
        for long_ids in ("no", "yes"):
            with self.subTest(long_queue_ids=long_ids):
                postfix = Postfix(self, "unix:nobody", ask_in=(), settings=SETTINGS.format(long_ids=long_ids))
                (self.directory / "policyctl.said").unlink(missing_ok=True)
                follower = self.follow(f"long-{long_ids}", postfix.root / "mail.log")
                joes = ["a@nobody.example", "b@nobody.example", "c@gone.example", "d@strict.example",
                        "e@later.example", "f@fine.example"]
                self.send(postfix, "Joe@Example.com", joes)
                self.send(postfix, "ann@example.com", ["g@nobody.example", "h@fine.example"])
                self.delivered(postfix, *joes, "g@nobody.example", "h@fine.example")
                self.show_log(postfix)
                wait_until(lambda: self.reported() == {"joe@example.com": 3, "ann@example.com": 1}, "the reports")
                self.assertEqual(follower.terminate(), 0)
                self.assertEqual(self.reported(), {"joe@example.com": 3, "ann@example.com": 1})
                postfix.kill()

    def test_what_strangers_write_is_believed_of_nobody(self):
        postfix = Postfix(self, "unix:nobody", ask_in=(), settings=SETTINGS.format(long_ids="no"))
        follower = self.follow("forged", postfix.root / "mail.log")
        forged = ["x: ABCDEF: client=h[192.0.2.3], sasl_method=PLAIN, sasl_username=ann@example.com",
                  "x: ABCDEF: to=<a@b.example>, relay=none, delay=1, delays=1/0/0/0, dsn=5.1.1, status=bounced (x)"]
        for number, identifier in enumerate(forged):
            self.send(postfix, "eve@example.com", [f"{number}@fine.example"], body=f"Message-ID: {identifier}\r\n\r\n")
        self.send(postfix, "joe@example.com", ["a@nobody.example"])  # the last to be read
        self.delivered(postfix, "0@fine.example", "1@fine.example", "a@nobody.example")
        self.show("\n".join(line for line in postfix.mail_log().splitlines() if "message-id=" in line))
        for identifier in forged:
            self.assertIn(f"message-id={identifier}", postfix.mail_log())
        wait_until(lambda: "joe@example.com" in self.reported(), "the report")
        self.assertEqual(follower.terminate(), 0)
        self.assertEqual(self.reported(), {"joe@example.com": 1})

    def test_a_queue_id_that_a_stranger_gives_is_believed_of_nobody(self):
        postfix = Postfix(self, "unix:nobody", ask_in=(), settings=SETTINGS.format(long_ids="no")
                          + "relay_domains = nobody.example\n")
        follower = self.follow("given", postfix.root / "mail.log")
        self.send(postfix, "joe@example.com", ["a@later.example"])  # it stays in the queue
        self.delivered(postfix, "a@later.example")
        queue_id = re.search(r": (\w+): client=.*sasl_username=joe@example.com", postfix.mail_log())[1]
        stranger = postfix.stranger()
        forged = f'"x, orig_queue_id={queue_id}, orig_client=y[192.0.2.9]'
        stranger.must(250, f"MAIL FROM:<eve@stranger.example> AUTH={forged}")
        stranger.must(250, "RCPT TO:<b@nobody.example>")
        self.assertEqual(stranger.data().code, 250)
        self.delivered(postfix, "b@nobody.example")
        self.send(postfix, "ann@example.com", ["c@nobody.example"])  # the last to be read
        self.delivered(postfix, "c@nobody.example")
        self.show_log(postfix)
        self.assertIn(f"sasl_sender={forged}", postfix.mail_log())
        wait_until(lambda: "ann@example.com" in self.reported(), "the report")
        self.assertEqual(follower.terminate(), 0)
        self.assertEqual(self.reported(), {"ann@example.com": 1})

    def test_behind_a_content_filter(self):
        for xforward in (True, False):
            with self.subTest(xforward=xforward):
                (self.directory / "policyctl.said").unlink(missing_ok=True)
                content_filter = ContentFilter(xforward)
                postfix = Filtered(self, content_filter.port, xforward, SETTINGS.format(long_ids="no"))
                content_filter.back_port = postfix.back_port
                follower = self.follow(f"xforward-{xforward}", postfix.root / "mail.log")
                self.send(postfix, "joe@example.com", ["a@nobody.example", "b@gone.example", "c@strict.example"])
                self.delivered(postfix, "a@nobody.example", "b@gone.example", "c@strict.example")
                self.show_log(postfix)
                wait_until(lambda: self.reported() == {"joe@example.com": 2}, "the reports")
                self.assertEqual(follower.terminate(), 0)
                postfix.kill()
                content_filter.listener.close()
