"""An SMTP client of our own: one command, one reply, every line kept as a dialogue ("C: ..." and "S: ...").

It speaks XCLIENT, so that a Postfix on loopback believes any client address and any login. A reply is an SmtpReply:
its code and its text. One that does not come within the time-out is an AssertionError with the dialogue so far.
"""

import re
import socket
from dataclasses import dataclass


@dataclass(frozen=True)
class SmtpReply:
    code: int
    lines: tuple

    @property
    def text(self):
        return " ".join(self.lines)

    def __str__(self):
        return f"{self.code} {self.text}"


def xtext(value):
    """RFC 3461, section 4: what XCLIENT wants its values in."""
    return "".join(c if "!" <= c <= "~" and c not in "+=" else f"+{ord(c):02X}" for c in value)


class SmtpClient:
    def __init__(self, port, address="127.0.0.1", timeout=30.0):
        self.dialogue = []
        self.socket = socket.create_connection((address, port), timeout)
        self.input = self.socket.makefile("rb")
        self.greeting = self._read()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.input.close()
        self.socket.close()

    def _read(self):
        lines = []
        while True:
            try:
                line = self.input.readline().decode("utf-8", "replace").rstrip("\r\n")
            except TimeoutError:
                raise AssertionError("no SMTP reply; the dialogue so far:\n" + "\n".join(self.dialogue)) from None
            self.dialogue.append(f"S: {line}")
            match = re.fullmatch(r"(\d{3})([ -]?)(.*)", line)
            if not match:
                raise AssertionError("not an SMTP reply; the dialogue so far:\n" + "\n".join(self.dialogue))
            lines.append(match[3])
            if match[2] != "-":
                return SmtpReply(int(match[1]), tuple(lines))

    def command(self, line, shown=None):
        self.dialogue.append(f"C: {shown or line}")
        self.socket.sendall(line.encode() + b"\r\n")
        return self._read()

    def must(self, code, line):
        """A command whose reply is not what the test is about."""
        reply = self.command(line)
        assert reply.code == code, f"wanted {code}, got {reply} to {line!r}:\n" + "\n".join(self.dialogue)
        return reply

    def hello(self, name="client.test.example"):
        return self.must(250, f"EHLO {name}")

    def xclient(self, **attributes):
        """xclient(ADDR="192.0.2.1", NAME="mail.example.com", LOGIN="joe@example.com"); then greets again."""
        self.must(250, "EHLO test")
        self.must(220, "XCLIENT " + " ".join(f"{name}={xtext(value)}" for name, value in attributes.items()))
        return self.hello(attributes.get("HELO", attributes.get("NAME", "client.test.example")))

    def mail(self, sender):
        return self.command(f"MAIL FROM:<{sender}>")

    def rcpt(self, recipient):
        return self.command(f"RCPT TO:<{recipient}>")

    def data(self, body="Subject: test\r\n\r\nHello.\r\n"):
        """DATA and the message; the reply to its end, or to DATA where that is refused."""
        reply = self.command("DATA")
        if reply.code != 354:
            return reply
        return self.command(body + ".", shown=f"({len(body)} octets of message, and a dot)")

    def send(self, sender, recipient):
        """One message with one recipient: the first reply that refuses it, or that to its end."""
        for step in (lambda: self.mail(sender), lambda: self.rcpt(recipient)):
            reply = step()
            if reply.code >= 400:
                self.must(250, "RSET")
                return reply
        return self.data()

    def quit(self):
        self.must(221, "QUIT")
        self.close()
