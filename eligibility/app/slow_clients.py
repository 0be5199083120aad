"""HTTP connections that cut off clients which do not finish a request or do not read a response.

uvicorn waits for ever for the rest of a request, and for the first request on a new connection. A few
thousand such connections would leave none for other clients.
"""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

LONGEST_HEAD = 65_536
_LOOK_SECONDS = 1.0


class Protocol(HttpToolsProtocol):
    """One connection, which checks once a second whether it is waiting for its client.

    A request that begins and ends between two checks costs nothing. seconds: the longest time in which a
    client has to send a request or read a response; one value for the whole process.
    """

    seconds = 30.0
    _watch: asyncio.TimerHandle | None = None
    _pending: object = None  # what the connection waited for at the last check
    _since = 0.0  # the time at which it began to wait for that
    _answered: RequestResponseCycle | None = None  # the request that the server is answering now
    _head: object = None  # the request head that is arriving; _head_size: bytes of it so far
    _head_size = 0

    def connection_made(self, transport: Any) -> None:
        """Start the checks."""
        super().connection_made(transport)
        self._look()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the checks, and mark the request being answered as disconnected."""
        if self._watch is not None:
            self._watch.cancel()
        if self._answered is not None:  # of several pipelined requests, uvicorn marks only the last
            self._answered.disconnected = True
        super().connection_lost(exc)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._answered = cycle
        super()._start_asgi_task(cycle, app)

    def data_received(self, data: bytes) -> None:
        """Receive data; cut off a head that is too long: uvicorn has no limit."""
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
        pending, now = self._pending_part(), self.loop.time()
        if pending is None or pending is not self._pending:
            self._pending, self._since = pending, now
        elif now - self._since > self.seconds:
            self.transport.abort()
            return
        self._watch = self.loop.call_later(_LOOK_SECONDS, self._look)

    def _pending_part(self) -> object:
        """Return an object for what the client still has to send or read; None if nothing."""
        cycle = self.cycle
        if cycle is None:
            return self  # the first request
        if self.scope is not cycle.scope:
            return self.scope  # the rest of a head
        if cycle.more_body:
            return cycle  # the rest of a body, even of a request that was answered
        return (
            self.flow if self.flow.write_paused else None
        )  # writing is paused until the client reads
