"""Membership changes that the Store may not have applied yet. Source: KUG, CG."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Literal

from eligibility.access.model import Settling
from groups.model import GroupChange

SETTLING_TIME = timedelta(minutes=30)
"""How long Partner Center may take to apply a membership change (KUG, CG)."""

MembershipMove = tuple[datetime, str, Literal["added", "removed"]]
"""Time of a change, group, and whether the account was added or removed."""

RecentMoves = dict[int, MembershipMove]
"""Digest of an address -> its newest change."""


def settling_at(now: datetime, changes: Iterable[MembershipMove]) -> Settling | None:
    """The newest of an account's changes. None if the Store has applied it by now."""
    newest = max(changes, default=None)
    if newest is None:
        return None
    changed_at, group_id, change = newest
    settled_at = changed_at + SETTLING_TIME
    return Settling(group_id, change, changed_at, settled_at) if now < settled_at else None


def recent_of(
    changes: Iterable[GroupChange],
    groups: frozenset[str],
    digest: Callable[[str], int],
    before: RecentMoves | None = None,
    since: datetime | None = None,
) -> RecentMoves:
    """Find the newest change of each address. before: an earlier result, dropped up to `since`."""
    recent: RecentMoves = {}
    if before and since:
        recent = {key: change for key, change in before.items() if change[0] > since}
    for change in changes:
        if change.group_id in groups:
            for address in change.added:
                recent[digest(address)] = (change.at, change.group_id, "added")
            for address in change.removed:
                recent[digest(address)] = (change.at, change.group_id, "removed")
    return recent
