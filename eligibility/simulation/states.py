"""States read from the stores: as it is now, as it was, as it will be, and with drafts over it."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from eligibility.catalog.store import CatalogStore, Entry, Version
from eligibility.catalog.validation import Surroundings, validate
from eligibility.errors import Fault, InvalidInput, UnknownProduct
from eligibility.evaluator import Evaluator
from eligibility.held import HeldProduct
from eligibility.model import Revision
from eligibility.requirements import Requirements
from eligibility.settling import SETTLING_TIME, recent_of
from eligibility.simulation.drafts import NO_DRAFT, Draft, Moves
from eligibility.simulation.state import State
from groups.member_set import Digester, MemberIndex, MemberSet
from groups.model import MAX_MEMBERS, MIN_MEMBERS, Change
from groups.store import GroupStore


@dataclass(frozen=True, slots=True)
class _Members:
    """Who is in which group, by digests; at which groups revision; and what changed just before."""

    index: MemberIndex
    revision: int
    changes: tuple[Change, ...]


class States:
    """Reads states of products. Blocking; a past moment is read from the store's history."""

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
        """A product as it is now or at a moment (UTC-aware), with a draft laid over it.

        A moment ahead is as now, with the public and publish dates reached that lie between.
        Raises: UnknownProduct where it was not declared then, nor is by the draft; InvalidInput and
        InvalidProduct for a draft that could not be saved; StoreUnavailable.
        """
        now = self.now()
        moment = at or now
        if moment >= now and draft.is_empty:
            held = self._evaluator.held(product_id)
            changes = self._changes(held.publisher, held.product.groups, now)
            if at is None:
                return self._state(held, moment, "live", changes)
            ahead = held.with_index(held.index)  # what is remembered for now stays as it is
            return self._state(ahead, moment, _named(moment), changes)
        entry, catalog_revision = self._entry(product_id, moment, draft)
        members = self._members(entry, moment, now, draft)
        requirements = draft.requirements or self._evaluator.requirements
        revision = Revision(members.revision, catalog_revision)
        held = self._held(entry, members, requirements, revision)
        label = "live" if at is None else _named(moment)
        return self._state(
            held, moment, label if draft.is_empty else f"{label} + draft", members.changes
        )

    def moment_of(
        self, publisher: str, part: Literal["groups", "catalog"], revision: int
    ) -> datetime:
        """When a publisher's revision was written. Raises: InvalidInput where there is none."""
        written: Iterable[Change | Version] = ()
        if revision > 0 and part == "groups":
            written = self._groups.changes_since(publisher, revision - 1, limit=1)
        elif revision > 0:
            written = self._catalog.changes_since(publisher, revision - 1)
        first = next(iter(written), None)
        if first is None:
            store = self._groups if part == "groups" else self._catalog
            detail = f"`{part}:{revision}` is no revision: `{publisher}` is at {store.revision(publisher)}"
            raise InvalidInput([Fault(part, "UNKNOWN_REVISION", detail)])
        return first.at

    def owner(self, product_id: str) -> str:
        """Whose product it is, or was. Raises: UnknownProduct."""
        owner = self._catalog.owner(product_id)
        if owner is None:
            raise UnknownProduct(product_id)
        return owner

    def _entry(self, product_id: str, moment: datetime, draft: Draft) -> tuple[Entry, int]:
        """The product as of a moment, or as the draft has it."""
        then = self._catalog.as_of(product_id, moment)
        drafted = draft.products.get(product_id)
        if then is None:
            if drafted is None:
                raise UnknownProduct(product_id, moment)
            publisher, catalog_revision = draft.publisher, self._catalog.revision(draft.publisher)
        else:
            publisher, catalog_revision = then[0].publisher, then[1]
        product = drafted or (then[0].product if then else None)
        if product is None:
            raise UnknownProduct(product_id, moment)
        if drafted is not None:
            groups = self._groups.group_ids(publisher) | draft.groups.keys()
            was_public = bool(
                then
                and then[0].product
                and then[0].product.submission.audience_at(moment) == "public"
            )
            validate(product_id, drafted, Surroundings(groups, moment, was_public))
        entry = Entry(
            publisher=publisher,
            product_id=product_id,
            product=product,
            revision=catalog_revision,
            updated_at=moment,
        )
        return entry, catalog_revision

    def _members(self, entry: Entry, moment: datetime, now: datetime, draft: Draft) -> _Members:
        publisher, named = entry.publisher, entry.product.groups
        existing = self._groups.group_ids(publisher)
        self._check_groups(draft, existing)
        present = sorted(named & existing)
        if moment < now:
            past = self._groups.memberships_at(publisher, present, (), moment)
            revision, digests = past.revision, self._past_digests(publisher, present, moment)
        else:
            head, sets = self._groups.member_sets(publisher, present)
            revision, digests = head.revision, {one: set(sets[one].digests) for one in present}
        digester = self._evaluator.digester()
        for group_id in sorted(named & draft.groups.keys()):
            digests[group_id] = _moved(
                group_id, digests.get(group_id, set()), draft.groups[group_id], digester
            )
        index = MemberIndex.build({one: MemberSet.of(digests[one]) for one in sorted(digests)})
        changes = self._changes(publisher, named, min(moment, now))
        return _Members(index, revision, changes)

    def _past_digests(
        self, publisher: str, group_ids: Iterable[str], at: datetime
    ) -> dict[str, set[int]]:
        digester = self._evaluator.digester()
        return {
            one: set(
                digester.of_all(
                    self._groups.members(publisher, one, at=at, limit=MAX_MEMBERS).items
                )
            )
            for one in group_ids
        }

    @staticmethod
    def _check_groups(draft: Draft, existing: Collection[str]) -> None:
        unknown = sorted(
            one for one, moves in draft.groups.items() if one not in existing and not moves.whole
        )
        if unknown:
            faults = [
                Fault(
                    f"groups.{one}",
                    "UNKNOWN_GROUP",
                    f"group `{one}` is neither stored nor declared",
                )
                for one in unknown
            ]
            raise InvalidInput(faults, "the draft")

    def _changes(
        self, publisher: str, groups: Collection[str], moment: datetime
    ) -> tuple[Change, ...]:
        """The memberships of those groups that changed in the 30 minutes up to a moment."""
        recent = self._groups.recent_changes(publisher, moment - SETTLING_TIME)
        return tuple(one for one in recent if one.group_id in groups and one.at <= moment)

    def _held(
        self, entry: Entry, members: _Members, requirements: Requirements, revision: Revision
    ) -> HeldProduct:
        digester = self._evaluator.digester()
        recent = recent_of(members.changes, entry.product.groups, digester.of_recorded)
        return HeldProduct(
            entry, members.index, digester, recent, requirements, revision, "", 0, 0.0
        )

    def _state(
        self, held: HeldProduct, moment: datetime, label: str, changes: tuple[Change, ...]
    ) -> State:
        def earlier() -> State | None:
            """Every change taken back, the last one first."""
            if not changes:
                return None
            digest = self._evaluator.digester().of_recorded
            index = held.index.with_changes(
                (one.group_id, [*map(digest, one.removed)], [*map(digest, one.added)])
                for one in reversed(changes)
            )
            return State(held.with_index(index), moment, f"{label}, as 30 minutes before")

        return State(held, moment, label, earlier)


def _named(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def _moved(group_id: str, present: set[int], moves: Moves, digester: Digester) -> set[int]:
    """A group's members after a draft's moves. Raises: InvalidInput for a size that no group has."""
    kept = set() if moves.whole else present
    after = (kept - {*map(digester.of, moves.removed)}) | {*map(digester.of, moves.added)}
    if not MIN_MEMBERS <= len(after) <= MAX_MEMBERS:
        detail = f"would have {len(after)} members; a group has {MIN_MEMBERS} to {MAX_MEMBERS}"
        raise InvalidInput([Fault(f"groups.{group_id}", "GROUP_SIZE", detail)], "the draft")
    return after
