"""Bad input costs its own connection and one log line that says what was wrong; neighbours notice nothing."""

import selectors
import socket

from support.case import E2eTest
from support.policy_client import PolicyClient, make_request
from support.policyd import Policyd
from support.wait import free_port, pause

QUIET = '[log]\nverdicts = "none"\n'
CAP = 64 * 1024
GOOD = make_request()


class Garbage(E2eTest):
    def setUp(self):
        self.policyd = Policyd(self, tables=QUIET, listen=[f"unix:{self.directory}/policyd.sock",
                                                           f"inet:127.0.0.1:{free_port()}"])

    def test_bad_input_costs_only_its_own_connection(self):
        table = [  # what is sent, what the log says of it
            (b"request=smtpd_access_policy\nrubbish\n\n", "a line without '='"),
            (b"request=smtpd_access_policy\n=value\n\n", "an attribute without a name"),
            (b"\n", "a request without attributes"),
            (GOOD.replace(b"\n", b"\r\n"), "CRLF"),
            (GOOD.replace(b"ann@", b"an\0n@"), "a NUL in the request"),
            (GOOD.replace(b"smtpd_access_policy", b"junk_mail_policy"), "is not smtpd_access_policy"),
            (b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", "CRLF"),
            (bytes.fromhex("16030100f8010000f40303") + bytes(range(256)), "ended within a request"),  # TLS
            (GOOD[:200], "ended within a request"),
            (b"x" * (CAP + 4096), "larger than 64 KiB"),
            (b"name=value\n" * 6000, "larger than 64 KiB"),
            (GOOD[:-1] + b"x=" + b"y" * CAP + b"\n\n", "larger than 64 KiB"),
        ]
        for endpoint in self.policyd.listen:
            with PolicyClient(endpoint) as neighbour:
                for octets, told in table:
                    with self.subTest(endpoint=endpoint, input=octets[:60]):
                        self.costs_its_connection(endpoint, neighbour, octets, told)
        self.policyd.stop()
        self.assertEqual(len(self.policyd.log_lines("warning")), len(table) * len(self.policyd.listen))

    def costs_its_connection(self, endpoint, neighbour, octets, told):
        self.assertEqual(neighbour.ask(GOOD), "DUNNO")
        before = len(self.policyd.log_lines("warning"))
        neighbour.send(GOOD[:100])
        with PolicyClient(endpoint) as client:
            self.send_what_it_takes(client, octets)
            self.assertEqual(client.wait_closed(), b"", "bad input is not answered")
        self.assertEqual(neighbour.ask(GOOD[100:]), "DUNNO")
        lines = self.policyd.wait_log("warning", count=before + 1)[before:]
        self.show(lines[0])
        self.assertEqual(len(lines), 1, lines)
        self.assertIn(told, lines[0])

    @staticmethod
    def send_what_it_takes(client, octets):
        try:
            client.send(octets)
            client.socket.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # closed before all was sent

    def test_good_requests_before_bad_ones_are_answered(self):
        with self.policyd.client() as client:
            client.send(GOOD + GOOD + b"rubbish\n\n" + GOOD)
            self.assertEqual(client.wait_closed(), b"action=DUNNO\n\n" * 2)

    def test_a_request_just_under_the_cap_is_answered(self):
        with self.policyd.client() as client:
            filler = b"x=" + b"y" * (CAP - len(GOOD) - 3) + b"\n"
            request = GOOD[:-1] + filler + b"\n"
            self.assertEqual(len(request), CAP)
            self.assertEqual([client.ask(request), client.ask(GOOD)], ["DUNNO", "DUNNO"])

    def test_unusual_requests_are_answered(self):
        lines = GOOD[:-2].split(b"\n")
        table = {
            "attributes in any order": b"\n".join(reversed(lines)) + b"\n\n",
            "unknown attributes": GOOD[:-1] + b"tomorrow=maybe\nx\xff=\xfe\n\n",
            "repeated attributes": GOOD[:-1] + b"sender=second@example.com\n\n",
            "nothing but the type": b"request=smtpd_access_policy\n\n",
            "no type": b"sender=ann@example.com\n\n",
            "Postfix 2.1": b"request=smtpd_access_policy\nprotocol_state=RCPT\nsender=a@b.example\n"
                           b"recipient=c@d.example\n\n",
            "values with '='": make_request(sender="SRS0=xx=yy=example.com=ann@example.net", instance="a=b"),
            "an unknown state": make_request(protocol_state="TOMORROW"),
            "addresses that are none": make_request(client_address="unknown", sender="@@",
                                                    recipient="a b\"@c@[IPv6:::1]"),
            "numbers that are none": make_request(size="-1", recipient_count="99999999999999999999", client_port="x"),
            "format characters": make_request(sender="%s%n%d{0}{}@example.com", sasl_username="%s%n{reasons}"),
        }
        with self.policyd.client() as client:
            for what, request in table.items():
                with self.subTest(request=what):
                    self.show(f"{what}: {client.ask(request)}")

    def test_a_client_that_never_reads_cannot_fill_the_memory(self):
        client = self.policyd.client()
        client.ask(GOOD)
        before = self.policyd.memory_kib()
        sent = self.send_until_it_blocks(client, GOOD * 100)
        growth = self.policyd.memory_kib() - before
        self.show(f"{sent // len(GOOD)} requests sent without reading a reply: policyd grew by {growth} KiB")
        self.show(self.policyd.log())
        if not self.policyd.sanitized():
            self.assertLess(growth, 16 * 1024)
        self.assertEqual(self.policyd.ask(GOOD), "DUNNO", "the neighbour is answered")

    @staticmethod
    def send_until_it_blocks(client, octets, at_most=64 * 1024 * 1024):
        """Octets sent until the socket took nothing for half a second, or was closed."""
        sent = 0
        with selectors.DefaultSelector() as selector:
            selector.register(client.socket, selectors.EVENT_WRITE)
            while sent < at_most and selector.select(0.5):
                try:
                    sent += client.socket.send(octets[sent % len(octets):])
                except (BrokenPipeError, ConnectionResetError):
                    break
        return sent

    def test_many_requests_before_the_first_reply_is_read(self):
        with self.policyd.client() as client:
            client.send(GOOD * 500)
            self.assertEqual([client.read() for _ in range(500)], ["DUNNO"] * 500)

    def test_clients_that_vanish_leave_nothing(self):
        endpoint = self.policyd.listen[1]
        for _ in range(3):
            for octets in (b"", b"request=", GOOD, GOOD * 50):
                clients = [PolicyClient(endpoint) for _ in range(50)]
                for client in clients:
                    client.send(octets)
                    client.close()
                pause()
        self.assertEqual(self.policyd.ask(GOOD), "DUNNO")
        self.show("600 clients closed at once, in the middle of a request, and without reading: policyd goes on")
