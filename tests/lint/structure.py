#!/usr/bin/env python3
"""Holds the sources to the house's rules of structure (CONTRIBUTING.md, "Rules that keep it clean").

    structure.py [ROOT]

Who may include what stands in the tables below; no line is wider than WIDEST columns; and every source file opens with
a comment that says what it is for; a .cpp may leave that to the header of its own name, which it includes first.
Prints each violation as FILE:LINE: what, and the rule; exits with 1 if there is any, and with 0 and one line if not.
"""

import dataclasses
import pathlib
import re
import sys

INCLUDE = re.compile(r'\s*#\s*include\s*([<"])([^">]+)[">]')
SOURCES = ("shared", "policyd", "tests")
SUFFIXES = {".h", ".cpp", ".py", ".sh"}
WIDEST = 120  # columns; .clang-format has the same


@dataclasses.dataclass(frozen=True)
class Room:
    """What files of the project the files of a room may include."""

    files: str
    may_include: str
    rule: str


@dataclasses.dataclass(frozen=True)
class Library:
    """Which files may include a library's headers."""

    headers: str
    files: str
    rule: str


# All patterns match whole paths from the project's root. A room's file may always include the header of its own name.
ROOMS = [
    Room(r"shared/.*", r"shared/.*", "shared/ includes nothing of policyd/"),
    Room(r"policyd/ctl/.*", r"(shared|policyd/ctl)/.*",
         "policyctl uses shared/ and the admin API only"),
    Room(r"policyd/(?!ctl/).*", r"(?!policyd/ctl/).*", "policyd includes nothing of policyctl"),
    Room(r"policyd/checks/(?!table\.cpp).*|policyd/spf/.*",
         r"policyd/checks/check\.h|policyd/(spf|dnsbl)/.*|policyd/dns/(resolver|mail_domain)\.h|policyd/store/store\.h|"
         r"policyd/async/task\.h|shared/.*",
         "checks/ and spf/ see check.h, dnsbl/, spf/, resolver.h, mail_domain.h, store.h, task.h and shared/; "
         "never another check"),
    Room(r"policyd/(?!main\.cpp|app\.).*", r"(?!policyd/app\.h).*", "only main.cpp sees the app"),
]

LIBRARIES = [
    Library(r"uv\.h", r"policyd/(async/.*|(listener|app|dns/cares|store/redis_connection)\.(h|cpp))",
            "uv.h only in async/, listener, app, dns/cares and store/redis_connection"),
    Library(r"ares.*\.h", r"policyd/dns/cares(_sockets)?\.(h|cpp)", "ares.h only in dns/cares"),
    Library(r"idn2\.h", r"policyd/dns/names\.cpp", "idn2.h only in dns/names"),
    Library(r"nettle/.*", r"shared/hmac_sha1\.cpp", "nettle only in shared/hmac_sha1"),
    Library(r"hiredis/.*", r"policyd/store/redis.*", "hiredis only in store/redis*"),
    Library(r"sqlite3\.h", r"policyd/store/sqlite\..*",
            "sqlite3.h only in store/sqlite"),
    Library(r"toml\+\+/.*", r"shared/config_.*\.cpp", "toml++ only in the config loader"),
    Library(r"CLI/.*", r"policyd/(main|ctl/(main|arguments))\.cpp",
            "CLI11 only in the two mains and ctl/arguments"),
    Library(r"spdlog/.*", r"shared/log(_line)?\.cpp",
            "spdlog only in shared/log and shared/log_line"),
    Library(r"microhttpd\.h", r"policyd/admin/.*", "microhttpd only in admin/"),
    Library(r"curl/.*", r"policyd/ctl/.*", "curl only in ctl/"),
    Library(r"(?!fmt/).*[./].*", r"(?!policyd/(checks|spf)/).*",
            "checks/ and spf/ use no library"),
    Library(r"chrono|ctime|fstream|iostream|filesystem|thread|unistd\.h|sys/.*|time\.h",
            r"(?!(shared/protocol|policyd/(score|reply|dns/names))\.).*",
            "protocol, score, reply and names are pure: no I/O, no clock"),
]


def includes_of(text):
    """The lines with an #include: (line number, is it the project's own, what)."""
    for number, line in enumerate(text.splitlines(), 1):
        if match := INCLUDE.match(line):
            yield number, match[1] == '"', match[2]


def wrong_includes(name, text):
    own_header = name.rsplit(".", 1)[0] + ".h"
    for number, of_project, included in includes_of(text):
        rules = []
        if of_project and included != own_header:
            rules = [room.rule for room in ROOMS
                     if re.fullmatch(room.files, name) and not re.fullmatch(room.may_include, included)]
        elif not of_project:
            rules = [library.rule for library in LIBRARIES
                     if re.fullmatch(library.headers, included) and not re.fullmatch(library.files, name)]
        for rule in rules:
            yield f"{name}:{number}: includes {included}; the rule: {rule}"


def wrong_opening(name, text):
    """The purpose stands at the top, after a '#!' line: a comment, in Python a docstring; in a .cpp its own header."""
    lines = [(number, line) for number, line in enumerate(text.splitlines(), 1)
             if line.strip() and not line.startswith("#!")]
    if not lines:
        if not name.endswith("__init__.py"):
            yield f"{name}:1: is empty; the rule: a file opens with a comment that says what it is for"
        return
    number, line = lines[0]
    wanted = ('"""', "#") if name.endswith((".py", ".sh")) else ("//", f'#include "{name.removesuffix(".cpp")}.h"')
    if not line.startswith(wanted):
        yield f"{name}:{number}: does not open with a comment; the rule: a file says what it is for"


def too_wide(name, text):
    for number, line in enumerate(text.splitlines(), 1):
        if len(line) > WIDEST:
            yield f"{name}:{number}: is {len(line)} columns wide; the rule: no line is wider than {WIDEST}"


def violations(root):
    for directory in SOURCES:
        for path in sorted((root / directory).rglob("*")):
            if path.suffix not in SUFFIXES or not path.is_file():
                continue
            name = path.relative_to(root).as_posix()
            text = path.read_text(encoding="utf-8", errors="replace")
            yield from wrong_opening(name, text)
            yield from too_wide(name, text)
            if directory != "tests":  # tests look into every room
                yield from wrong_includes(name, text)


def main(arguments):
    root = pathlib.Path(arguments[0]) if arguments else pathlib.Path(__file__).resolve().parents[2]
    found = list(violations(root))
    for violation in found:
        print(violation)
    print(f"structure: {len(found)} violations" if found else "structure: every file keeps to the rules")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
