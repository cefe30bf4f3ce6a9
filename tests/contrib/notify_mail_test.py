#!/usr/bin/env python3
"""contrib/notify-mail: what it mails of an event, by which way, and what it says where it cannot."""

import email
import email.policy
import json
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import threading
import unittest

PROGRAM = pathlib.Path(__file__).resolve().parents[2] / "contrib" / "notify-mail"
EVENT = {"event": "limit", "account": "joe@example.com", "text": "joe@example.com has reached its limit",
         "node": "mx1", "time": "2026-11-21T10:00:00Z", "details": {"limit": "60/1m"}}
# Keeps its arguments and its input.
SENDMAIL = """\
#!/bin/sh
printf '%s\\n' "$@" > "$0.arguments"
cat > "$0.mail"
"""


class SmtpSink(threading.Thread):
    """Takes one message and keeps what was said."""

    def __init__(self):
        super().__init__(daemon=True)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.said = []
        self.start()

    @property
    def address(self):
        return "127.0.0.1:%d" % self.listener.getsockname()[1]

    def run(self):
        with self.listener:
            connection, _ = self.listener.accept()
        with connection, connection.makefile("rwb") as stream:
            def answer(line):
                stream.write(line + b"\r\n")
                stream.flush()
            answer(b"220 sink")
            data = False
            for line in stream:
                line = line.rstrip(b"\r\n")
                self.said.append(line.decode())
                if data and line != b".":
                    continue
                if line.upper() == b"QUIT":
                    return answer(b"221 bye")
                data = line.upper() == b"DATA"
                answer(b"354 go on" if data else b"250 ok")


