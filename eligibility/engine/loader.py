"""Loading of held products, from the store or by patching the product already held."""

from collections.abc import Callable
from datetime import UTC, datetime

from eligibility.access.model import Revision
from eligibility.catalog.store import CatalogEntry
from eligibility.engine.held_product import HeldProduct
from eligibility.engine.histogram import Histogram
from eligibility.engine.snapshot import Snapshot
from eligibility.rules.requirements import Requirements
from eligibility.rules.settling import SETTLING_TIME, recent_of
from groups.errors import HistoryLost
from groups.member_set import Digester, MemberIndex
from groups.model import GroupChange, Head
from groups.store import GroupStore

PROPAGATION_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
_LONGEST_PROPAGATION_S = 60.0
_LARGEST_PATCH = 2_000
"""Most changed addresses for which a held index is patched. With more it is loaded again."""
_NOBODY = "-"
"""A publisher name that no publisher can have."""


class Loader:
    """Builds held products. Thread-safe."""

    def __init__(self, groups: GroupStore, requirements: Requirements) -> None:
        self._groups = groups
        self._requirements = requirements
        self._digester: Digester | None = None
        self.propagation = Histogram(PROPAGATION_SECONDS)
        """Seconds from a write to groups to the first query that includes it."""

    def load(
        self,
        entry: CatalogEntry,
        catalog_revision: int,
        cached: HeldProduct | None,
        token: int,
        now: float,
    ) -> HeldProduct:
        """Build a product to hold. Patches the held product if at most a few members changed."""
        since = datetime.fromtimestamp(now, UTC) - SETTLING_TIME
        changes = self._changes_to(cached, entry)
        digester = self.digester()
        digest = digester.of_recorded
        if cached is None or changes is None:
            head, sets = self._groups.member_sets(entry.publisher, entry.product.groups)
            index, before = MemberIndex.build(sets), None
            recent_changes = self._groups.recent_changes(entry.publisher, since)
            recent = recent_of(recent_changes, entry.product.groups, digest)
        else:
            before = cached if cached.product == entry.product else None
            if before and not changes and cached.revision.catalog == catalog_revision:
                cached.token, cached.verified_at = token, now
                return cached
            # A patched index keeps its combination numbers, so earlier decisions remain valid.
            head = changes[-1].head if changes else Head(cached.revision.groups, cached.write_id)
            patch = _patch(changes, entry.product.groups, digest)
            index = cached.snapshot.index.with_changes(patch) if patch else cached.snapshot.index
            recent = recent_of(changes, entry.product.groups, digest, cached.snapshot.recent, since)
            self._note_propagation(changes, now)
        snapshot = Snapshot(
            entry.publisher,
            entry.product_id,
            entry.product,
            index,
            digester,
            self._requirements,
            Revision(head.revision, catalog_revision),
            recent,
        )
        return HeldProduct(snapshot, head.write_id, token, now, before)

    def load_nothing(self, now: float) -> None:
        """Make the store calls of a first load, so that a hidden product takes as long as others."""
        self._groups.member_sets(_NOBODY, ())
        self._groups.recent_changes(_NOBODY, datetime.fromtimestamp(now, UTC))

    def _note_propagation(self, changes: tuple[GroupChange, ...], now: float) -> None:
        """Record the age of the last write. Skip above a minute: no query came earlier."""
        if changes:
            delay = max(0.0, now - changes[-1].at.timestamp())
            if delay <= _LONGEST_PROPAGATION_S:
                self.propagation.add(delay)

    def _changes_to(
        self, cached: HeldProduct | None, entry: CatalogEntry
    ) -> tuple[GroupChange, ...] | None:
        """List the changes since the held product. None if it cannot be patched."""
        groups = entry.product.groups
        if cached is None or cached.product.groups != groups or cached.publisher != entry.publisher:
            return None
        try:
            changes = self._groups.changes_since(
                entry.publisher, cached.revision.groups, cached.write_id
            )
        except HistoryLost:
            return None
        size = sum(len(c.added) + len(c.removed) for c in changes if c.group_id in groups)
        return changes if size <= _LARGEST_PATCH else None

    def digester(self) -> Digester:
        """Return the digester of this deployment's addresses. Raises StoreUnavailable."""
        if self._digester is None:
            self._digester = Digester(self._groups.digest_key())
        return self._digester


def _patch(
    changes: tuple[GroupChange, ...], groups: frozenset[str], digest: Callable[[str], int]
) -> list[tuple[str, list[int], list[int]]]:
    """Convert changes of these groups for an index: group, digests added, digests removed."""
    return [
        (c.group_id, [digest(a) for a in c.added], [digest(a) for a in c.removed])
        for c in changes
        if c.group_id in groups
    ]
