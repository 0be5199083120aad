"""Case: everything that one decision may depend on."""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from eligibility.access.model import AccessQuery, AccountKind, Reason
from eligibility.catalog.model import Product
from eligibility.rules.requirements import Requirements


@dataclass(frozen=True)
class Case:
    """All inputs of one decision.

    account_groups: ids of the product's groups that list one of the account's addresses.
    now: UTC-aware, the moment to decide for.
    """

    query: AccessQuery
    product: Product
    account_groups: frozenset[str]
    requirements: Requirements
    now: datetime

    @cached_property
    def identity_blocker(self) -> Reason | None:
        """Why nobody can be a member here: membership is of a signed-in Microsoft account (KUG)."""
        if self.query.account is None:
            return Reason.NOT_SIGNED_IN
        if self.query.account.kind is not AccountKind.MICROSOFT:
            return Reason.WRONG_ACCOUNT_KIND
        return None

    @cached_property
    def counted_groups(self) -> frozenset[str]:
        """Active groups the account counts as a member of; none without a Microsoft account."""
        if self.identity_blocker is not None:
            return frozenset()
        return self.account_groups & self.product.active_groups(self.now)
