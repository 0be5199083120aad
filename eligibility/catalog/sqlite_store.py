"""CatalogStore in the SQLite file that also has the groups."""

import sqlite3
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime
from itertools import groupby
from operator import attrgetter

from eligibility.catalog import sqlite_trail
from eligibility.catalog.chain import link
from eligibility.catalog.errors import CatalogRevisionMismatch, ProductTaken
from eligibility.catalog.model import Product
from eligibility.catalog.sqlite_schema import CATALOG_PART
from eligibility.catalog.sqlite_trail import VERSIONS, version_of
from eligibility.catalog.store import (
    CatalogEntry,
    CatalogStore,
    CatalogWrite,
    ProductVersion,
    next_versions,
)
from eligibility.errors import UnknownProduct
from groups.chain import ChainDigester, Trail
from groups.errors import NotEmpty
from groups.model import Page, page_of, revision_before
from groups.storage.sqlite_database import Database


class SqliteCatalogStore(CatalogStore):
    """Stores every version of each product as JSON. A write is one transaction."""

    def __init__(self, database: Database, digester: Callable[[], ChainDigester]) -> None:
        """Args: database = open; digester = returns the digester of the deployment's audit trail."""
        self._database, self._digester = database, digester
        database.migrate(CATALOG_PART)

    def get(self, product_id: str) -> tuple[CatalogEntry, int] | None:
        rows = self._database.rows(
            "SELECT p.publisher, p.product_id, p.revision, p.updated_at, p.body, r.revision"
            " FROM product p JOIN catalog_revision r USING (publisher) WHERE p.product_id = ?",
            product_id,
        )
        return (_entry(rows[0][:5]), rows[0][5]) if rows else None

    def list_products(
        self, publisher: str, *, cursor: str | None = None, limit: int = 100
    ) -> Page[CatalogEntry]:
        rows = self._database.rows(
            "SELECT publisher, product_id, revision, updated_at, body FROM product"
            " WHERE publisher = ? AND product_id > ? ORDER BY product_id LIMIT ?",
            *(publisher, cursor or "", limit + 1),
        )
        return page_of(list(map(_entry, rows)), limit, attrgetter("product_id"))

    def revision(self, publisher: str) -> int:
        with self._database.read() as connection:
            return _head(connection, publisher)[0]

    def publishers(self) -> tuple[str, ...]:
        rows = self._database.rows("SELECT publisher FROM catalog_revision ORDER BY publisher")
        return tuple(row[0] for row in rows)

    def apply(
        self,
        publisher: str,
        puts: Mapping[str, Product],
        deletes: Collection[str] = (),
        *,
        actor: str,
        if_revision: int | None = None,
    ) -> int:
        digester = self._digester()
        with self._database.write() as connection:
            present, before = _head(connection, publisher)
            if if_revision is not None and if_revision != present:
                raise CatalogRevisionMismatch(publisher, if_revision, present)
            if not puts and not deletes:
                return present
            for product_id in deletes:
                if not _has(connection, publisher, product_id):
                    raise UnknownProduct(product_id)
            at = _moment(connection, publisher, self._database.clock())
            versions = next_versions(publisher, present, at, actor, puts, deletes)
            _save(connection, publisher, versions, link(digester, before, versions))
        return present + 1

    def history(
        self, product_id: str, *, cursor: str | None = None, limit: int = 100
    ) -> Page[ProductVersion]:
        before = revision_before(cursor)
        rows = self._database.rows(
            VERSIONS + " WHERE product_id = ? AND revision < ? ORDER BY revision DESC LIMIT ?",
            *(product_id, before, limit + 1),
        )
        versions = list(map(version_of, rows))
        return page_of(versions, limit, lambda version: str(version.revision))

    def as_of(self, product_id: str, at: datetime) -> tuple[ProductVersion, int] | None:
        until = _written(at)
        with self._database.read() as connection:
            row = connection.execute(
                VERSIONS + " WHERE product_id = ? AND at <= ? ORDER BY revision DESC LIMIT 1",
                (product_id, until),
            ).fetchone()
            if row is None:
                return None
            (revision,) = connection.execute(
                "SELECT revision FROM product_version WHERE publisher = ? AND at <= ?"
                " ORDER BY revision DESC LIMIT 1",
                (row[0], until),
            ).fetchone()
        return version_of(row), int(revision)

    def owner(self, product_id: str) -> str | None:
        with self._database.read() as connection:
            return _owner(connection, product_id)

    def changes_since(self, publisher: str, revision: int) -> tuple[ProductVersion, ...]:
        condition = " WHERE publisher = ? AND revision > ? ORDER BY revision, product_id"
        rows = self._database.rows(VERSIONS + condition, publisher, revision)
        return tuple(map(version_of, rows))

    def record(self, publisher: str, versions: Sequence[ProductVersion]) -> None:
        with self._database.write() as connection:
            for revision, together in groupby(versions, attrgetter("revision")):
                present, _ = _head(connection, publisher)
                NotEmpty.unless_next(f"publisher `{publisher}`", present, revision)
                taken = list(together)
                _save(connection, publisher, taken, taken[0].chain)

    def trails(self) -> tuple[str, ...]:
        return sqlite_trail.publishers(self._database)

    def trail(self, publisher: str) -> Trail[CatalogWrite]:
        return sqlite_trail.trail_of(self._database, publisher, self._digester)


