"""ActivityStore: counts of decisions and latest answers. The contract of every backend."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Protocol

from eligibility.activity.model import Batch, DecisionCount, LastAnswer, RecentDecision

MINUTES_KEPT = timedelta(hours=48)
"""How long counts by minute are kept. The setting activity_days limits counts by hour."""
SEEN_KEPT = 500
"""How many of the latest decisions are kept for each publisher."""
FORGOTTEN_FOR = timedelta(minutes=10)
"""How long no activity of a forgotten person is stored, because servers may still send some."""


class ActivityStore(Protocol):
    """Activity: counts and recent answers of queries about products. Publishers share nothing.

    tests/activity/test_store.py tests every sentence here on every backend. Every method may raise
    groups.errors.StoreUnavailable, but no exception of the backend itself. No decision depends on
    activity, so losing some of it does no harm. A write that fails may be partly saved.
    """

    def add(self, publisher: str, batch: Batch) -> None:
        """Add counts, replace last answers by newer ones, and append the latest decisions.

        Keep SEEN_KEPT decisions. For a person who was forgotten less than FORGOTTEN_FOR ago, by the
        store's clock, only the counts are stored.
        """

    def counts(
        self, publisher: str, since: datetime, until: datetime, *, by_minute: bool
    ) -> list[DecisionCount]:
        """List the counts of minutes or hours that begin in [since, until), sorted by time and key."""

    def last_answers(self, publisher: str, product_id: str) -> Mapping[int, LastAnswer]:
        """Return the last answer about a product for each member, by the member's digest."""

    def seen(self, publisher: str, since: float) -> list[RecentDecision]:
        """List latest decisions made after `since` (seconds since the epoch), in the order added."""

    def forget(self, publisher: str, digest: int) -> None:
        """Remove everything about a person, except counts, which name nobody."""

    def prune(self, publisher: str, keep: timedelta, now: datetime) -> None:
        """Remove activity older than `keep`, and counts by minute older than MINUTES_KEPT.

        Counts by hour are removed in whole days, counts by minute in whole hours.
        """

    def clear(self, publisher: str) -> None:
        """Remove all activity of a publisher."""

    def publishers(self) -> tuple[str, ...]:
        """List every publisher with stored activity, sorted."""
