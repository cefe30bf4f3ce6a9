#!/usr/bin/env python3
"""A DNS server for tests: UDP and TCP on a loopback port that the kernel chose, zones as data, and all that goes wrong.

In Python:       with DnsServer({"example.com": {"A": ["192.0.2.1"]}}, delay=0.05) as dns: ... dns.address, dns.count()
As a program:    dns_server.py [ZONES.json] [--delay SECONDS] [--answer BEHAVIOUR] [--address 127.0.0.1]

The zones are a dict: name -> what stands there. "*.example.com" stands for every name below that is not there itself;
names between one that is there and the root exist, and hold nothing; all others do not exist.

    "A" "AAAA" "PTR" "NS"   lists of addresses or names
    "CNAME"                 one name
    "MX"                    list of "10 mail.example.com" ("0 ." is a null MX)
    "TXT"                   list; each one string (cut at 255 octets), or a list of strings
    "SOA"                   {"ttl": 300, "minimum": 60}: goes with every no for this name and those below
    "ttl"                   of the records, in seconds (300)
    "delay"                 seconds until the answer (the server's)
    "answer"                a behaviour instead of the true answer, or {"A": behaviour, ...} for some types

Behaviours: servfail refused formerr notimp nxdomain; timeout (says nothing); truncate (cut over UDP, whole over TCP);
truncate_both; garbage (records that end in the middle); short (less than a header); wrong_id; wrong_question;
other_name (a record of a name that was not asked for); formerr_edns (FORMERR to whoever sends an OPT record); close
(over TCP: hangs up); drop:N (silent to the first N times that the question comes).

The program prints its port, then obeys JSON lines on its standard input, each with one line of output: {"count": []},
{"count": ["example.com", "A"]}, {"zones": {...}}, {"delay": 0.1}, {"answer": "timeout"}. It ends with its input.
"""

import argparse
import asyncio
import collections
import ipaddress
import json
import socket
import struct
import sys
import threading

TYPES = {"A": 1, "NS": 2, "CNAME": 5, "SOA": 6, "PTR": 12, "MX": 15, "TXT": 16, "AAAA": 28}
NAMES_OF_TYPES = {number: name for name, number in TYPES.items()}
OPT = 41
RCODES = {"formerr": 1, "servfail": 2, "nxdomain": 3, "notimp": 4, "refused": 5}
TRUNCATED = 0x0200
REPLY = 0x8180  # an answer; recursion was desired and is available


def encode_name(name):
    labels = [label.encode() for label in name.rstrip(".").split(".") if label]
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def decode_question(octets):
    """(name in lower case, type, offset behind it) of a query."""
    labels, at = [], 12
    while octets[at]:
        labels.append(octets[at + 1:at + 1 + octets[at]])
        at += 1 + octets[at]
    return b".".join(labels).lower().decode("latin-1"), struct.unpack_from("!H", octets, at + 1)[0], at + 5


def rdata(kind, value):
    if kind in ("A", "AAAA"):
        return ipaddress.ip_address(value).packed
    if kind == "MX":
        preference, host = value.split()
        return struct.pack("!H", int(preference)) + encode_name(host)
    if kind == "TXT":
        strings = [value] if isinstance(value, str) else value
        octets = [string.encode() for string in strings]
        if isinstance(value, str):
            octets = [octets[0][at:at + 255] for at in range(0, max(1, len(octets[0])), 255)]
        return b"".join(bytes([len(string)]) + string for string in octets)
    if kind == "SOA":
        return b"\0\0" + struct.pack("!5I", 1, 3600, 600, 86400, value.get("minimum", 60))
    return encode_name(value)


def record(owner, kind, ttl, data):
    return owner + struct.pack("!HHIH", TYPES[kind], 1, ttl, len(data)) + data


