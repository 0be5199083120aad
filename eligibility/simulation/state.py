"""State: a snapshot of a product at a moment, with a name for people.

What is stored now, what was stored at a past moment, or either with drafts laid over it: whoever
simulates cannot tell them apart. `states.py` reads them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from eligibility.access.model import AccessQuery, Decision
from eligibility.catalog.model import Product
from eligibility.engine.snapshot import Snapshot
from eligibility.rules.case import Case


@dataclass(frozen=True)
class State:
    """A product to decide queries on. moment: UTC-aware, the one that is decided for.

    earlier: builds the same with the memberships of 30 minutes ago, which the Store itself may
    still have; None where no membership of the product's groups has changed since.
    """

    snapshot: Snapshot
    moment: datetime
    label: str = "live"
    earlier: Callable[[], "State | None"] = lambda: None

    @property
    def product_id(self) -> str:
        """The product's id."""
        return self.snapshot.product_id

    @property
    def product(self) -> Product:
        """The product as it is declared in this state."""
        return self.snapshot.product

    def decide(self, query: AccessQuery, *, explain: bool = False) -> Decision:
        """Decide a query about the product for the state's moment, whatever the query's own `at`."""
        return self.snapshot.decide(query, self.moment, explain=explain)

    def decide_as_member(self, query: AccessQuery, groups: frozenset[str]) -> Decision:
        """Decide a query as if exactly these groups listed its account."""
        return self.snapshot.decide_as_member(query, groups, self.moment)

    def case(self, query: AccessQuery) -> Case:
        """Everything that the decision on a query is made from."""
        return self.snapshot.case(query, self.moment)
