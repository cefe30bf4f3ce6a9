"""A client of the policy delegation protocol, as smtpd is one: request and reply, on a connection that is kept.

Every reply that is read is held to be well-formed: b"action=", a text that Postfix cannot misunderstand,
b"\\n\\n", and not an octet more; AssertionError where it is not. Endpoints are written as in policyd.toml:
"unix:/path", "inet:127.0.0.1:10031", "inet:[::1]:10031".
"""

import itertools
import re
import selectors
import socket
import threading
import time

from support.wait import pause

MAXIMUM_REPLY = 510
# What needs a text has one with a letter in it: a status code alone would make Postfix use a stale text.
ACTION_WITH_TEXT = re.compile(r"(?:DEFER|DEFER_IF_PERMIT|REJECT|HOLD|[45]\d\d) (?:[245]\.\d{1,3}\.\d{1,3} )?"
                              r"(?=[^ ])(?=.*[A-Za-z])[ -~]+|PREPEND [!-9;-~]+: [!-~][ -~]*")
# The id of a refusal's entry in the journal, Crockford's base 32.
ID = re.compile(r" \(([0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4})\)$")
_instances = itertools.count(1)


def parse_endpoint(endpoint):
    """("unix", path), or (address family, (address, port))."""
    kind, _, rest = endpoint.partition(":")
    if kind == "unix":
        return socket.AF_UNIX, rest
    address, _, port = rest.rpartition(":")
    address = address.strip("[]")
    return (socket.AF_INET6 if ":" in address else socket.AF_INET), (address, int(port))


def check_reply(octets):
    """The action of a well-formed reply; AssertionError where Postfix would not get what was meant."""
    assert octets.startswith(b"action="), f"no action: {octets!r}"
    assert octets.endswith(b"\n\n") and octets.count(b"\n") == 2, f"not one line and an empty one: {octets!r}"
    action = octets[len(b"action="):-2].decode("ascii")
    assert len(action) <= MAXIMUM_REPLY, f"{len(action)} octets: {action!r}"
    assert action == "DUNNO" or ACTION_WITH_TEXT.fullmatch(action), f"not an action with a text: {action!r}"
    return action


def id_of(text):
    """The id at the end of a refusal."""
    found = ID.search(text)
    assert found, f"no id at the end of {text!r}"
    return found[1]


def without_id(text):
    """A refusal without its id, which has to be there; DUNNO as it is."""
    return text if text == "DUNNO" else text.removesuffix(f" ({id_of(text)})")


def new_instance():
    """What tells one mail transaction from another."""
    return f"e2e.{next(_instances):x}.{time.time_ns():x}"


def make_request(**attributes):
    """A request at RCPT of a well-behaved stranger; name=value pairs replace or add attributes."""
    values = {
        "request": "smtpd_access_policy", "protocol_state": "RCPT", "protocol_name": "ESMTP",
        "client_address": "192.0.2.1", "client_name": "mail.stranger.example", "client_port": "40000",
        "reverse_client_name": "mail.stranger.example", "server_address": "192.0.2.99", "server_port": "25",
        "helo_name": "mail.stranger.example", "sender": "ann@stranger.example", "recipient": "bob@test.example",
        "recipient_count": "0", "queue_id": "", "instance": new_instance(), "size": "1000", "sasl_method": "",
        "sasl_username": "", "sasl_sender": "", **attributes}
    return "".join(f"{name}={value}\n" for name, value in values.items()).encode() + b"\n"


def outgoing(account, **attributes):
    """A request for a recipient of a message that `account` sends; each is a message of its own."""
    return make_request(**{"sasl_method": "PLAIN", "sasl_username": account, "sender": account, **attributes})


class PolicyClient:
    def __init__(self, endpoint, timeout=30.0):
        family, address = parse_endpoint(endpoint)
        self.socket = socket.socket(family)
        self.socket.settimeout(timeout)
        self.socket.connect(address)
        if family != socket.AF_UNIX:
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.input = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def send(self, octets):
        self.socket.sendall(octets)

    def read(self):
        """The next reply's action. EOFError where the connection was closed instead."""
        while b"\n\n" not in self.input:
            octets = self.socket.recv(65536)
            if not octets:
                assert not self.input, f"closed in the middle of a reply: {self.input!r}"
                raise EOFError("policyd closed the connection")
            self.input += octets
        end = self.input.index(b"\n\n") + 2
        reply, self.input = self.input[:end], self.input[end:]
        return check_reply(reply)

    def ask(self, request):
        """The action for one request; nothing may follow its reply."""
        self.send(request)
        action = self.read()
        assert not self.input, f"octets after the reply: {self.input!r}"
        return action

    def wait_closed(self):
        """Reads until policyd closes; the octets that came before."""
        octets = self.input
        while True:
            try:
                more = self.socket.recv(65536)
            except ConnectionResetError:
                return octets
            if not more:
                return octets
            octets += more


def ask_all(clients, requests, timeout=30.0):
    """Sends requests[i] on clients[i], all of them before any reply is read; the actions in the same order."""
    actions = [None] * len(clients)
    with selectors.DefaultSelector() as selector:
        for index, (client, request) in enumerate(zip(clients, requests, strict=True)):
            client.send(request)
            selector.register(client.socket, selectors.EVENT_READ, index)
        deadline = time.monotonic() + timeout
        while selector.get_map():
            left = deadline - time.monotonic()
            assert left > 0, f"{len(selector.get_map())} of {len(clients)} requests were not answered"
            for key, _ in selector.select(left):
                actions[key.data] = clients[key.data].read()
                selector.unregister(key.fileobj)
    return actions


class Load:
    """Connections that ask one after another until stop(): each reply is kept as (when sent, seconds, tag, action).

    `request_of(connection, n)` gives (tag, request). An unanswered or malformed request is kept in `errors`.
    """

    def __init__(self, endpoints, connections, request_of, pace=0.01):
        self.replies, self.errors = [], []
        self._stop = threading.Event()
        self._clients = [PolicyClient(endpoints[i % len(endpoints)]) for i in range(connections)]
        self._threads = [threading.Thread(target=self._run, args=(i, client, request_of, pace), daemon=True)
                         for i, client in enumerate(self._clients)]
        for thread in self._threads:
            thread.start()

    def _run(self, index, client, request_of, pace):
        try:
            for n in itertools.count():
                if self._stop.is_set():
                    return
                tag, request = request_of(index, n)
                sent = time.monotonic()
                action = client.ask(request)
                self.replies.append((sent, time.monotonic() - sent, tag, action))
                pause(pace)
        except Exception as error:  # told by stop(), in the thread of the test
            self.errors.append(f"connection {index}: {error!r}")

    def since(self, start):
        """The replies to what was sent at or after `start` (time.monotonic())."""
        return [reply for reply in list(self.replies) if reply[0] >= start]

    def stop(self):
        self._stop.set()
        for thread in self._threads:
            thread.join()
        for client in self._clients:
            client.close()
        assert not self.errors, f"{len(self.errors)} connections failed: {self.errors[:3]}"
        return self.replies
