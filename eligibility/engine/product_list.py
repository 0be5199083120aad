"""Lists of publishers' products: their ids, cached until the publisher's data changes, and their entries."""

from collections.abc import Collection, Iterator, Sequence
from itertools import islice

from eligibility.catalog.store import CatalogEntry, CatalogStore
from groups.errors import StoreUnavailable
from groups.model import Page, all_items
from groups.store import GroupFeed

ProductKey = tuple[str, str]
"""Publisher and product id, the order of entries of several publishers."""

_MANY = 100
"""The number of entries that are read at a time; few, because most readers want one page."""


class ProductList:
    """Products by publisher, as fresh as the store. Thread-safe."""

    def __init__(self, groups: GroupFeed, catalog: CatalogStore) -> None:
        self._groups, self._catalog = groups, catalog
        self._publishers: tuple[str, ...] | None = None
        self._listed: dict[str, tuple[int, int, tuple[str, ...]]] = {}

    def publishers(self) -> tuple[str, ...]:
        """Sorted publishers with products; the last list if the store is unavailable."""
        try:
            self._publishers = self._catalog.publishers()
        except StoreUnavailable:
            if self._publishers is None:
                raise
        return self._publishers

    def product_ids(self, publisher: str, most: int) -> tuple[str, ...]:
        """The first `most` ids, sorted; the cached ids in an outage. Raises: StoreUnavailable."""
        known = self._listed.get(publisher)
        try:
            # Read the token before the list, so that a change in between leaves it outdated.
            token = self._groups.change_token(publisher)
            if known is None or known[:2] != (token, most):
                known = token, most, self._read(publisher, most)
                self._listed[publisher] = known
        except StoreUnavailable:
            if known is None:
                raise
        return known[2]

    def several(self, publishers: Collection[str], most: int) -> tuple[str, ...]:
        """The first `most` product ids of several publishers, by publisher."""
        product_ids: list[str] = []
        for publisher in sorted(publishers):
            product_ids += self.product_ids(publisher, most)
            if len(product_ids) >= most:
                break
        return tuple(product_ids[:most])

    def entries(
        self, publishers: Collection[str] | None, after: Sequence[str] | None
    ) -> Iterator[CatalogEntry]:
        """Yield the products of publishers (None = all) by key. Raises: StoreUnavailable.

        Args: after = a key; begin with its product, if that still exists.
        """
        for publisher in self._catalog.publishers():
            if publishers is not None and publisher not in publishers:
                continue
            cursor: str | None = None
            if after is not None and publisher < after[0]:
                continue
            if after is not None and publisher == after[0]:
                cursor = after[1]
                result = self._catalog.get(cursor)
                if result is not None and result[0].publisher == publisher:
                    yield result[0]

            def page(cursor: str | None, publisher: str = publisher) -> Page[CatalogEntry]:
                return self._catalog.list_products(publisher, cursor=cursor, limit=_MANY)

            yield from all_items(page, cursor)

    def _read(self, publisher: str, most: int) -> tuple[str, ...]:
        entries = all_items(lambda cursor: self._catalog.list_products(publisher, cursor=cursor))
        return tuple(entry.product_id for entry in islice(entries, most))
