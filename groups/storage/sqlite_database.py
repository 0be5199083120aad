"""A SQLite file that several stores share, each with its own tables.

It uses a write-ahead log and synchronous=FULL, so a write that returned survives a machine crash.
Many threads and processes may use one file; readers never wait for the writer.
"""

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from groups.errors import NewerDatabase
from groups.storage import sqlite_file
from groups.storage.sqlite_file import translated
from groups.storage.sqlite_watch import ChangeWatch, OpenFile


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaPart:
    """The tables of one store. Migrations are SQL scripts; never change one, only append new ones.

    slot: 0 to 3, the byte of user_version in which the number of migrations done (up to 255) is stored.
    """

    name: str
    slot: int
    migrations: tuple[str, ...]


def utc_now() -> datetime:
    """Return the present time, UTC-aware."""
    return datetime.now(UTC)


class Database:
    """An open SQLite file. Any thread may use it; each transaction has its own connection.

    Args: clock = returns seconds since the epoch, for the times of writes; monotonic = returns
        seconds, and decides when to check for writes of other processes.
    """

    def __init__(
        self,
        path: Path,
        *,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Open or create the file. Raises: StoreUnavailable, NotOurDatabase (file unchanged)."""
        self.path = path.absolute()
        self.seconds = clock
        self._idle: list[sqlite3.Connection] = []
        self._current = threading.local()
        self._idle.append(sqlite_file.opened(self.path))
        self._file = OpenFile(self.path)
        self._watch = ChangeWatch(self._file, monotonic, clock)
        self.change_token, self.catch_up = self._watch.change_token, self._watch.catch_up
        self.last_look = self._watch.last_look

    def clock(self) -> datetime:
        """Return the present time, UTC-aware; writes get it as their time."""
        return datetime.fromtimestamp(self.seconds(), UTC)

    def migrate(self, part: SchemaPart) -> None:
        """Create or update a part's tables in one step. Raises: NewerDatabase, StoreUnavailable."""
        with self.read() as connection:
            if self._version(connection, part) == len(part.migrations):
                return
        with self.write() as connection:
            version = self._version(connection, part)  # another process may have migrated meanwhile
            for script in part.migrations[version:]:
                for statement in sqlite_file.statements(script):
                    connection.execute(statement)
            sqlite_file.set_version_byte(connection, part.slot, len(part.migrations))

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """Yield a consistent snapshot, or the open transaction. Raises: StoreUnavailable."""
        present = getattr(self._current, "connection", None)
        if present is not None:
            yield present
            return
        with self._transaction("BEGIN") as connection:
            yield connection

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Run one query, and return all its rows. Raises: as `read`."""
        with self.read() as connection:
            return connection.execute(query, values).fetchall()

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """Yield a connection. Save all its changes at the end of the block, or none if it raises.

        After the block, the changes are on disk. Writers wait for each other.
        Raises: StoreFull, StoreUnavailable (also if another writer holds the lock for over 5 s).
        """
        if getattr(self._current, "connection", None) is not None:
            raise RuntimeError("a write cannot begin inside another transaction of the same thread")
        try:
            with self._transaction("BEGIN IMMEDIATE") as connection:
                yield connection
        finally:
            self.note_write()  # also after an error, because a failed commit may have been saved

    def note_write(self) -> None:
        """Change the next change token. Code that writes without `write` must call this."""
        self._watch.note_write()

    def wipe(self) -> None:
        """Rewrite the file and empty the write-ahead log, so that neither contains deleted data.

        secure_delete overwrites deleted rows, but not old copies of rows that SQLite moved to another
        page. If a reader still uses an older snapshot, only a later write empties the log.
        """
        with translated(self.path):
            connection = self._acquired()
            try:
                connection.execute("VACUUM")
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            finally:
                self._release(connection)

    def close(self) -> None:
        """Close all connections, those in use after their transaction. May be called twice."""
        self._file.is_closed = True
        self._watch.close()
        while self._idle:
            self._idle.pop().close()

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[sqlite3.Connection]:
        with translated(self.path):
            connection = self._acquired()
            self._current.connection = connection
            try:
                connection.execute(begin)
                yield connection
                connection.execute("COMMIT")
            finally:
                self._current.connection = None
                self._release(connection)

    def _acquired(self) -> sqlite3.Connection:
        self._file.check()
        try:
            return self._idle.pop()
        except IndexError:
            return sqlite_file.connected(self.path)

    def _release(self, connection: sqlite3.Connection) -> None:
        try:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
        except sqlite3.Error:
            connection.close()
            raise
        self._idle.append(connection)
        if self._file.is_closed:
            self.close()

    def _version(self, connection: sqlite3.Connection, part: SchemaPart) -> int:
        version, known = sqlite_file.version_byte(connection, part.slot), len(part.migrations)
        if version > known:
            raise NewerDatabase(self.path, version, known)
        return version
