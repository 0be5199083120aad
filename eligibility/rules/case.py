"""Case: one query with everything its decision may depend on, and the trace as it grows."""

from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from eligibility.access.model import AccessQuery, AccountKind, Reason, TraceStep
from eligibility.catalog.model import Product
from eligibility.rules.requirements import Requirements


@dataclass(frozen=True)
class CaseTrace:
    """One query with everything its decision may depend on, and the trace as it grows."""

    query: AccessQuery
    product: Product
    account_groups: frozenset[str]
    requirements: Requirements
    now: datetime
    trace: list[TraceStep] = field(default_factory=list)

    def note(
        self, step: str, outcome: str, detail: str, source: str, **facts: str | tuple[str, ...]
    ) -> None:
        """Write down one step of the decision; detail and facts both tell what was compared."""
        self.trace.append(TraceStep(step, outcome, detail, source, facts))

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
