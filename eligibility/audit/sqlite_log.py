"""AuditLog in the SQLite file that also has the groups."""

from collections.abc import Callable, Mapping, Sequence
from sqlite3 import Connection

import msgspec

from eligibility.audit.log import AuditLog, LogEntry, link, next_entry
from groups.chain import UNREADABLE, ChainDigester, ChainHead, Damage
from groups.errors import NotEmpty
from groups.moments import from_us, to_us
from groups.storage.sqlite_database import Database, SchemaPart
from groups.storage.sqlite_trail import SqliteTrail

AUDIT_PART = SchemaPart(
    name="audit",
    slot=3,
    migrations=(
        """
        CREATE TABLE audit_entry (
            revision INTEGER PRIMARY KEY, kind TEXT NOT NULL, who TEXT NOT NULL,
            what TEXT NOT NULL, at_us INTEGER NOT NULL, chain BLOB NOT NULL
        );
        CREATE TABLE audit_head (
            only INTEGER PRIMARY KEY CHECK (only = 1), revision INTEGER NOT NULL,
            at_us INTEGER NOT NULL, chain BLOB NOT NULL
        );
        """,
    ),
)

_what = msgspec.json.Decoder(dict[str, str]).decode
_EXTENT = (
    "SELECT revision, lower(hex(chain)), (SELECT count(*) FROM audit_entry)"
    " FROM (SELECT 1) LEFT JOIN audit_head ON only = 1"
)
_ENTRIES = (
    "SELECT revision, kind, who, what, at_us, lower(hex(chain)) FROM audit_entry"
    " WHERE revision BETWEEN ? AND ? ORDER BY revision"
)


class SqliteAuditLog(SqliteTrail[LogEntry], AuditLog):
    """Implements AuditLog, which documents the methods."""

    def __init__(self, database: Database, digester: Callable[[], ChainDigester]) -> None:
        """Args: database = open; digester = returns the digester of the deployment's audit trail."""
        self._database, self._digester = database, digester
        super().__init__(
            database,
            (_EXTENT, {}),
            _read,
            lambda before, entry: link(digester(), before, entry),
        )
        database.migrate(AUDIT_PART)

    def append(self, kind: str, who: str, what: Mapping[str, str]) -> LogEntry:
        digester = self._digester()
        with self._database.write() as connection:
            last = connection.execute(
                "SELECT revision, at_us, lower(hex(chain)) FROM audit_head"
            ).fetchone()
            revision, last_us, chain = last or (0, 0, "")
            at, before = max(self._database.clock(), from_us(last_us)), ChainHead(revision, chain)
            entry = next_entry(digester, before, at, kind=kind, who=who, what=what)
            _save(connection.execute, entry)
        return entry

    def record(self, entries: Sequence[LogEntry]) -> None:
        with self._database.write() as connection:
            for entry in entries:
                row = connection.execute("SELECT revision FROM audit_head").fetchone()
                present = 0 if row is None else row[0]
                NotEmpty.unless_next("the log", present, entry.revision)
                _save(connection.execute, entry)


def _read(connection: Connection, first: int, last: int) -> dict[int, LogEntry | Damage]:
    rows = connection.execute(_ENTRIES, (first, last))
    return {row[0]: _entry(row) for row in rows}


def _save(execute: Callable[..., object], entry: LogEntry) -> None:
    chain, at_us = bytes.fromhex(entry.chain), to_us(entry.at)
    what = msgspec.json.encode(entry.what, order="sorted").decode()
    execute(
        "INSERT INTO audit_entry VALUES (?, ?, ?, ?, ?, ?)",
        (entry.revision, entry.kind, entry.who, what, at_us, chain),
    )
    execute("INSERT OR REPLACE INTO audit_head VALUES (1, ?, ?, ?)", (entry.revision, at_us, chain))


def _entry(row: tuple[int, str, str, str, int, str]) -> LogEntry | Damage:
    revision, kind, who, what, at_us, chain = row
    try:
        return LogEntry(
            revision=revision, kind=kind, who=who, what=_what(what), at=from_us(at_us), chain=chain
        )
    except UNREADABLE:
        return "unreadable"
