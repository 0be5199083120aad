"""Membership changes that the Store may not have applied yet. Source: KUG, CG."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Literal

from eligibility.access.model import Decision, Settling
from eligibility.rules.case import Case
from eligibility.rules.decide import decide
from groups.model import GroupChange

SETTLING_TIME = timedelta(minutes=30)
"""How long Partner Center may take to apply a membership change (KUG, CG)."""

MembershipMove = tuple[datetime, str, Literal["added", "removed"]]
"""Time of a change, group, and whether the account was added or removed."""

RecentMoves = dict[int, tuple[MembershipMove, ...]]
"""Digest of an address -> the newest change of each of its groups."""


def unsettled(now: datetime, moves: Iterable[MembershipMove]) -> list[MembershipMove]:
    """List the changes that the Store may not have applied yet, newest first."""
    return sorted((move for move in moves if now < move[0] + SETTLING_TIME), reverse=True)


def settling_of(case: Case, decision: Decision, moves: Iterable[MembershipMove]) -> Settling | None:
    """Name the newest change that the decision depends on, or the newest of all if there is none.

    None if the Store has applied all changes of the account by now.
    """
    recent = unsettled(case.now, moves)
    if not recent:
        return None
    deciding = (move for move in recent if len(recent) > 1 and _decides(case, decision, move))
    changed_at, group_id, change = next(deciding, recent[0])
    return Settling(group_id, change, changed_at, changed_at + SETTLING_TIME)


def _decides(case: Case, decision: Decision, move: MembershipMove) -> bool:
    """Check whether the decision differs without the change."""
    _, group_id, change = move
    before = case.account_groups - {group_id}
    if change == "removed":
        before |= {group_id}
    other = decide(replace(case, account_groups=before))
    return (other.submission, other.package) != (decision.submission, decision.package)


def recent_of(
    changes: Iterable[GroupChange],
    groups: frozenset[str],
    digest: Callable[[str], int],
    before: RecentMoves | None = None,
    since: datetime | None = None,
) -> RecentMoves:
    """Find the newest changes of each address. before: an earlier result, dropped up to `since`."""
    recent: RecentMoves = {}
    if before and since:
        for key, moves in before.items():
            if kept := tuple(move for move in moves if move[0] > since):
                recent[key] = kept
    for change in changes:
        if change.group_id in groups:
            for address in change.added:
                _note(recent, digest(address), (change.at, change.group_id, "added"))
            for address in change.removed:
                _note(recent, digest(address), (change.at, change.group_id, "removed"))
    return recent


def _note(recent: RecentMoves, key: int, move: MembershipMove) -> None:
    others = (earlier for earlier in recent.get(key, ()) if earlier[1] != move[1])
    recent[key] = (*others, move)
