"""Histogram of durations."""

from bisect import bisect_left
from collections.abc import Sequence


class Histogram:
    """Counts of durations by bucket. bounds: inclusive, in seconds, ascending. Not thread-safe."""

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def add(self, seconds: float) -> None:
        """Count a duration."""
        self.counts[bisect_left(self.bounds, seconds)] += 1
        self.total += seconds

    def typical(self) -> float | None:
        """Bound of the median's bucket, in seconds. None if empty or above all bounds."""
        half, seen = (sum(self.counts) + 1) // 2, 0
        for bound, count in zip(self.bounds, self.counts, strict=False):
            seen += count
            if seen >= half > 0:
                return bound
        return None

    def numbers(self) -> list[float]:
        """The counts, followed by the sum of all durations in seconds."""
        return [*self.counts, self.total]
