"""Histogram: how often something took how long, in plain numbers."""

from bisect import bisect_left
from collections.abc import Sequence


class Histogram:
    """Counts by bucket. bounds: of the buckets, in seconds, rising; each is within its own bucket.

    counts: one more than bounds, for what is beyond the last. Not safe for threads.
    """

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def add(self, seconds: float) -> None:
        """Count one."""
        self.counts[bisect_left(self.bounds, seconds)] += 1
        self.total += seconds

    def typical(self) -> float | None:
        """The bound, in seconds, that half of them were within; None where none was counted."""
        half, seen = (sum(self.counts) + 1) // 2, 0
        for bound, count in zip(self.bounds, self.counts, strict=False):
            seen += count
            if seen >= half > 0:
                return bound
        return None

    def numbers(self) -> list[float]:
        """The counts, and at the end the sum of what was counted."""
        return [*self.counts, self.total]
