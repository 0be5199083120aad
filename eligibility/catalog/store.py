"""CatalogStore: stores products. The docstrings are the contract of every backend."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from eligibility.catalog.model import Product
from groups.chain import Trail
from groups.model import Page


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogEntry:
    """A stored product. revision: the publisher's catalogue revision that last changed the product."""

    publisher: str
    product_id: str
    product: Product
    revision: int
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductVersion:
    """One version of a product in its history. product: None if the write deleted the product.

    chain: digest of the write in the audit trail, the same for all versions of one revision; "" if an
    early release wrote it.
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
    """The write of one revision. versions: the versions that it wrote, sorted by product id."""

    versions: tuple[ProductVersion, ...]

    @property
    def chain(self) -> str:
        """The digest of the write in the audit trail; different digests of versions are joined by `+`."""
        return "+".join(sorted({version.chain for version in self.versions}))


def next_versions(
    publisher: str,
    revision: int,
    at: datetime,
    actor: str,
    puts: Mapping[str, Product],
    deletes: Collection[str],
) -> list[ProductVersion]:
    """Build the versions of the write after `revision`. Args: puts, deletes = of the same write."""
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
    """Products by id, with their history and one catalogue revision per publisher.

    Product ids are unique across publishers and case-sensitive. The store does not check the rules of a
    catalogue; Catalog (catalog.py) does. The store uses the backend of the groups, so its changes also
    change GroupFeed.change_token. Every method may raise groups.errors.StoreUnavailable, but no
    exception of the backend itself.
    """

    def get(self, product_id: str) -> tuple[CatalogEntry, int] | None:
        """Return a product and its publisher's catalogue revision, read together; None if unknown."""

    def list_products(
        self, publisher: str, *, cursor: str | None = None, limit: int = 100
    ) -> Page[CatalogEntry]:
        """List a publisher's products, sorted by product id; none for an unknown publisher."""

    def revision(self, publisher: str) -> int:
        """Return the publisher's catalogue revision: the number of its accepted catalogue writes."""

    def publishers(self) -> tuple[str, ...]:
        """List every publisher that ever wrote a product, sorted."""

    def apply(
        self,
        publisher: str,
        puts: Mapping[str, Product],
        deletes: Collection[str] = (),
        *,
        actor: str,
        if_revision: int | None = None,
    ) -> int:
        """Store and delete products, all or none. Return the new revision, which is one higher.

        Without puts and deletes, nothing is written and the revision stays.

        Raises: CatalogRevisionMismatch if the publisher is not at `if_revision`; ProductTaken if
        another publisher owns an id; UnknownProduct if a product to delete is not the publisher's.
        """

    def history(
        self, product_id: str, *, cursor: str | None = None, limit: int = 100
    ) -> Page[ProductVersion]:
        """List the versions of a product, newest first. Raises: InvalidGroup for a wrong cursor."""

    def as_of(self, product_id: str, at: datetime) -> tuple[ProductVersion, int] | None:
        """Return a product's version at a UTC-aware time, and its publisher's revision at that time.

        None before the product was first declared. If it was deleted then, the version has no product.
        """

    def owner(self, product_id: str) -> str | None:
        """Return the publisher that owns the product id for ever; None if nobody owns it yet."""

    def changes_since(self, publisher: str, revision: int) -> tuple[ProductVersion, ...]:
        """List the versions after a revision, sorted by revision, then by product id."""

    def record(self, publisher: str, versions: Sequence[ProductVersion]) -> None:
        """Copy versions unchanged, those of a revision together. Raises: NotEmpty, ProductTaken."""

    def trails(self) -> tuple[str, ...]:
        """List every publisher with anything in the audit trail, sorted."""

    def trail(self, publisher: str) -> Trail[CatalogWrite]:
        """Return the audit trail of a publisher's catalogue writes."""
