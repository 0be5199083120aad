"""ActivityStore in an SQLite file of its own, beside the one with the groups.

Of its own, for every evaluator looks whether the other one was written to, and would look again at
all it holds; and because losing it does no harm.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path

import msgspec

from eligibility.activity.model import HOUR, Batch, Count, CountKey, LastAnswer, Seen
from eligibility.activity.store import MINUTES_KEPT, SEEN_KEPT
from groups.moments import from_us
from groups.sqlite import Database, Part

ACTIVITY_PART = Part(
    name="activity",
    slot=0,
    migrations=(
        """
        CREATE TABLE count_by_minute (
            publisher TEXT NOT NULL, at INTEGER NOT NULL, product_id TEXT NOT NULL,
            kind TEXT NOT NULL, flight_id TEXT NOT NULL, reason TEXT NOT NULL,
            decisions INTEGER NOT NULL,
            PRIMARY KEY (publisher, at, product_id, kind, flight_id, reason)
        ) WITHOUT ROWID;
        CREATE TABLE count_by_hour (
            publisher TEXT NOT NULL, at INTEGER NOT NULL, product_id TEXT NOT NULL,
            kind TEXT NOT NULL, flight_id TEXT NOT NULL, reason TEXT NOT NULL,
            decisions INTEGER NOT NULL,
            PRIMARY KEY (publisher, at, product_id, kind, flight_id, reason)
        ) WITHOUT ROWID;
        CREATE TABLE last_answer (
            publisher TEXT NOT NULL, product_id TEXT NOT NULL, digest BLOB NOT NULL,
            at REAL NOT NULL, body BLOB NOT NULL,
            PRIMARY KEY (publisher, product_id, digest)
        ) WITHOUT ROWID;
        CREATE INDEX last_answer_of ON last_answer (publisher, digest);
        CREATE TABLE seen (
            number INTEGER PRIMARY KEY, publisher TEXT NOT NULL, at REAL NOT NULL,
            digest BLOB, body BLOB NOT NULL
        );
        CREATE INDEX seen_of ON seen (publisher, number);
        """,
    ),
)

_TABLES = (("count_by_minute", 1), ("count_by_hour", HOUR))
_COUNT = (
    "INSERT INTO {} VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE"
    " SET decisions = decisions + excluded.decisions"
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
_seen = msgspec.msgpack.Decoder(Seen).decode


def path_beside(path: Path) -> Path:
    """Where the activity of a store's file is kept: `store.db` -> `store-activity.db`."""
    return path.with_name(f"{path.stem}-activity{path.suffix}")


class SqliteActivityStore:
    """See ActivityStore for what the methods promise. The file is made when it is first needed."""

    def __init__(self, path: Path, clock: Callable[[], datetime]) -> None:
        self._path, self._clock = path, clock

    def add(self, publisher: str, batch: Batch) -> None:
        """See ActivityStore."""
        last = [
            (publisher, product_id, _key(digest), answer.at, _pack(answer))
            for (product_id, digest), answer in batch.last.items()
        ]
        seen = [
            (publisher, one.answer.at, None if one.digest is None else _key(one.digest), _pack(one))
            for one in batch.seen
        ]
        with self._database.write() as connection:
            for table, width in _TABLES:
                rows = [
                    (publisher, at - at % width, *key, decisions)
                    for (at, key), decisions in batch.counts.items()
                ]
                connection.executemany(_COUNT.format(table), rows)
            connection.executemany(_LAST, last)
            connection.executemany(
                "INSERT INTO seen (publisher, at, digest, body) VALUES (?, ?, ?, ?)", seen
            )
            if seen:
                connection.execute(_TRIM, (publisher, publisher, SEEN_KEPT))

    def counts(
        self, publisher: str, since: datetime, until: datetime, *, by_minute: bool
    ) -> list[Count]:
        """See ActivityStore."""
        table = _TABLES[0 if by_minute else 1][0]
        asked = (publisher, since.timestamp(), until.timestamp())
        with self._database.read() as connection:
            rows = connection.execute(
                f"SELECT at, product_id, kind, flight_id, reason, decisions FROM {table}"  # noqa: S608
                " WHERE publisher = ? AND at >= ? AND at < ? ORDER BY at",
                asked,
            ).fetchall()
        return [Count(from_us(row[0] * 1_000_000), CountKey(*row[1:5]), row[5]) for row in rows]

    def last_answers(self, publisher: str, product_id: str) -> Mapping[int, LastAnswer]:
        """See ActivityStore."""
        with self._database.read() as connection:
            rows = connection.execute(
                "SELECT digest, body FROM last_answer WHERE publisher = ? AND product_id = ?",
                (publisher, product_id),
            ).fetchall()
        return {int.from_bytes(digest, "big"): _last(body) for digest, body in rows}

    def seen(self, publisher: str, since: float) -> list[Seen]:
        """See ActivityStore."""
        with self._database.read() as connection:
            rows = connection.execute(
                "SELECT body FROM seen WHERE publisher = ? AND at > ? ORDER BY number",
                (publisher, since),
            ).fetchall()
        return [_seen(row[0]) for row in rows]

    def forget(self, publisher: str, digest: int) -> None:
        """See ActivityStore."""
        with self._database.write() as connection:
            for table in ("last_answer", "seen"):
                connection.execute(
                    f"DELETE FROM {table} WHERE publisher = ? AND digest = ?",  # noqa: S608
                    (publisher, _key(digest)),
                )

    def prune(self, publisher: str, keep: timedelta, now: datetime) -> None:
        """See ActivityStore."""
        oldest, oldest_minute = (now - keep).timestamp(), (now - MINUTES_KEPT).timestamp()
        with self._database.write() as connection:
            for table, before in (
                ("count_by_minute", max(oldest, oldest_minute)),
                ("count_by_hour", oldest),
                ("last_answer", oldest),
                ("seen", oldest),
            ):
                connection.execute(
                    f"DELETE FROM {table} WHERE publisher = ? AND at < ?",  # noqa: S608
                    (publisher, before),
                )

    def publishers(self) -> tuple[str, ...]:
        """See ActivityStore."""
        with self._database.read() as connection:
            rows = connection.execute(
                "SELECT publisher FROM count_by_hour UNION SELECT publisher FROM last_answer"
                " UNION SELECT publisher FROM seen ORDER BY publisher"
            ).fetchall()
        return tuple(row[0] for row in rows)

    def close(self) -> None:
        """Let go of the file."""
        if "_database" in self.__dict__:
            self._database.close()

    @cached_property
    def _database(self) -> Database:
        database = Database(self._path, clock=self._clock)
        database.migrate(ACTIVITY_PART)
        return database


def _key(digest: int) -> bytes:
    return digest.to_bytes(8, "big")
