"""Forgets a person in all stores, always in the same order, and notes in the audit log who did it."""

from collections.abc import Iterable, Sequence

from eligibility.audit.notes import note_forgotten
from eligibility.service.copy import publishers_of
from eligibility.service.stores import Stores
from groups.emails import canonical
from groups.errors import WouldBeEmpty
from groups.member_set import digest
from groups.model import ForgetResult


def publishers_with_anything(stores: Stores) -> list[str]:
    """List every publisher that has a group, a product or recorded activity, sorted."""
    return sorted({*publishers_of(stores), *stores.activity.publishers()})


def check_replaced(planned: Iterable[ForgetResult], replacement: str | None) -> None:
    """Raise WouldBeEmpty if a planned forgetting would empty a group and there is no replacement."""
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
    """Forget a person at the given publishers: check all, then erase one publisher after another.

    Activity is erased first, because losing it does no harm if a later step fails. Then groups and
    history are changed, then the audit log gets a note, even if the person was in no group. After an
    interruption, repeating the call completes it.

    Args: replacement = address that joins the groups that would be empty.
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
    known_as = digest(canonical(address, strict=False), stores.groups.digest_key())
    results = []
    for publisher in publishers:
        stores.activity.forget(publisher, known_as)
        results.append(in_groups(publisher, dry_run=False))
        note_forgotten(stores.audit, actor, results[-1])
    return results
