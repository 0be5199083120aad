"""ActivityStore in its own SQLite file, in the same directory as the file with the groups.

Evaluators watch the file with the groups, and would check their products again after each write of
activity to it. Losing the activity file does no harm.
"""

import threading
from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from sqlite3 import Connection
from typing import Any

import msgspec

from eligibility.activity.model import (
    DAY,
    HOUR,
    Batch,
    CountKey,
    DecisionCount,
    LastAnswer,
    RecentDecision,
)
from eligibility.activity.store import FORGOTTEN_FOR, MINUTES_KEPT, SEEN_KEPT, ActivityStore
from groups.moments import from_us
from groups.storage.sqlite_database import Database, SchemaPart

_COUNTS = """
    CREATE TABLE {} (
        publisher TEXT NOT NULL, at INTEGER NOT NULL, product_id TEXT NOT NULL,
        kind TEXT NOT NULL, flight_id TEXT NOT NULL, reason TEXT NOT NULL,
        decisions INTEGER NOT NULL,
        PRIMARY KEY (publisher, at, product_id, kind, flight_id, reason)
    ) WITHOUT ROWID;
"""
ACTIVITY_PART = SchemaPart(
    name="activity",
    slot=0,
    migrations=(
        _COUNTS.format("count_by_minute")
        + _COUNTS.format("count_by_hour")
        + """
        CREATE TABLE last_answer (
            publisher TEXT NOT NULL, product_id TEXT NOT NULL, digest BLOB NOT NULL,
            at REAL NOT NULL, body BLOB NOT NULL,
            PRIMARY KEY (publisher, product_id, digest)
        ) WITHOUT ROWID;
        CREATE TABLE seen (
            number INTEGER PRIMARY KEY, publisher TEXT NOT NULL, at REAL NOT NULL,
            digest BLOB, body BLOB NOT NULL
        );
        CREATE INDEX seen_of ON seen (publisher, number);
        CREATE TABLE forgotten (
            publisher TEXT NOT NULL, digest BLOB NOT NULL, at REAL NOT NULL,
            PRIMARY KEY (publisher, digest)
        ) WITHOUT ROWID;
        """,
    ),
)

_TABLES = (("count_by_minute", 1), ("count_by_hour", HOUR))
_EVERY_TABLE = ("count_by_minute", "count_by_hour", "last_answer", "seen", "forgotten")
_COUNT = (
    "INSERT INTO {} VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE"
    " SET decisions = decisions + excluded.decisions"
)
_COUNTED = (
    "SELECT at, product_id, kind, flight_id, reason, decisions FROM {}"
    " WHERE publisher = ? AND at >= ? AND at < ? ORDER BY at, product_id, kind, flight_id, reason"
)
_LAST = (
    "INSERT INTO last_answer VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE"
    " SET at = excluded.at, body = excluded.body WHERE excluded.at >= at"
)
_TRIM = (
    "DELETE FROM seen WHERE publisher = ? AND number <="
    " (SELECT number FROM seen WHERE publisher = ? ORDER BY number DESC LIMIT 1 OFFSET ?)"
)
_pack = msgspec.msgpack.Encoder().encode
_last = msgspec.msgpack.Decoder(LastAnswer).decode
_seen = msgspec.msgpack.Decoder(RecentDecision).decode


def path_beside(path: Path) -> Path:
    """Return the path of the activity file for a store file: `store.db` -> `store-activity.db`."""
    return path.with_name(f"{path.stem}-activity{path.suffix}")


