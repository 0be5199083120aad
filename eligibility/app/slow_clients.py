"""HTTP connections that cut off slow clients: those that do not finish a request or do not read an answer.

uvicorn waits for ever for the rest of a request, and for the first one on a new connection; a few
thousand such connections would leave none for others.
"""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

LONGEST_HEAD = 65_536
_LOOK_SECONDS = 1.0


class Protocol(HttpToolsProtocol):
    """One connection, which looks once a second whether it is waiting for its client.

    A request that comes and goes between two looks costs nothing. seconds: how long a request may take to
    arrive, and an answer to be read; the same for the whole process.
    """

    seconds = 30.0
    _watch: asyncio.TimerHandle | None = None
    _owed: object = None  # what the client owed at the last look, and since when
    _since = 0.0
    _answered: RequestResponseCycle | None = None  # the request whose turn it is
    _head: object = None  # that begins to arrive, and how much of it is here
    _head_size = 0

    def connection_made(self, transport: Any) -> None:
        """Begin to look."""
        super().connection_made(transport)
        self._look()

    def connection_lost(self, exc: Exception | None) -> None:
        """Look no more."""
        if self._watch is not None:
            self._watch.cancel()
        if self._answered is not None:  # uvicorn tells only the last of several requests
            self._answered.disconnected = True
        super().connection_lost(exc)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._answered = cycle
        super()._start_asgi_task(cycle, app)

    def data_received(self, data: bytes) -> None:
        """Read on, unless a head gets too long: uvicorn would keep any length in memory."""
        super().data_received(data)
        head, cycle = self.scope, self.cycle
        if cycle is not None and head is cycle.scope:
            return
        if head is not self._head:
            self._head, self._head_size = head, 0
        self._head_size += len(data)
        if self._head_size > LONGEST_HEAD:
            self.transport.abort()

    def _look(self) -> None:
        owed, now = self._what_is_owed(), self.loop.time()
        if owed is None or owed is not self._owed:
            self._owed, self._since = owed, now
        elif now - self._since > self.seconds:
            self.transport.abort()
            return
        self._watch = self.loop.call_later(_LOOK_SECONDS, self._look)

    def _what_is_owed(self) -> object:
        """Give what the client has begun and not ended; None while it is the server's turn, or nothing happens.

        uvicorn ends connections that idle between two requests, by `timeout_keep_alive`.
        """
        cycle = self.cycle
        if cycle is None:
            return self  # its first request
        if self.scope is not cycle.scope:
            return self.scope  # the rest of a head
        if cycle.more_body:
            return cycle  # the rest of a body, even of a request that was answered
        return self.flow if self.flow.write_paused else None  # to take what was sent
