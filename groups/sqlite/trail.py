"""The audit trail of a publisher's groups in a SQLite file."""

from collections.abc import Callable, Iterator

from groups.chain import ChainDigester, ChainExtent, ChainHead, Damage
from groups.model import GroupChange
from groups.model import storable as text
from groups.sqlite import history as past
from groups.storage.sqlite_database import Database

_AT_ONCE = 200
_KEPT = (
    "SELECT revision, lower(hex(chain)), (SELECT count(*) FROM edit WHERE publisher = :publisher)"
    " FROM (SELECT 1) LEFT JOIN group_revision ON publisher = :publisher"
)


class SqliteTrail:
    """See Trail for what the methods promise."""

    def __init__(
        self, database: Database, publisher: str, digester: Callable[[], ChainDigester]
    ) -> None:
        self._database, self._publisher, self._digester = database, publisher, digester

    def kept(self) -> ChainExtent:
        """See Trail."""
        with self._database.read() as connection:
            asked = {"publisher": text(self._publisher)}
            revision, chain, entries = connection.execute(_KEPT, asked).fetchone()
        head = ChainHead(revision, chain) if isinstance(revision, int) else ChainHead()
        return ChainExtent(head, entries)

    def entries(self, first: int, last: int) -> Iterator[GroupChange | Damage]:
        """See Trail."""
        for begin in range(first, last + 1, _AT_ONCE):
            end = min(begin + _AT_ONCE - 1, last)
            with self._database.read() as connection:
                found = past.kept_between(connection, self._publisher, begin, end)
            for revision in range(begin, end + 1):
                yield found.get(revision, "missing") or "unreadable"

    def expected(self, before: str, entry: GroupChange) -> str:
        """See Trail."""
        return self._digester().of_recorded(before, entry)
