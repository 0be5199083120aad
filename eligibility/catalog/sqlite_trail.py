"""The audit trail of a publisher's catalogue in a SQLite file, and a reader for rows of versions."""

from collections.abc import Callable
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from sqlite3 import Connection

from eligibility.catalog.chain import link
from eligibility.catalog.model import Product
from eligibility.catalog.store import CatalogWrite, ProductVersion
from groups.chain import UNREADABLE, ChainDigester, Damage
from groups.storage.sqlite_database import Database
from groups.storage.sqlite_trail import SqliteTrail

VERSIONS = "SELECT publisher, product_id, revision, at, actor, body, lower(hex(chain)) FROM product_version"
"""Start of a query for rows that `version_of` reads; callers append a condition."""

TrailRow = tuple[str, str, int, str, str, str | None, str]

_EXTENT = (
    "SELECT revision, lower(hex(chain)),"
    " (SELECT count(DISTINCT revision) FROM product_version WHERE publisher = :publisher)"
    " FROM (SELECT 1) LEFT JOIN catalog_revision ON publisher = :publisher"
)
_PUBLISHERS = (
    "SELECT publisher FROM catalog_revision UNION SELECT publisher FROM product_version"
    " ORDER BY publisher"
)


def trail_of(
    database: Database, publisher: str, digester: Callable[[], ChainDigester]
) -> SqliteTrail[CatalogWrite]:
    """Return the audit trail of a publisher's catalogue. digester: returns the trail's digester."""

    def read(connection: Connection, first: int, last: int) -> dict[int, CatalogWrite | Damage]:
        rows = connection.execute(
            VERSIONS + " WHERE publisher = ? AND revision BETWEEN ? AND ?"
            " ORDER BY revision, product_id",
            (publisher, first, last),
        )
        kept: dict[int, CatalogWrite | Damage] = {}
        for revision, together in groupby(rows, itemgetter(2)):
            try:
                kept[revision] = CatalogWrite(versions=tuple(map(version_of, together)))
            except UNREADABLE:
                kept[revision] = "unreadable"
        return kept

    def expected(before: str, entry: CatalogWrite) -> str:
        return link(digester(), before, entry.versions)

    return SqliteTrail(database, (_EXTENT, {"publisher": publisher}), read, expected)


def publishers(database: Database) -> tuple[str, ...]:
    """List every publisher with a stored version or revision, sorted."""
    return tuple(row[0] for row in database.rows(_PUBLISHERS))


def version_of(row: TrailRow) -> ProductVersion:
    """Read a version from a row that VERSIONS selected."""
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
