"""E2eTest: what every end to end test starts from.

Each test has a temporary directory of its own, which the daemons of other users may enter, says what it sees with
show(), and prints the logs of all its daemons if it fails. `build` is set by the runner.
"""

import pathlib
import shutil
import tempfile
import unittest


class E2eTest(unittest.TestCase):
    build = None  # the build directory that holds policyd and policyctl
    data = pathlib.Path(__file__).resolve().parent.parent / "data"
    longMessage = True

    def run(self, result=None):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="policyd-e2e-"))
        self.directory.chmod(0o755)
        self._logs = []
        try:
            return super().run(result)
        finally:
            shutil.rmtree(self.directory, ignore_errors=True)

    def add_log(self, name, path):
        self._logs.append((name, path))

    def show(self, text=""):
        """Evidence: what the test sees, line by line."""
        for line in str(text).splitlines() or [""]:
            print(f"  {line}", flush=True)

    def show_logs(self, lines=60):
        """Called by the runner when the test failed, before its daemons are killed."""
        for name, path in self._logs:
            if not path.exists():
                continue
            text = path.read_text(errors="replace").splitlines()
            print(f"  ---- log of {name} (last {min(lines, len(text))} of {len(text)} lines) ----")
            print("\n".join("  | " + line for line in text[-lines:]), flush=True)
