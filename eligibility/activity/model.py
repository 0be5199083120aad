"""Activity as frozen values: counts of decisions by minute, and the last answer of each account."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from msgspec import Struct

from eligibility.explain.outcome import OutcomeKind

MINUTE, HOUR, DAY = 60, 3_600, 86_400


class CountKey(NamedTuple):
    """Decisions that are counted together. reason: the first reason of the half that decided."""

    product_id: str
    kind: OutcomeKind
    flight_id: str
    reason: str


class DecisionCount(NamedTuple):
    """The number of decisions of one kind in the minute or hour that begins `at`."""

    at: datetime
    key: CountKey
    decisions: int


class LastAnswer(Struct, frozen=True, array_like=True):
    """What an account was last answered, and on which device. at: seconds since the epoch.

    flight_id: the flight it got, or the one that has nothing for the device; "" for neither.
    """

    at: float
    kind: OutcomeKind
    flight_id: str
    version: str
    reasons: tuple[str, ...]
    family: str
    os_version: str
    architecture: str


class RecentDecision(Struct, frozen=True, array_like=True):
    """A single decision. digest: the account's, None if nobody was signed in."""

    product_id: str
    digest: int | None
    member: bool
    answer: LastAnswer


@dataclass(slots=True)
class Batch:
    """The activity of one publisher that is collected, and then stored in one step.

    counts: by the second at which the minute begins, and by key. last: by product id and digest.
    seen: the latest decisions, the oldest first.
    """

    counts: dict[tuple[int, CountKey], int] = field(default_factory=dict)
    last: dict[tuple[str, int], LastAnswer] = field(default_factory=dict)
    seen: list[RecentDecision] = field(default_factory=list)
