"""Tells whether anything in a SQLite file may have changed, cheaply enough for every query."""

import threading
from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from groups.errors import StoreUnavailable

POLL_INTERVAL_S = 0.002


class VersionReader(Protocol):
    """Reads a number that differs after another connection committed."""

    def read(self) -> int:
        """Give the number. Raises: StoreUnavailable."""

    def close(self) -> None:
        """Let go of the file."""


class ChangeWatch:
    """Keeps a token that differs after every write: at once for ours, within 2 ms for other processes.

    Between two looks at the file, the token costs one reading of the clock.
    """

    __slots__ = (
        "_clock",
        "_lock",
        "_looked_at",
        "_monotonic",
        "_next_look",
        "_seen",
        "_token",
        "_version",
    )

    def __init__(
        self,
        version: VersionReader,
        monotonic: Callable[[], float],
        clock: Callable[[], datetime],
    ) -> None:
        self._version, self._monotonic, self._clock = version, monotonic, clock
        self._lock = threading.Lock()
        self._token = 0
        self._looked_at = clock()
        self._seen = version.read()
        self._next_look = monotonic() + POLL_INTERVAL_S

    def change_token(self) -> int:
        """Give a number that differs from earlier ones if anything may have changed since.

        Raises: StoreUnavailable, at each call for as long as the file cannot be looked at.
        """
        if self._monotonic() < self._next_look:
            return self._token
        return self._looked()

    def last_look(self) -> tuple[int, datetime]:
        """Give the last token, and the moment of the look behind it; does not look again."""
        with self._lock:
            return self._token, self._looked_at

    def catch_up(self) -> None:
        """Look at the file now, however recent the last look is. Raises: StoreUnavailable."""
        with self._lock:
            self._look()

    def note_write(self) -> None:
        """Make the next token differ. Raises nothing, because the write is saved already."""
        with self._lock:
            self._token += 1
            try:  # so that the next look ignores our own commit
                self._seen = self._version.read()
            except StoreUnavailable:
                self._next_look = 0.0

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._next_look = 0.0
            self._version.close()

    def _looked(self) -> int:
        if not self._lock.acquire(blocking=False):
            return self._token  # another thread is looking just now
        try:
            self._look()
            return self._token
        finally:
            self._lock.release()

    def _look(self) -> None:
        now, looked_at = self._monotonic(), self._clock()
        seen = self._version.read()
        self._looked_at = looked_at
        if seen != self._seen:
            self._seen = seen
            self._token += 1
        self._next_look = now + POLL_INTERVAL_S
