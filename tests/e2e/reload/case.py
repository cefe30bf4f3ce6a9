"""SIGHUP takes a new configuration or keeps the old; SIGTERM answers what is in flight; systemd hands over sockets."""

import fcntl
import signal
import socket
import struct
import subprocess
import termios

from support.case import E2eTest
from support.policy_client import PolicyClient, ask_all, make_request, outgoing, without_id
from support.policyd import Policyd
from support.redis import Redis
from support.wait import wait_until

REPLY = '[blocks]\nreply = "{}"\n'


class Reload(E2eTest):
    def setUp(self):
        self.redis = Redis(self)

    def blocked_node(self, tables):
        """A node on which joe is blocked."""
        policyd = Policyd(self, store=self.redis.url, tables=tables)
        self.redis.cli("HSET", "policyd:block:email:joe@example.com", "description", "x")
        wait_until(lambda: policyd.ask(make_request(sender="joe@example.com")) != "DUNNO", "the block", 5)
        return policyd

    def test_sighup_takes_a_new_configuration_and_keeps_connections(self):
        policyd = self.blocked_node(REPLY.format("550 5.7.1 The first text"))
        client = policyd.client()
        joe = make_request(sender="joe@example.com")
        self.assertEqual(without_id(client.ask(joe)), "550 5.7.1 The first text")
        policyd.configure(REPLY.format("451 4.7.0 The second text"))
        policyd.reload()
        wait_until(lambda: without_id(client.ask(joe)) == "451 4.7.0 The second text",
                   "the second text, on the same connection")
        self.show(client.ask(joe))

        policyd.configure(REPLY.format("250 2.0.0 Not a refusal") + "\n[checks.no_such_check]\nincoming = 1\n")
        policyd.reload()
        lines = policyd.wait_log("policyd.toml:", "no_such_check")
        self.show("\n".join(policyd.log().splitlines()[-6:]))
        self.assertRegex(lines[0], r"policyd\.toml:\d+:\d+: ")
        self.assertTrue(policyd.log_lines("policyd.toml:", "blocks.reply"), "all errors are told, not the first alone")
        self.assertEqual(without_id(client.ask(joe)), "451 4.7.0 The second text")

        policyd.configure(REPLY.format("550 5.7.1 The third text"))
        policyd.reload()
        wait_until(lambda: without_id(client.ask(joe)) == "550 5.7.1 The third text",
                   "the third text, after a wrong one")

    def test_sighup_under_load_loses_nothing(self):
        policyd = Policyd(self)
        clients = [policyd.client() for _ in range(20)]
        for _ in range(20):
            policyd.reload()
            self.assertEqual(ask_all(clients, [make_request() for _ in clients]), ["DUNNO"] * 20)

    def test_a_changed_listener_says_that_it_needs_a_restart(self):
        policyd = Policyd(self)
        policyd.tables["server"]["listen"] = [f"unix:{self.directory}/elsewhere.sock"]
        policyd.configure("")
        policyd.reload()
        self.show(policyd.wait_log("server.listen", "restart")[0])
        self.assertEqual(policyd.ask(make_request()), "DUNNO")

    def test_sigterm_answers_what_is_in_flight(self):
        # A Redis that hangs keeps requests in flight until the store's time-out.
        policyd = Policyd(self, store=self.redis.url, store_keys={"timeout": "750ms"},
                          tables='[accounts.default]\nmessages = ["60/1m"]\n')
        clients = [policyd.client() for _ in range(30)]
        self.assertEqual(ask_all(clients, [outgoing(f"u{i}@example.com") for i in range(30)]), ["DUNNO"] * 30)
        self.redis.stop_answering()
        for number, client in enumerate(clients):
            client.send(outgoing(f"u{number}@example.com"))
        wait_until(lambda: not any(map(unread, clients)), "policyd to read all 30 requests")
        policyd.signal(signal.SIGTERM)
        answers = [client.read() for client in clients]
        self.show(f"30 in flight at SIGTERM: {len(answers)} answered, {set(answers)}")
        self.assertEqual(answers, ["DUNNO"] * 30)
        code = policyd.wait_exit()
        self.show(f"exit code {code}")
        self.assertEqual(code, 0)
        self.assertEqual([client.wait_closed() for client in clients], [b""] * 30)
        self.redis.go_on()

    def test_sigterm_answers_what_was_asked_just_before(self):
        policyd = Policyd(self)
        clients = [policyd.client() for _ in range(200)]
        self.assertEqual(ask_all(clients, [make_request() for _ in clients]), ["DUNNO"] * 200)
        for client in clients:
            client.send(make_request())
        policyd.signal(signal.SIGTERM)
        self.assertEqual([client.read() for client in clients], ["DUNNO"] * 200)
        self.assertEqual(policyd.wait_exit(), 0)

    def test_signals_are_handled_before_connections_are_taken(self):
        # Who sees it listen may signal it: systemd, a script that reloads.
        for _ in range(10):
            policyd = Policyd(self, start=False)
            policyd.launch([policyd.program, "-c", policyd.config_path])
            policyd.wait_ready(lambda: policyd.accepts(policyd.endpoint))
            self.assertTrue(policyd.handles(signal.SIGTERM, signal.SIGHUP))
            policyd.stop()

    def test_sigterm_again_and_again_is_one_sigterm(self):
        for _ in range(5):
            policyd = Policyd(self, store=f"memory:{self.directory}/state.db")
            while policyd.running():
                policyd.process.send_signal(signal.SIGTERM)
            self.assertEqual(policyd.wait_exit(), 0)

    def test_sockets_of_systemd(self):
        port = socket.create_server(("127.0.0.1", 0))
        path = socket.socket(socket.AF_UNIX)
        path.bind(str(self.directory / "handed.sock"))
        path.listen()
        with port, path:
            policyd = Policyd(self, listen=["systemd:"], start=False)
            policyd.start_with_sockets([port, path])
            endpoints = [f"inet:127.0.0.1:{port.getsockname()[1]}", f"unix:{self.directory}/handed.sock"]
            self.answer(endpoints)
            policyd.stop()
            self.assertTrue((self.directory / "handed.sock").exists(), "the socket file is systemd's to remove")

            named = Policyd(self, "named", listen=["systemd:smtp"], start=False)
            named.start_with_sockets([port], names="smtp")
            self.answer(endpoints[:1])

    def answer(self, endpoints):
        for endpoint in endpoints:
            with PolicyClient(endpoint) as client:
                self.show(f"handed over: {endpoint}: {client.ask(make_request())}")

    def test_systemd_without_sockets_is_an_error(self):
        policyd = Policyd(self, listen=["systemd:"], start=False)
        policyd.launch([policyd.program, "-c", policyd.config_path])
        self.assertNotEqual(policyd.wait_exit(), 0)
        self.show(policyd.log())
        self.assertIn("systemd:", policyd.log())

    def test_check_config(self):
        policyd = Policyd(self, start=False)
        self.assertEqual(self.check_config(policyd)[0], 0)
        policyd.configure("[score.incoming]\nreject = 'high'\n")
        code, output = self.check_config(policyd)
        self.show(output)
        self.assertEqual(code, 78)
        self.assertRegex(output, r"policyd\.toml:\d+:\d+: score\.incoming\.reject: ")

    @staticmethod
    def check_config(policyd):
        done = subprocess.run([policyd.program, "-c", policyd.config_path, "--check-config"], capture_output=True,
                              text=True, timeout=20, check=False)
        return done.returncode, done.stdout + done.stderr

    def test_a_stale_socket_file_does_not_stop_a_start(self):
        policyd = Policyd(self)
        policyd.kill()
        self.assertTrue((self.directory / "policyd.sock").exists())
        policyd.start()
        self.assertEqual(policyd.ask(make_request()), "DUNNO")

    def test_a_second_policyd_does_not_take_the_socket_away(self):
        policyd = Policyd(self)
        second = Policyd(self, "second", listen=policyd.listen, start=False)
        second.launch([second.program, "-c", second.config_path])
        self.assertNotEqual(second.wait_exit(), 0)
        self.show(second.log())
        self.assertEqual(policyd.ask(make_request()), "DUNNO")


def unread(client):
    """Octets that the peer of a unix socket has not read yet."""
    answer = fcntl.ioctl(client.socket, termios.TIOCOUTQ, struct.pack("i", 0))
    return struct.unpack("i", answer)[0]
