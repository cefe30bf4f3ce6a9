"""Tests of the bench's own tools: what they would not notice, the bench could not show.

The load generator against the bare responder, by count; the responder against requests in pieces; the load generator
against a server that answers in pieces, badly, or not at all. Nothing here depends on speed.
"""
import json
import socket
import subprocess
import threading
from pathlib import Path

from servers import KIND, Settings, running

DUNNO = b"action=DUNNO\n\n"


def answers_pieces(path: Path) -> str:
    """The responder answers once, when the request has ended, wherever it was cut."""
    octets = [bytes([octet]) for octet in b"a=b\n\n"]
    for pieces in ([b"request=a\n\n"], [b"request=a\n", b"\n"], [b"request=a", b"\n\n"], octets):
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(10)
            client.connect(str(path))
            for piece in pieces:
                client.sendall(piece)
            client.shutdown(socket.SHUT_WR)
            reply = b"".join(iter(lambda: client.recv(100), b""))
            if reply != DUNNO:
                return f"{pieces} was answered {reply!r}"
    return ""


def serve_once(listener: socket.socket, replies: list):
    """Answers each request with the next of `replies`, octet by octet; then closes."""
    client, _ = listener.accept()
    with client:
        for reply in replies:
            request = b""
            while not request.endswith(b"\n\n"):
                octets = client.recv(4096)
                if not octets:
                    return
                request += octets
            for octet in reply:
                client.sendall(bytes([octet]))


# label, replies, the number that must be found malformed, the exit code
CASES = [
    ("replies in pieces", [DUNNO, b"action=REJECT 5.7.1 no\n\n", b"action=450 4.7.1 later\n\n"], 0, 0),
    ("an empty action", [b"action=\n\n"], 1, 1),
    ("a word without a text", [b"action=REJECT\n\n"], 1, 1),
    ("a code without a text", [b"action=550 5.7.1\n\n"], 1, 1),
    ("a leading space", [b"action= DUNNO\n\n"], 1, 1),
    ("another name", [b"reply=DUNNO\n\n"], 1, 1),
    ("a control character", [b"action=REJECT a\tb\n\n"], 1, 1),
    ("511 octets", [b"action=REJECT " + 504 * b"x" + b"\n\n"], 1, 1),
    ("closed without a reply", [DUNNO, b""], 0, 1),
]


def judges(load: Path, directory: Path, label: str, replies: list, malformed: int, status: int) -> str:
    path = directory / "fake"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        thread = threading.Thread(target=serve_once, args=(listener, replies), daemon=True)
        thread.start()
        command = [load, "--socket", path, "--connections", "1", "--requests", str(len(replies)), "--json"]
        result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=50, check=False)
        thread.join(10)
    path.unlink()
    found = json.loads(result.stdout)
    if (found["malformed"], result.returncode) != (malformed, status):
        return (f"{label}: {found['malformed']} malformed and exit code {result.returncode}, "
                f"not {malformed} and {status}")
    return ""


def run(settings: Settings) -> int:
    failures = []
    load = settings.tools.path("bench_load")
    with running(settings, KIND["responder"]) as server:
        failures.append(answers_pieces(server.socket))
        for profile in ("outgoing", "incoming", "minimal"):
            result = settings.tools.load(server.socket, connections=20, requests=2000, profile=profile)
            if result["actions"] != {"DUNNO": 2000} or result["malformed"] + result["lost"] + result["unanswered"]:
                failures.append(f"2000 {profile} requests to the bare responder: {result}")
        with settings.tools.hold(server.socket, 100) as held:
            pass
        if held.result["actions"] != {"DUNNO": 100} or held.result["lost"]:
            failures.append(f"100 idle connections: {held.result}")
    failures += [judges(load, settings.directory, *case) for case in CASES]
    failures = [failure for failure in failures if failure]
    for failure in failures:
        print(f"bench self-test: {failure}")
    print(f"bench self-test: {'failed' if failures else 'passed'}")
    return 1 if failures else 0
