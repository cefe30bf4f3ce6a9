#!/usr/bin/env python3
"""make bench: how fast policyd answers, beside a bare responder measured in the same run, and how much memory it needs.

Everything is private: a temporary directory, unix sockets, a redis-server of its own without persistence. For each
number of connections the servers take turns, and that a few times over; medians are shown. Timings are figures and not
tests: a target that is missed does not change the exit code. It is 1 if a reply was malformed or missing or a server
went down, 2 if the bench could not be set up.
"""
import argparse
import contextlib
import json
import os
import platform
import resource
import signal
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

import latency
import report
import selftest
from processes import BenchError, Tools, busy_seconds
from servers import BLOCKS, KIND, KINDS, LIMITS, Settings, running

IDLE = 10_000
MILLION = 1_000_000
INCOMING = (50, 200)  # connections at which the checks of incoming mail are measured too


class Bench:
    """The measurements. Failures are collected: one server's trouble does not hide the others' figures."""

    def __init__(self, settings: Settings, arguments):
        self.settings = settings
        self.arguments = arguments
        self.kinds = [KIND[key] for key in arguments.servers]
        self.failures = []
        self.figures = []
        self.latencies = []
        self.measured = {}
        self.others = 0.0  # cores that programs other than ours kept busy, at worst

    def check(self, what: str, load: dict):
        """Notes what must not be, and what makes the figures mean something else."""
        if not load:
            self.failures.append(f"{what}: the load generator ended without a report")
            return
        for key in ("malformed", "unanswered", "lost"):
            if load[key]:
                sample = f", the first: \"{load['first_malformed']}\"" if key == "malformed" else ""
                self.failures.append(f"{what}: {load[key]} {key}{sample}")
        if refused := {word: count for word, count in load["actions"].items() if word != "DUNNO"}:
            self.settings.note(f"{what}: not all was answered DUNNO: {refused}")

    @contextlib.contextmanager
    def caught(self, what: str):
        try:
            yield
        except BenchError as error:
            self.failures.append(f"{what}: {error}")

    def speed(self):
        counts = self.arguments.connections
        workloads = [report.Workload(count) for count in counts]
        if 1 in counts:
            workloads.insert(counts.index(1), report.Workload(1, one_core=True))
        workloads += [report.Workload(count, profile="incoming") for count in counts if count in INCOMING]
        for workload in workloads:
            kinds = [kind for kind in self.kinds if workload.profile in kind.profiles]
            for kind in kinds:
                self.measured[workload, kind.key] = []
            for round_number in range(self.arguments.rounds):
                for kind in kinds:
                    what = f"{kind.label}, connections: {workload}, round {round_number + 1}"
                    with self.caught(what), pinned(workload.one_core):
                        point = self.point(what, kind, workload)
                        self.measured[workload, kind.key].append(point)
                        progress(f"{what}: {point.rate:,.0f}/s, p50 {point.p50:,.1f} us")

    def point(self, what: str, kind, workload: report.Workload) -> report.Point:
        with running(self.settings, kind) as server:
            processes = [server.process] + ([server.redis] if server.redis else [])
            remembered = server.remembered_messages()
            before = [process.cpu_seconds() for process in processes]
            machine, start = busy_seconds(), time.monotonic()
            load = self.settings.tools.load(server.socket, profile=workload.profile, connections=workload.connections,
                                            accounts=1000, warmup=self.arguments.warmup,
                                            seconds=self.arguments.seconds)
            elapsed = time.monotonic() - start
            busy = [(process.cpu_seconds() - cpu) / elapsed for process, cpu in zip(processes, before)]
            others = (busy_seconds() - machine) / elapsed - sum(busy) - load["cpu_seconds"] / elapsed
            self.others = max(self.others, others)
            self.check(what, load)
            remembered = server.remembered_messages() - remembered
            return report.Point(load=load, peak_mb=server.process.memory_mb("VmHWM"), server_cpu=busy[0],
                                redis_cpu=busy[1] if server.redis else 0.0, load_cpu=load["cpu_seconds"] / elapsed,
                                in_redis=remembered / max(load["asked"], 1) if server.redis else 1.0)

    def slow_dns(self):
        with self.caught("latency with a slow DNS"):
            cold, cached = latency.measure(self.settings, self.settings.directory / "latency")
            self.latencies += [report.latency_figure("DNS 50 ms away, nothing cached", cold, (50, 160)),
                               report.latency_figure("DNS 50 ms away, all cached", cached, (0, 5))]

    def idle(self):
        for kind in (kind for kind in self.kinds if "outgoing" in kind.profiles):
            what = f"{kind.label}, {IDLE:,} idle connections"
            with self.caught(what), running(self.settings, kind) as server:
                held = self.settings.tools.hold(server.socket, IDLE)
                with held:
                    megabytes = server.process.memory_mb()
                self.check(what, held.result)
                bound = None if kind.key == "responder" else 100
                figure = report.memory_figure(f"{IDLE:,} idle connections", kind.label, megabytes, bound)
                self.figures.append(figure)
                progress(f"{what}: {megabytes:.1f} MB")

    def million_accounts(self):
        kind = KIND["memory"]
        what = f"{kind.label}, a million accounts"
        with self.caught(what), running(self.settings, kind) as server:
            load = self.settings.tools.load(server.socket, connections=50, accounts=MILLION, requests=MILLION)
            self.check(what, load)
            megabytes = server.process.memory_mb()
            figure = report.memory_figure("a million accounts, two windows", kind.label, megabytes, 500)
            self.figures.append(figure)
            progress(f"{what}: {megabytes:.1f} MB")

    def growth(self):
        for kind in self.kinds:
            if kind.key == "responder" or "outgoing" not in kind.profiles:
                continue
            what = f"{kind.label}, ten million requests"
            steps = []
            # The log goes nowhere: some gigabytes of it would measure the disk.
            with self.caught(what), running(self.settings, kind, log_target="/dev/null") as server:
                for millions in (2, 4, 6, 8, 10, 12):
                    load = self.settings.tools.load(server.socket, connections=200, requests=2 * MILLION)
                    self.check(what, load)
                    steps.append((millions, server.process.memory_mb()))
                    progress(f"{what}: {steps[-1][1]:.1f} MB after {millions:g}M")
                self.figures.append(report.growth_figure(kind.label, steps))


