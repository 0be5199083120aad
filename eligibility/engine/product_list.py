"""Listing: which products a publisher has, remembered until anything of the publisher's changes."""

from collections.abc import Collection

from eligibility.catalog.store import CatalogStore
from groups.errors import StoreUnavailable
from groups.store import GroupFeed


class ProductList:
    """Product ids by publisher, as fresh as the store. Safe to use from many threads."""

    def __init__(self, groups: GroupFeed, catalog: CatalogStore) -> None:
        self._groups, self._catalog = groups, catalog
        self._publishers: tuple[str, ...] | None = None
        self._listed: dict[str, tuple[int, int, tuple[str, ...]]] = {}

    def publishers(self) -> tuple[str, ...]:
        """Every publisher with products, in order; while the store is away, those it had last.

        Raises: StoreUnavailable where none were read before.
        """
        try:
            self._publishers = self._catalog.publishers()
        except StoreUnavailable:
            if self._publishers is None:
                raise
        return self._publishers

    def product_ids(self, publisher: str, most: int) -> tuple[str, ...]:
        """Ids of a publisher's products in order, cut off after `most`.

        While the store is away what is remembered goes on; what a product then says is limited by
        the evaluator. Raises: StoreUnavailable where nothing is.
        """
        known = self._listed.get(publisher)
        try:
            # Read before the list: what changes meanwhile shows as a newer token.
            token = self._groups.change_token(publisher)
            if known is None or known[:2] != (token, most):
                known = token, most, self._read(publisher, most)
                self._listed[publisher] = known
        except StoreUnavailable:
            if known is None:
                raise
        return known[2]

    def several(self, publishers: Collection[str], most: int) -> tuple[str, ...]:
        """The same of several publishers, one after the other, cut off after `most` in all."""
        found: list[str] = []
        for publisher in sorted(publishers):
            found += self.product_ids(publisher, most)
            if len(found) >= most:
                break
        return tuple(found[:most])

    def _read(self, publisher: str, most: int) -> tuple[str, ...]:
        found: list[str] = []
        cursor: str | None = None
        while len(found) < most:
            page = self._catalog.list_products(
                publisher, cursor=cursor, limit=min(100, most - len(found))
            )
            found += [entry.product_id for entry in page.items]
            cursor = page.next_cursor
            if cursor is None:
                break
        return tuple(found)
