"""Find members' addresses by digest: activity stores only digests, but pages show addresses."""

from collections.abc import Collection
from typing import NamedTuple

from eligibility.engine.held_product import HeldProduct
from eligibility.formats.lru_cache import LruCache
from groups.model import MAX_MEMBERS
from groups.store import GroupStore

_MOST_GROUPS = 50
"""How many groups are kept in memory, of up to 10,000 addresses each."""


class _KnownGroup(NamedTuple):
    """A group's addresses at its `revision`. all_groups: store revision at the last check."""

    all_groups: int
    revision: int
    addresses: dict[int, str]


class MemberAddresses:
    """Finds the addresses of members. Each revision of a group is read only once."""

    def __init__(self, groups: GroupStore) -> None:
        self._groups = groups
        self._known = LruCache[tuple[str, str], _KnownGroup](_MOST_GROUPS)

    def of(self, product: HeldProduct, digests: Collection[int]) -> dict[int, str]:
        """Return, by digest, the addresses of members of the product's groups."""
        known = [self._group(product, group).addresses for group in product.product.groups]
        return {
            digest: addresses[digest]
            for addresses in known
            for digest in digests
            if digest in addresses
        }

    def _group(self, product: HeldProduct, group_id: str) -> _KnownGroup:
        key, all_groups = (product.publisher, group_id), product.revision.groups
        known = self._known.get(key)
        if known is None or known.all_groups != all_groups:
            revision = self._groups.get(*key).revision
            if known is not None and known.revision == revision:
                addresses = known.addresses
            else:
                members = self._groups.members(*key, limit=MAX_MEMBERS).items
                addresses = dict(
                    zip(product.snapshot.digester.of_all(members), members, strict=True)
                )
            known = _KnownGroup(all_groups, revision, addresses)
            self._known.put(key, known)
        return known
