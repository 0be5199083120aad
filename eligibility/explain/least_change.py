"""Find the fewest changes that turn a denial into a grant, by deciding again with each change made.

Tries single changes, then pairs, then triples, and stops at the first size that works. Extends a
set only if its last change altered the decision; a change without effect is tried after others.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from msgspec import UNSET, structs

from eligibility.access.codes import Action
from eligibility.access.explanation import ChangeSet, LeastChange
from eligibility.access.model import Decision
from eligibility.catalog.model import Product
from eligibility.errors import Fault, InvalidInput
from eligibility.explain.person_changes import STRANGER, CandidateChange, of_person
from eligibility.explain.publisher_changes import of_publisher
from eligibility.explain.step_details import with_details
from eligibility.explain.story import story
from eligibility.formats.suggestions import meant
from eligibility.rules.case import Case
from eligibility.rules.decide import decide
from eligibility.windows.package_versions import canonical_package_version

MOST_CHANGES = 3
MOST_TRIES = 1_000
"""Limit of decisions in one search. One takes about 40 microseconds; 150 with twenty flights."""

_EASE = {action: position for position, action in enumerate(Action)}
_COMPARED_FACTS = (
    "active",
    "groups",
    "counted",
    "via",
    "packages",
    "publish_at",
    "minimum",
    "architectures",
    "version",
)


@dataclass(frozen=True)
class Goal:
    """A goal. text: its name. met_by: checks a decision. flight_id: set if the goal is a flight."""

    text: str
    met_by: Callable[[Decision], bool]
    flight_id: str | None = None


GRANTED = Goal("the product", lambda decision: decision.granted)


def goal_of(text: str, product: Product, loc: str = "--wanting") -> Goal:
    """Read a goal: a flight id, with or without `flight:`, or a version. Raises: InvalidInput."""
    flight_id, flights = text.removeprefix("flight:"), product.flight_names
    if flight_id in flights:
        return Goal(
            f"the flight {flights[flight_id]}", lambda d: _source(d) == flight_id, flight_id
        )
    try:
        version = canonical_package_version(text)
    except InvalidInput:
        known = ", ".join(f"`{flight}`" for flight in flights) or "none"
        detail = (
            f"`{text}` is neither a flight of the product ({known}) nor a package version"
            f"{meant(flight_id, flights)}"
        )
        raise InvalidInput([Fault(loc, "UNKNOWN_FLIGHT", detail)]) from None
    return Goal(f"version {version}", lambda d: _version(d) == version)


def explained(
    decision: Decision, case: Case, goal: Goal = GRANTED, *, search: bool = True
) -> Decision:
    """Add to a decision the details of its trace, a story, and the fewest changes to meet the goal.

    Args: decision = a decision with its trace; case = the input of that decision; search = whether
    to search for the changes, which takes up to MOST_TRIES decisions.
    """
    least = nearest(case, goal) if search else UNSET
    return structs.replace(with_details(decision), story=story(decision, case), nearest=least)


def nearest(
    case: Case,
    goal: Goal = GRANTED,
    *,
    most_changes: int = MOST_CHANGES,
    most_tries: int = MOST_TRIES,
) -> LeastChange:
    """Find the fewest changes to the query, the memberships or the product that meet the goal."""
    search = _Search(case, goal, most_tries)
    solutions: list[_Attempt] = []
    complete = True
    try:
        frontier = [search.attempt((), case)]
        if search.meets(frontier[0]):
            return LeastChange(goal.text, (), most_tries - search.left)
        for _ in range(most_changes):
            promising: list[_Attempt] = []
            for before in frontier:
                for after in search.extend(before):
                    if search.meets(after):
                        solutions.append(after)
                    elif after.differs_from(before):
                        promising.append(after)
            if solutions:
                break
            frontier = promising
    except _TooManyTriesError:
        complete = False
    ways = _least(solutions, search.candidates)
    return LeastChange(goal.text, ways, most_tries - max(search.left, 0), complete)


@dataclass(frozen=True)
class _Attempt:
    """A set of changes (chosen: indices of candidates), the changed case, and its decisions."""

    chosen: tuple[int, ...]
    case: Case
    decisions: tuple[Decision, ...]

    def differs_from(self, before: "_Attempt") -> bool:
        return tuple(map(_compared, self.decisions)) != tuple(map(_compared, before.decisions))


class _TooManyTriesError(Exception):
    """The search has used up its limit of decisions."""


class _Search:
    """The candidate changes for one case. left: how many decisions the search may still make."""

    def __init__(self, case: Case, goal: Goal, most_tries: int) -> None:
        self.candidates = [*of_person(case), *of_publisher(case, goal.flight_id)]
        self.goal, self.left = goal, most_tries
        self._tried: set[frozenset[int]] = set()

    def attempt(self, chosen: tuple[int, ...], case: Case) -> _Attempt:
        """Decide a case. Raises: _TooManyTriesError if too few decisions are left."""
        possible = tuple(worlds(case))
        self.left -= len(possible)
        if self.left < 0:
            raise _TooManyTriesError
        return _Attempt(
            chosen, case, tuple(decide(supposed, explain=True) for supposed in possible)
        )

    def meets(self, attempt: _Attempt) -> bool:
        return all(map(self.goal.met_by, attempt.decisions))

    def extend(self, before: _Attempt) -> Iterator[_Attempt]:
        """Try the changes so far plus each compatible candidate. Raises: _TooManyTriesError."""
        taken = {part for index in before.chosen for part in self.candidates[index].parts}
        for index, candidate in enumerate(self.candidates):
            chosen = frozenset({*before.chosen, index})
            if taken.isdisjoint(candidate.parts) and chosen not in self._tried:
                self._tried.add(chosen)
                yield self.attempt((*before.chosen, index), candidate.apply(before.case))


def worlds(case: Case) -> Iterator[Case]:
    """List the cases to decide: for an unknown account both sides of the rollouts, else the case.

    A decision reads only one rollout, so all rollouts are set to 0 % or to 100 % together.
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


def _compared(decision: Decision) -> object:
    """Return a key to compare decisions; it excludes versions and names copied from the query."""
    steps = tuple(
        (step.step, step.outcome, *(step.facts.get(name) for name in _COMPARED_FACTS))
        for step in decision.trace or ()
    )
    return steps, decision.submission, decision.package


def _least(solutions: list[_Attempt], candidates: list[CandidateChange]) -> tuple[ChangeSet, ...]:
    """List solutions, the easiest first. Of those that differ in an amount, keep the smallest."""
    alike: dict[frozenset[str], _Attempt] = {}
    for solution in sorted(solutions, key=lambda solution: sorted(solution.chosen)):
        likeness = frozenset(candidates[index].likeness for index in solution.chosen)
        alike.setdefault(likeness, solution)
    ways = [_way(solution, candidates) for solution in alike.values()]

    def hardness(way: ChangeSet) -> list[int]:
        return sorted((_EASE[change.action] for change in way.changes), reverse=True)

    return tuple(sorted(ways, key=hardness))


def _way(solution: _Attempt, candidates: list[CandidateChange]) -> ChangeSet:
    decision = solution.decisions[0]
    flight, version = _source(decision), _version(decision)
    changes = (candidates[index].change for index in solution.chosen)
    ordered = tuple(sorted(changes, key=lambda change: _EASE[change.action]))
    return ChangeSet(ordered, f"flight {flight}" if flight else "submission", version or "")


def _source(decision: Decision) -> str | None:
    source = decision.package.source
    return source.flight_id if source and decision.granted else None


def _version(decision: Decision) -> str | None:
    offered = decision.package.package
    return offered.version if offered and decision.granted else None
