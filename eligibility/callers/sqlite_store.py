"""KeyStore in the SQLite file that also has the groups."""

import sqlite3
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from eligibility.callers.errors import UnknownKey
from eligibility.callers.store import KeyStore, StoredKey
from eligibility.callers.stored_key import ended, oldest_first, packed, unpacked
from groups.model import storable
from groups.moments import to_us
from groups.storage.sqlite_database import Database, SchemaPart

KEYS_PART = SchemaPart(
    name="API keys",
    slot=2,
    migrations=(
        """
        CREATE TABLE api_key (
            key_id TEXT PRIMARY KEY, body TEXT NOT NULL, last_used_us INTEGER
        ) WITHOUT ROWID;
        CREATE TABLE api_key_revision (revision INTEGER NOT NULL);
        INSERT INTO api_key_revision VALUES (0);
        """,
    ),
)


class SqliteKeyStore(KeyStore):
    """Stores API keys as JSON, with the last use in a separate column. A write is one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database
        database.migrate(KEYS_PART)

    def revision(self) -> int:
        with self._database.read() as connection:
            return _revision(connection)

    def all(self) -> tuple[int, tuple[StoredKey, ...]]:
        with self._database.read() as connection:
            rows = connection.execute("SELECT body, last_used_us FROM api_key").fetchall()
            return _revision(connection), oldest_first(unpacked(*row) for row in rows)

    def get(self, key_id: str) -> StoredKey | None:
        with self._database.read() as connection:
            return _stored(connection, key_id)

    def add(self, key: StoredKey) -> None:
        with self._database.write() as connection:
            if _stored(connection, key.key_id) is None:
                _save(connection, key)

    def end(
        self, key_id: str, *, revoked_at: datetime | None = None, expires_at: datetime | None = None
    ) -> StoredKey:
        with self._database.write() as connection:
            present = _required(connection, key_id)
            after = ended(present, revoked_at=revoked_at, expires_at=expires_at)
            if after != present:
                _save(connection, after)
        return after

    def replace(self, key_id: str, new: StoredKey, *, expires_at: datetime) -> StoredKey:
        with self._database.write() as connection:
            present = _required(connection, key_id)
            after = replace(ended(present, expires_at=expires_at), replaced_by=new.key_id)
            _save(connection, after, new)
        return after

    def note_use(self, used: Mapping[str, datetime]) -> None:
        with self._database.write() as connection:
            connection.executemany(
                "UPDATE api_key SET last_used_us = max(coalesce(last_used_us, 0), ?)"
                " WHERE key_id = ?",
                [(to_us(at), storable(key_id)) for key_id, at in used.items()],
            )


def _revision(connection: sqlite3.Connection) -> int:
    return int(connection.execute("SELECT revision FROM api_key_revision").fetchone()[0])


def _stored(connection: sqlite3.Connection, key_id: str) -> StoredKey | None:
    row = connection.execute(
        "SELECT body, last_used_us FROM api_key WHERE key_id = ?", (storable(key_id),)
    ).fetchone()
    return None if row is None else unpacked(*row)


def _required(connection: sqlite3.Connection, key_id: str) -> StoredKey:
    key = _stored(connection, key_id)
    if key is None:
        raise UnknownKey(key_id)
    return key


def _save(connection: sqlite3.Connection, *keys: StoredKey) -> None:
    """Store changed or new keys, and increase the revision."""
    connection.executemany(
        "INSERT INTO api_key (key_id, body) VALUES (?, ?)"
        " ON CONFLICT (key_id) DO UPDATE SET body = excluded.body",
        [(key.key_id, packed(key).decode()) for key in keys],
    )
    connection.execute("UPDATE api_key_revision SET revision = revision + 1")
