"""What was asked lately, put together for pages: totals, reasons for a no, a line over time. Pure."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from eligibility.activity.model import DecisionCount
from eligibility.explain.phrases import reason_text


@dataclass(frozen=True, slots=True)
class Trend:
    """Decisions of a span of time. points: moment (seconds since the epoch), granted, denied."""

    granted: int
    denied: int
    reasons: tuple[tuple[str, int], ...]
    points: tuple[tuple[int, int, int], ...]

    @property
    def all(self) -> int:
        """All decisions."""
        return self.granted + self.denied


def trend(
    counts: Iterable[DecisionCount], since: datetime, until: datetime, step: timedelta
) -> Trend:
    """Put counts together; steps without any are there too, so that a line shows the pauses."""
    width = int(step.total_seconds())
    begins = int(since.timestamp()) // width * width
    granted, denied, reasons = (
        defaultdict[int, int](int),
        defaultdict[int, int](int),
        Counter[str](),
    )
    for at, key, decisions in counts:
        place = int(at.timestamp()) // width * width
        if key.kind == "denied":
            denied[place] += decisions
            reasons[reason_text(key.reason)] += decisions
        else:
            granted[place] += decisions
    places: Sequence[int] = range(begins, int(until.timestamp()) + 1, width)
    points = tuple((place, granted.get(place, 0), denied.get(place, 0)) for place in places)
    return Trend(sum(granted.values()), sum(denied.values()), tuple(reasons.most_common()), points)
