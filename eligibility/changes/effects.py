"""Compute the effects of a change of groups or products on access, before it is saved. Pure.

Compares only memberships, not devices: who is in the private audience, and which flight ranks
highest for each account. `decide` checks packages. Both use the rules of catalog/model.py.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from heapq import nsmallest
from typing import Literal

from eligibility.catalog.model import Product
from eligibility.explain.phrases import EFFECTS

NAMED = 100
"""Limit of accounts that a change names; its count includes all accounts."""

GroupIds = frozenset[str]
Memberships = Mapping[str, tuple[GroupIds, GroupIds]]
"""Address -> the groups that list it before, and those that list it after."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessChange:
    """A change of access to a product that some accounts share.

    from_flight, to_flight: ids, or None; `moves` has both. blocked_by_audience: the accounts are in
    the flight, but not in the private audience, so they cannot use the flight. accounts: number of
    addresses. first: the first NAMED addresses, sorted.
    """

    kind: Literal["audience", "flight"]
    change: Literal["gains", "loses", "moves"]
    from_flight: str | None = None
    to_flight: str | None = None
    blocked_by_audience: bool = False
    accounts: int = 0
    first: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductEffects:
    """Effects on a product. becomes_public: everybody now sees it, not only `changes`."""

    product_id: str
    name: str
    changes: tuple[AccessChange, ...]
    becomes_public: bool = False

    @property
    def is_empty(self) -> bool:
        """Check that the change has no effect on the product."""
        return not self.changes and not self.becomes_public


@dataclass(frozen=True, slots=True, kw_only=True)
class Effects:
    """The effects of a change on access, by product; unaffected products are left out."""

    products: tuple[ProductEffects, ...]


@dataclass(frozen=True, slots=True)
class _Standing:
    """What an account's groups permit. admitted: it is in the audience. flight: set even if not."""

    private: bool
    admitted: bool
    flight: str | None

    @property
    def has(self) -> str | None:
        """Return the flight that takes effect: none outside the private audience (VIS)."""
        return self.flight if self.admitted else None


def effects_on(
    product_id: str,
    before: Product | None,
    after: Product | None,
    memberships: Memberships,
    now: datetime,
) -> ProductEffects:
    """Compare accounts' access to a product in two states; None = no such product."""
    by_groups: defaultdict[tuple[GroupIds, GroupIds], list[str]] = defaultdict(list)
    for address, groups in memberships.items():
        by_groups[groups].append(address)
    changed: defaultdict[AccessChange, list[str]] = defaultdict(list)
    for (groups_before, groups_after), addresses in by_groups.items():
        was, becomes = _standing(before, groups_before, now), _standing(after, groups_after, now)
        for change in _changes(was, becomes):
            changed[change] += addresses
    named = after or before
    counted = (
        replace(change, accounts=len(who), first=tuple(nsmallest(NAMED, who)))
        for change, who in changed.items()
    )
    return ProductEffects(
        product_id=product_id,
        name=named.name if named else product_id,
        changes=tuple(sorted(counted, key=_order)),
        becomes_public=_private(before, now) and after is not None and not _private(after, now),
    )


def _private(product: Product | None, now: datetime) -> bool:
    return product is not None and product.submission.audience_at(now) == "private"


def _standing(product: Product | None, groups: GroupIds, now: datetime) -> _Standing:
    if product is None:
        return _Standing(private=False, admitted=False, flight=None)
    flight = product.flight_for(groups, now)
    return _Standing(
        private=_private(product, now),
        admitted=product.submission.admits(groups, now),
        flight=flight.flight_id if flight else None,
    )


def _changes(was: _Standing, becomes: _Standing) -> Iterable[AccessChange]:
    if was.admitted != becomes.admitted and (was.private or becomes.private):
        yield AccessChange(kind="audience", change="gains" if becomes.admitted else "loses")
    if was.has != becomes.has:
        yield _move(was.has, becomes.has)
    if not becomes.admitted and was.flight != becomes.flight:
        useless = None if was.admitted else was.flight
        if useless != becomes.flight:
            yield _move(useless, becomes.flight, blocked=True)


def _move(before: str | None, after: str | None, *, blocked: bool = False) -> AccessChange:
    return AccessChange(
        kind="flight",
        change="gains" if before is None else "loses" if after is None else "moves",
        from_flight=before,
        to_flight=after,
        blocked_by_audience=blocked,
    )


def _order(change: AccessChange) -> tuple[str, ...]:
    """Build a sort key: the audience before flights, and flights by kind of change."""
    flights = (change.from_flight or "", change.to_flight or "", str(change.blocked_by_audience))
    return (change.kind, change.change, *flights)


def effect_text(change: AccessChange) -> str:
    """Describe a change: `gain flight canary`, `no longer see the private product`."""
    text = EFFECTS[change.kind, change.change].format(
        from_flight=change.from_flight, to_flight=change.to_flight
    )
    return (
        f"{text} (has no effect: not in the private audience)"
        if change.blocked_by_audience
        else text
    )
