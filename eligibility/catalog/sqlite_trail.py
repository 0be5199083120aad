"""The audit trail of a publisher's catalogue in a SQLite file, and how a version is read."""

from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import groupby
from operator import itemgetter

from eligibility.catalog.chain import link
from eligibility.catalog.model import Product
from eligibility.catalog.store import CatalogWrite, ProductVersion
from groups.chain import UNREADABLE, ChainDigester, ChainExtent, ChainHead, Damage
from groups.storage.sqlite_database import Database

VERSIONS = "SELECT publisher, product_id, revision, at, actor, body, lower(hex(chain)) FROM product_version"
"""What `version_of` reads, before a condition."""

TrailRow = tuple[str, str, int, str, str, str | None, str]

_AT_ONCE = 100
_KEPT = (
    "SELECT revision, lower(hex(chain)),"
    " (SELECT count(DISTINCT revision) FROM product_version WHERE publisher = :publisher)"
    " FROM (SELECT 1) LEFT JOIN catalog_revision ON publisher = :publisher"
)
_PUBLISHERS = (
    "SELECT publisher FROM catalog_revision UNION SELECT publisher FROM product_version"
    " ORDER BY publisher"
)


class SqliteCatalogTrail:
    """See groups.chain.Trail for what the methods promise."""

    def __init__(
        self, database: Database, publisher: str, digester: Callable[[], ChainDigester]
    ) -> None:
        self._database, self._publisher, self._digester = database, publisher, digester

    def kept(self) -> ChainExtent:
        """See Trail."""
        with self._database.read() as connection:
            asked = {"publisher": self._publisher}
            revision, chain, entries = connection.execute(_KEPT, asked).fetchone()
        head = ChainHead(revision, chain) if isinstance(revision, int) else ChainHead()
        return ChainExtent(head, entries)

    def entries(self, first: int, last: int) -> Iterator[CatalogWrite | Damage]:
        """See Trail."""
        for begin in range(first, last + 1, _AT_ONCE):
            end = min(begin + _AT_ONCE - 1, last)
            found = self._between(begin, end)
            for revision in range(begin, end + 1):
                yield found.get(revision, "missing")

    def _between(self, first: int, last: int) -> dict[int, CatalogWrite | Damage]:
        with self._database.read() as connection:
            rows = connection.execute(
                VERSIONS + " WHERE publisher = ? AND revision BETWEEN ? AND ?"
                " ORDER BY revision, product_id",
                (self._publisher, first, last),
            ).fetchall()
        found: dict[int, CatalogWrite | Damage] = {}
        for revision, together in groupby(rows, itemgetter(2)):
            try:
                found[revision] = CatalogWrite(versions=tuple(map(version_of, together)))
            except UNREADABLE:
                found[revision] = "unreadable"
        return found

    def expected(self, before: str, entry: CatalogWrite) -> str:
        """See Trail."""
        return link(self._digester(), before, entry.versions)


def publishers(database: Database) -> tuple[str, ...]:
    """Every publisher of which a write or the last revision is kept, in order."""
    with database.read() as connection:
        return tuple(row[0] for row in connection.execute(_PUBLISHERS))


def version_of(row: TrailRow) -> ProductVersion:
    """Give a version as it is kept."""
    publisher, product_id, revision, at, actor, body, chain = row
    return ProductVersion(
        publisher=publisher,
        product_id=product_id,
        revision=revision,
        at=datetime.fromisoformat(at),
        actor=actor,
        product=None if body is None else Product.model_validate_json(body),
        chain=chain,
    )
