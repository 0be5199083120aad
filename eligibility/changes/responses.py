"""Convert differences and timelines to plain values, for the JSON of the commands and the API."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from eligibility.changes.difference import ChangeKind, OutcomeChange, ProductDifference, what_moved
from eligibility.changes.moments import Cause
from eligibility.changes.outcome_pairs import OutcomeOrNone, contrast, device_ranges, plainly
from eligibility.changes.timeline import Timeline, TimelineTurn
from eligibility.explain.outcome import OutcomeView
from eligibility.simulation.inputs.devices import NamedDevice


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedOutcome(OutcomeView):
    """What an account gets before or after a change. text: a short description of it.

    version: the offered version, or the installed version if `action` is `keep`.
    """

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeChangeView:
    """The same change for some accounts on some devices. before, after: null = no such product.

    moved: how two granted outcomes differ. why: the causes. devices: all names; ranges: a short
    description of them. accounts: their number; first: some of their addresses.
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
    """All changes of one product. accounts, devices: the numbers compared.

    market: used for accounts without a market of their own; null = unknown. changed: number of
    accounts with any change. public: the product is public before or after.
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
    """The differences between two states; products without differences are left out."""

    before: str
    after: str
    products: tuple[DifferenceView, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceTurnView:
    """An outcome before and after a point in time, on the devices that share it."""

    devices: tuple[str, ...]
    ranges: tuple[str, ...]
    before: ComparedOutcome | None
    after: ComparedOutcome | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnView:
    """A point in time. coming: it is in the future. answers: those that change, by devices."""

    at: datetime
    coming: bool
    causes: tuple[Cause, ...]
    answers: tuple[DeviceTurnView, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineResponse:
    """When an account's answers about a product change. account: null = not signed in."""

    product_id: str
    account: str | None
    devices: tuple[str, ...]
    now: datetime
    turns: tuple[TurnView, ...]


def difference_response(difference: ProductDifference) -> DifferenceView:
    """Convert a difference, with names in place of indices."""
    return DifferenceView(
        product_id=difference.product_id,
        name=difference.name,
        accounts=len(difference.population),
        devices=len(difference.devices),
        market=difference.population.defaults.market,
        changed=difference.changed,
        counts=dict(difference.counts),
        public=difference.public,
        changes=tuple(_change(difference, change) for change in difference.changes),
    )


def _change(difference: ProductDifference, change: OutcomeChange) -> OutcomeChangeView:
    before, after = _outcomes(change.before, change.after)
    moved: tuple[str, ...] = ()
    if change.kind == "moves" and change.before is not None and change.after is not None:
        moved = tuple(what_moved(change.before, change.after))
    return OutcomeChangeView(
        kind=change.kind,
        moved=moved,
        before=before,
        after=after,
        why=change.why,
        devices=tuple(difference.devices[index].name for index in change.devices),
        ranges=device_ranges(difference.devices, change.devices),
        accounts=change.accounts,
        first=tuple(difference.population.asker(index).name for index in change.first),
    )


def timeline_response(
    timeline: Timeline, now: datetime, *, everything: bool = False
) -> TimelineResponse:
    """Convert the turns of a timeline. now: UTC-aware; turns after it are marked as coming."""
    account, devices = timeline.asker.account, timeline.devices
    return TimelineResponse(
        product_id=timeline.product_id,
        account=account.id if account else None,
        devices=tuple(named.name for named in devices),
        now=now,
        turns=tuple(
            TurnView(
                at=turn.at,
                coming=turn.at > now,
                causes=turn.causes,
                answers=tuple(_answers(devices, turn)),
            )
            for turn in timeline.turns(everything=everything)
        ),
    )


def _answers(devices: Sequence[NamedDevice], turn: TimelineTurn) -> Iterator[DeviceTurnView]:
    """List the outcomes that change; devices with the same change share an entry."""
    indices_of = defaultdict[tuple[OutcomeOrNone, OutcomeOrNone], list[int]](list)
    for index, (before, after) in enumerate(zip(turn.before, turn.after, strict=True)):
        if before != after:
            indices_of[plainly(before, after)].append(index)
    for both, indices in indices_of.items():
        was, becomes = _outcomes(*both)
        yield DeviceTurnView(
            devices=tuple(devices[index].name for index in indices),
            ranges=device_ranges(devices, indices),
            before=was,
            after=becomes,
        )


def _outcomes(
    before: OutcomeOrNone, after: OutcomeOrNone
) -> tuple[ComparedOutcome | None, ComparedOutcome | None]:
    was, becomes = contrast(before, after)
    return (
        None if before is None else ComparedOutcome.of(before, text=was),
        None if after is None else ComparedOutcome.of(after, text=becomes),
    )
