"""Differences and timelines as plain values for programs: the JSON of the commands and of the API."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from eligibility.changes.contrast import OutcomeOrNone, contrast, device_ranges, plainly
from eligibility.changes.difference import ChangeKind, OutcomeChange, ProductDifference, what_moved
from eligibility.changes.moments import Cause
from eligibility.changes.timeline import TimelineTurn
from eligibility.explain.outcome import OutcomeView
from eligibility.simulation.inputs.devices import NamedDevice


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedOutcome(OutcomeView):
    """What an account has before or after a change. text: the same in few words.

    version: of the package that is offered; of the one installed where `action` is `keep`.
    """

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeChangeView:
    """See difference.Change; before, after: null where there is no such product.

    devices: names of all; ranges: the same in few words. accounts: how many; first: addresses.
    """

    kind: ChangeKind
    moved: tuple[str, ...]
    before: ComparedOutcome | None
    after: ComparedOutcome | None
    why: tuple[str, ...]
    devices: tuple[str, ...]
    ranges: tuple[str, ...]
    accounts: int
    first: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DifferenceView:
    """See difference.Difference; accounts, devices: how many were compared.

    market: which the accounts asked from that do not say themselves; null = unknown.
    """

    product_id: str
    name: str
    accounts: int
    devices: int
    market: str | None
    changed: int
    counts: dict[ChangeKind, int]
    public: bool
    changes: tuple[OutcomeChangeView, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparisonResponse:
    """Two states compared; products without any difference are left out."""

    before: str
    after: str
    products: tuple[DifferenceView, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceTurnView:
    """What an answer was and is on some devices."""

    devices: tuple[str, ...]
    ranges: tuple[str, ...]
    before: ComparedOutcome | None
    after: ComparedOutcome | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnView:
    """See timeline.Turn; coming: it is ahead. answers: those that change, of devices alike."""

    at: datetime
    coming: bool
    causes: tuple[Cause, ...]
    answers: tuple[DeviceTurnView, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineResponse:
    """The turns of an account's answers about a product; account: null = not signed in."""

    product_id: str
    account: str | None
    devices: tuple[str, ...]
    now: datetime
    turns: tuple[TurnView, ...]


def difference_told(found: ProductDifference) -> DifferenceView:
    """A difference as plain values."""
    return DifferenceView(
        product_id=found.product_id,
        name=found.name,
        accounts=len(found.population),
        devices=len(found.devices),
        market=found.population.as_told.market,
        changed=found.changed,
        counts=dict(found.counts),
        public=found.public,
        changes=tuple(_change(found, one) for one in found.changes),
    )


def _change(found: ProductDifference, one: OutcomeChange) -> OutcomeChangeView:
    texts = contrast(one.before, one.after)
    moved: tuple[str, ...] = ()
    if one.kind == "moves" and one.before is not None and one.after is not None:
        moved = tuple(what_moved(one.before, one.after))
    return OutcomeChangeView(
        kind=one.kind,
        moved=moved,
        before=_answer(one.before, texts[0]),
        after=_answer(one.after, texts[1]),
        why=one.why,
        devices=tuple(found.devices[place].name for place in one.devices),
        ranges=device_ranges(found.devices, one.devices),
        accounts=one.accounts,
        first=tuple(found.population.asker(place).name for place in one.first),
    )


def timeline_told(
    product_id: str,
    account: str | None,
    devices: Sequence[NamedDevice],
    turns: Sequence[TimelineTurn],
    now: datetime,
) -> TimelineResponse:
    """A timeline as plain values."""
    return TimelineResponse(
        product_id=product_id,
        account=account,
        devices=tuple(named.name for named in devices),
        now=now,
        turns=tuple(
            TurnView(
                at=turn.at,
                coming=turn.at > now,
                causes=turn.causes,
                answers=tuple(_turned(devices, turn)),
            )
            for turn in turns
        ),
    )


def _turned(devices: Sequence[NamedDevice], turn: TimelineTurn) -> Iterator[DeviceTurnView]:
    alike = defaultdict[tuple[OutcomeOrNone, OutcomeOrNone], list[int]](list)
    for place, both in enumerate(zip(turn.before, turn.after, strict=True)):
        if both[0] != both[1]:
            alike[plainly(*both)].append(place)
    for (before, after), places in alike.items():
        texts = contrast(before, after)
        yield DeviceTurnView(
            devices=tuple(devices[place].name for place in places),
            ranges=device_ranges(devices, places),
            before=_answer(before, texts[0]),
            after=_answer(after, texts[1]),
        )


def _answer(outcome: OutcomeOrNone, text: str) -> ComparedOutcome | None:
    return None if outcome is None else ComparedOutcome.of(outcome, text=text)
