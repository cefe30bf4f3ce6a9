"""Processes of the bench: started in a private directory, waited for by connecting, measured from /proc, stopped.

Process is a context manager: however the bench ends, what it started ends with it. A program that does not come up,
or goes down, is a BenchError that carries the end of what it said.
"""
import json
import os
import signal
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

START_PATIENCE = 20.0  # seconds until a server has to accept
STOP_PATIENCE = 15.0   # seconds from SIGTERM to the end
LOAD_PATIENCE = 900.0  # seconds for one run of the load generator
TICKS = os.sysconf("SC_CLK_TCK")


def busy_seconds() -> float:
    """CPU time of all programs of the machine so far."""
    user, nice, system, _idle, _iowait, irq, softirq = map(int, Path("/proc/stat").read_text().split()[1:8])
    return (user + nice + system + irq + softirq) / TICKS


class BenchError(Exception):
    """What went wrong, for people."""


class Process:
    """A server under measurement, listening on a unix socket."""

    def __init__(self, name: str, command: list, directory: Path, listens_on: Path):
        self.name = name
        self.output = directory / f"{name}.output"
        self.listens_on = listens_on
        with open(self.output, "wb") as output:
            self.popen = subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL,
                                          stdout=output, stderr=output, cwd=directory)

    def __enter__(self):
        try:
            self._wait_until_it_accepts()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_):
        self.stop()

    def _wait_until_it_accepts(self):
        give_up = time.monotonic() + START_PATIENCE
        while True:
            self.check_alive()
            with socket.socket(socket.AF_UNIX) as probe:
                try:
                    return probe.connect(str(self.listens_on))
                except OSError:
                    pass
            if time.monotonic() > give_up:
                raise BenchError(f"{self.name} does not accept on {self.listens_on} after "
                                 f"{START_PATIENCE:.0f} s" + self.last_words())
            time.sleep(0.005)  # between two attempts: nothing announces that a server has begun to listen

    def check_alive(self):
        if self.popen.poll() is not None:
            raise BenchError(f"{self.name} went down with status {self.popen.returncode}{self.last_words()}")

    def last_words(self) -> str:
        lines = self.output.read_text(errors="replace").splitlines()[-10:]
        return "; it said:\n  " + "\n  ".join(lines) if lines else "; it said nothing"

    def stop(self):
        if self.popen.poll() is None:
            self.popen.terminate()
            try:
                self.popen.wait(STOP_PATIENCE)
            except subprocess.TimeoutExpired:
                self.popen.kill()
                self.popen.wait()
                raise BenchError(f"{self.name} did not end within {STOP_PATIENCE:.0f} s of SIGTERM") from None

    def memory_mb(self, field: str = "VmRSS") -> float:
        """Resident memory now (VmRSS) or at its peak (VmHWM), in units of 10^6 octets."""
        self.check_alive()
        for line in Path(f"/proc/{self.popen.pid}/status").read_text().splitlines():
            if line.startswith(field + ":"):
                return int(line.split()[1]) * 1024 / 1e6
        raise BenchError(f"/proc shows no {field} for {self.name}")

    def cpu_seconds(self) -> float:
        """User and system time so far."""
        self.check_alive()
        fields = Path(f"/proc/{self.popen.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS


@dataclass
class Tools:
    """The programs of a build directory."""
    build: Path

    def path(self, name: str) -> Path:
        for place in (self.build / name, self.build / "tests" / "bench" / name):
            if place.exists():
                return place
        raise BenchError(f"{self.build / name} is not there: cmake --build {self.build} "
                         "--target policyd policyctl bench_tools")

    def load(self, server_socket: Path, **options) -> dict:
        """Runs the load generator to its end and returns what it measured."""
        command = self.load_command(server_socket, options)
        try:
            result = subprocess.run(command, stdout=subprocess.PIPE, timeout=LOAD_PATIENCE, check=False)
        except subprocess.TimeoutExpired:
            raise BenchError(f"the load generator did not end within {LOAD_PATIENCE:.0f} s") from None
        # One that fails has said why on standard error.
        if result.returncode not in (0, 1) or not result.stdout:
            raise BenchError(f"the load generator failed with status {result.returncode}")
        return json.loads(result.stdout)

    def load_command(self, server_socket: Path, options: dict) -> list:
        command = [str(self.path("bench_load")), "--socket", str(server_socket), "--json"]
        for name, value in options.items():
            command += [f"--{name}"] if value is True else [f"--{name}", str(value)]
        return command

    def hold(self, server_socket: Path, connections: int):
        """Idle connections, held while the context lasts."""
        options = {"connections": connections, "idle": True, "seconds": 600}
        return IdleConnections(self.load_command(server_socket, options), connections)


class IdleConnections:
    """The load generator in its idle mode; on leaving, `result` is what it reports."""

    def __init__(self, command: list, connections: int):
        self.command = command
        self.connections = connections
        self.result = {}

    def __enter__(self):
        self.popen = subprocess.Popen(self.command, stdout=subprocess.PIPE, text=True)
        line = self.popen.stdout.readline()
        if line != f"ready {self.connections}\n":
            self.__exit__()
            raise BenchError(f"{self.connections} idle connections were wanted, the load generator said {line!r}")
        return self

    def __exit__(self, *_):
        self.popen.send_signal(signal.SIGTERM)
        output, _ = self.popen.communicate()
        self.result = json.loads(output) if output.strip() else {}
