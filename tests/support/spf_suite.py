#!/usr/bin/env python3
"""Runs SPF test suites in the format of the project openspf (rfc7208-tests.yml): policyctl, policyd, a DNS server.

    spf_suite.py SUITE [--build build] [--only NAME]     prints what disagrees, and ends with 1 if anything does

A suite is a list of documents, each with a description, tests and zonedata; as YAML (several documents; needs PyYAML)
or as JSON (a list). A test holds spec, helo, host, mailfrom, result (one or a list, any of which will do) and
explanation; the explanation DEFAULT stands for one that is not the domain's. Zonedata has for each name a list of
{TYPE: value}; a value is the record, TIMEOUT or NONE; TIMEOUT alone holds for all types without a record. SPF records
(type 99) are TXT records as well, where a name has no TXT.
"""

import argparse
import dataclasses
import json
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from support.dns_server import DnsServer  # noqa: E402
from support.wait import wait_until  # noqa: E402

TYPES = ("A", "AAAA", "MX", "TXT", "PTR", "CNAME")


@dataclasses.dataclass
class Case:
    name: str
    client: str
    sender: str
    helo: str
    results: list  # any of them will do
    explanation: str  # None: not tested


def load_suite(path):
    """[(description, [Case], zones for DnsServer)]"""
    text = pathlib.Path(path).read_text(encoding="utf-8")
    if str(path).endswith(".json"):
        documents = json.loads(text)
    else:
        import yaml
        documents = [document for document in yaml.safe_load_all(text) if document]
    return [(document.get("description", ""), cases_of(document), zones_of(document.get("zonedata") or {}))
            for document in documents]


def cases_of(document):
    cases = []
    for name, test in document["tests"].items():
        results = test["result"] if isinstance(test["result"], list) else [test["result"]]
        cases.append(Case(str(name), str(test["host"]), str(test.get("mailfrom") or ""), str(test.get("helo") or ""),
                          results, test.get("explanation")))
    return cases


def zones_of(zonedata):
    return {str(name): zone_entry(records or []) for name, records in zonedata.items()}


def zone_entry(records):
    """What DnsServer takes for a name."""
    entry, troubles = {}, {}
    pairs = [pair for record in records if isinstance(record, dict) for pair in record.items()]
    has_txt = any(kind == "TXT" for kind, _ in pairs)
    for kind, value in pairs:
        if kind == "SPF" and not has_txt:
            kind = "TXT"
        if kind not in TYPES or value == "NONE":
            continue
        if value in ("TIMEOUT", "SERVFAIL"):
            troubles[kind] = value.lower()
        elif kind == "CNAME":
            entry["CNAME"] = str(value)
        else:
            entry.setdefault(kind, []).append(written(kind, value))
    for record in records:
        if record in ("TIMEOUT", "SERVFAIL"):
            troubles.update({kind: record.lower() for kind in TYPES if kind not in entry})
    return {**entry, **({"answer": troubles} if troubles else {})}


def written(kind, value):
    if kind == "MX":
        return f"{value[0]} {value[1] or '.'}"
    return value if isinstance(value, list) else str(value)


def evaluate(policyctl, case, timeout=60):
    """What policyctl says, as JSON; where it fails, {"result": why}."""
    command = [*policyctl, "--json", "spf", f"--client={case.client}", f"--sender={case.sender}", f"--helo={case.helo}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False)
    return json.loads(done.stdout) if done.returncode == 0 else {"result": done.stderr.strip()}


def disagreement(case, said):
    """What is wrong with an answer; empty: nothing."""
    if said.get("result") not in case.results:
        return f"{said.get('result')!r} ({said.get('problem')}) in place of {' or '.join(case.results)}"
    wanted = "" if case.explanation == "DEFAULT" else case.explanation
    if wanted is not None and said.get("result") == "fail" and said.get("explanation") != wanted:
        return f"the explanation {said.get('explanation')!r} in place of {wanted!r}"
    return ""


def run_document(policyctl, cases):
    """[(Case, what is wrong)] of the cases that disagree."""
    checked = [(case, disagreement(case, evaluate(policyctl, case))) for case in cases]
    return [(case, wrong) for case, wrong in checked if wrong]


CONFIG = """
[server]
listen = ["unix:{directory}/policyd.sock"]
[admin]
listen = ["unix:{directory}/admin.sock"]
[dns]
servers = ["{dns}"]
timeout = "200ms"
cache = 0
"""


class Policyd:
    """Of the build directory, with the DNS server `dns`, for as long as the context lasts."""

    def __init__(self, build, dns):
        self.build, self.dns = pathlib.Path(build), dns

    def __enter__(self):
        self.directory = tempfile.TemporaryDirectory(prefix="policyd-spf-")
        self.socket = pathlib.Path(self.directory.name) / "admin.sock"
        config = pathlib.Path(self.directory.name) / "policyd.toml"
        config.write_text(CONFIG.format(directory=self.directory.name, dns=self.dns), encoding="utf-8")
        self.process = subprocess.Popen([self.build / "policyd", "-c", config], stderr=subprocess.PIPE, text=True)
        wait_until(self.started, f"{self.socket} to appear")
        return [self.build / "policyctl", "--socket", self.socket]

    def started(self):
        if self.process.poll() is not None:
            raise RuntimeError(self.process.stderr.read())
        return self.socket.exists()

    def __exit__(self, *_):
        self.process.terminate()
        self.process.communicate(timeout=30)
        self.directory.cleanup()


def main():
    parser = argparse.ArgumentParser(description="Runs an SPF test suite through policyctl.")
    parser.add_argument("suite")
    parser.add_argument("--build", default="build")
    parser.add_argument("--only", help="the name of one test")
    options = parser.parse_args()
    passed = failed = 0
    for description, cases, zones in load_suite(options.suite):
        cases = [case for case in cases if options.only in (None, case.name)]
        with DnsServer(zones) as dns, Policyd(options.build, dns.address) as policyctl:
            wrong = run_document(policyctl, cases)
        for case, why in wrong:
            print(f"{description}: {case.name}: {why}")
        failed += len(wrong)
        passed += len(cases) - len(wrong)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
