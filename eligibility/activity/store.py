"""ActivityStore: where activity is kept. The docstrings are the contract of every backend."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Protocol

from eligibility.activity.model import Batch, DecisionCount, LastAnswer, RecentDecision

MINUTES_KEPT = timedelta(hours=48)
"""Counts are kept by minute for so long, and by hour for as long as the settings say."""
SEEN_KEPT = 500
"""How many of the latest decisions of a publisher are kept."""
FORGOTTEN_FOR = timedelta(minutes=10)
"""How long nothing is noted about a forgotten person: servers may still have some in memory."""


class ActivityStore(Protocol):
    """What was asked of a publisher's products. Publishers share nothing.

    Every sentence here has a test in tests/activity/test_store.py, run on every backend. Every method
    may raise groups.errors.StoreUnavailable, and no error of the backend's own. Losing
    some of it does no harm, because no decision depends on it. A write that fails may be saved in part.
    """

    def add(self, publisher: str, batch: Batch) -> None:
        """Add counts, replace last answers by newer ones, and append the latest decisions.

        SEEN_KEPT decisions are kept. A person forgotten less than FORGOTTEN_FOR ago, by the store's
        clock, is counted, and nothing else is kept.
        """

    def counts(
        self, publisher: str, since: datetime, until: datetime, *, by_minute: bool
    ) -> list[DecisionCount]:
        """List the counts of minutes or hours that begin in [since, until), by moment and key."""

    def last_answers(self, publisher: str, product_id: str) -> Mapping[int, LastAnswer]:
        """Return the last answer to each member about a product, by the member's digest."""

    def seen(self, publisher: str, since: float) -> list[RecentDecision]:
        """List the latest decisions after a moment (seconds since the epoch), in the order added."""

    def forget(self, publisher: str, digest: int) -> None:
        """Remove everything about a person. Counts stay, because they name nobody."""

    def prune(self, publisher: str, keep: timedelta, now: datetime) -> None:
        """Remove what is older than `keep`, and counts by minute that are older than MINUTES_KEPT.

        Counts by hour are removed by whole days, counts by minute by whole hours.
        """

    def clear(self, publisher: str) -> None:
        """Remove everything of a publisher."""

    def publishers(self) -> tuple[str, ...]:
        """List every publisher of which anything is kept, in order."""
