"""What the bench measured, as tables with a verdict against each target.

Pure: takes figures, returns text. The ratios are the medians of the ratios of each round, whose servers ran one after
the other: what else the machine does changes from minute to minute, and goes out of a ratio better than out of a rate.
"""
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True)
class Workload:
    """How many connections ask about what mail; and whether all programs share one core.

    With one request in the air, the time goes into waking the next program. Between cores that includes rousing a
    sleeping core, which can cost more than all else, and whether it is needed is the scheduler's whim. On one core it
    never is: there the figure is what the programs themselves need.
    """
    connections: int
    one_core: bool = False
    profile: str = "outgoing"

    def __str__(self):
        return (f"{self.connections}{', one core' if self.one_core else ''}"
                f"{', ' + self.profile if self.profile != 'outgoing' else ''}")


@dataclass
class Point:
    """One server under one load, once. CPU in cores that were busy."""
    load: dict  # the load generator's report
    peak_mb: float
    server_cpu: float
    redis_cpu: float
    load_cpu: float
    in_redis: float = 1.0  # messages that Redis came to remember, for each request: all are of a message of their own

    @property
    def void(self) -> str:
        """Why the figures do not show what they should; empty: they do."""
        if self.in_redis < 0.99:
            return f"only {self.in_redis:.0%} of the requests were charged in Redis"
        refused = 1 - self.load["actions"].get("DUNNO", 0) / max(self.load["asked"], 1)
        return f"{refused:.0%} of the requests were not answered DUNNO" if refused > 0.01 else ""

    @property
    def rate(self) -> float:
        return self.load["rate"]

    @property
    def p50(self) -> float:
        return self.load["p50_us"]


@dataclass(frozen=True)
class RatioTarget:
    """`value`(point) / `value`(the point of that round of `to`) against a bound."""
    kind: str
    connections: tuple  # empty: at all
    what: str
    value: object
    bound: float
    at_least: bool
    to: str = "responder"

    def applies(self, kind: str, workload: Workload) -> bool:
        return kind == self.kind and (not self.connections or workload.connections in self.connections)

    def verdict(self, points: list, yardsticks: list) -> str:
        ratio = median(self.value(point) / max(self.value(yardstick), 1e-9)
                       for point, yardstick in zip(points, yardsticks))
        reached = ratio >= self.bound if self.at_least else ratio <= self.bound
        of = "" if self.to == "responder" else f" of {self.to}"
        return f"{self.what}{of} {ratio:.2f} {'>=' if self.at_least else '<='} {self.bound:g}: {pass_or_miss(reached)}"


TARGETS = [
    RatioTarget("memory", (), "rate", lambda point: point.rate, 0.75, True),
    RatioTarget("redis", (200,), "rate", lambda point: point.rate, 0.4, True),
    RatioTarget("checks", (), "rate", lambda point: point.rate, 0.4, True),
    RatioTarget("redis", (1,), "p50", lambda point: point.p50, 12, False),
    # Every setting of an account on, against messages alone.
    RatioTarget("memory-settings", (50, 200), "rate", lambda point: point.rate, 0.7, True, "memory"),
    RatioTarget("redis-settings", (200,), "rate", lambda point: point.rate, 0.7, True, "redis"),
]


def pass_or_miss(reached: bool) -> str:
    return "PASS" if reached else "MISS"


def table(header: list, rows: list) -> str:
    """Columns as wide as they need; the first and the last aligned to the left, figures to the right."""
    lines = [header, *rows]
    widths = [max(len(str(line[i])) for line in lines) for i in range(len(header))]
    left = {0, 1, len(header) - 1}
    padded = ([f"{str(cell):{'<' if i in left else '>'}{widths[i]}}" for i, cell in enumerate(line)] for line in lines)
    return "\n".join("  ".join(line).rstrip() for line in padded)


SPEED_HEADER = ["connections", "server", "requests/s", "of (a)", "p50 us", "of (a)", "p99 us", "p99.9 us", "max us",
                "RSS MB", "cpu", "redis", "load", "target"]