class Zones:
    """What stands where; answers questions."""

    def __init__(self, names):
        self.names = {name.lower().rstrip("."): entry for name, entry in names.items()}
        self.inner = {".".join(labels[at:]) for name in self.names
                      for labels in [name.split(".")] for at in range(1, len(labels))}

    def entry(self, name):
        """What stands at a name; {} where it exists and holds nothing; None."""
        if name in self.names:
            return self.names[name]
        if name in self.inner:
            return {}
        labels = name.split(".")
        for at in range(1, len(labels)):
            above = ".".join(labels[at:])
            if "*." + above in self.names:
                return self.names["*." + above]
            if above in self.names or above in self.inner:
                return None
        return None

    def soa(self, name):
        labels = name.split(".")
        for at in range(len(labels)):
            above = ".".join(labels[at:])
            if "SOA" in self.names.get(above, {}):
                soa = self.names[above]["SOA"]
                return record(encode_name(above), "SOA", soa.get("ttl", 300), rdata("SOA", soa))
        return b""

    def resolve(self, name, kind):
        """(rcode, answer records, authority records), CNAMEs followed."""
        answers = []
        for _ in range(20):
            entry = self.entry(name)
            if entry is None:
                return RCODES["nxdomain"], answers, self.soa(name)
            ttl = entry.get("ttl", 300)
            if "CNAME" in entry and kind != "CNAME":
                answers.append(record(encode_name(name), "CNAME", ttl, rdata("CNAME", entry["CNAME"])))
                name = entry["CNAME"].lower().rstrip(".")
                continue
            values = entry.get(kind, [])
            values = [values] if isinstance(values, (str, dict)) else values
            answers += [record(encode_name(name), kind, ttl, rdata(kind, value)) for value in values]
            return 0, answers, b"" if values else self.soa(name)
        return 0, answers, b""


class Responder:
    """From a query's octets to (seconds to wait, the answer's octets or None)."""

    def __init__(self, zones, delay=0.0, answer=None):
        self.zones, self.delay, self.default_answer = Zones(zones), delay, answer
        self.asked = collections.Counter()

    def respond(self, query, over_tcp):
        name, number, end = decode_question(query)
        kind = NAMES_OF_TYPES.get(number, str(number))
        self.asked[name, kind] += 1
        entry = self.zones.entry(name) or {}
        answer = entry.get("answer", self.default_answer)
        if isinstance(answer, dict):
            answer = answer.get(kind)
        return entry.get("delay", self.delay), self.reply(query, end, name, kind, answer or "", over_tcp)

    def reply(self, query, end, name, kind, answer, over_tcp):
        question, has_opt = query[12:end], query[10:12] != b"\0\0"
        if answer == "timeout" or (answer == "close" and over_tcp):
            return None
        if answer.startswith("drop:"):
            if self.asked[name, kind] <= int(answer[5:]):
                return None
            answer = ""
        if answer == "formerr_edns":
            if has_opt:
                return query[:2] + struct.pack("!5H", REPLY | 1, 1, 0, 0, 0) + question
            answer = ""
        if answer == "short":
            return query[:7]
        rcode, answers, authority = (RCODES[answer], [], b"") if answer in RCODES else self.zones.resolve(name, kind)
        if answer == "nxdomain":
            authority = self.zones.soa(name)
        if answer == "other_name":
            answers = [record(encode_name("other.invalid"), "A", 300, b"\xc0\x00\x02\x63")]
        if answer == "wrong_question":
            question = encode_name("wrong." + name) + question[-4:]
        body = b"".join(answers)
        if answer == "garbage":
            body = (body or record(encode_name(name), "A", 300, b"1234"))[:-3]
        room = 65535 if over_tcp else struct.unpack_from("!H", query, end + 3)[0] if has_opt else 512
        opt = b"\0" + struct.pack("!HHIH", OPT, 1232, 0, 0) if has_opt else b""
        flags, counts = REPLY | rcode, (1, max(len(answers), answer == "garbage"), authority != b"", has_opt)
        identity = bytes([query[0] ^ 0x55, query[1]]) if answer == "wrong_id" else query[:2]
        message = identity + struct.pack("!5H", flags, *counts) + question + body + authority + opt
        cut = len(message) > room or answer == "truncate_both" or (answer == "truncate" and not over_tcp)
        if not cut:
            return message
        return identity + struct.pack("!5H", flags | TRUNCATED, 1, 0, 0, has_opt) + question + opt


