"""Tells whether anything in a SQLite file may have changed, cheaply enough for every query."""

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
    """Checks that a path still names the file that was opened, and that the file is still open."""

    def __init__(self, path: Path) -> None:
        self.path, self.is_closed = path, False
        self._identity = self._identified()

    def check(self) -> None:
        """Raise StoreUnavailable for a file that was replaced at its path: nobody else would see the writes."""
        if self.is_closed:
            raise StoreUnavailable(f"`{self.path}` was closed")
        if self._identified() != self._identity:
            raise StoreUnavailable(f"`{self.path}` was replaced while open: restart to use it")

    def _identified(self) -> tuple[int, int]:
        try:
            status = os.stat(self.path)
        except OSError as error:
            raise StoreUnavailable(f"`{self.path}` was taken away: {error.strerror}") from error
        return status.st_dev, status.st_ino


class DataVersion:
    """Reads PRAGMA data_version on its own connection: it differs after any other one committed."""

    def __init__(self, file: OpenFile) -> None:
        self._file = file
        with translated(file.path):
            self._connection = connected(file.path, LOOK_WAIT_S)

    def read(self) -> int:
        """Give the present number. Raises: StoreUnavailable."""
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
        file: OpenFile,
        monotonic: Callable[[], float],
        clock: Callable[[], float],
    ) -> None:
        """Take a file; monotonic paces the looks, clock tells their moments: seconds since the epoch."""
        self._version, self._monotonic, self._clock = DataVersion(file), monotonic, clock
        self._lock = threading.Lock()
        self._token = 0
        self._looked_at = clock()
        self._seen = self._version.read()
        self._next_look = monotonic() + POLL_INTERVAL_S

    def change_token(self) -> int:
        """Return a number that differs from earlier ones if anything may have changed since.

        Raises: StoreUnavailable, at each call for as long as the file cannot be looked at.
        """
        if self._monotonic() < self._next_look:
            return self._token
        return self._looked()

    def last_look(self) -> tuple[int, datetime]:
        """Return the last token, and the moment of the look behind it; does not look again."""
        with self._lock:
            return self._token, datetime.fromtimestamp(self._looked_at, UTC)

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
