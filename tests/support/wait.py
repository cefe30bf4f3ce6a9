"""Waiting for an event with a deadline: never for time to pass.

wait_until() asks again and again until it is told something true, and fails with what it waited for.
"""

import socket
import threading
import time

POLL_SECONDS = 0.005
_never = threading.Event()  # nobody sets it: a pause between two looks, not a wait for time to pass


def pause(seconds=POLL_SECONDS):
    """A breath between two polls, or between two requests of a paced load."""
    _never.wait(seconds)


def wait_until(condition, what, seconds=10.0):
    """The first true value of condition(); AssertionError "waited N s for WHAT" otherwise."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds:g} s for {what}")
        pause()


def free_port(address="127.0.0.1"):
    """A TCP port that was free a moment ago, chosen by the kernel."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family) as listener:
        listener.bind((address, 0))
        return listener.getsockname()[1]
