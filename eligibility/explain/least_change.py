"""The least change that makes a yes of a no: found by trying, each try decided by the one engine.

A search by size: every single change, then every two, then every three, and it stops at the first
size that has a way. A set is carried further only where its decision came out otherwise than
before the last change: what makes no difference now may do so after another change, and is then
tried after that one. tests/explain/test_least_change.py compares with trying everything.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from msgspec import UNSET, structs

from eligibility.access.explanation import ChangeAction, ChangeSet, LeastChange
from eligibility.access.model import Decision
from eligibility.catalog.model import Product
from eligibility.errors import Fault, InvalidInput
from eligibility.explain.person_changes import STRANGER, CandidateChange, of_person
from eligibility.explain.publisher_changes import of_publisher
from eligibility.explain.story import story
from eligibility.formats.suggestions import meant
from eligibility.rules.case import Case
from eligibility.rules.decide import decide
from eligibility.windows.package_versions import canonical_package_version

MOST_CHANGES = 3
MOST_TRIES = 1_000
"""Decisions, of some 40 microseconds each; 150 where a product has twenty flights."""

_EASE = {action: place for place, action in enumerate(ChangeAction)}
_FACTS = ("counted", "via", "packages", "publish_at", "minimum", "architectures", "version")


@dataclass(frozen=True)
class Goal:
    """What is looked for: in words, and whether a decision is it. flight_id: of a flight, if it is one."""

    text: str
    met_by: Callable[[Decision], bool]
    flight_id: str | None = None


GRANTED = Goal("the product", lambda decision: decision.granted)


def wanted_of(text: str, product: Product, loc: str = "--wanting") -> Goal:
    """Read what is wanted: the id of a flight, with or without `flight:`, or a package version.

    Raises: InvalidInput where the product has neither.
    """
    flight_id = text.removeprefix("flight:")
    flights = product.flight_names
    if flight_id in flights:
        return Goal(
            f"the flight {flights[flight_id]}", lambda d: _source(d) == flight_id, flight_id
        )
    try:
        version = canonical_package_version(text)
    except InvalidInput:
        known = ", ".join(f"`{one}`" for one in flights) or "none"
        detail = (
            f"`{text}` is neither a flight of the product ({known}) nor a package version"
            f"{meant(flight_id, flights)}"
        )
        raise InvalidInput([Fault(loc, "UNKNOWN_FLIGHT", detail)]) from None
    return Goal(f"version {version}", lambda d: _version(d) == version)


def _source(decision: Decision) -> str | None:
    source = decision.package.source
    return source.flight_id if source and decision.granted else None


def _version(decision: Decision) -> str | None:
    offered = decision.package.package
    return offered.version if offered and decision.granted else None


@dataclass(frozen=True)
class _Tried:
    """Changes, by their places among the candidates, and what came of them."""

    chosen: tuple[int, ...]
    case: Case
    decisions: tuple[Decision, ...]

    def differs_from(self, before: "_Tried") -> bool:
        return tuple(map(_seen, self.decisions)) != tuple(map(_seen, before.decisions))


class _Full(Exception):
    """As many tries as there may be."""


class _Search:
    def __init__(self, case: Case, wanted: Goal, most_tries: int) -> None:
        self.candidates = [*of_person(case), *of_publisher(case, wanted.flight_id)]
        self.wanted, self.left = wanted, most_tries
        self.known: set[frozenset[int]] = set()

    def tried(self, chosen: tuple[int, ...], case: Case) -> _Tried:
        """Raises: _Full."""
        possible = tuple(worlds(case))
        self.left -= len(possible)
        if self.left < 0:
            raise _Full
        return _Tried(chosen, case, tuple(decide(world) for world in possible))

    def meets(self, tried: _Tried) -> bool:
        return all(map(self.wanted.met_by, tried.decisions))

    def from_(self, before: _Tried) -> Iterator[_Tried]:
        """One change more, each that can be. Raises: _Full."""
        taken = {part for place in before.chosen for part in self.candidates[place].parts}
        for place, candidate in enumerate(self.candidates):
            chosen = frozenset({*before.chosen, place})
            if taken.isdisjoint(candidate.parts) and chosen not in self.known:
                self.known.add(chosen)
                after = self.tried((*before.chosen, place), candidate.apply(before.case))
                yield after


def nearest(
    case: Case,
    wanted: Goal = GRANTED,
    *,
    most_changes: int = MOST_CHANGES,
    most_tries: int = MOST_TRIES,
) -> LeastChange:
    """The least changes to the query, the memberships or the product that give what is wanted."""
    search = _Search(case, wanted, most_tries)
    found: list[_Tried] = []
    complete = True
    try:
        frontier = [search.tried((), case)]
        if search.meets(frontier[0]):
            return LeastChange(wanted.text, (), most_tries - search.left)
        for _ in range(most_changes):
            further: list[_Tried] = []
            for before in frontier:
                for after in search.from_(before):
                    if search.meets(after):
                        found.append(after)
                    elif after.differs_from(before):
                        further.append(after)
            if found:
                break
            frontier = further
    except _Full:
        complete = False
    ways = _least(found, search.candidates)
    return LeastChange(wanted.text, ways, most_tries - max(search.left, 0), complete)


def worlds(case: Case) -> Iterator[Case]:
    """The case; for an account that is not known yet, on either side of every rollout.

    One decision looks at one rollout only, so all may be put to the same side together.
    """
    rollouts = any(source.rollout for source in case.product.sources())
    if case.query.account is not STRANGER or not rollouts:
        yield case
        return
    for percentage in (0.0, 100.0):
        yield replace(case, product=_at_percentage(case.product, percentage))


def _at_percentage(product: Product, percentage: float) -> Product:
    for source in product.sources():
        if source.rollout is not None:
            rollout = source.rollout.with_fields(percentage=percentage)
            product = source.changed(product, rollout=rollout)
    return product


def _seen(decision: Decision) -> object:
    """All that tells one decision from another, but for the versions and names that were asked with."""
    steps = tuple(
        (step.step, step.outcome, *(step.facts.get(name) for name in _FACTS))
        for step in decision.trace or ()
    )
    return steps, decision.submission, decision.package


def _least(found: list[_Tried], candidates: list[CandidateChange]) -> tuple[ChangeSet, ...]:
    """Of ways that are alike the one with the least; the easiest first."""
    alike: dict[frozenset[str], _Tried] = {}
    for one in sorted(found, key=lambda one: sorted(one.chosen)):
        alike.setdefault(frozenset(candidates[place].likeness for place in one.chosen), one)
    ways = [_way(one, candidates) for one in alike.values()]
    return tuple(sorted(ways, key=_hardness))


def _way(tried: _Tried, candidates: list[CandidateChange]) -> ChangeSet:
    decision = tried.decisions[0]
    flight, version = _source(decision), _version(decision)
    changes = sorted(
        (candidates[place].change for place in tried.chosen), key=lambda one: _EASE[one.action]
    )
    return ChangeSet(tuple(changes), f"flight {flight}" if flight else "submission", version or "")


def _hardness(way: ChangeSet) -> tuple[int, ...]:
    return tuple(sorted((_EASE[change.action] for change in way.changes), reverse=True))


def explained(
    decision: Decision, case: Case, wanted: Goal = GRANTED, *, search: bool = True
) -> Decision:
    """The decision with its story, and with the least change that gives what is wanted.

    Args: decision = with its trace; case = what it was made from; search = whether to look for
    the change, which takes up to nearest.MOST_TRIES decisions.
    """
    found = nearest(case, wanted) if search else UNSET
    return structs.replace(decision, story=story(decision, case), nearest=found)
