"""Replay a trail's entries, and compare the result with the stored groups and products."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any, Protocol

from eligibility.catalog.store import CatalogStore, CatalogWrite, ProductVersion
from groups.errors import StoreUnavailable, UnknownGroup
from groups.member_set import Digester
from groups.model import MAX_MEMBERS, GroupChange, all_items
from groups.store import GroupStore

_TRIES = 20
"""How often a read is tried if writes happen at the same time."""


class Replay(Protocol):
    """Computes the state of groups or products that results from the entries of one chain."""

    def take(self, entry: Any) -> None:
        """Apply the next entry. Raises: one of groups.chain.UNREADABLE if that is impossible."""

    def differences(self, revision: int) -> Iterator[str]:
        """Describe how the store differs. Args: revision = that of the last entry applied."""


class GroupReplay:
    """The members of a publisher's groups, as digests: forgotten people have no addresses."""

    def __init__(self, store: GroupStore, publisher: str) -> None:
        self._store, self._publisher = store, publisher
        self._digester = Digester(store.digest_key())
        self._members: defaultdict[str, set[int]] = defaultdict(set)

    def take(self, entry: GroupChange) -> None:
        """See Replay."""
        members, digest = self._members[entry.group_id], self._digester.of_recorded
        members.update(map(digest, entry.added))
        members.difference_update(map(digest, entry.removed))

    def differences(self, revision: int) -> Iterator[str]:
        """See Replay."""
        for group_id in sorted(self._store.group_ids(self._publisher).union(self._members)):
            try:
                revision, indexed, listed = self._stored(group_id, revision)
            except UnknownGroup:
                yield f"differs from the stored data: group `{group_id}` does not exist"
                continue
            members = self._members[group_id]
            if members != indexed or members != listed:
                more = max(len(indexed - members), len(listed - members))
                less = max(len(members - indexed), len(members - listed))
                yield (
                    f"differs from the stored data: group `{group_id}` has {more} members too many"
                    f" and {less} too few"
                )

    def _stored(self, group_id: str, revision: int) -> tuple[int, set[int], set[int]]:
        """Return the revision, the digests used for decisions, and those of the members listed."""
        store, publisher = self._store, self._publisher
        for _ in range(_TRIES):
            head, members = store.member_set(publisher, group_id)
            listed = store.members(publisher, group_id, limit=2 * MAX_MEMBERS).items
            for change in store.changes_since(publisher, revision):
                self.take(change)
                revision = change.revision
            if revision == head.revision:
                return revision, set(members.digests), set(map(self._digester.of, listed))
        raise _contended(publisher)


class CatalogReplay:
    """The products of a publisher, each in its latest version."""

    def __init__(self, store: CatalogStore, publisher: str) -> None:
        self._store, self._publisher = store, publisher
        self._products: dict[str, ProductVersion] = {}

    def take(self, entry: CatalogWrite) -> None:
        """See Replay."""
        for version in entry.versions:
            self._products.pop(version.product_id, None)
            if version.product is not None:
                self._products[version.product_id] = version

    def differences(self, revision: int) -> Iterator[str]:
        """See Replay."""
        stored, recorded = self._stored(revision), self._products
        for product_id in sorted(stored.keys() | recorded.keys()):
            present, version = stored.get(product_id), recorded.get(product_id)
            if present != (version and (version.product, version.revision)):
                yield f"differs from the stored data: product `{product_id}` is different"

    def _stored(self, revision: int) -> dict[str, tuple[Any, int]]:
        store, publisher = self._store, self._publisher
        for _ in range(_TRIES):
            entries = list(all_items(lambda cursor: store.list_products(publisher, cursor=cursor)))
            later = store.changes_since(publisher, revision)
            if not later:
                return {entry.product_id: (entry.product, entry.revision) for entry in entries}
            self.take(CatalogWrite(versions=later))
            revision = later[-1].revision
        raise _contended(publisher)


def _contended(publisher: str) -> StoreUnavailable:
    return StoreUnavailable(
        f"`{publisher}` cannot be checked now, because it changes all the time: try again"
    )
