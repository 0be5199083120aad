"""State: one product with the members of its groups, at one moment, ready to be asked.

What is stored now, what was stored at a past moment, or either with drafts laid over it: whoever
simulates cannot tell them apart. Reading them is states.py's.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from eligibility.access.model import AccessQuery, Decision
from eligibility.catalog.model import Product
from eligibility.engine.held_product import HeldProduct
from eligibility.rules.case import Case


@dataclass(frozen=True)
class State:
    """A product to ask. moment: UTC-aware, the one that is decided for. label: names it for people.

    earlier: the same with the memberships of 30 minutes ago, which the Store itself may still have;
    None where no membership of the product's groups has changed since. Made when it is asked for.
    """

    held: HeldProduct
    moment: datetime
    label: str = "live"
    earlier: Callable[[], "State | None"] = lambda: None

    @property
    def product_id(self) -> str:
        """The product's id."""
        return self.held.product_id

    @property
    def product(self) -> Product:
        """The product as it is declared in this state."""
        return self.held.product

    def decide(self, query: AccessQuery, *, explain: bool = False) -> Decision:
        """The decision on a query about the product; its own moment, if any, means nothing."""
        now = self.moment.timestamp()
        return self.held.explain(query, now) if explain else self.held.answer(query, now)

    def decide_as_member(self, query: AccessQuery, groups: frozenset[str]) -> Decision:
        """The decision on a query if exactly these groups listed its account."""
        return self.held.decide_as_member(query, groups, self.moment.timestamp())

    def apart(self) -> "State":
        """The same, which remembers its decisions for itself: those of live queries keep their room."""
        return replace(self, held=self.held.with_index(self.held.index))

    def case(self, query: AccessQuery) -> Case:
        """Everything that the decision on a query is made from."""
        return self.held.case(query, self.moment.timestamp())
