"""ActivityStore: where activity is kept. The docstrings are the contract of every backend."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Protocol

from eligibility.activity.model import Batch, Count, LastAnswer, Seen

MINUTES_KEPT = timedelta(hours=48)
"""Counts are kept by minute for so long, and by hour for as long as the settings say."""
SEEN_KEPT = 500
"""Of the latest decisions of a publisher."""


class ActivityStore(Protocol):
    """What was asked of a publisher's products. Publishers share nothing.

    Every method may raise groups.errors.StoreUnavailable, and no error of the backend's own. Losing
    some of it is no harm: nothing is decided by it, and a write may be applied twice.
    """

    def add(self, publisher: str, batch: Batch) -> None:
        """Add counts, put last answers in the place of older ones, and note the latest decisions."""

    def counts(
        self, publisher: str, since: datetime, until: datetime, *, by_minute: bool
    ) -> list[Count]:
        """Counts of minutes or hours that begin in [since, until), by moment."""

    def last_answers(self, publisher: str, product_id: str) -> Mapping[int, LastAnswer]:
        """What each member was last told about a product, by the member's digest."""

    def seen(self, publisher: str, since: float) -> list[Seen]:
        """The latest decisions after a moment (seconds since the epoch), oldest first."""

    def forget(self, publisher: str, digest: int) -> None:
        """Remove all that is kept about somebody."""

    def prune(self, publisher: str, keep: timedelta, now: datetime) -> None:
        """Remove what is older than it may be."""

    def publishers(self) -> tuple[str, ...]:
        """Every publisher of which anything is kept, in order."""