@contextlib.contextmanager
def pinned(wanted: bool):
    """What is started meanwhile shares one core."""
    cores = os.sched_getaffinity(0)
    try:
        if wanted:
            os.sched_setaffinity(0, {min(cores)})
        yield
    finally:
        os.sched_setaffinity(0, cores)


def progress(text: str):
    print(text, file=sys.stderr, flush=True)


def processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def build_type(build: Path) -> str:
    cache = build / "CMakeCache.txt"
    lines = cache.read_text().splitlines() if cache.exists() else []
    values = dict(line.split("=", 1) for line in lines if "=" in line and ":" in line.split("=", 1)[0])
    sanitize = values.get("POLICYD_SANITIZE:STRING", "")
    return (values.get("CMAKE_BUILD_TYPE:STRING") or "none") + (f", sanitizers: {sanitize}" if sanitize else "")


def introduce(arguments, settings: Settings):
    kind = build_type(arguments.build)
    print(f"policyd bench, {time.strftime('%Y-%m-%d %H:%M')}: {processor()}, {os.cpu_count()} cores, Linux "
          f"{platform.release()}, build type {kind}")
    print(f"Outgoing RCPT requests of Postfix 3.7 from 1,000 accounts over a unix socket, limits {LIMITS}, "
          f"{len(BLOCKS)} blocks, log.verdicts = \"{settings.log_verdicts}\" to a file;")
    print(f"{arguments.rounds} rounds of {arguments.seconds:g} s after {arguments.warmup:g} s of warm-up. Medians; max "
          "and RSS (at its peak): the largest; cpu, redis, load: cores kept busy.\n", flush=True)
    if kind not in ("Release", "RelWithDebInfo"):
        settings.note(f"the build type is {kind}: figures of a release build are better")


