"""A server on loopback that does what it was told with each request in turn, and counts connections."""

import json
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Reply = Callable[["ScriptedServer", socket.socket], bool]
"""What is done with one request; whether the connection goes on."""


@dataclass(frozen=True)
class Received:
    """One request as it came in; names of headers in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


def http(status: int, body: object = None, **headers: str) -> bytes:
    """An HTTP response; the body as JSON, or as it is. Headers with _ for -."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status} Said", f"content-length: {len(content)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + content


def answer(status: int, body: object = None, **headers: str) -> Reply:
    """Answer, and keep the connection."""

    def reply(_: "ScriptedServer", connection: socket.socket) -> bool:
        connection.sendall(http(status, body, **headers))
        return True

    return reply


def last(status: int, body: object) -> Reply:
    """Answer as if the connection went on, and close it."""

    def reply(_: "ScriptedServer", connection: socket.socket) -> bool:
        connection.sendall(http(status, body))
        return False

    return reply


def hang(server: "ScriptedServer", _: socket.socket) -> bool:
    """Never answer; the connection stays open until the server goes."""
    server.over.wait()
    return False


def reset(_: "ScriptedServer", connection: socket.socket) -> bool:
    """Break the connection off, without an answer."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return False


def cut(body: object) -> Reply:
    """Send an answer but for its last byte, and close."""

    def reply(_: "ScriptedServer", connection: socket.socket) -> bool:
        connection.sendall(http(200, body)[:-1])
        return False

    return reply


def drip(body: object, every: float) -> Reply:
    """Send the head of an answer, then the body byte by byte, with so many seconds between two."""

    def reply(server: "ScriptedServer", connection: socket.socket) -> bool:
        head, blank, content = http(200, body).partition(b"\r\n\r\n")
        connection.sendall(head + blank)
        for place in range(len(content)):
            connection.sendall(content[place : place + 1])
            if server.over.wait(every):
                return False
        return True

    return reply


class ScriptedServer:
    """Takes the replies in turn; past the last one, the last again. certificate: PEM file, for TLS."""

    def __init__(self, *replies: Reply, certificate: Path | None = None) -> None:
        self.replies = list(replies)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._tls = None
        if certificate is not None:
            self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._tls.load_cert_chain(certificate)
        scheme = "http" if certificate is None else "https"
        self.url = f"{scheme}://127.0.0.1:{self._listening.getsockname()[1]}"
        self.received: list[Received] = []
        self.connections = 0
        self.over = threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Take no more connections, and end those that hang."""
        self.over.set()
        self._listening.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listening.accept()
                self.connections += 1
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with suppress(OSError):
            if self._tls is not None:
                connection = self._tls.wrap_socket(connection, server_side=True)
            self._converse(connection)

    def _converse(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as stream:
            while (request := _read(stream)) is not None:
                self.received.append(request)
                reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
                if not reply(self, connection):
                    return


def _read(stream: Any) -> Received | None:
    first = stream.readline().decode()
    if not first:
        return None
    method, path, _ = first.split()
    headers: dict[str, str] = {}
    while line := stream.readline().decode().strip():
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    return Received(method, path, headers, stream.read(int(headers.get("content-length", 0))))


@contextmanager
def scripted(*replies: Reply, certificate: Path | None = None) -> Iterator[ScriptedServer]:
    """A scripted server until the block ends."""
    made = ScriptedServer(*replies, certificate=certificate)
    try:
        yield made
    finally:
        made.close()