def speed_row(workload: Workload, kind, points: list, comparable: dict) -> list:
    """`comparable`: kind key -> its points of the same rounds."""
    yardsticks = comparable.get("responder", [])
    if not points:
        return [workload, kind.label, "failed", *[""] * (len(SPEED_HEADER) - 3)]

    def middle(value) -> float:
        return median(value(point) for point in points)

    def ratio(value) -> str:
        pairs = list(zip(points, yardsticks))
        return f"{median(value(a) / max(value(b), 1e-9) for a, b in pairs):.2f}" if pairs else "-"

    verdicts = [f"void: {point.void}" for point in points if point.void][:1] or [
        target.verdict(points, comparable[target.to]) for target in TARGETS
        if comparable.get(target.to) and target.applies(kind.key, workload)]
    redis_cpu = middle(lambda point: point.redis_cpu)
    return [workload, kind.label, f"{middle(lambda point: point.rate):,.0f}", ratio(lambda point: point.rate),
            f"{middle(lambda point: point.p50):,.1f}", ratio(lambda point: point.p50),
            f"{middle(lambda point: point.load['p99_us']):,.0f}",
            f"{middle(lambda point: point.load['p999_us']):,.0f}",
            f"{max(point.load['max_us'] for point in points):,.0f}",
            f"{max(point.peak_mb for point in points):.1f}", f"{middle(lambda point: point.server_cpu):.2f}",
            f"{redis_cpu:.2f}" if kind.key.startswith("redis") else "-",
            f"{middle(lambda point: point.load_cpu):.2f}", ", ".join(verdicts)]


def speed_table(measured: dict, kinds: list) -> str:
    """`measured`: (workload, kind key) -> [Point of each round]."""
    rows = []
    for workload in dict.fromkeys(workload for workload, _ in measured):
        for kind in kinds:
            points = measured.get((workload, kind.key))
            if points is None:
                continue
            # A round in which one of the two failed has no ratio.
            comparable = {key: others for (of, key), others in measured.items()
                          if of == workload and len(others) == len(points)}
            rows.append(speed_row(workload, kind, points, comparable))
    return table(SPEED_HEADER, rows)


@dataclass
class Figure:
    what: str
    server: str
    figure: str
    target: str


def memory_figure(what: str, server: str, megabytes: float, bound: float | None) -> Figure:
    verdict = "" if bound is None else f"<= {bound:g} MB: {pass_or_miss(megabytes <= bound)}"
    return Figure(what, server, f"{megabytes:.1f} MB", verdict)


FLAT = 0.05  # the growth that still counts as none


def growth_figure(server: str, steps: list) -> Figure:
    """`steps`: (requests in millions, MB)."""
    growth = steps[-1][1] / steps[0][1] - 1
    course = ", ".join(f"{megabytes:.1f} MB after {millions:g}M" for millions, megabytes in steps)
    return Figure(f"growth from {steps[0][0]:g}M to {steps[-1][0]:g}M requests", server,
                        f"{growth:+.1%} ({course})", f"<= {FLAT:.0%}: {pass_or_miss(growth <= FLAT)}")


def latency_figure(what: str, times: list, bounds: tuple) -> Figure:
    """`times` and `bounds` (lowest, highest) in milliseconds."""
    lowest, highest = bounds
    reached = lowest <= median(times) <= highest
    return Figure(what, "policyd, memory:", f"median {median(times):.2f} ms ({min(times):.2f} to {max(times):.2f})",
                  f"{lowest:g} to {highest:g} ms: {pass_or_miss(reached)}")


def latency_table(figures: list) -> str:
    return figures_table(["latency", "server", "of a request", "target"], figures)


def memory_table(figures: list) -> str:
    return figures_table(["memory", "server", "RSS", "target"], figures)


def figures_table(header: list, figures: list) -> str:
    return table(header, [[f.what, f.server, f.figure, f.target] for f in figures])
