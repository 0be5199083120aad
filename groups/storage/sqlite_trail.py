"""The audit trail of a chain in a SQLite file. Groups, catalogue and audit log each have chains."""

from collections.abc import Callable, Iterator, Mapping
from sqlite3 import Connection

from groups.chain import ChainEntry, ChainExtent, ChainHead, Damage, Trail
from groups.storage.sqlite_database import Database

_CHUNK = 200


class SqliteTrail(Trail[ChainEntry]):
    """Implements groups.chain.Trail, which documents the methods.

    Args: extent = a query and its values, for one row: the last revision and its digest (NULL if there
        is none), and the number of entries. read = returns the entries or damage, by revision, from
        one revision to another. expected = computes the digest that an entry must have, from the
        digest of the previous entry.
    """

    def __init__(
        self,
        database: Database,
        extent: tuple[str, Mapping[str, str]],
        read: Callable[[Connection, int, int], Mapping[int, ChainEntry | Damage]],
        expected: Callable[[str, ChainEntry], str],
    ) -> None:
        self._database, self._extent = database, extent
        self._read, self._expected = read, expected

    def kept(self) -> ChainExtent:
        with self._database.read() as connection:
            revision, chain, entries = connection.execute(*self._extent).fetchone()
        head = ChainHead(revision, chain) if isinstance(revision, int) else ChainHead()
        return ChainExtent(head, entries)

    def entries(self, first: int, last: int) -> Iterator[ChainEntry | Damage]:
        for begin in range(first, last + 1, _CHUNK):
            end = min(begin + _CHUNK - 1, last)
            with self._database.read() as connection:
                kept = self._read(connection, begin, end)
            for revision in range(begin, end + 1):
                yield kept.get(revision, "missing")

    def expected(self, before: str, entry: ChainEntry) -> str:
        return self._expected(before, entry)
