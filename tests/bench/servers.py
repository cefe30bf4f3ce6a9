"""The servers that are compared: the bare responder, policyd on its embedded state, policyd on Redis, and policyd with
the checks that need the DNS.

Each is started afresh for each point, in a directory of its own, so that no point inherits the memory of another. A
Server holds the process under measurement and those that help it. What could not be prepared as planned is a note,
told once beneath the table.
"""
import contextlib
import functools
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import incoming
from processes import BenchError, Process, Tools

# So high that nothing is refused, and still two windows to count.
LIMITS = '["1000000/1m", "10000000/1h"]'

MESSAGES = f"""\
messages = {LIMITS}
recipients = []
bytes = []
distinct_recipients = []
invalid_recipients = []
"""
# Every setting that needs no DNS; nothing is refused either.
SETTINGS = f"""\
messages = {LIMITS}
recipients = {LIMITS}
bytes = ["1000TB/1h", "1000TB/1d"]
distinct_recipients = ["1000000/1h", "1000000/1d"]
client_networks = ["1000/1d"]
invalid_recipients = ["1000000/1d"]
spam = ["1000/1h"]
limit_hits = ["1000/1h"]
max_size = "1GB"
max_recipients_per_message = 1000
senders = ["own"]
"""

# 100 blocks that match no request of the load generator.
BLOCKS = ([("email", f"blocked{i}@elsewhere.example") for i in range(50)]
          + [("domain", f"blocked{i}.example") for i in range(20)]
          + [("ehlo", f"ehlo{i}.example") for i in range(10)]
          + [("client", f"203.0.113.{i}") for i in range(5)]
          + [("client", f"10.{i}.0.0/16") for i in range(5)]
          + [("account", f"account{i}@elsewhere.example") for i in range(5)]
          + [("recipient", f"nobody{i}@elsewhere.example") for i in range(5)])

CONFIG = """\
[server]
listen = ["unix:{directory}/policy"]

[admin]
listen = ["unix:{directory}/admin"]

[store]
url = "{store}"

[log]
target = "{log_target}"
verdicts = "{log_verdicts}"

[checks.recipient_domain]
outgoing = 0

[accounts.default]
{account}
{more}"""


@dataclass
class Settings:
    tools: Tools
    directory: Path
    log_verdicts: str
    notes: list = field(default_factory=list)

    def note(self, text: str):
        if text not in self.notes:
            self.notes.append(text)


@dataclass
class Server:
    process: Process
    socket: Path
    redis: Process | None = None
    redis_socket: Path | None = None

    def remembered_messages(self) -> int:
        """How many messages Redis remembers: shows that the charges do reach it, however many go there at once."""
        if self.redis is None:
            return 0
        # All other keys (blocks, counters, nodes) are there from the start, or one of an account.
        return int(redis_cli(self.redis_socket, "DBSIZE"))


def redis_cli(socket: Path, *words: str, lines: str = "") -> str:
    result = subprocess.run(["redis-cli", "-s", str(socket), *words], input=lines, text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if result.returncode != 0 or "ERR" in result.stdout:
        raise BenchError(f"redis-cli {' '.join(words)}: {result.stdout.strip()[:500]}")
    return result.stdout


def write_config(settings: Settings, directory: Path, store: str, log_target: str, more: str,
                 account: str) -> Path:
    path = directory / "policyd.toml"
    path.write_text(CONFIG.format(directory=directory, store=store, log_target=log_target, account=account,
                                  log_verdicts=settings.log_verdicts, more=more))
    return path


def add_blocks(settings: Settings, config: Path):
    """With policyctl; without one that works the bench goes on, with a note."""
    try:
        policyctl = settings.tools.path("policyctl")
    except BenchError:
        return settings.note("policyctl is not built: policyd on memory: was measured without blocks")
    for kind, target in BLOCKS:
        command = [policyctl, "-c", config, "block", "add", target, "--type", kind]
        result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        if result.returncode != 0:
            return settings.note(f"policyd on memory: was measured without its {len(BLOCKS)} blocks; policyctl block "
                                 f"add {target} --type {kind} ended with {result.returncode}: "
                                 f"{result.stdout.strip()[:300]}")


@contextlib.contextmanager
def responder(settings: Settings, directory: Path, log_target: str):
    del log_target
    path = directory / "policy"
    with Process("bench_responder", [settings.tools.path("bench_responder"), path], directory, path) as process:
        yield Server(process, path)


@contextlib.contextmanager
def policyd(settings: Settings, directory: Path, store: str, log_target: str, more: str = "",
            account: str = MESSAGES):
    config = write_config(settings, directory, store, log_target, more, account)
    command = [settings.tools.path("policyd"), "-c", config]
    with Process("policyd", command, directory, directory / "policy") as process:
        yield Server(process, directory / "policy"), config


@contextlib.contextmanager
def memory(settings: Settings, directory: Path, log_target: str, account: str = MESSAGES):
    with policyd(settings, directory, "memory:", log_target, account=account) as (server, config):
        add_blocks(settings, config)
        yield server


@contextlib.contextmanager
def redis(settings: Settings, directory: Path, log_target: str, account: str = MESSAGES):
    if shutil.which("redis-server") is None or shutil.which("redis-cli") is None:
        raise BenchError("redis-server and redis-cli are needed: apt-get install redis-server")
    path = directory / "redis"
    command = ["redis-server", "--port", "0", "--unixsocket", path, "--save", "", "--appendonly", "no",
               "--daemonize", "no", "--dir", directory]
    with Process("redis-server", command, directory, path) as process:
        lines = [f"HSET policyd:block:{kind}:{target} description bench\n" for kind, target in BLOCKS]
        redis_cli(path, lines="".join(lines))
        with policyd(settings, directory, f"redis+unix://{path}", log_target, account=account) as (server, _):
            server.redis, server.redis_socket = process, path
            yield server


@contextlib.contextmanager
def checking(settings: Settings, directory: Path, log_target: str):
    """With the DNS's answers for all that the incoming profile asks about in the cache."""
    with incoming.dns_server(directory, incoming.zones()) as more, \
            policyd(settings, directory, "memory:", log_target, more) as (server, _):
        settings.tools.load(server.socket, profile="incoming", connections=50, requests=50 * incoming.DOMAINS)
        yield server


@dataclass(frozen=True)
class Kind:
    key: str
    label: str
    start: object
    profiles: tuple = ("outgoing",)


memory_settings = functools.partial(memory, account=SETTINGS)
redis_settings = functools.partial(redis, account=SETTINGS)

KINDS = [Kind("responder", "(a) bare responder", responder, ("outgoing", "incoming")),
         Kind("memory", "(b) policyd, memory:", memory),
         Kind("redis", "(c) policyd, Redis", redis),
         Kind("memory-settings", "(e) policyd, memory:, all settings", memory_settings),
         Kind("redis-settings", "(f) policyd, Redis, all settings", redis_settings),
         Kind("checks", "(d) policyd, 8 lists, SPF", checking, ("incoming",))]
KIND = {kind.key: kind for kind in KINDS}


@contextlib.contextmanager
def running(settings: Settings, kind: Kind, log_target: str = ""):
    """A fresh server in a fresh directory, which goes with it; its log is a file there, or `log_target`."""
    directory = settings.directory / kind.key
    directory.mkdir()
    try:
        with kind.start(settings, directory, log_target or str(directory / "policyd.log")) as server:
            yield server
    finally:
        shutil.rmtree(directory)
