"""A private Redis: on a unix socket and on a free loopback port, without persistence.

cli() runs the real redis-cli, as operators do, and gives its output; an error reply is an AssertionError.
stop_answering() (SIGSTOP) is a Redis that hangs, kill() one that crashed; start() after it brings back an empty one
at the same place.
"""

import os
import signal
import subprocess

from support.daemon import Daemon
from support.wait import free_port


class Redis(Daemon):
    def __init__(self, test, name="redis"):
        super().__init__(test, name)
        self.socket = test.directory / f"{name}.sock"
        self.port = free_port()
        self.password = None  # set it together with requirepass
        self.start()

    @property
    def url(self):
        return f"redis+unix://{self.socket}"

    @property
    def tcp_url(self):
        return f"redis://127.0.0.1:{self.port}"

    def start(self):
        self.socket.unlink(missing_ok=True)
        self.launch(["redis-server", "--port", self.port, "--bind", "127.0.0.1", "--unixsocket", self.socket,
                     "--unixsocketperm", "777", "--save", "", "--appendonly", "no", "--daemonize", "no",
                     "--dir", self.test.directory])
        self.wait_ready(lambda: self._run("PING").stdout.strip() == "PONG")

    def _run(self, *command, stdin=None):
        environment = {**os.environ, **({"REDISCLI_AUTH": self.password} if self.password else {})}
        return subprocess.run(["redis-cli", "-s", str(self.socket), *map(str, command)], input=stdin, env=environment,
                              capture_output=True, text=True, timeout=60, check=False)

    def cli(self, *command):
        done = self._run(*command)
        output = done.stdout.strip()
        errors = ("ERR", "WRONGTYPE", "NOPERM", "NOAUTH", "READONLY", "OOM")
        assert done.returncode == 0 and not output.startswith(errors), f"redis-cli {command}: {output} {done.stderr}"
        return output

    def pipe(self, lines):
        """Many commands by one redis-cli."""
        done = self._run(stdin="\n".join(lines))
        assert done.returncode == 0 and "ERR" not in done.stdout, f"redis-cli: {done.stdout[:200]} {done.stderr}"

    def raw(self, *command):
        """The output, error replies included."""
        return self._run(*command).stdout

    def open_pipe(self, lines):
        """Many commands by one redis-cli that is not waited for."""
        process = subprocess.Popen(["redis-cli", "-s", str(self.socket)], stdin=subprocess.PIPE,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, text=True)
        self.test.addCleanup(process.wait)
        self.test.addCleanup(process.kill)
        process.stdin.write("\n".join(lines) + "\n")
        process.stdin.close()
        return process

    def stop_answering(self):
        self.signal(signal.SIGSTOP)

    def go_on(self):
        self.signal(signal.SIGCONT)
