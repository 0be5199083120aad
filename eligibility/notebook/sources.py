"""Sources of a simulation from Python: a store, or products and groups in the code itself."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any, Protocol

from eligibility.catalog.model import Product
from eligibility.catalog.validation import ValidationContext, read_product, validate
from eligibility.engine.snapshot import snapshot_of
from eligibility.errors import UnknownProduct
from eligibility.rules.requirements import Requirements
from eligibility.service.service import Service
from eligibility.simulation.inputs.accounts import Members
from eligibility.simulation.inputs.drafts import Draft, MemberMoves
from eligibility.simulation.state import State
from groups import emails
from groups.errors import UnknownGroup
from groups.member_set import Digester


class SimulationSource(Protocol):
    """Products and groups to simulate. A draft is laid over them; a moment is UTC-aware, None = now."""

    def publisher(self, product_id: str) -> str:
        """Say whose product it is. Raises: UnknownProduct."""

    def state(self, product_id: str, at: datetime | None, draft: Draft) -> State:
        """Give a product in its state. Raises: UnknownProduct; InvalidInput, InvalidProduct."""

    def members(self, publisher: str, at: datetime | None, draft: Draft) -> Members:
        """Give a reader of a publisher's groups."""

    def close(self) -> None:
        """Close what was opened."""


@dataclass(frozen=True)
class StoredSource:
    """States from the store of a service. owned: whether `close` closes the service."""

    service: Service
    owned: bool

    def publisher(self, product_id: str) -> str:
        """See SimulationSource."""
        return self.service.states.owner(product_id)

    def state(self, product_id: str, at: datetime | None, draft: Draft) -> State:
        """See SimulationSource."""
        return self.service.states.read(product_id, at, draft)

    def members(self, publisher: str, at: datetime | None, draft: Draft) -> Members:
        """See SimulationSource."""
        read: Members = partial(self.service.states.members, publisher, at=at, draft=draft)
        return read

    def close(self) -> None:
        """See SimulationSource."""
        if self.owned:
            self.service.close()


@dataclass(frozen=True)
class MemorySource:
    """States from products and groups in the code, without a history. groups: canonical members."""

    owner: str
    products: Mapping[str, Product]
    groups: Mapping[str, tuple[str, ...]]
    requirements: Requirements
    digester: Digester = field(default_factory=lambda: Digester(b"given"))

    @classmethod
    def read(
        cls,
        owner: str,
        products: Mapping[str, Any],
        groups: Mapping[str, str | Iterable[str]],
        requirements: Requirements,
    ) -> "MemorySource":
        """Read products as a catalogue's file has them, and groups as addresses.

        Raises: InvalidProduct, groups.errors.InvalidEmails with every fault.
        """
        read = {
            product_id: body if isinstance(body, Product) else read_product(body)
            for product_id, body in products.items()
        }
        members = {
            group_id: emails.parse(texts, loc=group_id) for group_id, texts in groups.items()
        }
        return cls(owner, read, members, requirements)

    def publisher(self, product_id: str) -> str:
        """See SimulationSource."""
        if product_id not in self.products:
            raise UnknownProduct(product_id)
        return self.owner

    def state(self, product_id: str, at: datetime | None, draft: Draft) -> State:
        """See SimulationSource."""
        moment = at or datetime.now(UTC)
        product = draft.products.get(product_id) or self.products.get(product_id)
        if product is None:
            raise UnknownProduct(product_id)
        declared = self.groups.keys() | draft.groups.keys()
        validate(product_id, product, ValidationContext(declared, moment))
        read = self.members(self.owner, at, draft)
        snapshot = snapshot_of(
            self.owner,
            product_id,
            product,
            {group: self.digester.of_all(read(group)) for group in product.groups},
            self.digester,
            draft.requirements or self.requirements,
        )
        return State(snapshot, moment, "given" if draft.is_empty else "given + draft")

    def members(self, publisher: str, at: datetime | None, draft: Draft) -> Members:  # noqa: ARG002
        """See SimulationSource."""

        def read(group_id: str) -> list[str]:
            moves = draft.groups.get(group_id, MemberMoves())
            if group_id not in self.groups and not moves.whole:
                raise UnknownGroup(publisher, group_id)
            return moves.over(self.groups.get(group_id, ()))

        return read

    def close(self) -> None:
        """See SimulationSource."""


def with_moves(
    draft: Draft, add: Mapping[str, Iterable[str]], remove: Mapping[str, Iterable[str]]
) -> Draft:
    """Add accounts that come to groups and go from them.

    Raises: InvalidEmails; InvalidInput for an address that does both in one group.
    """
    moves = {}
    for group_id in (*add, *remove):
        comes = emails.parse(add.get(group_id, ()), loc=f"add.{group_id}")
        goes = emails.parse(remove.get(group_id, ()), loc=f"remove.{group_id}")
        moves[group_id] = MemberMoves.read(comes, goes, group_id)
    return draft.moving(moves)
