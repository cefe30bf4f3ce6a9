"""Peers that cut, pile up, break off and never read: every request gets its own answer, and nobody else's."""

import json
import random
import resource
import socket
import struct
import threading

from support.case import E2eTest
from support.policy_client import PolicyClient, make_request, parse_endpoint, without_id
from support.policyd import Policyd
from support.redis import Redis
from support.wait import free_port, wait_until

QUIET = '[log]\nverdicts = "none"\n[score.incoming]\ndefer = 0\nreject = 0\n'
CAP = 64 * 1024
TAGS = 24  # senders that are blocked, each with a reply of its own


def sender(tag):
    return f"tag{tag}@blocked.example"


def expected(tag):
    return f"550 5.7.1 tag number {tag} is not wanted" if tag < TAGS else "DUNNO"


def request(tag, **more):
    return make_request(sender=sender(tag), **more)


class HostilePeers(E2eTest):
    def setUp(self):
        self.policyd = Policyd(self, tables=QUIET, listen=[f"unix:{self.directory}/policyd.sock",
                                                           f"inet:127.0.0.1:{free_port()}"])
        blocks = [json.dumps({"type": "email", "target": sender(tag), "reply": expected(tag)}) for tag in range(TAGS)]
        self.policyd.ctl("block", "import", "-", stdin="\n".join(blocks))
        self.random = random.Random(7)

    def check(self, client, tags):
        self.assertEqual([without_id(client.read()) for _ in tags], [expected(tag) for tag in tags])

    def test_cut_at_every_octet(self):
        tags = [3, TAGS, 5]
        octets = b"".join(request(tag) for tag in tags)
        for endpoint in self.policyd.listen:
            with PolicyClient(endpoint) as client:
                for cut in range(1, len(octets)):
                    client.send(octets[:cut])
                    client.send(octets[cut:])
                    self.check(client, tags)
                for octet in range(len(octets)):
                    client.send(octets[octet:octet + 1])
                self.check(client, tags)
        self.show(f"{len(tags)} requests, cut at each of {len(octets)} octets: in order, each with its own reply")

    def test_thousands_in_one_go(self):
        for endpoint in self.policyd.listen:
            tags = [self.random.randrange(2 * TAGS) for _ in range(5000)]
            octets = b"".join(request(tag, junk="y" * self.random.randrange(200)) for tag in tags)
            with PolicyClient(endpoint) as client:
                writer = threading.Thread(target=client.send, args=(octets,))
                writer.start()
                self.check(client, tags)
                writer.join()
        self.show("5,000 requests before the first reply is read: answered in order, each with its own reply")

    def test_many_at_once_in_random_pieces(self):
        clients = [PolicyClient(self.policyd.listen[n % 2]) for n in range(40)]
        plans = []
        for client in clients:
            tags = [self.random.randrange(2 * TAGS) for _ in range(20)]
            plans.append([client, tags, b"".join(request(tag) for tag in tags)])
        while any(octets for _, _, octets in plans):
            for plan in plans:
                size = self.random.randrange(700)
                plan[0].send(plan[2][:size])
                plan[2] = plan[2][size:]
        for client, tags, _ in plans:
            self.check(client, tags)
            client.close()
        self.show("40 connections in turn, 0 to 700 octets at a time: each request its own reply")

    def test_names_that_look_alike(self):
        blocked = sender(1).encode()
        cases = {  # lines: the tag whose reply is expected
            b"sende=" + blocked: TAGS, b"sender2=" + blocked: TAGS, b"senderx=" + blocked: TAGS,
            b"sender =" + blocked: TAGS, b" sender=" + blocked: TAGS, b"SENDER=" + blocked: TAGS,
            b"sender==" + blocked: TAGS, b"sasl_sender=" + blocked: TAGS, b"s=" + blocked: TAGS,
            b"sender=" + blocked: 1, b"sender=" + blocked.upper(): 1, b"sender=" + blocked + b"\nsender=a@b": 1,
            b"sender=a@b\nsender=" + blocked: TAGS, b"sender=\nsender=" + blocked: TAGS,
            b"x=sender=" + blocked: TAGS, b"x=\xff\xfe\nsender=" + blocked + b"\n\x80=\xc3": 1,
            b"sender=" + blocked + b"\xff": TAGS, b"sender=\xc0\xaf" + blocked: TAGS,
            b"sender=" + blocked + b"\r": TAGS, b"x=\r\nsender=" + blocked: 1,
            b"sender=" + blocked + b" ": TAGS,
        }
        head = b"request=smtpd_access_policy\nprotocol_state=RCPT\nclient_address=192.0.2.1\nrecipient=b@c.example\n"
        with self.policyd.client() as client:
            for lines, tag in cases.items():
                for octets in (head + lines + b"\n\n", lines + b"\n" + head + b"\n"):
                    with self.subTest(lines=lines):
                        self.assertEqual(without_id(client.ask(octets)), expected(tag))

    def test_around_the_cap(self):
        good = request(2)
        for endpoint in self.policyd.listen:
            for size in (CAP - 1, CAP, CAP + 1):
                whole = good[:-1] + b"x=" + b"y" * (size - len(good) - 3) + b"\n\n"
                self.assertEqual(len(whole), size)
                for pieces in ([whole], [whole[:-1], whole[-1:]], [whole[:-2], whole[-2:]], [whole[:CAP], whole[CAP:]]):
                    with PolicyClient(endpoint) as client:
                        try:
                            client.send(request(4))
                            for piece in pieces:
                                client.send(piece)
                            client.send(request(6))
                        except OSError:
                            pass
                        self.assertEqual(without_id(client.read()), expected(4))
                        if size <= CAP:
                            self.check(client, [2, 6])
                        else:
                            self.assertRaises((EOFError, ConnectionResetError), client.read)

    def test_resets_and_half_closes(self):
        endpoint = self.policyd.listen[1]
        family, address = parse_endpoint(endpoint)
        with PolicyClient(endpoint) as neighbour:
            for octets in (b"", b"r", request(1)[:100], request(1), request(1) * 200, b"\n", b"\0" * 500):
                for _ in range(30):
                    peer = socket.socket(family)
                    peer.connect(address)
                    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    peer.sendall(octets)
                    peer.close()  # RST
                self.assertEqual(without_id(neighbour.ask(request(3))), expected(3))
        for endpoint in self.policyd.listen:
            with PolicyClient(endpoint) as client:
                client.send(request(1) * 3 + request(1)[:50])
                client.socket.shutdown(socket.SHUT_WR)
                self.check(client, [1, 1, 1])
                self.assertRaises(EOFError, client.read)
        wait_until(lambda: self.policyd.ctl_json("status")["connections"] == 0, "no connection to be left")

    def test_five_thousand_connections(self):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 20000), hard))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        with self.policyd.client() as neighbour:
            for octets in (b"", request(1)[:70], request(1)):
                peers = []
                for _ in range(5000):
                    peers.append(PolicyClient(self.policyd.listen[0]))
                    peers[-1].send(octets)
                    if len(peers) % 500 == 0:  # fewer than the backlog
                        self.assertEqual(without_id(neighbour.ask(request(3))), expected(3))
                for peer in peers:
                    peer.close()
                wait_until(lambda: self.policyd.ctl_json("status")["connections"] == 1, "the others to be gone", 30)
            self.assertEqual(without_id(neighbour.ask(request(3))), expected(3))

    def test_few_descriptors(self):
        if self.policyd.sanitized():
            self.skipTest("the sanitizers need descriptors themselves")
        resource.prlimit(self.policyd.pid, resource.RLIMIT_NOFILE, (48, 48))
        with self.policyd.client() as neighbour:
            self.assertEqual(without_id(neighbour.ask(request(3))), expected(3))
            peers = [PolicyClient(self.policyd.listen[n % 2]) for n in range(200)]
            self.assertEqual(without_id(neighbour.ask(request(3))), expected(3))
            for peer in peers:
                peer.close()
            wait_until(self.answers, "a new connection to be served")
        self.show("200 connections with 48 descriptors: those that are there are answered, and new ones afterwards")

    def answers(self):
        try:
            return without_id(self.policyd.ask(request(5))) == expected(5)
        except (OSError, EOFError):
            return False

    def test_a_reader_that_is_slow_delays_nobody(self):
        slow = [PolicyClient(self.policyd.listen[n % 2]) for n in range(20)]
        for client in slow:
            client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
            client.socket.setblocking(False)
        with self.policyd.client() as neighbour:
            octets = request(1) * 50
            for _ in range(200):
                for client in slow:
                    try:
                        client.socket.send(octets)
                    except OSError:
                        pass
                self.assertEqual(without_id(neighbour.ask(request(3))), expected(3))
        for client in slow:
            client.close()