class NotifyMail(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()
        self.addCleanup(self.directory.cleanup)
        self.sendmail = pathlib.Path(self.directory.name) / "sendmail"
        self.sendmail.write_text(SENDMAIL)
        self.sendmail.chmod(0o755)

    def run_program(self, *arguments, event=None, environment=None):
        octets = event if isinstance(event, bytes) else json.dumps(EVENT if event is None else event).encode()
        return subprocess.run([sys.executable, PROGRAM, *arguments], input=octets, capture_output=True, timeout=60,
                              check=False, env={**os.environ, **(environment or {})})

    def mail(self):
        octets = pathlib.Path(f"{self.sendmail}.mail").read_bytes()
        return email.message_from_bytes(octets, policy=email.policy.default)

    def send(self, *arguments, **more):
        done = self.run_program("--sendmail", str(self.sendmail), *arguments, **more)
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        return self.mail()

    def test_a_mail_by_sendmail(self):
        mail = self.send("--to", "post@example.com", "--to", "night@example.com", "--from", "policyd@mx1.example.com")
        self.assertEqual(mail["Subject"], "policyd on mx1: limit reached: joe@example.com")
        self.assertEqual((mail["To"], mail["From"]), ("post@example.com, night@example.com", "policyd@mx1.example.com"))
        self.assertEqual((mail["Auto-Submitted"], mail["X-Policyd-Event"]), ("auto-generated", "limit"))
        text = mail.get_content()
        beginning = "joe@example.com has reached its limit\n\nevent    limit\naccount  joe@example.com\n"
        self.assertEqual(text[:len(beginning)], beginning)
        self.assertEqual(json.loads(text[text.index("{"):]), EVENT)
        arguments = pathlib.Path(f"{self.sendmail}.arguments").read_text().splitlines()
        self.assertEqual(arguments,
                         ["-i", "-f", "policyd@mx1.example.com", "--", "post@example.com", "night@example.com"])

    def test_the_environment_stands_for_options(self):
        mail = self.send(environment={"NOTIFY_MAIL_TO": "a@example.com, b@example.com",
                                      "NOTIFY_MAIL_FROM": "c@example.com"})
        self.assertEqual((mail["To"], mail["From"]), ("a@example.com, b@example.com", "c@example.com"))

    def test_every_kind_has_a_subject(self):
        for kind, title in [("lock", "account locked"), ("unlock", "account unlocked"), ("store_lost", "store lost"),
                            ("store_back", "store back"), ("list_suspended", "DNS list suspended"),
                            ("list_back", "DNS list back"), ("news", "news")]:
            with self.subTest(kind):
                mail = self.send("--to", "a@example.com", event={"event": kind})
                self.assertEqual(mail["Subject"], f"policyd: {title}")

    def test_text_of_strangers_makes_no_header_field(self):
        event = {**EVENT, "account": "joe\r\nBcc: victim@example.com\n\nbody\x1b[2J", "text": "a\nb"}
        mail = self.send("--to", "a@example.com", event=event)
        self.assertIsNone(mail["Bcc"])
        self.assertEqual(mail["Subject"], "policyd on mx1: limit reached: joe Bcc: victim@example.com body [2J")
        self.assertTrue(mail.get_content().startswith("a b\n"))

    def test_an_encoded_word_is_not_decoded(self):
        word = "=?utf-8?q?x=0aBcc:_evil@example.com=0a=0ahi?="
        mail = self.send("--to", "a@example.com", event={**EVENT, "event": word, "account": word, "node": "=" + word})
        self.assertIsNone(mail["Bcc"])
        shown = word.replace("=?", "= ?")
        self.assertEqual(mail["Subject"], f"policyd on ={shown}: {shown}: {shown}")
        self.assertEqual(mail["X-Policyd-Event"], shown)

    def test_the_command_for_a_shell_is_quoted(self):
        for account, said in [("joe@example.com", "joe@example.com"), ("-rf", "-rf"), ("a b", "'a b'"),
                              ("$(reboot)@example.com", "'$(reboot)@example.com'"), ("x;reboot", "'x;reboot'"),
                              ("it's `id`", """'it'"'"'s `id`'"""), ("a\nb", "'a b'")]:
            with self.subTest(account):
                text = self.send("--to", "a@example.com", event={**EVENT, "account": account}).get_content()
                self.assertIn(f"\npolicyctl account show -- {said}\n", text)

    def test_names_beyond_ascii(self):
        mail = self.send("--to", "a@example.com", event={**EVENT, "account": "jörg@example.com"})
        self.assertEqual(mail["Subject"], "policyd on mx1: limit reached: jörg@example.com")

    def test_a_mail_by_smtp(self):
        sink = SmtpSink()
        done = self.run_program("--to", "post@example.com", "--from", "policyd@example.com", "--smtp", sink.address)
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        sink.join(30)
        self.assertIn("rcpt TO:<post@example.com>", sink.said)
        self.assertIn("Subject: policyd on mx1: limit reached: joe@example.com", sink.said)

    def test_what_goes_wrong_is_told_in_one_line(self):
        failing = pathlib.Path(self.directory.name) / "failing"
        failing.write_text("#!/bin/sh\necho 'queue file write error\nmore' >&2; exit 75\n")
        failing.chmod(0o755)
        to = ("--to", "a@example.com")
        table = [((), EVENT, 64, "nobody to tell: give --to ADDRESS or NOTIFY_MAIL_TO"),
                 (("--too",), EVENT, 64, "unrecognized arguments: --too"),
                 (("--to", "-oQ/tmp"), EVENT, 64, "argument --to: expected one argument"),
                 (("--to=-oQ/tmp",), EVENT, 64, "not an address: -oQ/tmp"),
                 ((*to, "--smtp", "host:smtp"), EVENT, 64, "not a host: host:smtp"),
                 (to, b"", 65, "standard input holds no event: Expecting value: line 1 column 1 (char 0)"),
                 (to, b"[]", 65, 'standard input holds no event: an object with "event" is needed'),
                 (to, b'{"event": ' + b"[" * 5000 + b"]" * 5000 + b"}", 65,
                  "standard input holds no event: it is nested too deeply"),
                 (to, b" " * (1024 * 1024 + 1), 65, "the event is larger than 1048576 octets"),
                 ((*to, "--sendmail", "/nonexistent"), EVENT, 75,
                  "cannot send: [Errno 2] No such file or directory: '/nonexistent'"),
                 ((*to, "--sendmail", str(failing)), EVENT, 75,
                  f"{failing} ended with exit code 75: queue file write error more")]
        for arguments, event, code, said in table:
            with self.subTest(arguments=arguments, code=code):
                done = self.run_program(*arguments, event=event)
                self.assertEqual((done.returncode, done.stderr.decode()), (code, f"notify-mail: {said}\n"))


if __name__ == "__main__":
    unittest.main()