class _Udp(asyncio.DatagramProtocol):
    def __init__(self, responder):
        self.responder, self.transport = responder, None

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, addr):
        try:
            delay, reply = self.responder.respond(data, over_tcp=False)
        except (IndexError, struct.error):
            return  # no query
        if reply is not None and delay > 0:
            asyncio.get_running_loop().call_later(delay, self.transport.sendto, reply, addr)
        elif reply is not None:
            self.transport.sendto(reply, addr)


async def _serve_tcp(responder, reader, writer):
    async def answer(query):
        delay, reply = responder.respond(query, over_tcp=True)
        await asyncio.sleep(delay)
        if reply is None and responder.zones.entry(decode_question(query)[0]).get("answer") == "close":
            writer.close()
        elif reply is not None:
            writer.write(struct.pack("!H", len(reply)) + reply)

    pending = set()
    try:
        while True:
            size = struct.unpack("!H", await reader.readexactly(2))[0]
            task = asyncio.ensure_future(answer(await reader.readexactly(size)))
            pending.add(task)
            task.add_done_callback(pending.discard)
    except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
        writer.close()


class DnsServer:
    """Serves in a thread of its own from __enter__ or start() on, until __exit__ or stop()."""

    def __init__(self, zones, delay=0.0, answer=None, address="127.0.0.1"):
        self.responder = Responder(zones, delay, answer)
        self.host, self.port = address, None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._ready = threading.Event()

    @property
    def address(self):
        """As [dns] servers has it."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def count(self, name=None, kind=None):
        """How many questions have come: all, or those of a name and a type."""
        if name is None:
            return sum(self.responder.asked.values())
        return self.responder.asked[name.lower(), kind or "A"]

    def change(self, zones=None, delay=None, answer=None):
        """What is given, from now on. answer="" is the truth again."""
        if zones is not None:
            self.responder.zones = Zones(zones)
        if delay is not None:
            self.responder.delay = delay
        if answer is not None:
            self.responder.default_answer = answer

    def start(self):
        self._thread.start()
        self._ready.wait()
        return self

    def stop(self):
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    __enter__ = start

    def __exit__(self, *_):
        self.stop()

    def _sockets(self):
        """UDP and TCP on one port that was free for both."""
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        while True:
            udp, tcp = socket.socket(family, socket.SOCK_DGRAM), socket.socket(family, socket.SOCK_STREAM)
            udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
            udp.bind((self.host, 0))
            try:
                tcp.bind(udp.getsockname()[:2])
            except OSError:
                udp.close()
                tcp.close()
                continue
            self.port = udp.getsockname()[1]
            return udp, tcp

    async def _open(self):
        udp, tcp = self._sockets()
        await self._loop.create_datagram_endpoint(lambda: _Udp(self.responder), sock=udp)
        await asyncio.start_server(lambda reader, writer: _serve_tcp(self.responder, reader, writer), sock=tcp)

    def _run(self):
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._open())
        self._ready.set()
        self._loop.run_forever()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()


def main():
    parser = argparse.ArgumentParser(description="A DNS server for tests.")
    parser.add_argument("zones", nargs="?", help="a JSON file; none: every name is an NXDOMAIN")
    parser.add_argument("--delay", type=float, default=0.0)
    parser.add_argument("--answer", default=None)
    parser.add_argument("--address", default="127.0.0.1")
    options = parser.parse_args()
    zones = {}
    if options.zones:
        with open(options.zones, encoding="utf-8") as file:
            zones = json.load(file)
    with DnsServer(zones, options.delay, options.answer, options.address) as server:
        print(server.port, flush=True)
        for line in sys.stdin:
            command = json.loads(line)
            if "count" in command:
                print(server.count(*command["count"]), flush=True)
            else:
                server.change(**command)
                print("ok", flush=True)


if __name__ == "__main__":
    main()
