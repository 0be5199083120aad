"""HTTP by hand over a socket, for what no client does."""

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.helpers.servers.process import Server


@contextmanager
def connection(server: Server, timeout: float = 20) -> Iterator[socket.socket]:
    """A connection to a server, with a small buffer for what comes."""
    host, port = server.url.removeprefix("http://").split(":")
    made = socket.socket()
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8_192)
        made.settimeout(timeout)
        made.connect((host, int(port)))
        yield made
    finally:
        made.close()


def head(method: str, path: str, *headers: str, key: str = "") -> bytes:
    """The head of a request. key: of the caller, if any."""
    lines = [f"{method} {path} HTTP/1.1", "host: test", *headers]
    if key:
        lines.append(f"authorization: Bearer {key}")
    return "\r\n".join((*lines, "", "")).encode()


def answer(connected: socket.socket) -> bytes:
    """Head and body of one answer that has a content-length."""
    received = b""
    while b"\r\n\r\n" not in received:
        part = connected.recv(65_536)
        assert part, received
        received += part
    begin, _, rest = received.partition(b"\r\n\r\n")
    (length,) = (
        int(line.partition(b":")[2])
        for line in begin.split(b"\r\n")
        if line.lower().startswith(b"content-length:")
    )
    while len(rest) < length:
        rest += connected.recv(65_536)
    return begin + b"\r\n\r\n" + rest


def seconds_until_cut_off(connected: socket.socket, drip: bytes = b"") -> float:
    """How long a connection lasts, while `drip` is sent bit by bit; fails when that is too long."""
    began = time.monotonic()
    connected.settimeout(0.2)
    while time.monotonic() - began < 20:
        try:
            if drip:
                connected.sendall(drip)
            if connected.recv(65_536) == b"":
                break
        except TimeoutError:
            continue
        except OSError:
            break
    else:
        raise AssertionError("the connection was never cut off")
    return time.monotonic() - began
