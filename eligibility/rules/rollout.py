"""Gradual rollouts: who gets the newest packages. Source of the rules: design section 3.7, GPR."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from decimal import Decimal
from hashlib import blake2b

from eligibility.access.codes import Reason
from eligibility.access.model import AccessQuery
from eligibility.catalog.model import Package, Product, Rollout, RolloutStatus
from eligibility.rules.requirements import Floor, Requirements

BUCKETS = 10_000


def bucket(product_id: str, account_id: str) -> int:
    """The account's fixed number, 0 to 9,999: all rollouts reach accounts in this order (GPR)."""
    key = f"{product_id}:{account_id}".encode()
    return int.from_bytes(blake2b(key, digest_size=8).digest(), "big") % BUCKETS


def buckets(product_id: str, account_ids: Iterable[str]) -> list[int]:
    """Return `bucket` of each account, in a third of the time."""
    state = blake2b(f"{product_id}:".encode(), digest_size=8)
    begun, read = state.copy, int.from_bytes
    numbers = []
    for account_id in account_ids:
        state = begun()
        state.update(account_id.encode())
        numbers.append(read(state.digest(), "big") % BUCKETS)
    return numbers


def threshold(percentage: float) -> Decimal:
    """Number of buckets that get the newest packages. Decimal: with floats, 1.09 % would give 110, not 109."""
    return Decimal(repr(percentage)) * 100


def thresholds(product: Product) -> list[float]:
    """Thresholds of all rollouts of the product in progress, ascending."""
    return sorted(
        {
            float(threshold(source.rollout.percentage))
            for source in product.sources()
            if source.rollout and source.rollout.status is RolloutStatus.IN_PROGRESS
        }
    )


def rollout_position(thresholds: Sequence[float], product_id: str, account_id: str) -> int:
    """Count the thresholds up to the account's bucket. Equal counts: same side of every rollout."""
    return bisect_right(thresholds, bucket(product_id, account_id))


def side(query: AccessQuery, rollout: Rollout, requirements: Requirements) -> tuple[bool, Reason]:
    """Check whether a query gets the newest packages, and why. A halt overrides all other tests."""
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
    if bucket(query.product_id, query.account.rollout_address) < threshold(rollout.percentage):
        return True, Reason.ROLLOUT_INCLUDED
    return False, Reason.ROLLOUT_EXCLUDED


def packages_of(
    packages: tuple[Package, ...],
    rollout: Rollout | None,
    query: AccessQuery,
    requirements: Requirements,
) -> tuple[tuple[Package, ...], Reason | None]:
    """The source's packages for this query, and the reason if a rollout chose them."""
    if rollout is None or rollout.status is RolloutStatus.FINALIZED:
        return packages, None
    newest, reason = side(query, rollout, requirements)
    return (packages if newest else rollout.previous_packages), reason
