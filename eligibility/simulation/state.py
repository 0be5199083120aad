"""State: a snapshot of a product to simulate, now or at another time, with or without a draft."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from eligibility.access.model import AccessQuery, Decision
from eligibility.catalog.model import Product
from eligibility.engine.snapshot import Snapshot
from eligibility.rules.case import Case


@dataclass(frozen=True)
class State:
    """A product to decide queries about. moment: the UTC-aware time for which queries are decided.

    earlier: builds the state with the memberships of 30 minutes before, which the Store may still
    have; returns None if no membership of the product's groups has changed since.
    """

    snapshot: Snapshot
    moment: datetime
    label: str = "live"
    earlier: Callable[[], "State | None"] = lambda: None

    @property
    def product_id(self) -> str:
        """Return the product's id."""
        return self.snapshot.product_id

    @property
    def product(self) -> Product:
        """Return the product as this state declares it."""
        return self.snapshot.product

    def decide(self, query: AccessQuery, *, explain: bool = False) -> Decision:
        """Decide a query about the product at the state's time; the query's own `at` is ignored."""
        return self.snapshot.decide(query, self.moment, explain=explain)

    def decide_as_member(self, query: AccessQuery, groups: frozenset[str]) -> Decision:
        """Decide a query as if its account were a member of exactly these groups."""
        return self.snapshot.decide_as_member(query, groups, self.moment)

    def case(self, query: AccessQuery) -> Case:
        """Build the input of the rules for a query, and of the search for the least change."""
        return self.snapshot.case_to_explain(query, self.moment)
