"""A SQLite file that several parts of the program share, each with its own tables.

Write-ahead log and synchronous=FULL: an acknowledged write survives a crash of the machine.
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

from groups.errors import NewerDatabase
from groups.storage import sqlite_file
from groups.storage.sqlite_file import translated
from groups.storage.sqlite_watch import ChangeWatch, OpenFile


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaPart:
    """Tables that belong together. Migrations are SQL scripts; new ones are only ever appended.

    slot: 0 to 3, the byte of the file's user_version that counts the migrations applied (up to 255).
    """

    name: str
    slot: int
    migrations: tuple[str, ...]


def utc_now() -> datetime:
    """Return the present moment, UTC-aware."""
    return datetime.now(UTC)


class Database:
    """An open SQLite file. Every thread may use it; each transaction has a connection to itself.

    clock: seconds since the epoch; writes are stamped with them. monotonic: seconds, paces the look for writes
    of other processes.
    """

    def __init__(
        self,
        path: Path,
        *,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Open the file; create it, and its directory, if they are missing.

        Raises: StoreUnavailable, NotOurDatabase (the file is then left as it was).
        """
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
        """Give the present moment, UTC-aware; writes are stamped with it."""
        return datetime.fromtimestamp(self.seconds(), UTC)

    def migrate(self, part: SchemaPart) -> None:
        """Bring a part's tables to its newest layout, in one transaction, if they are not there yet.

        Raises: NewerDatabase when a later program did so before; StoreUnavailable.
        """
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
        """Yield a connection that sees one consistent snapshot; inside a transaction, its connection.

        Raises: StoreUnavailable in place of any sqlite3.Error.
        """
        present = getattr(self._current, "connection", None)
        if present is not None:
            yield present
            return
        with self._transaction("BEGIN") as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """Yield a connection whose changes are all saved at the end, or none if the block raises.

        When the block has ended without error, the changes are on disk. Writers wait for each other.
        Raises: StoreFull, StoreUnavailable (also when another holds the write lock for over 5 s).
        """
        if getattr(self._current, "connection", None) is not None:
            raise RuntimeError("a write cannot begin inside another transaction of the same thread")
        try:
            with self._transaction("BEGIN IMMEDIATE") as connection:
                yield connection
        finally:
            self.note_write()  # after an error too: a failed commit may still have been saved

    def note_write(self) -> None:
        """Make the next change token differ. Code that writes without `write` has to call this."""
        self._watch.note_write()

    def wipe(self) -> None:
        """Rewrite the file and empty the write-ahead log, so that no deleted data stays in them.

        secure_delete overwrites deleted rows, but not the copies that stay in the unused part of a page
        when rows move to another page. While a reader uses an older snapshot, the log is emptied only
        by a later write.
        """
        with translated(self.path):
            connection = self._taken()
            try:
                connection.execute("VACUUM")
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            finally:
                self._given_back(connection)

    def close(self) -> None:
        """Close all connections; one in use closes when its transaction ends. May be called twice."""
        self._file.is_closed = True
        self._watch.close()
        while self._idle:
            self._idle.pop().close()

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[sqlite3.Connection]:
        with translated(self.path):
            connection = self._taken()
            self._current.connection = connection
            try:
                connection.execute(begin)
                yield connection
                connection.execute("COMMIT")
            finally:
                self._current.connection = None
                self._given_back(connection)

    def _taken(self) -> sqlite3.Connection:
        self._file.check()
        try:
            return self._idle.pop()
        except IndexError:
            return sqlite_file.connected(self.path)

    def _given_back(self, connection: sqlite3.Connection) -> None:
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
