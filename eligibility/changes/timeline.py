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


def turns(
    past: ProductHistory,
    asker: Asker,
    devices: Sequence[NamedDevice],
    requirements: Requirements,
    *,
    everything: bool = False,
) -> tuple[TimelineTurn, ...]:
    """The turns of an account's answers on some devices, the first one first, those ahead included.

    A change of membership that made a turn is followed by one at which it has settled, at which no
    answer changes. Args: everything = also the moments that changed no answer.
    """
    return tuple(
        _listed(_walked(past, _Asked(past.product_id, asker, devices, requirements)), everything)
    )


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


class _Asked:
    """Answers of one account on some devices; asked again only where something can differ."""

    def __init__(
        self,
        product_id: str,
        asker: Asker,
        devices: Sequence[NamedDevice],
        requirements: Requirements,
    ) -> None:
        self._queries = [asker.query(product_id, named.device) for named in devices]
        self._requirements = requirements
        self._known: dict[object, tuple[OutcomeOrNone, ...]] = {}
        self.addresses = asker.addresses
        self.nowhere: tuple[OutcomeOrNone, ...] = (None,) * len(devices)

    def answers(
        self, version: ProductVersion | None, last: Iterable[MembershipChange], at: datetime
    ) -> tuple[OutcomeOrNone, ...]:
        """The answer on each device; last = of the account's memberships at that moment."""
        if version is None or version.product is None:
            return self.nowhere
        product = version.product
        memberships = PastMemberships(revision=0, last=tuple(last))
        key = version.revision, bisect_right(product.moments, at), memberships.groups
        if key not in self._known:
            self._known[key] = tuple(self._asked(product, memberships, at))
        return self._known[key]

    def _asked(
        self, product: Product, memberships: PastMemberships, at: datetime
    ) -> Iterator[OutcomeOrNone]:
        classes = DeviceClasses(product, self._requirements)
        known: dict[int, OutcomeOrNone] = {}
        for query in self._queries:
            device_class = classes.of(query.device)
            if device_class not in known:
                case = Case(query, product, memberships.groups, self._requirements, at)
                decision = decide_past(case, memberships)
                known[device_class] = substance(outcome_of(decision), query.installed_version)
            yield known[device_class]


def _walked(past: ProductHistory, asked: _Asked) -> Iterator[TimelineTurn]:
    """Every moment with what is before and after it."""
    version: ProductVersion | None = None
    last: dict[tuple[str, str], MembershipChange] = {}
    answers, settling = asked.nowhere, False
    for at, happened in sorted(moments(past).items()):
        causes = list(happened.dates)
        for change in happened.changes:
            causes += _memberships(change, asked.addresses, last)
        if happened.version is not None:
            causes.append(_written(version, happened.version))
            version = happened.version
        named = version.product.groups if version and version.product else frozenset()
        mine = [one for key, one in sorted(last.items()) if key[1] in named]
        unsettled = (
            settling_at(at, ((one.at, one.group_id, one.change) for one in mine)) is not None
        )
        if settling and not unsettled:
            causes.append(_SETTLED)
        before, answers = answers, asked.answers(version, mine, at)
        if causes:
            yield TimelineTurn(at, before, answers, tuple(causes))
        settling = unsettled


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
