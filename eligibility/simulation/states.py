"""Read states from the stores, for now or for a past or future time, with or without a draft."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from eligibility.access.model import Revision
from eligibility.catalog.catalog import was_public
from eligibility.catalog.export import all_products
from eligibility.catalog.model import Product
from eligibility.catalog.store import CatalogEntry, CatalogStore, ProductVersion
from eligibility.catalog.validation import ValidationContext, validate
from eligibility.engine.evaluator import Evaluator
from eligibility.engine.snapshot import Snapshot, snapshot_of
from eligibility.errors import Fault, InvalidInput, UnknownProduct
from eligibility.rules.settling import SETTLING_TIME, recent_of
from eligibility.simulation.inputs.drafts import NO_DRAFT, Draft, MemberMoves
from eligibility.simulation.state import State
from groups.member_set import Digester
from groups.model import FORGOTTEN, MAX_MEMBERS, MIN_MEMBERS, GroupChange
from groups.store import GroupStore

_FIRST = datetime.min.replace(tzinfo=UTC) + SETTLING_TIME


@dataclass(frozen=True, slots=True)
class _Members:
    """Members of groups by digest. moved: (group, digest) that a draft adds or removes."""

    digests: Mapping[str, set[int]]
    revision: int
    changes: tuple[GroupChange, ...]
    moved: set[tuple[str, int]]


class States:
    """Reads states of products; past states from the store's history. Methods block."""

    def __init__(
        self,
        evaluator: Evaluator,
        groups: GroupStore,
        catalog: CatalogStore,
        now: Callable[[], datetime],
    ) -> None:
        self._evaluator = evaluator
        self._groups, self._catalog = groups, catalog
        self.now = now

    def read(self, product_id: str, at: datetime | None = None, draft: Draft = NO_DRAFT) -> State:
        """Read a product now or at a UTC-aware time, and apply a draft.

        A future time uses today's data, and public and publish dates up to then count as reached.
        A draft's membership changes count as older than 30 minutes.
        Raises: UnknownProduct if neither the store at that time nor the draft has the product;
        InvalidInput and InvalidProduct for a draft that could not be saved; StoreUnavailable.
        """
        moment = at or self.now()
        if at is None and draft.is_empty:
            snapshot = self._evaluator.current(product_id).snapshot
            changes = self._changes(snapshot.publisher, snapshot.product.groups, moment)
            return _state(snapshot, moment, "live", changes, self._evaluator.digester().of_recorded)
        entry = self._entry(product_id, at, moment, draft)
        members = self._members(entry, at, moment, draft)
        digester = self._evaluator.digester()
        # Past members include no forgotten address (GroupStore.memberships_at), so `of` is enough.
        digest = digester.of_recorded if at is None else digester.of
        recent = recent_of(members.changes, entry.product.groups, digest)
        snapshot = snapshot_of(
            entry.publisher,
            product_id,
            entry.product,
            members.digests,
            digester,
            draft.requirements or self._evaluator.requirements,
            Revision(members.revision, entry.revision),
            {
                key: tuple(move for move in moves if (move[1], key) not in members.moved)
                for key, moves in recent.items()
            },
        )
        label = "live" if at is None else f"{moment:%Y-%m-%d %H:%M} UTC"
        label = label if draft.is_empty else f"{label} + draft"
        return _state(snapshot, moment, label, members.changes, digest)

    def members(
        self, publisher: str, group_id: str, at: datetime | None = None, draft: Draft = NO_DRAFT
    ) -> list[str]:
        """List a group's members, sorted, without forgotten (erased) ones. Raises: UnknownGroup."""
        moves = draft.groups.get(group_id, MemberMoves())
        if moves.whole:
            return moves.over(())
        page = self._groups.members(publisher, group_id, at=at, limit=MAX_MEMBERS)
        return moves.over(address for address in page.items if not address.startswith(FORGOTTEN))

    def products(self, publisher: str, *, ever: bool = False) -> frozenset[str]:
        """Return the ids of a publisher's products. ever: include deleted products."""
        if ever:
            return frozenset(item.product_id for item in self._catalog.changes_since(publisher, 0))
        return frozenset(item.product_id for item in all_products(self._catalog, publisher))

    def moment_of(
        self, publisher: str, part: Literal["groups", "catalog"], revision: int
    ) -> datetime:
        """Return when a publisher's revision was written. Raises: InvalidInput if it is unknown."""
        written: Iterable[GroupChange | ProductVersion] = ()
        if revision > 0 and part == "groups":
            written = self._groups.changes_since(publisher, revision - 1, limit=1)
        elif revision > 0:
            written = self._catalog.changes_since(publisher, revision - 1)
        first = next(iter(written), None)
        if first is None:
            store = self._groups if part == "groups" else self._catalog
            detail = f"`{part}:{revision}` does not exist: `{publisher}` is at revision {store.revision(publisher)}"
            raise InvalidInput([Fault(part, "UNKNOWN_REVISION", detail)])
        return first.at

    def owner(self, product_id: str) -> str:
        """Return the publisher of a product, even a deleted product. Raises: UnknownProduct."""
        owner = self._catalog.owner(product_id)
        if owner is None:
            raise UnknownProduct(product_id)
        return owner

    def _entry(
        self, product_id: str, at: datetime | None, moment: datetime, draft: Draft
    ) -> CatalogEntry:
        """Read the product from the draft or the store, with the publisher's catalogue revision."""
        stored, revision = self._stored(product_id, at)
        product = None if product_id in draft.deleted else draft.products.get(product_id, stored)
        if product is None:
            raise UnknownProduct(product_id, at)
        publisher = self._catalog.owner(product_id) or draft.publisher
        if product != stored:
            groups = self._groups.group_ids(publisher) | draft.groups.keys()
            public = was_public(self._catalog, product_id, moment, until=at)
            validate(product_id, product, ValidationContext(groups, moment, public, stored))
        return CatalogEntry(
            publisher=publisher,
            product_id=product_id,
            product=product,
            revision=self._catalog.revision(publisher) if revision is None else revision,
            updated_at=moment,
        )

    def _stored(self, product_id: str, at: datetime | None) -> tuple[Product | None, int | None]:
        """Read the product and its publisher's catalogue revision, now or at a time."""
        if at is None:
            now = self._catalog.get(product_id)
            return (now[0].product, now[1]) if now else (None, None)
        then = self._catalog.as_of(product_id, at)
        return (then[0].product, then[1]) if then else (None, None)

    def _members(
        self, entry: CatalogEntry, at: datetime | None, moment: datetime, draft: Draft
    ) -> _Members:
        publisher, named = entry.publisher, entry.product.groups
        existing = self._groups.group_ids(publisher)
        self._check_groups(draft, existing)
        present = sorted((named | draft.groups.keys()) & existing)
        revision, digests = self._digests(publisher, present, at)
        moved = set[tuple[str, int]]()
        for group_id, moves in draft.groups.items():
            before = digests.get(group_id, set())
            digests[group_id] = _moved(group_id, before, moves, self._evaluator.digester())
            moved |= {(group_id, digest) for digest in before ^ digests[group_id]}
        present_digests = {group: digests[group] for group in named & digests.keys()}
        return _Members(present_digests, revision, self._changes(publisher, named, moment), moved)

    def _digests(
        self, publisher: str, group_ids: Collection[str], at: datetime | None
    ) -> tuple[int, dict[str, set[int]]]:
        """Read the publisher's groups revision and the members of groups, now or at a time."""
        head, sets = self._groups.member_sets(publisher, group_ids)
        if at is not None:
            revision = self._groups.memberships_at(publisher, (), (), at).revision
            if revision != head.revision:
                return revision, {
                    group_id: self._past(publisher, group_id, at) for group_id in group_ids
                }
        return head.revision, {group_id: set(sets[group_id].digests) for group_id in group_ids}

    def _past(self, publisher: str, group_id: str, at: datetime) -> set[int]:
        members = self._groups.members(publisher, group_id, at=at, limit=MAX_MEMBERS).items
        return set(self._evaluator.digester().of_all(members))

    @staticmethod
    def _check_groups(draft: Draft, existing: Collection[str]) -> None:
        unknown = sorted(
            group_id
            for group_id, moves in draft.groups.items()
            if group_id not in existing and not moves.whole
        )
        if unknown:
            faults = [
                Fault(
                    f"groups.{group_id}",
                    "UNKNOWN_GROUP",
                    f"group `{group_id}` is neither stored nor declared",
                )
                for group_id in unknown
            ]
            raise InvalidInput(faults, "the draft")

    def _changes(
        self, publisher: str, groups: Collection[str], moment: datetime
    ) -> tuple[GroupChange, ...]:
        """List the changes of these groups in the 30 minutes before a time."""
        since = max(moment, _FIRST) - SETTLING_TIME
        recent = self._groups.recent_changes(publisher, since)
        return tuple(
            change for change in recent if change.group_id in groups and since < change.at <= moment
        )


def _state(
    snapshot: Snapshot,
    moment: datetime,
    label: str,
    changes: tuple[GroupChange, ...],
    digest: Callable[[str], int],
) -> State:
    def earlier() -> State | None:
        """Undo the changes, the last one first."""
        if not changes:
            return None
        index = snapshot.index.with_changes(
            (change.group_id, [*map(digest, change.removed)], [*map(digest, change.added)])
            for change in reversed(changes)
        )
        return State(snapshot.with_index(index), moment, f"{label}, as 30 minutes before")

    return State(snapshot, moment, label, earlier)


def _moved(group_id: str, present: set[int], moves: MemberMoves, digester: Digester) -> set[int]:
    """Apply a draft's moves to a group. Raises: InvalidInput if the new size is not allowed."""
    kept = set() if moves.whole else present
    after = (kept - {*map(digester.of, moves.removed)}) | {*map(digester.of, moves.added)}
    if not MIN_MEMBERS <= len(after) <= MAX_MEMBERS:
        detail = f"would have {len(after)} members; a group has {MIN_MEMBERS} to {MAX_MEMBERS}"
        raise InvalidInput([Fault(f"groups.{group_id}", "GROUP_SIZE", detail)], "the draft")
    return after
