"""A way to a server that can break: it loses the answer to a write, or every message of a channel."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Proxy:
    """Passes bytes between clients and a server on loopback.

    lose_answer_to: the next answer after a client sent these bytes is not passed on, and both
    connections are cut. lose: answers with these bytes are dropped, silently.
    """

    def __init__(self, server_port: int) -> None:
        self._server_port = server_port
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listening.getsockname()[1])
        self.lose_answer_to: bytes | None = None
        self.lose: bytes | None = None
        self.cuts = 0
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        """The store URL of the way through."""
        return f"redis://127.0.0.1:{self.port}/0"

    def close(self) -> None:
        """Take no more connections."""
        self._listening.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self._server_port))
            doomed = threading.Event()
            for source, sink, is_answer in ((client, server, False), (server, client, True)):
                threading.Thread(
                    target=self._pass_on, args=(source, sink, is_answer, doomed), daemon=True
                ).start()

    def _pass_on(
        self, source: socket.socket, sink: socket.socket, is_answer: bool, doomed: threading.Event
    ) -> None:
        with source, sink:
            while data := self._received(source):
                if not is_answer and self.lose_answer_to and self.lose_answer_to in data:
                    self.lose_answer_to = None
                    doomed.set()
                if is_answer and doomed.is_set():
                    self.cuts += 1
                    sink.shutdown(socket.SHUT_RDWR)
                    return
                if is_answer and self.lose and self.lose in data:
                    continue
                try:
                    sink.sendall(data)
                except OSError:
                    return

    @staticmethod
    def _received(source: socket.socket) -> bytes:
        try:
            return source.recv(1 << 20)
        except OSError:
            return b""


@contextmanager
def proxy_to(port: int) -> Iterator[Proxy]:
    """A proxy in front of a server, until the block ends."""
    made = Proxy(port)
    try:
        yield made
    finally:
        made.close()
