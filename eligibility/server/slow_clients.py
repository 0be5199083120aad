"""HTTP connections that cut off slow clients: requests that do not arrive, answers that are not taken.

uvicorn waits for ever for a request that has begun, and for a first one on a new connection; a few
thousand such connections would leave none for others.
"""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_LOOK_SECONDS = 1.0


class Protocol(HttpToolsProtocol):
    """One connection, which watches itself while something is awaited of its client.

    seconds: how long a request may take to arrive, and an answer to be taken; of the whole process.
    """

    seconds = 30.0
    # When the client began to owe something, in the loop's seconds; None while it owes nothing.
    _since: float | None = None
    _watch: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._owes()
        self._watch = self.loop.call_later(_LOOK_SECONDS, self._look)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop watching."""
        if self._watch is not None:
            self._watch.cancel()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """A request begins to arrive: from now on it is awaited."""
        super().on_message_begin()
        self._owes()

    def on_message_complete(self) -> None:
        """The request is here."""
        super().on_message_complete()
        self._since = None

    def pause_writing(self) -> None:
        """The client does not take what was sent."""
        super().pause_writing()
        self._owes()

    def resume_writing(self) -> None:
        """The client took it."""
        super().resume_writing()
        self._since = None

    def _owes(self) -> None:
        self._since = self.loop.time()

    def _look(self) -> None:
        since = self._since
        if since is not None and self.loop.time() - since > self.seconds:
            self.transport.abort()
            return
        self._watch = self.loop.call_later(_LOOK_SECONDS, self._look)
