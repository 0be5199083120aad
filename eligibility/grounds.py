"""Grounds: everything that a decision is made from, so that it can be supposed otherwise.

Whoever asks "what if" replaces a part and decides again, by the same rules and without any store.
"""

from dataclasses import dataclass
from datetime import datetime

from eligibility.catalog.model import Product
from eligibility.decide import decide
from eligibility.model import AccessQuery, Decision
from eligibility.requirements import Requirements


@dataclass(frozen=True, slots=True)
class Grounds:
    """A query with the rest of what its decision may depend on; see `decide` for each."""

    query: AccessQuery
    product: Product
    account_groups: frozenset[str]
    requirements: Requirements
    now: datetime

    def decide(self) -> Decision:
        """The decision, with its trace."""
        return decide(self.query, self.product, self.account_groups, self.requirements, self.now)
