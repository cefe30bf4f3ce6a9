#!/usr/bin/env python3
"""Runs end to end cases: run.py --build DIR [CASE...], where CASE is a folder beside this file; without one, all.

Exit code 0: passed, 1: failed, 77: nothing could run here (each skip says why). A private Postfix needs root: who is
not root goes on by sudo where that asks for no password. What a case prints is its evidence: dialogues, times, figures.
"""

import argparse
import importlib.util
import os
import pathlib
import subprocess
import sys
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
sys.dont_write_bytecode = True

from support.case import E2eTest  # noqa: E402 (needs the path above)

SKIPPED = 77


class Result(unittest.TextTestResult):
    """A heading before each test's evidence, its outcome and seconds after it, and the daemons' logs where it failed.

    The logs are printed at the moment of the failure, before the daemons are stopped.
    """

    def startTest(self, test):
        super().startTest(test)
        self.outcome, self.started = "ok", time.monotonic()
        print(f"--- {name_of(test)}", flush=True)

    def stopTest(self, test):
        super().stopTest(test)
        print(f"--- {name_of(test)}: {self.outcome} ({time.monotonic() - self.started:.1f} s)\n", flush=True)

    def addError(self, test, err):
        super().addError(test, err)
        self._failed(test)

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self._failed(test)

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err is not None:
            print(f"  FAILED: {subtest.id()}: {err[1]}", flush=True)
            self._failed(test)

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.outcome = f"skipped: {reason}"

    def _failed(self, test):
        self.outcome = "FAILED"
        if isinstance(test, E2eTest):
            test.show_logs()


def name_of(test):
    return test.id().removeprefix("e2e_")


def become_root():
    """A private Postfix needs root: go on by sudo if it lets us, else stay who we are."""
    if os.geteuid() == 0:
        return
    try:
        allowed = subprocess.run(["sudo", "-n", "true"], capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return
    if allowed:
        os.execvp("sudo", ["sudo", "-n", sys.executable, *sys.argv])


def load(case):
    path = HERE / case / "case.py"
    if not path.exists():
        sys.exit(f"run.py: no case {case!r}: {path} does not exist")
    spec = importlib.util.spec_from_file_location(f"e2e_{case}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    print(f"=== {case}: {module.__doc__.strip()}\n", flush=True)
    return unittest.defaultTestLoader.loadTestsFromModule(module)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", required=True, type=pathlib.Path, help="the directory with policyd and policyctl")
    parser.add_argument("-k", dest="pattern", help="only tests whose name contains this")
    parser.add_argument("cases", nargs="*", metavar="CASE")
    arguments = parser.parse_args()
    become_root()
    E2eTest.build = arguments.build.resolve()
    suite = unittest.TestSuite(load(case) for case in
                               arguments.cases or sorted(path.parent.name for path in HERE.glob("*/case.py")))
    if arguments.pattern:
        suite = unittest.TestSuite(test for case in suite for group in case for test in group
                                   if arguments.pattern in test.id())
    result = unittest.TextTestRunner(sys.stdout, verbosity=0, resultclass=Result).run(suite)
    if not result.wasSuccessful():
        return 1
    return SKIPPED if result.testsRun == len(result.skipped) else 0


if __name__ == "__main__":
    sys.exit(main())
