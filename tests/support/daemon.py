"""A program that runs while a test does: started, watched by its pid, stopped, its log kept.

A Daemon that is still there at the test's end is killed, and so is it if the test runner itself dies
(PR_SET_PDEATHSIG). Its log is printed if the test fails. A program that ends by itself is an AssertionError
with its log.
"""

import ctypes
import os
import signal
import subprocess

from support.wait import wait_until

PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)  # loaded here, since little is allowed between fork and exec


class Daemon:
    """`test` is the E2eTest that owns it, `name` what logs and errors call it."""

    def __init__(self, test, name):
        self.test = test
        self.name = name
        self.process = None
        self.log_path = test.directory / f"{name}.log"
        test.add_log(name, self.log_path)
        test.addCleanup(self.kill)

    def launch(self, arguments, environment=None, pass_fds=(), new_session=False, last_signal=signal.SIGKILL):
        assert self.process is None, f"{self.name} runs already"
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [str(argument) for argument in arguments], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env={**os.environ, **(environment or {})}, pass_fds=pass_fds, start_new_session=new_session,
                preexec_fn=lambda: _libc.prctl(PR_SET_PDEATHSIG, last_signal))

    @property
    def pid(self):
        return self.process.pid

    def log(self):
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def log_lines(self, *needles):
        """The lines of the log that hold every needle."""
        return [line for line in self.log().splitlines() if all(needle in line for needle in needles)]

    def wait_log(self, *needles, count=1, seconds=10.0):
        """Waits until `count` lines hold every needle and gives them."""
        def found():
            lines = self.log_lines(*needles)
            return lines if len(lines) >= count else None
        return wait_until(found, f"{count} line(s) with {needles} in the log of {self.name}", seconds)

    def wait_ready(self, ready, seconds=15.0):
        """Waits until ready() is true; a program that ends meanwhile fails at once."""
        def look():
            code = self.process.poll()
            if code is not None:
                raise AssertionError(f"{self.name} ended with exit code {code} at its start:\n{self.log()}")
            return ready()
        wait_until(look, f"{self.name} to be ready", seconds)

    def running(self):
        return self.process is not None and self.process.poll() is None

    def signal(self, number):
        assert self.running(), f"{self.name} does not run any more:\n{self.log()}"
        os.kill(self.pid, number)

    def terminate(self, seconds=15.0):
        """SIGTERM; the exit code."""
        self.signal(signal.SIGTERM)
        return self.wait_exit(seconds)

    def wait_exit(self, seconds=15.0):
        code = self.process.wait(timeout=seconds)
        self.process = None
        return code

    def kill(self):
        """SIGKILL, as a crash would be; nothing if it does not run."""
        if self.process is not None:
            if self.process.poll() is None:
                os.kill(self.pid, signal.SIGKILL)
            self.process.wait()
            self.process = None

    def _status(self, key):
        with open(f"/proc/{self.pid}/status", encoding="ascii") as status:
            return next(line.split()[1] for line in status if line.startswith(key + ":"))

    def memory_kib(self):
        """Resident set size, in KiB."""
        return int(self._status("VmRSS"))

    def handles(self, *signals):
        """Whether the program has handlers for all these signals."""
        caught = int(self._status("SigCgt"), 16)
        return all(caught >> (number - 1) & 1 for number in signals)
