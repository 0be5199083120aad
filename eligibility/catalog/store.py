"""CatalogStore: where products are kept. The docstrings are the contract of every backend."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from eligibility.catalog.model import Product
from groups.chain import Trail
from groups.model import Page


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogEntry:
    """A stored product. revision: the publisher's catalogue revision at which it last changed."""

    publisher: str
    product_id: str
    product: Product
    revision: int
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductVersion:
    """One version of a product in its history; product is None where it was deleted.

    chain: the digest of the write in the audit trail, the same for all versions of one revision; "" if
    an early release wrote it without one.
    """

    publisher: str
    product_id: str
    revision: int
    at: datetime
    actor: str
    product: Product | None
    chain: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogWrite:
    """The write of one revision: its versions, by product id."""

    versions: tuple[ProductVersion, ...]

    @property
    def chain(self) -> str:
        """The digest of the write in the audit trail; several, joined, if its versions disagree."""
        return "+".join(sorted({version.chain for version in self.versions}))


def next_versions(
    publisher: str,
    revision: int,
    at: datetime,
    actor: str,
    puts: Mapping[str, Product],
    deletes: Collection[str],
) -> list[ProductVersion]:
    """Make the versions that the write after a revision adds, for products put and deleted."""
    return [
        ProductVersion(
            publisher=publisher,
            product_id=product_id,
            revision=revision + 1,
            at=at,
            actor=actor,
            product=product,
        )
        for product_id, product in {**puts, **dict.fromkeys(deletes)}.items()
    ]


class CatalogStore(Protocol):
    """Products by id, with a revision a publisher and the history of every product.

    Product ids are unique across publishers and case-sensitive. Catalog (catalog.py) checks the rules of
    a catalogue; the store checks none. It is kept where the groups are, and its changes show in
    GroupFeed.change_token too. Every method may raise
    groups.errors.StoreUnavailable, and no error of the backend's own.
    """

    def get(self, product_id: str) -> tuple[CatalogEntry, int] | None:
        """Return a product and its publisher's catalogue revision, as of one moment; None if unknown."""

    def list_products(
        self, publisher: str, *, cursor: str | None = None, limit: int = 100
    ) -> Page[CatalogEntry]:
        """List a publisher's products by product id; an unknown publisher has none."""

    def revision(self, publisher: str) -> int:
        """Count the accepted catalogue writes of a publisher."""

    def publishers(self) -> tuple[str, ...]:
        """List every publisher that ever wrote a product, in order."""

    def apply(
        self,
        publisher: str,
        puts: Mapping[str, Product],
        deletes: Collection[str] = (),
        *,
        actor: str,
        if_revision: int | None = None,
    ) -> int:
        """Store and delete products in one step, all or none; give the new revision, one higher.

        Without any puts and deletes nothing is written.

        Raises: CatalogRevisionMismatch unless the publisher is at `if_revision`; ProductTaken for an
        id of another publisher; UnknownProduct for deleting what is not the publisher's.
        """

    def history(
        self, product_id: str, *, cursor: str | None = None, limit: int = 100
    ) -> Page[ProductVersion]:
        """List the versions of a product, the newest first; an unknown product has none.

        Raises: groups.errors.InvalidGroup for a cursor that no page gave.
        """

    def as_of(self, product_id: str, at: datetime) -> tuple[ProductVersion, int] | None:
        """Return the version of a product at a moment (UTC-aware), and its publisher's revision then.

        None before it was first declared; a version without product if it was deleted then.
        """

    def owner(self, product_id: str) -> str | None:
        """Return the publisher that owns the product id, for ever; None while nobody does."""

    def changes_since(self, publisher: str, revision: int) -> tuple[ProductVersion, ...]:
        """List the versions after a revision, oldest first, those of one revision by product id."""

    def record(self, publisher: str, versions: Sequence[ProductVersion]) -> None:
        """Take over versions of another store as they were; see GroupArchive.record.

        Versions of one revision come together. Raises: groups.errors.NotEmpty; ProductTaken.
        """

    def trails(self) -> tuple[str, ...]:
        """List every publisher of which anything is left in the audit trail, in order."""

    def trail(self, publisher: str) -> Trail[CatalogWrite]:
        """Return a publisher's writes as the audit trail keeps them."""