def _head(connection: sqlite3.Connection, publisher: str) -> tuple[int, str]:
    """Read the publisher's revision and the digest of its last write; 0 and "" before any write."""
    row = connection.execute(
        "SELECT revision, lower(hex(chain)) FROM catalog_revision WHERE publisher = ?", (publisher,)
    ).fetchone()
    return (0, "") if row is None else (int(row[0]), str(row[1]))


def _moment(connection: sqlite3.Connection, publisher: str, clock: datetime) -> datetime:
    """Return the time of a write: now, or the time of the publisher's last write if that is later."""
    row = connection.execute(
        "SELECT at FROM product_version WHERE publisher = ? ORDER BY revision DESC LIMIT 1",
        (publisher,),
    ).fetchone()
    return clock if row is None else max(clock, datetime.fromisoformat(row[0]))


def _owner(connection: sqlite3.Connection, product_id: str) -> str | None:
    """Find the publisher that owns the product id, even if the product was deleted."""
    row = connection.execute(
        "SELECT publisher FROM product_version WHERE product_id = ? LIMIT 1", (product_id,)
    ).fetchone()
    return None if row is None else str(row[0])


def _has(connection: sqlite3.Connection, publisher: str, product_id: str) -> bool:
    rows = connection.execute(
        "SELECT 1 FROM product WHERE product_id = ? AND publisher = ?", (product_id, publisher)
    )
    return rows.fetchone() is not None


def _save(
    connection: sqlite3.Connection, publisher: str, versions: Sequence[ProductVersion], chain: str
) -> None:
    """Store the versions of the next revision in the present and in history. Raises: ProductTaken."""
    saved = bytes.fromhex(chain) or None
    for version in versions:
        _save_version(connection, publisher, version, saved)
    connection.execute(
        "INSERT OR REPLACE INTO catalog_revision (publisher, revision, chain) VALUES (?, ?, ?)",
        (publisher, versions[0].revision, saved),
    )


def _save_version(
    connection: sqlite3.Connection, publisher: str, version: ProductVersion, chain: bytes | None
) -> None:
    product_id, revision, at = version.product_id, version.revision, _written(version.at)
    if _owner(connection, product_id) not in (None, publisher):
        raise ProductTaken(product_id)
    body = None
    if version.product is None:
        connection.execute("DELETE FROM product WHERE product_id = ?", (product_id,))
    else:
        body = version.product.model_dump_json(exclude_defaults=True)
        connection.execute(
            "INSERT OR REPLACE INTO product VALUES (?, ?, ?, ?, ?)",
            (product_id, publisher, revision, at, body),
        )
    connection.execute(
        "INSERT INTO product_version (product_id, revision, publisher, at, actor, body, chain)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (product_id, revision, publisher, at, version.actor, body, chain),
    )


def _written(moment: datetime) -> str:
    """Format a date and time as text in UTC; sorting these texts sorts them by time."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def _entry(row: tuple[str, str, int, str, str]) -> CatalogEntry:
    publisher, product_id, revision, updated_at, body = row
    return CatalogEntry(
        publisher=publisher,
        product_id=product_id,
        product=Product.model_validate_json(body),
        revision=revision,
        updated_at=datetime.fromisoformat(updated_at),
    )