class WhileRedisIsSilent(E2eTest):
    ACCOUNTS = '[accounts.default]\nmessages = ["1000/1h"]\n' + QUIET

    def setUp(self):
        self.redis = Redis(self)
        self.policyd = Policyd(self, store=self.redis.url, tables=self.ACCOUNTS, store_keys={"timeout": "1s"},
                               server={"deadline": "5s"})
        self.redis.cli("HSET", f"policyd:block:email:{sender(0)}", "reply", expected(0))
        wait_until(lambda: without_id(self.policyd.ask(request(0))) == expected(0), "the block")

    def test_the_second_waits_for_the_first(self):
        first = make_request(sasl_username="joe@example.com", sender="joe@example.com")
        self.redis.stop_answering()
        with self.policyd.client() as client, self.policyd.client() as neighbour:
            client.send(first + request(0))
            self.assertEqual(without_id(neighbour.ask(request(0))), expected(0))
            client.socket.settimeout(0.3)
            self.assertRaises(TimeoutError, client.read)
            client.socket.settimeout(30)
            self.assertEqual([client.read(), without_id(client.read())], ["DUNNO", expected(0)])
        # One that leaves while it waits, with more behind it.
        for _ in range(50):
            client = self.policyd.client()
            client.send(first + request(0) * 300)
            client.close()
        self.assertEqual(without_id(self.policyd.ask(request(0))), expected(0))