def parse_arguments():
    parser = argparse.ArgumentParser(description="Measures policyd beside a bare responder.")
    tree = Path(__file__).resolve().parents[2]
    parser.add_argument("--build", type=Path, default=tree / "build", metavar="DIR", help="the build directory (build)")
    parser.add_argument("--connections", type=int, nargs="+", default=[1, 50, 200, 1000], metavar="N")
    parser.add_argument("--servers", nargs="+", default=list(KIND), choices=list(KIND))
    parser.add_argument("--rounds", type=int, default=3, metavar="R")
    parser.add_argument("--seconds", type=float, default=3.0, help="measured at each point")
    parser.add_argument("--warmup", type=float, default=0.5, metavar="SECONDS")
    parser.add_argument("--log", default="all", choices=["all", "refused", "none"], help="log.verdicts (all)")
    parser.add_argument("--memory-only", action="store_true", help="no speed")
    parser.add_argument("--quick", action="store_true", help="a smoke run of about 20 seconds")
    parser.add_argument("--long", action="store_true", help="ten million requests too, for the growth of memory")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures there too")
    parser.add_argument("--self-test", action="store_true", help="only test the tools of the bench against each other")
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.rounds, arguments.seconds, arguments.warmup = 1, 0.7, 0.2
    arguments.build = arguments.build.resolve()
    return arguments


def raise_file_limit() -> int:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 65536 if hard == resource.RLIM_INFINITY else min(hard, 65536)
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return wanted


def measure(bench: Bench):
    arguments = bench.arguments
    if not arguments.memory_only:
        bench.speed()
        print(report.speed_table(bench.measured, bench.kinds), end="\n\n", flush=True)
        if bench.others > 0.25:
            bench.settings.note(f"other programs kept up to {bench.others:.2f} cores busy: the figures are too low")
    if "checks" in arguments.servers:
        bench.slow_dns()
        print(report.latency_table(bench.latencies), end="\n\n", flush=True)
    if raise_file_limit() >= IDLE + 100:
        bench.idle()
    else:
        bench.settings.note(f"ulimit -n is below {IDLE + 100}: idle connections were not measured")
    if "memory" in arguments.servers and not arguments.quick:
        bench.million_accounts()
    if arguments.long:
        bench.growth()
    else:
        bench.settings.note("growth over ten million requests is measured with --long"
                            + (", a million accounts without --quick" if arguments.quick else ""))
    print(report.memory_table(bench.figures))


def write_json(path: Path, bench: Bench):
    speed = [{**asdict(workload), "server": kind, "rounds": [asdict(point) for point in points]}
             for (workload, kind), points in bench.measured.items()]
    path.write_text(json.dumps({"speed": speed, "memory": [asdict(figure) for figure in bench.figures],
                                "latency": [asdict(figure) for figure in bench.latencies],
                                "notes": bench.settings.notes, "failures": bench.failures}, indent=1) + "\n")


def needed_programs(arguments) -> list:
    policyd = not arguments.self_test and set(arguments.servers) != {"responder"}
    return ["bench_load", "bench_responder"] + (["policyd"] if policyd else [])


def main() -> int:
    arguments = parse_arguments()
    # A kill ends the bench as ctrl-c does: by way of every `with`, which stops what was started.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    raise_file_limit()
    with tempfile.TemporaryDirectory(prefix="policyd-bench-") as directory:
        settings = Settings(Tools(arguments.build), Path(directory), arguments.log)
        try:
            for name in needed_programs(arguments):
                settings.tools.path(name)
        except BenchError as error:
            print(f"bench: {error}", file=sys.stderr)
            return 2
        if arguments.self_test:
            return selftest.run(settings)
        bench = Bench(settings, arguments)
        introduce(arguments, settings)
        measure(bench)
        for note in settings.notes:
            print(f"note: {note}")
        for failure in bench.failures:
            print(f"FAILED: {failure}")
        if arguments.json:
            write_json(arguments.json, bench)
        return 1 if bench.failures else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        print("bench: interrupted", file=sys.stderr)
        sys.exit(130)
