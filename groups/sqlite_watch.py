"""Whether anything in a SQLite file may have changed, cheap enough to ask on every query."""

import threading
from collections.abc import Callable
from typing import Protocol

from groups.errors import StoreUnavailable

POLL_INTERVAL_S = 0.002


class Version(Protocol):
    """Reads a number that differs after another connection committed."""

    def read(self) -> int:
        """Give the number. Raises: StoreUnavailable."""

    def close(self) -> None:
        """Let go of the file."""


class ChangeWatch:
    """A token that differs after every write: at once for ours, within 2 ms for other processes.

    Between two looks at the file, asking costs one reading of the clock.
    """

    __slots__ = ("_lock", "_monotonic", "_next_look", "_seen", "_token", "_version")

    def __init__(self, version: Version, monotonic: Callable[[], float]) -> None:
        self._version, self._monotonic = version, monotonic
        self._lock = threading.Lock()
        self._token = 0
        self._seen = version.read()
        self._next_look = monotonic() + POLL_INTERVAL_S

    def change_token(self) -> int:
        """Give a number that differs from earlier ones if anything may have changed since.

        Raises: StoreUnavailable, at each call for as long as the file cannot be looked at.
        """
        if self._monotonic() < self._next_look:
            return self._token
        return self._looked()

    def note_write(self) -> None:
        """Make the next token differ; raises nothing, as the write is saved whatever comes now."""
        with self._lock:
            self._token += 1
            try:  # our own commit is no news at the next look
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
            now = self._monotonic()
            seen = self._version.read()
            if seen != self._seen:
                self._seen = seen
                self._token += 1
            self._next_look = now + POLL_INTERVAL_S
            return self._token
        finally:
            self._lock.release()
