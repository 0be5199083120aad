"""Whether a membership change is so new that the Store may not have applied it. Source: KUG, CG."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Literal

from eligibility.model import Settling

SETTLING_TIME = timedelta(minutes=30)
"""How long Partner Center may take to apply a membership change (KUG, CG)."""

Joined = tuple[datetime, str, Literal["added", "removed"]]
"""When, which group, and whether an account came or went."""


def settling_at(now: datetime, changes: Iterable[Joined]) -> Settling | None:
    """The newest of an account's membership changes, while it may not be applied yet."""
    newest = max(changes, default=None)
    if newest is None:
        return None
    changed_at, group_id, change = newest
    settled_at = changed_at + SETTLING_TIME
    return Settling(group_id, change, changed_at, settled_at) if now < settled_at else None