class SqliteActivityStore(ActivityStore):
    """Implements ActivityStore, which documents the methods. The first `add` creates the file."""

    def __init__(self, path: Path, clock: Callable[[], float]) -> None:
        self._path, self._clock = path, clock
        self._database: Database | None = None
        self._opening = threading.Lock()

    def add(self, publisher: str, batch: Batch) -> None:
        with self._opened().write() as connection:
            for table, width in _TABLES:
                rows = [
                    (publisher, at - at % width, *key, decisions)
                    for (at, key), decisions in batch.counts.items()
                ]
                connection.executemany(_COUNT.format(table), rows)
            self._note(connection, publisher, batch, self._forgotten(connection, publisher))

    def counts(
        self, publisher: str, since: datetime, until: datetime, *, by_minute: bool
    ) -> list[DecisionCount]:
        table = _TABLES[0 if by_minute else 1][0]
        rows = self._rows(_COUNTED.format(table), publisher, since.timestamp(), until.timestamp())
        return [
            DecisionCount(from_us(row[0] * 1_000_000), CountKey(*row[1:5]), row[5]) for row in rows
        ]

    def last_answers(self, publisher: str, product_id: str) -> Mapping[int, LastAnswer]:
        query = "SELECT digest, body FROM last_answer WHERE publisher = ? AND product_id = ?"
        rows = self._rows(query, publisher, product_id)
        return {int.from_bytes(digest, "big"): _last(body) for digest, body in rows}

    def seen(self, publisher: str, since: float) -> list[RecentDecision]:
        query = "SELECT body FROM seen WHERE publisher = ? AND at > ? ORDER BY number"
        return [_seen(body) for (body,) in self._rows(query, publisher, since)]

    def forget(self, publisher: str, digest: int) -> None:
        if not self._path.exists():
            return
        who, gone = (publisher, _key(digest)), 0
        with self._opened().write() as connection:
            for table in ("last_answer", "seen"):
                query = f"DELETE FROM {table} WHERE publisher = ? AND digest = ?"  # noqa: S608
                gone += connection.execute(query, who).rowcount
            connection.execute(
                "INSERT OR REPLACE INTO forgotten VALUES (?, ?, ?)",
                (*who, self._clock()),
            )
        if gone:
            self._opened().wipe()

    def prune(self, publisher: str, keep: timedelta, now: datetime) -> None:
        if not self._path.exists():
            return
        oldest = (now - keep).timestamp()
        minute = max(oldest, (now - MINUTES_KEPT).timestamp())
        with self._opened().write() as connection:
            for table, before in (
                ("count_by_minute", minute - minute % HOUR),
                ("count_by_hour", oldest - oldest % DAY),
                ("last_answer", oldest),
                ("seen", oldest),
                ("forgotten", (now - FORGOTTEN_FOR).timestamp()),
            ):
                connection.execute(
                    f"DELETE FROM {table} WHERE publisher = ? AND at < ?",  # noqa: S608
                    (publisher, before),
                )

    def clear(self, publisher: str) -> None:
        if not self._path.exists():
            return
        with self._opened().write() as connection:
            for table in _EVERY_TABLE:
                connection.execute(f"DELETE FROM {table} WHERE publisher = ?", (publisher,))  # noqa: S608

    def publishers(self) -> tuple[str, ...]:
        rows = self._rows(
            "SELECT publisher FROM count_by_minute UNION SELECT publisher FROM count_by_hour"
            " UNION SELECT publisher FROM last_answer UNION SELECT publisher FROM seen ORDER BY 1"
        )
        return tuple(publisher for (publisher,) in rows)

    def close(self) -> None:
        """Close the file if it is open."""
        if self._database is not None:
            self._database.close()

    def _note(
        self, connection: Connection, publisher: str, batch: Batch, gone: Collection[bytes]
    ) -> None:
        """Save last answers and latest decisions. Args: gone = digests of forgotten people to skip."""
        last = [
            (publisher, product_id, _key(digest), answer.at, _pack(answer))
            for (product_id, digest), answer in batch.last.items()
        ]
        seen = [
            (
                publisher,
                decision.answer.at,
                None if decision.digest is None else _key(decision.digest),
                _pack(decision),
            )
            for decision in batch.seen
        ]
        connection.executemany(_LAST, [row for row in last if row[2] not in gone])
        connection.executemany(
            "INSERT INTO seen (publisher, at, digest, body) VALUES (?, ?, ?, ?)",
            [row for row in seen if row[2] not in gone],
        )
        if seen:
            connection.execute(_TRIM, (publisher, publisher, SEEN_KEPT))

    def _forgotten(self, connection: Connection, publisher: str) -> set[bytes]:
        since = self._clock() - FORGOTTEN_FOR.total_seconds()
        query = "SELECT digest FROM forgotten WHERE publisher = ? AND at > ?"
        return {digest for (digest,) in connection.execute(query, (publisher, since))}

    def _rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        return self._opened().rows(query, *values) if self._path.exists() else []

    def _opened(self) -> Database:
        with self._opening:
            if self._database is None:
                database = Database(self._path, clock=self._clock)
                database.migrate(ACTIVITY_PART)
                self._database = database
            return self._database


def _key(digest: int) -> bytes:
    return digest.to_bytes(8, "big")
