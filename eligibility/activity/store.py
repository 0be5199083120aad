"""ActivityStore: where activity is kept. The docstrings are the contract of every backend."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Protocol

from eligibility.activity.model import Batch, DecisionCount, LastAnswer, RecentDecision

MINUTES_KEPT = timedelta(hours=48)
"""Counts are kept by minute for so long, and by hour for as long as the settings say."""
SEEN_KEPT = 500
"""Of the latest decisions of a publisher."""
FORGOTTEN_FOR = timedelta(minutes=10)
"""How long nothing is noted of somebody who was forgotten: servers may have it in memory yet."""


class ActivityStore(Protocol):
    """What was asked of a publisher's products. Publishers share nothing.

    Every sentence here has a test in tests/activity/test_store.py, run on every backend. Every method
    may raise groups.errors.StoreUnavailable, and no error of the backend's own. Losing some of it is
    no harm, for nothing is decided by it; where a write fails, some of it may have been saved.
    """

    def add(self, publisher: str, batch: Batch) -> None:
        """Add counts, put last answers in the place of earlier ones, and note the latest decisions.

        Of those, SEEN_KEPT are kept. Nothing of whom was forgotten less than FORGOTTEN_FOR ago, by
        the store's clock, is noted; it is counted.
        """

    def counts(
        self, publisher: str, since: datetime, until: datetime, *, by_minute: bool
    ) -> list[DecisionCount]:
        """Counts of minutes or hours that begin in [since, until), in order of moment and key."""

    def last_answers(self, publisher: str, product_id: str) -> Mapping[int, LastAnswer]:
        """What each member was last told about a product, by the member's digest."""

    def seen(self, publisher: str, since: float) -> list[RecentDecision]:
        """The latest decisions after a moment (seconds since the epoch), in the order they were added."""

    def forget(self, publisher: str, digest: int) -> None:
        """Remove all that is kept about somebody; counts stay, for they name nobody."""

    def prune(self, publisher: str, keep: timedelta, now: datetime) -> None:
        """Remove what is older than `keep`; counts by minute that are older than MINUTES_KEPT, too.

        Counts go by whole days, or hours where they are by minute.
        """

    def clear(self, publisher: str) -> None:
        """Remove everything of a publisher."""

    def publishers(self) -> tuple[str, ...]:
        """Every publisher of which anything is kept, in order."""
