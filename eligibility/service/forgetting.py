"""Forget a person: the one place that does it, always in the same order, and notes who did it."""

from collections.abc import Iterable, Sequence

from eligibility.audit.notes import note_forgotten
from eligibility.service.copy import publishers_of
from eligibility.service.stores import Stores
from groups.emails import canonical
from groups.errors import WouldBeEmpty
from groups.member_set import digest
from groups.model import ForgetResult


def publishers_with_anything(stores: Stores) -> list[str]:
    """List every publisher that has a group, a product or recorded activity, in order."""
    return sorted({*publishers_of(stores), *stores.activity.publishers()})


def check_replaced(planned: Iterable[ForgetResult], replacement: str | None) -> None:
    """Raise WouldBeEmpty if any planned forgetting would empty a group and nobody takes the place."""
    emptied = [f"{plan.publisher}/{group_id}" for plan in planned for group_id in plan.emptied]
    if emptied and replacement is None:
        raise WouldBeEmpty(emptied)


def forget(
    stores: Stores,
    publishers: Sequence[str],
    address: str,
    *,
    actor: str,
    replacement: str | None = None,
    dry_run: bool = False,
) -> list[ForgetResult]:
    """Forget a person at some publishers: activity, then groups and history, then the audit note.

    Nothing is forgotten before every publisher was checked. Activity goes first: losing it does no
    harm if the rest fails. The note comes right after the groups, also where the person was in none,
    for the activity of a stranger is erased too. Who repeats a forgetting that was cut off completes it.

    Args: replacement = who takes the place in groups that would be empty.
    Raises: InvalidEmails; WouldBeEmpty (a dry run reports the groups instead); StoreUnavailable.
    """

    def in_groups(publisher: str, dry_run: bool) -> ForgetResult:
        return stores.groups.forget(
            publisher, address, actor=actor, replacement=replacement, dry_run=dry_run
        )

    planned = [in_groups(publisher, dry_run=True) for publisher in publishers]
    if dry_run:
        return planned
    check_replaced(planned, replacement)
    known_as = digest(canonical(address), stores.groups.digest_key())
    results = []
    for publisher in publishers:
        stores.activity.forget(publisher, known_as)
        results.append(in_groups(publisher, dry_run=False))
        note_forgotten(stores.audit, actor, results[-1])
    return results
