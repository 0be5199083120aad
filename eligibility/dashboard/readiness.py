"""Tester readiness: who of a flight's or an audience's members can get it, and what the others lack.

A member's device is the one it last asked on; the answer is what it would get there now. Pure over a
state, the members and what they were last told.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from eligibility.access.model import AccessQuery, Account, Decision, Device, RemedyAction
from eligibility.activity.model import LastAnswer
from eligibility.explain.outcome import Outcome, outcome_of
from eligibility.explain.phrases import reason_text
from eligibility.simulation.state import State
from eligibility.windows.versions import parse_os_version, release_name

TesterStatus = Literal["ready", "outranked", "blocked", "unseen"]


@dataclass(frozen=True, slots=True)
class ReadinessTarget:
    """What members are meant to get: a flight, or with None sight of the private product."""

    flight_id: str | None
    name: str
    groups: tuple[str, ...]

    @property
    def key(self) -> str:
        """What stands for it in a URL."""
        return "audience" if self.flight_id is None else f"flight:{self.flight_id}"


@dataclass(frozen=True, slots=True)
class Tester:
    """A member. last: None where it never asked. problem, remedy: in words, "" where there is none.

    outranked: it gets something, but of another flight, which ranks above. ours: see Problem.
    """

    address: str
    standing: TesterStatus
    last: LastAnswer | None = None
    outcome: Outcome | None = None
    problem: str = ""
    remedy: str = ""
    ours: bool = False


@dataclass(frozen=True, slots=True)
class ReadinessProblem:
    """What some testers have in common: `12 are on Windows 10 1507: OS too old for the package`.

    ours: it is the publisher's to mend, and testers need do nothing.
    """

    text: str
    remedy: str
    testers: int
    ours: bool


def aims(state: State) -> tuple[ReadinessTarget, ...]:
    """What the product's groups are for: its private audience, then flights from the highest rank."""
    submission = state.product.submission
    found = [ReadinessTarget(one.flight_id, one.name, one.groups) for one in state.product.flights]
    if submission.audience_at(state.moment) == "private":
        return (ReadinessTarget(None, "Private audience", submission.audience_groups), *found)
    return tuple(found)


def readiness(
    state: State, aim: ReadinessTarget, members: Iterable[str], last: Mapping[int, LastAnswer]
) -> tuple[Tester, ...]:
    """How each member stands to what it is meant to get. last: by digest."""
    digest = state.snapshot.digester.of
    return tuple(_tester(state, aim, address, last.get(digest(address))) for address in members)


def problems(testers: Iterable[Tester]) -> tuple[ReadinessProblem, ...]:
    """What keeps testers from it, the most frequent first."""
    counted = Counter(
        (one.problem, one.remedy, one.ours) for one in testers if one.standing == "blocked"
    )
    return tuple(
        ReadinessProblem(text, remedy, number, ours)
        for (text, remedy, ours), number in counted.most_common()
    )


def _tester(state: State, aim: ReadinessTarget, address: str, last: LastAnswer | None) -> Tester:
    if last is None:
        return Tester(address, "unseen")
    device = Device(last.family, last.os_version, last.architecture or None)
    decision = state.decide(AccessQuery(state.product_id, device, Account(address)))
    outcome = outcome_of(decision)
    if _has(aim, decision):
        return Tester(address, "ready", last, outcome)
    if decision.granted:
        return Tester(address, "outranked", last, outcome)
    reason = reason_text(outcome.reasons[0])
    remedy = next((one for one in decision.remedies if one.unlocks != "flight"), None)
    problem, text = f"{_named(device)}: {reason}", remedy.text if remedy else ""
    ours = remedy is not None and remedy.action is RemedyAction.ADD_PACKAGE
    return Tester(address, "blocked", last, outcome, problem, text, ours)


def _has(aim: ReadinessTarget, decision: Decision) -> bool:
    if aim.flight_id is None:
        return decision.submission.granted
    source = decision.package.source
    return decision.granted and source is not None and source.flight_id == aim.flight_id


def _named(device: Device) -> str:
    """`Windows 10 1507`, or family and version where no release is known."""
    release = release_name(parse_os_version(device.os_version))
    family = device.family.removeprefix("Windows.")
    if release is None:
        return f"{device.family} {device.os_version}"
    return release if family == "Desktop" else f"{family} with {release}"
