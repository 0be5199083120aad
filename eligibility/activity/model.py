"""Activity as values: what decisions came to, by minute; what somebody was last told. All frozen."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from msgspec import Struct

from eligibility.explain.outcome import OutcomeKind

MINUTE, HOUR, DAY = 60, 3_600, 86_400


class CountKey(NamedTuple):
    """What is counted together. reason: the first of the half that decided."""

    product_id: str
    kind: OutcomeKind
    flight_id: str
    reason: str


class DecisionCount(NamedTuple):
    """How many decisions of one kind there were in a minute or an hour, which begins `at`."""

    at: datetime
    key: CountKey
    decisions: int


class LastAnswer(Struct, frozen=True, array_like=True):
    """What an account was told, on what device. at: seconds since the epoch.

    flight_id: of the flight given, or of the one that has nothing for the device; "" for neither.
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
    """A decision as it happened. digest: the account's, None where nobody was signed in."""

    product_id: str
    digest: int | None
    member: bool
    answer: LastAnswer


@dataclass(frozen=True, slots=True)
class Batch:
    """What is written at once for one publisher.

    counts: by the second at which the minute begins, and by what is counted. last: by product and
    digest. seen: the latest, oldest first.
    """

    counts: Mapping[tuple[int, CountKey], int] = field(default_factory=dict)
    last: Mapping[tuple[str, int], LastAnswer] = field(default_factory=dict)
    seen: Sequence[RecentDecision] = ()
