"""Case: all inputs of one decision."""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from eligibility.access.codes import AccountKind, Reason
from eligibility.access.model import AccessQuery
from eligibility.catalog.model import Product
from eligibility.rules.requirements import Requirements
from eligibility.windows.versions import WINDOWS_10


@dataclass(frozen=True)
class Case:
    """All inputs of one decision. account_groups: the product's that list the account. now: UTC.

    sole_groups: those in which nobody else is, if known; a group must keep a member (KUG).
    """

    query: AccessQuery
    product: Product
    account_groups: frozenset[str]
    requirements: Requirements
    now: datetime
    sole_groups: frozenset[str] = frozenset()

    @cached_property
    def identity_blocker(self) -> Reason | None:
        """Why this account cannot be a member: only a signed-in Microsoft account can (KUG)."""
        if self.query.account is None:
            return Reason.NOT_SIGNED_IN
        if self.query.account.kind is not AccountKind.MICROSOFT:
            return Reason.WRONG_ACCOUNT_KIND
        return None

    @cached_property
    def promotional_code(self) -> bool:
        """Whether the account holds a code that its device takes: Windows 10 and 11 only (VIS, PROMO)."""
        return self.query.promotional_code and self.query.device.version >= WINDOWS_10

    @cached_property
    def counted_groups(self) -> frozenset[str]:
        """Active groups that the account is a member of. Empty without a Microsoft account."""
        if self.identity_blocker is not None:
            return frozenset()
        return self.account_groups & self.product.active_groups(self.now)
