"""Catalog: the one way products are written, with every rule of a catalogue checked first."""

from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Literal

from eligibility.catalog.errors import (
    CatalogRevisionMismatch,
    InvalidProduct,
    ProductRevisionMismatch,
)
from eligibility.catalog.model import Product
from eligibility.catalog.store import CatalogStore
from eligibility.catalog.validation import ValidationContext, validate
from eligibility.errors import Fault
from groups.errors import StoreUnavailable
from groups.model import check_publisher, each
from groups.store import MembershipReader

_TRIES = 20

ExpectedRevision = int | Literal["*"]
"""What a product has to be for a write to be made: at that Entry.revision, or just there."""

_NONE_EXPECTED: Mapping[str, ExpectedRevision] = MappingProxyType({})


class Catalog:
    """Writes products after checking them against the publisher's groups and the products' past."""

    def __init__(
        self,
        store: CatalogStore,
        groups: MembershipReader,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.store = store
        self._groups = groups
        self._clock = clock

    def put(
        self,
        publisher: str,
        product_id: str,
        product: Product,
        *,
        actor: str,
        if_product_revision: ExpectedRevision | None = None,
    ) -> int:
        """Store one product; answer the publisher's new catalogue revision.

        Args: if_product_revision = the Entry.revision the caller last saw.
        Raises: InvalidProduct; ProductRevisionMismatch; ProductTaken.
        """
        expected = {} if if_product_revision is None else {product_id: if_product_revision}
        return self.apply(publisher, {product_id: product}, actor=actor, expected=expected)

    def delete(
        self,
        publisher: str,
        product_id: str,
        *,
        actor: str,
        if_product_revision: ExpectedRevision | None = None,
    ) -> int:
        """Delete one product; its history stays. Raises: UnknownProduct, ProductRevisionMismatch."""
        expected = {} if if_product_revision is None else {product_id: if_product_revision}
        return self.apply(publisher, {}, (product_id,), actor=actor, expected=expected)

    def apply(
        self,
        publisher: str,
        puts: Mapping[str, Product],
        deletes: Collection[str] = (),
        *,
        actor: str,
        if_revision: int | None = None,
        expected: Mapping[str, ExpectedRevision] = _NONE_EXPECTED,
    ) -> int:
        """Store and delete products in one step. Raises InvalidProduct with the faults of all of them.

        Args: expected = what the write is based on, by product id.
        The checks are made at a revision and the write is accepted at that revision only, so that
        no other writer can slip in between (a product made public meanwhile stays public).
        """
        check_publisher(publisher)
        for _ in range(_TRIES):
            checked_at = self.store.revision(publisher) if if_revision is None else if_revision
            self._check_expected(publisher, expected, deletes)
            self.check(publisher, puts)
            try:
                return self.store.apply(
                    publisher, puts, deletes, actor=actor, if_revision=checked_at
                )
            except CatalogRevisionMismatch:
                if if_revision is not None:
                    raise
        raise StoreUnavailable(f"others wrote to `{publisher}` first, {_TRIES} times")

    def check(
        self, publisher: str, products: Mapping[str, Product], more_groups: Collection[str] = ()
    ) -> None:
        """Refuse products that must not be stored; more_groups are about to be declared with them."""
        declared = self._groups.group_ids(publisher) | set(more_groups)
        now = self._clock()
        faults: list[Fault] = []
        for product_id, product in products.items():
            try:
                surroundings = ValidationContext(
                    declared, now, was_public(self.store, product_id, now)
                )
                validate(product_id, product, surroundings)
            except InvalidProduct as error:
                faults += error.faults if len(products) == 1 else _within(product_id, error.faults)
        if faults:
            subject = "the catalogue" if len(products) > 1 else f"product `{next(iter(products))}`"
            raise InvalidProduct(faults, subject)

    def _check_expected(
        self, publisher: str, expected: Mapping[str, ExpectedRevision], deletes: Collection[str]
    ) -> None:
        """Raises ProductRevisionMismatch; leaves to the store what it refuses in any case.

        That is deleting what is not there, and a product of another publisher, whose revision is
        not told.
        """
        for product_id, wanted in expected.items():
            found = self.store.get(product_id)
            if found is None and product_id in deletes:
                continue
            if found is not None and found[0].publisher != publisher:
                continue
            present = 0 if found is None else found[0].revision
            if present != wanted and not (wanted == "*" and present):
                raise ProductRevisionMismatch(product_id, wanted, present)


def was_public(
    store: CatalogStore, product_id: str, now: datetime, until: datetime | None = None
) -> bool:
    """Whether the product has been public: its last version was. By induction any was (VIS).

    Args: until = versions after that moment (UTC-aware) do not count.
    """
    limit = 2 if until is None else 100  # the last two: one may have been a deletion
    for version in each(lambda cursor: store.history(product_id, cursor=cursor, limit=limit)):
        if version.product is not None and (until is None or version.at <= until):
            return version.product.submission.audience_at(now) == "public"
    return False


def _within(product_id: str, faults: list[Fault]) -> list[Fault]:
    return [
        Fault(f"products.{product_id}.{fault.loc}", fault.code, fault.detail) for fault in faults
    ]
