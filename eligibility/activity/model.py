"""Data classes of recorded activity: decisions counted by minute, and accounts' last answers."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from msgspec import Struct

from eligibility.explain.outcome import OutcomeKind

MINUTE, HOUR, DAY = 60, 3_600, 86_400


class CountKey(NamedTuple):
    """Decisions with the same key are counted together. reason: the outcome's first reason."""

    product_id: str
    kind: OutcomeKind
    flight_id: str
    reason: str


class DecisionCount(NamedTuple):
    """The number of decisions with one key in the minute or hour that begins at `at`."""

    at: datetime
    key: CountKey
    decisions: int


class LastAnswer(Struct, frozen=True, array_like=True):
    """The outcome of an account's last query, and its device. at: seconds since the epoch.

    flight_id: the flight that it got, or that has no package for the device; "" = no flight.
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
    """One decision. digest: that of the account's address, None if nobody was signed in."""

    product_id: str
    digest: int | None
    member: bool
    answer: LastAnswer


@dataclass(slots=True)
class Batch:
    """Activity of one publisher that waits to be stored in one transaction.

    counts: start of the minute (seconds since the epoch) and key -> number of decisions.
    last: product id and digest -> last answer. seen: the latest decisions, oldest first.
    """

    counts: dict[tuple[int, CountKey], int] = field(default_factory=dict)
    last: dict[tuple[str, int], LastAnswer] = field(default_factory=dict)
    seen: list[RecentDecision] = field(default_factory=list)
