"""Gradual rollout: on which side of it a device is. Source of the rules: design section 3.7, GPR."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from decimal import Decimal
from hashlib import blake2b

from eligibility.access.model import AccessQuery, Reason
from eligibility.catalog.model import Package, Product, Rollout, RolloutStatus
from eligibility.rules.requirements import Floor, Requirements

BUCKETS = 10_000


def bucket(product_id: str, account_id: str) -> int:
    """The account's place, 0 to 9,999, in every rollout of the product.

    Stable per account and product, so that a later rollout reaches people in the same order (GPR).
    """
    key = f"{product_id}:{account_id}".encode()
    return int.from_bytes(blake2b(key, digest_size=8).digest(), "big") % BUCKETS


def buckets(product_id: str, account_ids: Iterable[str]) -> list[int]:
    """What `bucket` gives for each, in a third of the time."""
    state = blake2b(f"{product_id}:".encode(), digest_size=8)
    begun, read = state.copy, int.from_bytes
    found = []
    for account_id in account_ids:
        state = begun()
        state.update(account_id.encode())
        found.append(read(state.digest(), "big") % BUCKETS)
    return found


def threshold(percentage: float) -> Decimal:
    """Buckets below this get the newest packages. Decimal: 1.09 % is 109 buckets, not 110."""
    return Decimal(repr(percentage)) * 100


def thresholds(product: Product) -> list[float]:
    """Buckets at which some rollout of the product changes sides, ascending."""
    return sorted(
        {
            float(threshold(source.rollout.percentage))
            for source in product.sources()
            if source.rollout and source.rollout.status is RolloutStatus.IN_PROGRESS
        }
    )


def place(thresholds: Sequence[float], product_id: str, account_id: str) -> int:
    """Between which two thresholds an account is: the same for accounts that no rollout tells apart."""
    return bisect_right(thresholds, bucket(product_id, account_id))


def side(query: AccessQuery, rollout: Rollout, requirements: Requirements) -> tuple[bool, Reason]:
    """Whether the query gets the newest packages of a rollout not yet finalized, and why.

    The order of the tests is the rule: a halt stops everybody, whatever else holds.
    """
    rule = requirements.rollout
    if rollout.status is RolloutStatus.HALTED:
        return False, Reason.ROLLOUT_HALTED
    if rule.check(query.device.family, query.device.version) is not Floor.MET:
        return False, Reason.ROLLOUT_OS_BELOW_MINIMUM
    if query.manual_check and rollout.newest_on_manual_check:
        return True, Reason.ROLLOUT_MANUAL_CHECK
    if query.installed_version is None and requirements.rollout_applies_to != "everyone":
        return True, Reason.ROLLOUT_NEW_INSTALL
    if query.account is None:
        return False, Reason.ROLLOUT_NOT_SIGNED_IN
    if bucket(query.product_id, query.account.id) < threshold(rollout.percentage):
        return True, Reason.ROLLOUT_INCLUDED
    return False, Reason.ROLLOUT_EXCLUDED


def packages_of(
    packages: tuple[Package, ...],
    rollout: Rollout | None,
    query: AccessQuery,
    requirements: Requirements,
) -> tuple[tuple[Package, ...], Reason | None]:
    """The packages a source gives to this query, and the rollout reason where one decided it."""
    if rollout is None or rollout.status is RolloutStatus.FINALIZED:
        return packages, None
    newest, reason = side(query, rollout, requirements)
    return (packages if newest else rollout.previous_packages), reason
