"""Detects whether a SQLite file may have changed, fast enough to check in every query."""

import os
import sqlite3
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from groups.errors import StoreUnavailable
from groups.storage.sqlite_file import LOOK_WAIT_S, connected, translated

POLL_INTERVAL_S = 0.002


class OpenFile:
    """Checks that a file is still open and that its path still leads to the same file."""

    def __init__(self, path: Path) -> None:
        self.path, self.is_closed = path, False
        self._identity = self._identified()

    def check(self) -> None:
        """Raise StoreUnavailable if the file was closed, or replaced so that writes would be lost."""
        if self.is_closed:
            raise StoreUnavailable(f"`{self.path}` was closed")
        if self._identified() != self._identity:
            raise StoreUnavailable(f"`{self.path}` was replaced while open: restart to use it")

    def _identified(self) -> tuple[int, int]:
        try:
            status = os.stat(self.path)
        except OSError as error:
            raise StoreUnavailable(f"`{self.path}` was removed: {error.strerror}") from error
        return status.st_dev, status.st_ino


class DataVersion:
    """Reads PRAGMA data_version on its own connection. A commit on any other connection changes it."""

    def __init__(self, file: OpenFile) -> None:
        self._file = file
        with translated(file.path):
            self._connection = connected(file.path, LOOK_WAIT_S)

    def read(self) -> int:
        """Read the present data_version. Raises: StoreUnavailable."""
        self._file.check()
        try:
            return int(self._connection.execute("PRAGMA data_version").fetchone()[0])
        except sqlite3.Error:
            with translated(self._file.path):
                raise

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


class ChangeWatch:
    """Keeps a token that changes after every write: ours at once, others' within 2 ms."""

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
        file: OpenFile,
        monotonic: Callable[[], float],
        clock: Callable[[], float],
    ) -> None:
        """Args: monotonic = decides when to check the file; clock = seconds since the epoch."""
        self._version, self._monotonic, self._clock = DataVersion(file), monotonic, clock
        self._lock = threading.Lock()
        self._token = 0
        self._looked_at = clock()
        self._seen = self._version.read()
        self._next_look = monotonic() + POLL_INTERVAL_S

    def change_token(self) -> int:
        """Return a number that changes with any write to the file. Raises: StoreUnavailable."""
        if self._monotonic() < self._next_look:
            return self._token
        return self._looked()

    def last_look(self) -> tuple[int, datetime]:
        """Return the last token and the time of its check, without checking the file again."""
        with self._lock:
            return self._token, datetime.fromtimestamp(self._looked_at, UTC)

    def catch_up(self) -> None:
        """Check the file now, even if the last check is recent. Raises: StoreUnavailable."""
        with self._lock:
            self._look()

    def note_write(self) -> None:
        """Change the next token. Never raises, because the write is already saved."""
        with self._lock:
            self._token += 1
            try:  # so that the next check does not count our own commit again
                self._seen = self._version.read()
            except StoreUnavailable:
                self._next_look = 0.0

    def close(self) -> None:
        """Close the connection; the next change_token raises StoreUnavailable."""
        with self._lock:
            self._next_look = 0.0
            self._version.close()

    def _looked(self) -> int:
        if not self._lock.acquire(blocking=False):
            return self._token  # another thread is checking the file now
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
