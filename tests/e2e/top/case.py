"""policyctl top and account show: the busiest accounts with their shares; live on a terminal, which is left as it was.

The terminal is a pseudo-terminal; what is drawn is read from its other end.
"""

import itertools
import json
import os
import pty
import re
import signal
import socket
import struct
import subprocess
import termios
import fcntl

from support.case import E2eTest
from support.policy_client import outgoing
from support.policyd import Policyd
from support.wait import wait_until

LIMITS = ('[accounts.default]\nmessages = ["10/1h"]\nrecipients = ["100/1d"]\nbytes = []\n'
          'distinct_recipients = []\ninvalid_recipients = []\n')
COUNTER = itertools.count()
ENTER, LEAVE = "\x1b[?1049h\x1b[?25l", "\x1b[?25h\x1b[?1049l"


class Terminal:
    """A program on a pseudo-terminal of its own."""

    def __init__(self, test, command, columns=80, rows=10, environment=None, jobs=False):
        """`jobs`: it can be stopped, being a process group beside ours."""
        self.test = test
        try:
            self.master, self.slave = pty.openpty()
        except OSError as error:
            test.skipTest(f"no pseudo-terminal can be had ({error}); is /dev/pts mounted?")
        self.resize(columns, rows, tell=False)
        self.before = termios.tcgetattr(self.slave)
        self.output = ""
        os.set_blocking(self.master, False)
        environment = {**os.environ, "TERM": "xterm", "NO_COLOR": "", **(environment or {})}
        self.process = subprocess.Popen(command, stdin=self.slave, stdout=self.slave, stderr=self.slave,
                                        env=environment, start_new_session=not jobs,
                                        preexec_fn=os.setpgrp if jobs else None)
        test.addCleanup(self.close)

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self.master)
        os.close(self.slave)

    def resize(self, columns, rows, tell=True):
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        if tell:
            os.kill(self.process.pid, signal.SIGWINCH)

    def read(self):
        try:
            self.output += os.read(self.master, 65536).decode()
        except BlockingIOError:
            pass
        return self.output

    def wait_for(self, text):
        wait_until(lambda: text in self.read(), f"{text!r} on the terminal; it shows {self.output[-500:]!r}", 20)

    def fresh(self):
        """What is drawn from now on."""
        self.read()
        self.output = ""

    def press(self, key):
        os.write(self.master, key.encode())

    def ended(self):
        """The exit code; the terminal is as it was."""
        code = wait_until(lambda: (self.read() or True) and self.process.poll() is not None and [self.process.poll()],
                          "its end", 20)[0]
        self.read()
        self.test.assertTrue(self.output.endswith(LEAVE), repr(self.output[-100:]))
        self.test.assertEqual(termios.tcgetattr(self.slave), self.before)
        return code


class HangingApi:
    """An admin API that answers only when it is told to: a policyd that hangs."""

    def __init__(self, test, body):
        self.path = test.directory / f"hanging-{next(COUNTER)}.sock"
        self.body, self.asked, self.open = body, 0, []
        self.listener = socket.socket(socket.AF_UNIX)
        test.addCleanup(self.close)
        self.listener.bind(str(self.path))
        self.listener.listen()
        self.listener.setblocking(False)

    def close(self):
        for one in [self.listener, *self.open]:
            one.close()

    def look(self):
        try:
            taken = self.listener.accept()[0]
            taken.setblocking(False)
            self.open.append(taken)
        except BlockingIOError:
            pass
        for one in self.open:
            try:
                self.asked += one.recv(65536).startswith(b"GET ")
            except (BlockingIOError, ConnectionError):
                pass
        return self.asked

    def until_asked(self, times):
        wait_until(lambda: self.look() >= times, f"request {times}", 20)

    def answer(self):
        self.open[-1].sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(self.body), self.body))


