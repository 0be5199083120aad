"""Find the causes of a changed answer, by deciding with one difference applied at a time.

A difference is a cause if it alone turns the old answer into the new one. If no single difference
does, the causes are those that cannot be left out.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial, reduce
from typing import Any

from eligibility.catalog.differences import differences
from eligibility.catalog.files import product_body
from eligibility.catalog.model import Flight, Product, Submission
from eligibility.changes.moments import dates_of
from eligibility.changes.outcome_pairs import substance
from eligibility.explain.outcome import Outcome, outcome_of
from eligibility.rules.case import Case
from eligibility.rules.decide import decide
from eligibility.rules.requirements import Requirements, Rule

_MOST_FIELDS = 2
"""If one part differs in more fields than this, only the first ones are named."""

_RULES = ("flight", "private_audience", "rollout", "rollout_applies_to")


@dataclass(frozen=True, slots=True)
class StatePart:
    """One difference between two cases. text: its description. make: applies it to a case."""

    text: str
    make: Callable[[Case], Case]


def causes(before: Case, after: Case) -> tuple[str, ...]:
    """List the differences between two cases that changed the answer; () if the answers agree."""
    goal = _outcome(after)
    if _outcome(before) == goal:
        return ()
    before, after = _with_memberships_of(before, after), _with_memberships_of(after, before)
    parts = list(_parts(before, after))
    alone = [part for part in parts if _outcome(part.make(before)) == goal]
    needed = alone or [p for p in parts if _outcome(_all_but(p, parts, before)) != goal]
    return tuple(part.text for part in needed or parts)


def _outcome(case: Case) -> Outcome:
    return substance(outcome_of(decide(case)), case.query.installed_version)


def _with_memberships_of(case: Case, other: Case) -> Case:
    """Add the other case's memberships in groups that this case's product does not name."""
    return replace(
        case, account_groups=case.account_groups | (other.account_groups - case.product.groups)
    )


def _all_but(left_out: StatePart, parts: Sequence[StatePart], case: Case) -> Case:
    kept = (part for part in parts if part is not left_out)
    return reduce(lambda changed, part: part.make(changed), kept, case)


def _parts(before: Case, after: Case) -> Iterator[StatePart]:
    for group_id in sorted(before.account_groups ^ after.account_groups):
        verb = "added to" if group_id in after.account_groups else "removed from"
        yield StatePart(f"{verb} group {group_id}", partial(_moved, frozenset((group_id,))))
    yield from _fields(before.product, after.product)
    yield from _flights(before.product, after.product)
    for name in _RULES:
        was, becomes = (_floors(getattr(case.requirements, name)) for case in (before, after))
        if was != becomes:
            text = f"floor of {name.replace('_', ' ')}: {_fields_text(differences(was, becomes))}"
            yield StatePart(text, partial(_with_floor, name, after.requirements))
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
    """List the differing fields of the product and its submission that rules may read."""
    was, becomes = product_body(before), product_body(after)
    for name in ("availability", "markets"):
        if getattr(before, name) != getattr(after, name):
            text = _fields_text(differences(was.get(name), becomes.get(name), name))
            yield StatePart(text, partial(_with_field, name, after))
    was, becomes = was["submission"], becomes["submission"]
    for name in Submission.model_fields:
        if getattr(before.submission, name) != getattr(after.submission, name):
            text = _fields_text(differences(was.get(name), becomes.get(name), f"submission.{name}"))
            yield StatePart(text, partial(_with_submission, name, after.submission))


def _with_field(name: str, other: Product, case: Case) -> Case:
    return replace(case, product=case.product.with_fields(**{name: getattr(other, name)}))


def _with_submission(name: str, other: Submission, case: Case) -> Case:
    submission = case.product.submission.with_fields(**{name: getattr(other, name)})
    return replace(case, product=case.product.with_fields(submission=submission))


def _flights(before: Product, after: Product) -> Iterator[StatePart]:
    was, becomes = ({f.flight_id: f for f in product.flights} for product in (before, after))
    for flight_id in was | becomes:
        old, new = was.get(flight_id), becomes.get(flight_id)
        if old == new:
            continue
        text = f"flight {flight_id} is {'gone' if new is None else 'new'}"
        if old is not None and new is not None:
            text = f"flight {flight_id}: {_fields_text(differences(_body(old), _body(new)))}"
        yield StatePart(text, partial(_with_flight, flight_id, after))
    ranks = [[id_ for id_ in ids if id_ in was and id_ in becomes] for ids in (was, becomes)]
    if ranks[0] != ranks[1]:
        text = f"order of flights: {', '.join(ranks[0])} -> {', '.join(ranks[1])}"
        yield StatePart(text, partial(_in_order, list(becomes)))


def _body(flight: Flight) -> dict[str, Any]:
    return flight.model_dump(mode="json", exclude_defaults=True)


def _with_flight(flight_id: str, other: Product, case: Case) -> Case:
    """Copy one flight from the other product; a new one keeps its rank above the same flights."""
    flights = list(case.product.flights)
    position = next((n for n, f in enumerate(flights) if f.flight_id == flight_id), None)
    names = list(other.flight_names)
    if position is not None:
        del flights[position]
    if flight_id in names:
        below = names[names.index(flight_id) + 1 :]
        if position is None:
            position = next(
                (n for n, f in enumerate(flights) if f.flight_id in below), len(flights)
            )
        flights.insert(position, other.flights[names.index(flight_id)])
    return replace(case, product=case.product.with_fields(flights=tuple(flights)))


def _in_order(names: Sequence[str], case: Case) -> Case:
    """Sort the named flights in the order of `names`; the others keep their positions."""
    known = iter(
        sorted(
            (flight for flight in case.product.flights if flight.flight_id in names),
            key=lambda flight: names.index(flight.flight_id),
        )
    )
    flights = tuple(next(known) if f.flight_id in names else f for f in case.product.flights)
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
        text = "; ".join(text if forward else f"not yet: {text}" for text in reached)
        yield StatePart(text, lambda case: replace(case, now=after.now))


def _fields_text(lines: Iterable[str]) -> str:
    fields = [line for line in lines if ".file_name: " not in line]  # no rule reads file names
    more = f"; and {len(fields) - _MOST_FIELDS} more" if len(fields) > _MOST_FIELDS else ""
    return "; ".join(fields[:_MOST_FIELDS]) + more
