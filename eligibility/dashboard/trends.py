"""Recent decisions summed up for pages: totals, reasons for denials, numbers over time. Pure."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from eligibility.activity.model import DecisionCount
from eligibility.explain.phrases import reason_text


@dataclass(frozen=True, slots=True)
class Trend:
    """Decisions in a span. points: seconds since the epoch, granted, denied. reasons: denials."""

    granted: int
    denied: int
    reasons: tuple[tuple[str, int], ...]
    points: tuple[tuple[int, int, int], ...]

    @property
    def all(self) -> int:
        """The number of all decisions."""
        return self.granted + self.denied


def trend(
    counts: Iterable[DecisionCount], since: datetime, until: datetime, step: timedelta
) -> Trend:
    """Sum up counts by steps of time. A step without decisions has zeros, for charts."""
    width = int(step.total_seconds())
    begins = int(since.timestamp()) // width * width
    granted, denied = Counter[int](), Counter[int]()
    reasons = Counter[str]()
    for at, key, decisions in counts:
        step_start = int(at.timestamp()) // width * width
        if key.kind == "denied":
            denied[step_start] += decisions
            reasons[reason_text(key.reason)] += decisions
        else:
            granted[step_start] += decisions
    starts = range(begins, int(until.timestamp()) + 1, width)
    points = tuple((start, granted[start], denied[start]) for start in starts)
    return Trend(granted.total(), denied.total(), tuple(reasons.most_common()), points)
