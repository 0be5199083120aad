"""Timeline: when an account's answers changed or will change, and why."""

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
from eligibility.changes.moments import Cause, ProductHistory, moments
from eligibility.changes.outcome_pairs import OutcomeOrNone, substance
from eligibility.engine.device_classes import DeviceClasses
from eligibility.engine.past import decide_past
from eligibility.explain.outcome import outcome_of
from eligibility.rules.case import Case
from eligibility.rules.requirements import Requirements
from eligibility.rules.settling import unsettled
from eligibility.simulation.inputs.devices import NamedDevice
from groups.model import GroupChange, MembershipChange, PastMemberships


@dataclass(frozen=True, slots=True)
class TimelineTurn:
    """A point in time, its causes, and the outcomes of all devices before and after it."""

    at: datetime
    before: tuple[OutcomeOrNone, ...]
    after: tuple[OutcomeOrNone, ...]
    causes: tuple[Cause, ...]

    @property
    def has_effect(self) -> bool:
        """Check that at least one answer changed."""
        return self.before != self.after


@dataclass(frozen=True, slots=True)
class _Situation:
    """The input of answers at one time. key: situations with equal keys have equal answers."""

    product: Product | None
    memberships: PastMemberships
    at: datetime
    key: object


class Timeline:
    """The answers of an account on some devices over time. Decides equal situations only once."""

    def __init__(
        self,
        past: ProductHistory,
        asker: Asker,
        devices: Sequence[NamedDevice],
        requirements: Requirements,
    ) -> None:
        self.product_id, self.asker, self.devices = past.product_id, asker, devices
        self._queries = [asker.query(past.product_id, named.device) for named in devices]
        self._requirements = requirements
        self._answers: dict[object, tuple[OutcomeOrNone, ...]] = {}
        self._nowhere: tuple[OutcomeOrNone, ...] = (None,) * len(devices)
        self._moments = list(_situations(past, asker.addresses))

    @property
    def decisions(self) -> int:
        """Count the decisions that `turns` needs: one for each situation and kind of device."""
        different = {situation.key: situation for _, _, situation in self._moments}
        devices = [query.device for query in self._queries]
        return sum(
            len({*map(DeviceClasses(situation.product, self._requirements).of, devices)})
            for situation in different.values()
            if situation.product is not None
        )

    def turns(self, *, everything: bool = False) -> tuple[TimelineTurn, ...]:
        """List past and future turns in order.

        If a change of membership changed an answer, a later turn without changes marks the time
        when it has settled. Args: everything = include times at which no answer changed.
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
        by_class: dict[int, OutcomeOrNone] = {}
        for query in self._queries:
            device_class = classes.of(query.device)
            if device_class not in by_class:
                case = Case(query, product, memberships.groups, self._requirements, situation.at)
                decision = decide_past(case, memberships)
                by_class[device_class] = substance(outcome_of(decision), query.installed_version)
            yield by_class[device_class]


def _listed(turns: Iterable[TimelineTurn], everything: bool) -> Iterator[TimelineTurn]:
    waiting = False
    for turn in turns:
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
    """List each time with its causes, and the situation from then on."""
    version: ProductVersion | None = None
    last: dict[tuple[str, str], MembershipChange] = {}
    settling = False
    for at, event in sorted(moments(past).items()):
        causes = list(event.dates)
        for change in event.changes:
            causes += _memberships(change, addresses, last)
        if event.version is not None:
            causes.append(_written(version, event.version))
            version = event.version
        product = version.product if version is not None else None
        named = product.groups if product is not None else frozenset()
        own = [change for key, change in sorted(last.items()) if key[1] in named]
        changes = ((change.at, change.group_id, change.change) for change in own)
        still_settling = bool(unsettled(at, changes))
        if settling and not still_settling:
            causes.append(_SETTLED)
        settling = still_settling
        memberships = PastMemberships(revision=0, last=tuple(own))
        dates = bisect_right(product.moments, at) if product is not None else 0
        key = version and version.revision, dates, memberships.groups
        yield at, tuple(causes), _Situation(product, memberships, at, key)


_SETTLED = Cause(kind="settled", text="settled: from here on, the Store itself applies it too")


def _memberships(
    change: GroupChange, addresses: Sequence[str], last: dict[tuple[str, str], MembershipChange]
) -> Iterator[Cause]:
    """List what a write did to the account's memberships, and store it in `last`."""
    kinds: Sequence[tuple[Literal["added", "removed"], tuple[str, ...], str]] = (
        ("added", change.added, "added to"),
        ("removed", change.removed, "removed from"),
    )
    for kind, listed, verb in kinds:
        for address in listed:
            if address not in addresses:
                continue
            last[address, change.group_id] = MembershipChange(
                address=address, group_id=change.group_id, at=change.at, change=kind
            )
            who = f"{address} " if len(addresses) > 1 else ""
            yield Cause(
                kind="membership",
                text=f"{who}{verb} group {change.group_id} by {change.actor}",
                actor=change.actor,
                revision=change.revision,
                group_id=change.group_id,
                address=address,
            )


def _written(before: ProductVersion | None, after: ProductVersion) -> Cause:
    """Describe what a write of the product did."""
    details: tuple[str, ...] = ()
    if after.product is None:
        verb = "deleted"
    elif before is None or before.product is None:
        verb = "declared" if before is None else "declared again"
    else:
        verb = "changed"
        details = tuple(differences(product_body(before.product), product_body(after.product)))
    return Cause(
        kind="catalog",
        text=f"product {verb} by {after.actor}",
        details=details,
        actor=after.actor,
        revision=after.revision,
    )
