"""Timeline: the moments at which an account's answer changed or will change, and why each time.

Whatever can change an answer leaves a moment (moments.py); between two of them nothing changes, so
the answer is looked at there and nowhere else.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from eligibility.access.asker import Asker
from eligibility.catalog.differences import differences
from eligibility.catalog.files import product_body
from eligibility.catalog.model import Product
from eligibility.catalog.store import ProductVersion
from eligibility.changes.contrast import OutcomeOrNone, substance
from eligibility.changes.moments import Cause, ProductHistory, moments
from eligibility.engine.device_classes import DeviceClasses
from eligibility.engine.past import decide_past
from eligibility.explain.outcome import outcome_of
from eligibility.rules.case import Case
from eligibility.rules.requirements import Requirements
from eligibility.rules.settling import settling_at
from eligibility.simulation.inputs.devices import NamedDevice
from groups.model import GroupChange, MembershipChange, PastMemberships


@dataclass(frozen=True, slots=True)
class TimelineTurn:
    """A moment: before and after it, the answer on each device in order; and what happened."""

    at: datetime
    before: tuple[OutcomeOrNone, ...]
    after: tuple[OutcomeOrNone, ...]
    causes: tuple[Cause, ...]

    @property
    def has_effect(self) -> bool:
        """Whether an answer changed."""
        return self.before != self.after


@dataclass(frozen=True, slots=True)
class _Situation:
    """What answers depend on at a moment; two of one key have the same answers. None = no product."""

    product: Product | None
    memberships: PastMemberships
    at: datetime
    key: object


class Timeline:
    """The answers of one account on some devices over time; asked only where something can differ."""

    def __init__(
        self,
        past: ProductHistory,
        asker: Asker,
        devices: Sequence[NamedDevice],
        requirements: Requirements,
    ) -> None:
        self._queries = [asker.query(past.product_id, named.device) for named in devices]
        self._requirements = requirements
        self._answers: dict[object, tuple[OutcomeOrNone, ...]] = {}
        self._nowhere: tuple[OutcomeOrNone, ...] = (None,) * len(devices)
        self._moments = list(_situations(past, asker.addresses))

    @property
    def decisions(self) -> int:
        """Count the decisions that the turns take: one for each situation and kind of device."""
        different = {situation.key: situation for _, _, situation in self._moments}
        devices = [query.device for query in self._queries]
        return sum(
            len({*map(DeviceClasses(situation.product, self._requirements).of, devices)})
            for situation in different.values()
            if situation.product is not None
        )

    def turns(self, *, everything: bool = False) -> tuple[TimelineTurn, ...]:
        """List the turns, the first one first, those ahead included.

        A change of membership that made a turn is followed by one at which it has settled, at which
        no answer changes. Args: everything = also the moments that changed no answer.
        """
        return tuple(_listed(self._turns(), everything))

    def _turns(self) -> Iterator[TimelineTurn]:
        answers = self._nowhere
        for at, causes, situation in self._moments:
            before, answers = answers, self._answers_in(situation)
            if causes:
                yield TimelineTurn(at, before, answers, causes)

    def _answers_in(self, situation: _Situation) -> tuple[OutcomeOrNone, ...]:
        if situation.product is None:
            return self._nowhere
        if situation.key not in self._answers:
            self._answers[situation.key] = tuple(self._decided(situation.product, situation))
        return self._answers[situation.key]

    def _decided(self, product: Product, situation: _Situation) -> Iterator[OutcomeOrNone]:
        memberships = situation.memberships
        classes = DeviceClasses(product, self._requirements)
        known: dict[int, OutcomeOrNone] = {}
        for query in self._queries:
            device_class = classes.of(query.device)
            if device_class not in known:
                case = Case(query, product, memberships.groups, self._requirements, situation.at)
                decision = decide_past(case, memberships)
                known[device_class] = substance(outcome_of(decision), query.installed_version)
            yield known[device_class]


def turns(
    past: ProductHistory,
    asker: Asker,
    devices: Sequence[NamedDevice],
    requirements: Requirements,
    *,
    everything: bool = False,
) -> tuple[TimelineTurn, ...]:
    """List the turns of an account's answers on some devices. See Timeline.turns."""
    return Timeline(past, asker, devices, requirements).turns(everything=everything)


def _listed(walked: Iterable[TimelineTurn], everything: bool) -> Iterator[TimelineTurn]:
    waiting = False
    for turn in walked:
        kinds = {cause.kind for cause in turn.causes}
        if turn.has_effect or everything or ("settled" in kinds and waiting):
            yield turn
        if "settled" in kinds:
            waiting = False
        if turn.has_effect and "membership" in kinds:
            waiting = True


def _situations(
    past: ProductHistory, addresses: Sequence[str]
) -> Iterator[tuple[datetime, tuple[Cause, ...], _Situation]]:
    """Every moment, what happened there, and what the answers depend on from there on."""
    version: ProductVersion | None = None
    last: dict[tuple[str, str], MembershipChange] = {}
    settling = False
    for at, happened in sorted(moments(past).items()):
        causes = list(happened.dates)
        for change in happened.changes:
            causes += _memberships(change, addresses, last)
        if happened.version is not None:
            causes.append(_written(version, happened.version))
            version = happened.version
        product = version.product if version is not None else None
        named = product.groups if product is not None else frozenset()
        mine = [each for key, each in sorted(last.items()) if key[1] in named]
        unsettled = (
            settling_at(at, ((each.at, each.group_id, each.change) for each in mine)) is not None
        )
        if settling and not unsettled:
            causes.append(_SETTLED)
        settling = unsettled
        memberships = PastMemberships(revision=0, last=tuple(mine))
        dates = bisect_right(product.moments, at) if product is not None else 0
        key = version and version.revision, dates, memberships.groups
        yield at, tuple(causes), _Situation(product, memberships, at, key)


_SETTLED = Cause(kind="settled", text="settled: from here on the Store itself has it too")


def _memberships(
    change: GroupChange, addresses: Sequence[str], last: dict[tuple[str, str], MembershipChange]
) -> Iterator[Cause]:
    """What a write did to the account's memberships; notes it in `last`."""
    kinds: Sequence[tuple[Literal["added", "removed"], tuple[str, ...], str]] = (
        ("added", change.added, "added to"),
        ("removed", change.removed, "removed from"),
    )
    for kind, listed, words in kinds:
        for address in listed:
            if address not in addresses:
                continue
            last[address, change.group_id] = MembershipChange(
                address=address, group_id=change.group_id, at=change.at, change=kind
            )
            who = f"{address} " if len(addresses) > 1 else ""
            yield Cause(
                kind="membership",
                text=f"{who}{words} group {change.group_id} by {change.actor}",
                actor=change.actor,
                revision=change.revision,
                group_id=change.group_id,
                address=address,
            )


def _written(before: ProductVersion | None, after: ProductVersion) -> Cause:
    """What a write of the product did."""
    found: tuple[str, ...] = ()
    if after.product is None:
        words = "deleted"
    elif before is None or before.product is None:
        words = "declared" if before is None else "declared again"
    else:
        words = "changed"
        found = tuple(differences(product_body(before.product), product_body(after.product)))
    return Cause(
        kind="catalog",
        text=f"product {words} by {after.actor}",
        details=found,
        actor=after.actor,
        revision=after.revision,
    )
