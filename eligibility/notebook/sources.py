"""Sources of a simulation from Python: a store, or products and groups as Python objects."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol

from eligibility.catalog.model import Product
from eligibility.catalog.validation import ValidationContext, read_product, validate
from eligibility.engine.snapshot import snapshot_of
from eligibility.errors import UnknownProduct
from eligibility.rules.requirements import Requirements
from eligibility.simulation.inputs.drafts import Draft, MemberMoves
from eligibility.simulation.state import State
from groups import emails
from groups.errors import UnknownGroup
from groups.member_set import Digester


class SimulationSource(Protocol):
    """Reads products and groups, with a draft applied, at a UTC-aware time `at` (None = now)."""

    def owner(self, product_id: str) -> str:
        """Return the publisher of a product. Raises: UnknownProduct."""

    def read(self, product_id: str, at: datetime | None, draft: Draft) -> State:
        """Read a product as a State. Raises: UnknownProduct; InvalidInput; InvalidProduct."""

    def members(
        self, publisher: str, group_id: str, at: datetime | None, draft: Draft
    ) -> list[str]:
        """List the members of a group, sorted. Raises: groups.errors.UnknownGroup."""


@dataclass(frozen=True)
class MemoryStates:
    """Products and groups held in memory, without a history. groups: canonical addresses by id."""

    publisher: str
    products: Mapping[str, Product]
    groups: Mapping[str, tuple[str, ...]]
    requirements: Requirements
    digester: Digester = field(default_factory=lambda: Digester(b"given"))

    @classmethod
    def parse(
        cls,
        publisher: str,
        products: Mapping[str, Any],
        groups: Mapping[str, str | Iterable[str]],
        requirements: Requirements,
    ) -> "MemoryStates":
        """Read products, as in catalogue files, and groups. Raises: InvalidProduct; InvalidEmails."""
        read = {
            product_id: body if isinstance(body, Product) else read_product(body)
            for product_id, body in products.items()
        }
        members = {
            group_id: emails.parse(texts, loc=group_id) for group_id, texts in groups.items()
        }
        return cls(publisher, read, members, requirements)

    def owner(self, product_id: str) -> str:
        """See SimulationSource."""
        if product_id not in self.products:
            raise UnknownProduct(product_id)
        return self.publisher

    def read(self, product_id: str, at: datetime | None, draft: Draft) -> State:
        """See SimulationSource."""
        moment = at or datetime.now(UTC)
        product = draft.products.get(product_id) or self.products.get(product_id)
        if product is None:
            raise UnknownProduct(product_id)
        declared = self.groups.keys() | draft.groups.keys()
        validate(product_id, product, ValidationContext(declared, moment))
        snapshot = snapshot_of(
            self.publisher,
            product_id,
            product,
            {
                group: self.digester.of_all(self.members(self.publisher, group, at, draft))
                for group in product.groups
            },
            self.digester,
            draft.requirements or self.requirements,
        )
        return State(snapshot, moment, "given" if draft.is_empty else "given + draft")

    def members(
        self,
        publisher: str,
        group_id: str,
        at: datetime | None,  # noqa: ARG002
        draft: Draft,
    ) -> list[str]:
        """See SimulationSource."""
        moves = draft.groups.get(group_id, MemberMoves())
        if group_id not in self.groups and not moves.whole:
            raise UnknownGroup(publisher, group_id)
        return moves.over(self.groups.get(group_id, ()))


def with_moves(
    draft: Draft, add: Mapping[str, Iterable[str]], remove: Mapping[str, Iterable[str]]
) -> Draft:
    """Return a draft with more moves of accounts. Raises: InvalidEmails, InvalidInput."""
    moves = {}
    for group_id in (*add, *remove):
        comes = emails.parse(add.get(group_id, ()), loc=f"add.{group_id}")
        goes = emails.parse(remove.get(group_id, ()), loc=f"remove.{group_id}", strict=False)
        moves[group_id] = MemberMoves.read(comes, goes, group_id)
    return draft.moving(moves)