class Top(E2eTest):
    def setUp(self):
        self.policyd = Policyd(self, tables=LIMITS)
        for account, messages in (("joe@example.com", 9), ("ann@example.com", 2), ("bob@example.com", 6)):
            for _ in range(messages):
                self.assertEqual(self.policyd.ask(outgoing(account)), "DUNNO")

    def command(self, *arguments):
        return [str(self.build / "policyctl"), "-c", str(self.policyd.config_path), *arguments]

    def test_once(self):
        table = self.policyd.ctl("top")
        self.show(table)
        rows = [line.split() for line in table.splitlines()]
        self.assertEqual(rows[0], ["ACCOUNT", "FULL", "messages/1h", "recipients/1d"])
        self.assertEqual([row[:2] for row in rows[1:]], [["joe@example.com", "90%"], ["bob@example.com", "60%"],
                                                         ["ann@example.com", "20%"]])
        self.assertEqual(rows[1][2:], ["[#########-]", "90%", "9%"])
        self.assertEqual(self.policyd.ctl("top", "--once"), table)
        answer = self.policyd.ctl_json("top", "--limit", "2")
        self.assertEqual([account["account"] for account in answer["accounts"]], ["joe@example.com", "bob@example.com"])
        self.assertEqual(answer["accounts"][0]["limits"][0]["used"], 9)

    def test_live(self):
        terminal = Terminal(self, self.command("top", "--every", "0.1"))
        terminal.wait_for("ann@example.com")
        self.assertTrue(terminal.output.startswith(ENTER))
        self.assertIn("\x1b[1;31m 90%\x1b[0m", terminal.output)
        self.assertEqual(self.policyd.ask(outgoing("joe@example.com")), "DUNNO")
        terminal.wait_for("\x1b[1;31m100%\x1b[0m")
        terminal.resize(80, 4)  # the heading and one account
        wait_until(lambda: terminal.fresh() or wait_until(lambda: terminal.read().count("\x1b[H") > 1, "two pictures")
                   and "bob@example.com" not in terminal.output, "a low picture")
        self.assertIn("joe@example.com", terminal.output)
        terminal.press("x")
        terminal.press("q")
        self.assertEqual(terminal.ended(), 0)
        self.show(re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", terminal.output[:600]))

    def test_stopped_it_leaves_the_terminal_to_others(self):
        terminal = Terminal(self, self.command("top", "--every", "60"), jobs=True)
        terminal.wait_for("ann@example.com")
        for _ in range(2):
            terminal.fresh()
            os.kill(terminal.process.pid, signal.SIGTSTP)
            _, status = os.waitpid(terminal.process.pid, os.WUNTRACED)
            self.assertTrue(os.WIFSTOPPED(status), status)
            self.assertTrue(terminal.read().endswith(LEAVE), repr(terminal.output[-100:]))
            self.assertEqual(termios.tcgetattr(terminal.slave), terminal.before)
            terminal.fresh()
            os.kill(terminal.process.pid, signal.SIGCONT)
            terminal.wait_for("ann@example.com")
            self.assertTrue(terminal.output.startswith(ENTER), repr(terminal.output[:100]))
        terminal.press("q")
        self.assertEqual(terminal.ended(), 0)

    def test_signals_leave_the_terminal_sane(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
            with self.subTest(number.name):
                terminal = Terminal(self, self.command("top"))
                terminal.wait_for("ann@example.com")
                os.kill(terminal.process.pid, number)
                self.assertEqual(terminal.ended(), 0)

    def test_a_policyd_that_hangs_holds_up_no_key_and_no_signal(self):
        busy = b'{"accounts": [], "node": "mx1"}'
        for end in ("q", signal.SIGINT, signal.SIGQUIT):
            with self.subTest(end):
                hanging = HangingApi(self, busy)
                terminal = Terminal(self, self.command("--socket", str(hanging.path), "top", "--every", "0.1"))
                hanging.until_asked(1)
                self.assertEqual(terminal.read(), "", "no screen before there is something to be shown")
                hanging.answer()
                terminal.wait_for("the busiest accounts of mx1")
                hanging.until_asked(2)
                terminal.fresh()
                terminal.resize(80, 5)
                terminal.wait_for("the busiest accounts of mx1")
                hanging.until_asked(3)
                terminal.press(end) if end == "q" else os.kill(terminal.process.pid, end)
                self.assertEqual(terminal.ended(), 0)

    def test_without_colour_and_without_policyd(self):
        terminal = Terminal(self, self.command("top", "--every", "0.1"), environment={"NO_COLOR": "1"})
        terminal.wait_for("ann@example.com")
        self.assertNotIn("\x1b[1;31m", terminal.output)
        self.policyd.stop()
        terminal.wait_for("policyd cannot be reached")
        self.policyd.start()
        terminal.wait_for("no account has sent anything of late")
        terminal.press("q")
        self.assertEqual(terminal.ended(), 0)

    def test_account_show(self):
        shown = self.policyd.ctl("account", "show", "joe@example.com")
        self.show(shown)
        self.assertIn(["messages", "10/1h", "9", "1", "90%", "[#########-]"],
                      [line.split() for line in shown.splitlines()])
        self.assertNotIn("\x1b", shown)
        terminal = Terminal(self, self.command("account", "show", "joe@example.com"))
        terminal.wait_for("\x1b[1;31m[#########-]\x1b[0m")
        self.assertNotIn(ENTER, terminal.output)
        limits = self.policyd.ctl_json("account", "show", "joe@example.com")["limits"]
        self.show(json.dumps(limits[0]))
        self.assertEqual(limits[0]["used"], 9)
