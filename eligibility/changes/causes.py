"""Why an answer differs between two states: found by trying, one difference at a time.

Between two states the memberships of an account, parts of the product, floors and the clock may
differ. Each difference is made alone on the state before; those that bring the answer of the state
after are the cause. Where none does alone, it is those without which it would not have come.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial, reduce
from typing import Any

from eligibility.catalog.differences import differences
from eligibility.catalog.files import product_body
from eligibility.catalog.model import Flight, Product, Submission
from eligibility.changes.contrast import substance
from eligibility.changes.moments import dates_of
from eligibility.explain.outcome import Outcome, outcome_of
from eligibility.rules.case import Case
from eligibility.rules.decide import decide
from eligibility.rules.requirements import Requirements, Rule

_TOLD = 2
"""Fields told of a part of the product that differs in several."""

_RULES = ("flight", "private_audience", "rollout", "rollout_applies_to")


@dataclass(frozen=True, slots=True)
class StatePart:
    """One difference between two worlds: in words, and made on a case."""

    words: str
    make: Callable[[Case], Case]


def causes(before: Case, after: Case) -> tuple[str, ...]:
    """Which differences between two cases made the answer another; empty where it is the same."""
    wanted = _outcome(after)
    if _outcome(before) == wanted:
        return ()
    before, after = _told_alike(before, after), _told_alike(after, before)
    parts = list(_parts(before, after))
    found = [part for part in parts if _outcome(part.make(before)) == wanted]
    found = found or [part for part in parts if _outcome(_all_but(part, parts, before)) != wanted]
    return tuple(part.words for part in found or parts)


def _outcome(case: Case) -> Outcome:
    return substance(outcome_of(decide(case)), case.query.installed_version)


def _told_alike(case: Case, other: Case) -> Case:
    """With the memberships that only the other is asked for, as its product alone names the group."""
    return replace(
        case, account_groups=case.account_groups | (other.account_groups - case.product.groups)
    )


def _all_but(left_out: StatePart, parts: Sequence[StatePart], case: Case) -> Case:
    kept = (part for part in parts if part is not left_out)
    return reduce(lambda made, part: part.make(made), kept, case)


def _parts(before: Case, after: Case) -> Iterator[StatePart]:
    for group_id in sorted(before.account_groups ^ after.account_groups):
        words = "added to" if group_id in after.account_groups else "removed from"
        yield StatePart(f"{words} group {group_id}", partial(_moved, frozenset((group_id,))))
    yield from _fields(before.product, after.product)
    yield from _flights(before.product, after.product)
    for name in _RULES:
        was, becomes = (_floors(getattr(case.requirements, name)) for case in (before, after))
        if was != becomes:
            said = f"floor of {name.replace('_', ' ')}: {_said(differences(was, becomes))}"
            yield StatePart(said, partial(_with_floor, name, after.requirements))
    yield from _clock(before, after)


def _moved(group: frozenset[str], case: Case) -> Case:
    return replace(case, account_groups=case.account_groups ^ group)


def _with_floor(name: str, other: Requirements, case: Case) -> Case:
    changed = replace(case.requirements, **{name: getattr(other, name)})
    return replace(case, requirements=changed)


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


def _with_field(name: str, other: Product, case: Case) -> Case:
    return replace(case, product=case.product.with_fields(**{name: getattr(other, name)}))


def _with_submission(name: str, other: Submission, case: Case) -> Case:
    submission = case.product.submission.with_fields(**{name: getattr(other, name)})
    return replace(case, product=case.product.with_fields(submission=submission))


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


def _with_flight(flight_id: str, other: Product, case: Case) -> Case:
    """With one flight as the other product has it; a new one goes above what it is above of there."""
    flights = list(case.product.flights)
    place = next((n for n, one in enumerate(flights) if one.flight_id == flight_id), None)
    names = [one.flight_id for one in other.flights]
    if place is not None:
        del flights[place]
    if flight_id in names:
        below = names[names.index(flight_id) + 1 :]
        if place is None:
            place = next((n for n, f in enumerate(flights) if f.flight_id in below), len(flights))
        flights.insert(place, other.flights[names.index(flight_id)])
    return replace(case, product=case.product.with_fields(flights=tuple(flights)))


def _in_order(names: Sequence[str], case: Case) -> Case:
    """Flights that the names do not know stay above those that follow them."""
    known = iter(
        sorted(
            (one for one in case.product.flights if one.flight_id in names),
            key=lambda one: names.index(one.flight_id),
        )
    )
    flights = tuple(next(known) if one.flight_id in names else one for one in case.product.flights)
    return replace(case, product=case.product.with_fields(flights=flights))


def _clock(before: Case, after: Case) -> Iterator[StatePart]:
    earliest, latest = sorted((before.now, after.now))
    reached = {
        cause.text: date
        for case in (before, after)
        for date, cause in dates_of(case.product)
        if earliest < date <= latest
    }
    if reached:
        forward = before.now < after.now
        said = "; ".join(text if forward else f"not yet: {text}" for text in reached)
        yield StatePart(said, lambda case: replace(case, now=after.now))


def _said(lines: Iterable[str]) -> str:
    told = [one for one in lines if ".file_name: " not in one]  # which no rule looks at
    more = f"; and {len(told) - _TOLD} more" if len(told) > _TOLD else ""
    return "; ".join(told[:_TOLD]) + more
