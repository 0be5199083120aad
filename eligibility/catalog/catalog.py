"""Catalog: check every rule of a catalogue, then store its products. All writes go through it."""

from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Literal

from eligibility.catalog.acceptance import ZERO_VERSION
from eligibility.catalog.errors import (
    CatalogRevisionMismatch,
    InvalidProduct,
    ProductRevisionMismatch,
)
from eligibility.catalog.model import Product
from eligibility.catalog.store import CatalogStore
from eligibility.catalog.validation import ValidationContext, validate, zero_versions
from eligibility.errors import Faults
from groups.errors import StoreUnavailable
from groups.model import all_items, check_publisher
from groups.store import MembershipReader

_TRIES = 20

ExpectedRevision = int | Literal["*"]
"""What a product must be before a write: at this CatalogEntry.revision, or "*" = existing."""

_NONE_EXPECTED: Mapping[str, ExpectedRevision] = MappingProxyType({})


class Catalog:
    """Checks products against the publisher's groups and earlier versions, then stores them."""

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
        """Store one product; return the publisher's new catalogue revision.

        Args: if_product_revision = write only if the product has this CatalogEntry.revision.
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
        """Delete a product, not its history. Raises: UnknownProduct, ProductRevisionMismatch."""
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
        accepted: Collection[str] = (),
    ) -> int:
        """Store and delete products in one transaction; return the new catalogue revision.

        The store accepts the write only at the catalogue revision at which it was checked. If
        somebody wrote in between, it is checked again: a product made public must stay public.
        Args: if_revision = write only if the catalogue has this revision, None = at any revision;
            expected = the state that products must have before the write, by product id;
            accepted = choices that somebody accepted (see acceptance.py).
        Raises: InvalidProduct with the faults of all products; CatalogRevisionMismatch;
            ProductRevisionMismatch; ProductTaken; UnknownProduct; StoreUnavailable.
        """
        check_publisher(publisher)
        for _ in range(_TRIES):
            checked_at = self.store.revision(publisher) if if_revision is None else if_revision
            self._check_expected(publisher, expected, deletes)
            self.check(publisher, puts, accepted=accepted)
            try:
                return self.store.apply(
                    publisher, puts, deletes, actor=actor, if_revision=checked_at
                )
            except CatalogRevisionMismatch:
                if if_revision is not None:
                    raise
        raise StoreUnavailable(
            f"{_TRIES} attempts failed, because others changed the catalogue of `{publisher}` at the"
            " same time: try again"
        )

    def check(
        self,
        publisher: str,
        products: Mapping[str, Product],
        more_groups: Collection[str] = (),
        accepted: Collection[str] = (),
    ) -> None:
        """Check products before a write. more_groups: to be created too. Raises: InvalidProduct."""
        declared = self._groups.group_ids(publisher) | set(more_groups)
        now = self._clock()
        faults = Faults()
        for product_id, product in products.items():
            with faults.collect("" if len(products) == 1 else f"products.{product_id}"):
                public = was_public(self.store, product_id, now)
                delivered: Product | None = product
                if zero_versions(product) and f"{ZERO_VERSION}:{product_id}" not in accepted:
                    stored = self.store.get(product_id)
                    delivered = stored[0].product if stored else None
                validate(product_id, product, ValidationContext(declared, now, public, delivered))
        if faults:
            subject = "the catalogue" if len(products) > 1 else f"product `{next(iter(products))}`"
            raise InvalidProduct(faults, subject)

    def _check_expected(
        self, publisher: str, expected: Mapping[str, ExpectedRevision], deletes: Collection[str]
    ) -> None:
        """Raise ProductRevisionMismatch unless every product has its expected revision.

        Skip two cases that the store refuses later: deleting an unknown product, and writing a
        product of another publisher (the error here would reveal its revision).
        """
        for product_id, revision in expected.items():
            stored = self.store.get(product_id)
            if stored is None and product_id in deletes:
                continue
            if stored is not None and stored[0].publisher != publisher:
                continue
            present = 0 if stored is None else stored[0].revision
            if present != revision and not (revision == "*" and present):
                raise ProductRevisionMismatch(product_id, revision, present)


def was_public(
    store: CatalogStore, product_id: str, now: datetime, until: datetime | None = None
) -> bool:
    """Return whether the product was ever public (VIS).

    Checking its last version is enough: a product that was public can never be private again.
    Args: until = ignore versions later than this date and time (UTC-aware).
    """
    limit = 2 if until is None else 100  # 2, because the last version may be a deletion
    for version in all_items(lambda cursor: store.history(product_id, cursor=cursor, limit=limit)):
        if version.product is not None and (until is None or version.at <= until):
            return version.product.submission.audience_at(now) == "public"
    return False
