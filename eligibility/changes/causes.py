"""Why an answer differs between two states: found by trying, one difference at a time.

Between two states the memberships of an account, parts of the product, floors and the clock may
differ. Each difference is made alone on the state before; those that bring the answer of the state
after are the cause. Where none does alone, it is those without which it would not have come.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial, reduce
from typing import Any, TypeVar

from pydantic import BaseModel

from eligibility.access.model import AccessQuery, Account
from eligibility.catalog.files import product_body
from eligibility.catalog.model import Flight, Product, Submission
from eligibility.catalog.plan import differences
from eligibility.changes.contrast import substance
from eligibility.changes.moments import dates_of
from eligibility.explain.outcome import Outcome, outcome_of
from eligibility.rules.decide import DecisionCase
from eligibility.rules.requirements import Requirements, Rule
from eligibility.simulation.state import State

_TOLD = 2
"""Fields told of a part of the product that differs in several."""

_RULES = ("flight", "private_audience", "rollout", "rollout_applies_to")


_Model = TypeVar("_Model", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class DecisionInputs:
    """All that a decision on a query depends on."""

    groups: frozenset[str]
    product: Product
    requirements: Requirements
    moment: datetime

    @classmethod
    def of(cls, state: State, account: Account | None) -> "DecisionInputs":
        """What a state is to an account."""
        held = state.held
        groups = frozenset[str]() if account is None else held.groups_of(account)
        return cls(groups, held.product, held.requirements, state.moment)

    def outcome(self, query: AccessQuery) -> Outcome:
        """What is answered here."""
        grounds = DecisionCase(query, self.product, self.groups, self.requirements, self.moment)
        return substance(outcome_of(grounds.decide()))


@dataclass(frozen=True, slots=True)
class StatePart:
    """One difference between two worlds: in words, and made on a world."""

    words: str
    make: Callable[[DecisionInputs], DecisionInputs]


def causes(query: AccessQuery, before: DecisionInputs, after: DecisionInputs) -> tuple[str, ...]:
    """Which differences between two worlds made the answer another; empty where it is the same."""
    wanted = after.outcome(query)
    if before.outcome(query) == wanted:
        return ()
    before, after = _told_alike(before, after), _told_alike(after, before)
    parts = list(_parts(before, after))
    found = [part for part in parts if part.make(before).outcome(query) == wanted]
    found = found or [
        part for part in parts if _all_but(part, parts, before).outcome(query) != wanted
    ]
    return tuple(part.words for part in found or parts)


def _told_alike(world: DecisionInputs, other: DecisionInputs) -> DecisionInputs:
    """With the memberships that only the other is asked for, as its product alone names the group."""
    return replace(world, groups=world.groups | (other.groups - world.product.groups))


def _all_but(
    left_out: StatePart, parts: Sequence[StatePart], world: DecisionInputs
) -> DecisionInputs:
    kept = (part for part in parts if part is not left_out)
    return reduce(lambda made, part: part.make(made), kept, world)


def _parts(before: DecisionInputs, after: DecisionInputs) -> Iterator[StatePart]:
    for group_id in sorted(before.groups ^ after.groups):
        words = "added to" if group_id in after.groups else "removed from"
        yield StatePart(f"{words} group {group_id}", partial(_moved, frozenset((group_id,))))
    yield from _fields(before.product, after.product)
    yield from _flights(before.product, after.product)
    for name in _RULES:
        was, becomes = (_floors(getattr(world.requirements, name)) for world in (before, after))
        if was != becomes:
            said = f"floor of {name.replace('_', ' ')}: {_said(differences(was, becomes))}"
            yield StatePart(said, partial(_with_floor, name, after.requirements))
    yield from _clock(before, after)


def _moved(group: frozenset[str], world: DecisionInputs) -> DecisionInputs:
    return replace(world, groups=world.groups ^ group)


def _with_floor(name: str, other: Requirements, world: DecisionInputs) -> DecisionInputs:
    changed = replace(world.requirements, **{name: getattr(other, name)})
    return replace(world, requirements=changed)


def _floors(rule: Rule | str) -> Any:
    if isinstance(rule, str):
        return rule
    return {family: str(floor or "any") for family, floor in rule.floors.items()}


def _fields(before: Product, after: Product) -> Iterator[StatePart]:
    """Every field of the product, and of its submission, that a rule may look at."""
    was, becomes = product_body(before), product_body(after)
    for name in ("availability", "markets"):
        if getattr(before, name) != getattr(after, name):
            said = _said(differences(was.get(name), becomes.get(name), name))
            yield StatePart(said, partial(_with_field, name, after))
    was, becomes = was["submission"], becomes["submission"]
    for name in Submission.model_fields:
        if getattr(before.submission, name) != getattr(after.submission, name):
            said = _said(differences(was.get(name), becomes.get(name), f"submission.{name}"))
            yield StatePart(said, partial(_with_submission, name, after.submission))


def _with_field(name: str, other: Product, world: DecisionInputs) -> DecisionInputs:
    return replace(world, product=_copy(world.product, {name: getattr(other, name)}))


def _with_submission(name: str, other: Submission, world: DecisionInputs) -> DecisionInputs:
    submission = _copy(world.product.submission, {name: getattr(other, name)})
    return replace(world, product=_copy(world.product, {"submission": submission}))


def _copy(model: _Model, changes: Mapping[str, Any]) -> _Model:
    """A copy; not model_copy, which would keep what was worked out of the model before."""
    fields = {name: getattr(model, name) for name in type(model).model_fields}
    return type(model).model_construct(**{**fields, **changes})


def _flights(before: Product, after: Product) -> Iterator[StatePart]:
    was, becomes = ({one.flight_id: one for one in p.flights} for p in (before, after))
    for flight_id in was | becomes:
        old, new = was.get(flight_id), becomes.get(flight_id)
        if old == new:
            continue
        said = f"flight {flight_id} is {'gone' if new is None else 'new'}"
        if old is not None and new is not None:
            said = f"flight {flight_id}: {_said(differences(_body(old), _body(new)))}"
        yield StatePart(said, partial(_with_flight, flight_id, after))
    ranks = [[one for one in p if one in was and one in becomes] for p in (was, becomes)]
    if ranks[0] != ranks[1]:
        said = f"order of flights: {', '.join(ranks[0])} -> {', '.join(ranks[1])}"
        yield StatePart(said, partial(_in_order, list(becomes)))


def _body(flight: Flight) -> dict[str, Any]:
    return flight.model_dump(mode="json", exclude_defaults=True)


def _with_flight(flight_id: str, other: Product, world: DecisionInputs) -> DecisionInputs:
    """With one flight as the other product has it; a new one goes above what it is above of there."""
    flights = list(world.product.flights)
    place = next((n for n, one in enumerate(flights) if one.flight_id == flight_id), None)
    names = [one.flight_id for one in other.flights]
    if place is not None:
        del flights[place]
    if flight_id in names:
        below = names[names.index(flight_id) + 1 :]
        if place is None:
            place = next((n for n, f in enumerate(flights) if f.flight_id in below), len(flights))
        flights.insert(place, other.flights[names.index(flight_id)])
    return replace(world, product=_copy(world.product, {"flights": tuple(flights)}))


def _in_order(names: Sequence[str], world: DecisionInputs) -> DecisionInputs:
    """Flights that the names do not know stay above those that follow them."""
    known = iter(
        sorted(
            (one for one in world.product.flights if one.flight_id in names),
            key=lambda one: names.index(one.flight_id),
        )
    )
    flights = tuple(next(known) if one.flight_id in names else one for one in world.product.flights)
    return replace(world, product=_copy(world.product, {"flights": flights}))


def _clock(before: DecisionInputs, after: DecisionInputs) -> Iterator[StatePart]:
    earliest, latest = sorted((before.moment, after.moment))
    reached = {
        cause.text: date
        for world in (before, after)
        for date, cause in dates_of(world.product)
        if earliest < date <= latest
    }
    if reached:
        forward = before.moment < after.moment
        said = "; ".join(text if forward else f"not yet: {text}" for text in reached)
        yield StatePart(said, lambda world: replace(world, moment=after.moment))


def _said(lines: Iterable[str]) -> str:
    told = [one for one in lines if ".file_name: " not in one]  # which no rule looks at
    more = f"; and {len(told) - _TOLD} more" if len(told) > _TOLD else ""
    return "; ".join(told[:_TOLD]) + more
