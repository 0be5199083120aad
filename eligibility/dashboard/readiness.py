"""Tester readiness: which members of a flight or an audience can get it, and what the others lack.

Each member is evaluated now, on the device of the member's last query. Pure: without I/O.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from msgspec.structs import replace

from eligibility.access.codes import Action
from eligibility.access.model import AccessQuery, Account, Decision, Device
from eligibility.activity.model import LastAnswer
from eligibility.explain.device_names import device_name
from eligibility.explain.outcome import Outcome, outcome_of
from eligibility.explain.phrases import reason_text
from eligibility.simulation.state import State

TesterStatus = Literal["ready", "outranked", "blocked", "unseen"]


@dataclass(frozen=True, slots=True)
class ReadinessTarget:
    """What members should get: a flight, or the private product if `flight_id` is None."""

    flight_id: str | None
    name: str
    groups: tuple[str, ...]

    @property
    def key(self) -> str:
        """The name of the target in a URL."""
        return "audience" if self.flight_id is None else f"flight:{self.flight_id}"


@dataclass(frozen=True, slots=True)
class Tester:
    """A member. last: the last answer; None = never asked. problem, remedy: texts, "" = none.

    standing `outranked`: the member gets a higher-ranked flight. for_publisher: see ReadinessProblem.
    """

    address: str
    standing: TesterStatus
    last: LastAnswer | None = None
    outcome: Outcome | None = None
    problem: str = ""
    remedy: str = ""
    for_publisher: bool = False


@dataclass(frozen=True, slots=True)
class ReadinessProblem:
    """A problem that testers share. for_publisher: the publisher must solve it, not the testers."""

    text: str
    remedy: str
    testers: int
    for_publisher: bool


def targets(state: State) -> tuple[ReadinessTarget, ...]:
    """List the product's private audience, if any, then its flights by rank, highest first."""
    submission = state.product.submission
    flights = [
        ReadinessTarget(flight.flight_id, flight.name, flight.groups)
        for flight in state.product.flights
    ]
    if submission.audience_at(state.moment) == "private":
        return (ReadinessTarget(None, "Private audience", submission.audience_groups), *flights)
    return tuple(flights)


def readiness(
    state: State, target: ReadinessTarget, members: Iterable[str], last: Mapping[int, LastAnswer]
) -> tuple[Tester, ...]:
    """Check whether each member can get the target. last: the last answers, by digest."""
    digest = state.snapshot.digester.of
    return tuple(_tester(state, target, address, last.get(digest(address))) for address in members)


def problems(testers: Iterable[Tester]) -> tuple[ReadinessProblem, ...]:
    """List the problems of blocked testers, the most frequent first."""
    counted = Counter(
        (tester.problem, tester.remedy, tester.for_publisher)
        for tester in testers
        if tester.standing == "blocked"
    )
    return tuple(
        ReadinessProblem(text, remedy, number, for_publisher)
        for (text, remedy, for_publisher), number in counted.most_common()
    )


def _tester(state: State, target: ReadinessTarget, address: str, last: LastAnswer | None) -> Tester:
    if last is None:
        return Tester(address, "unseen")
    device = Device(last.family, last.os_version, last.architecture or None)
    decision = state.decide(AccessQuery(state.product_id, device, Account(address)))
    outcome = outcome_of(decision)
    if _has(target, decision):
        return Tester(address, "ready", last, outcome)
    if decision.granted:
        return Tester(address, "outranked", last, outcome)
    reason = reason_text(outcome.reasons[0])
    remedy = next((item for item in decision.remedies if item.unlocks != "flight"), None)
    model = replace(device, architecture=None)
    problem, text = f"{device_name(model)}: {reason}", remedy.text if remedy else ""
    for_publisher = remedy is not None and remedy.action is Action.ADD_PACKAGE
    return Tester(address, "blocked", last, outcome, problem, text, for_publisher)


def _has(target: ReadinessTarget, decision: Decision) -> bool:
    if target.flight_id is None:
        return decision.submission.granted
    source = decision.package.source
    return decision.granted and source is not None and source.flight_id == target.flight_id
