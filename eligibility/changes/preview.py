"""The effects on access of edits and of whole plans, worked out from the stores before saving."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from functools import cache

from eligibility.catalog.export import all_products
from eligibility.catalog.files import Declaration
from eligibility.catalog.model import Product
from eligibility.catalog.plan import Plan
from eligibility.catalog.store import CatalogStore
from eligibility.changes.effects import Effects, Memberships, ProductEffects, effects_on
from groups.member_set import Digester, MemberIndex
from groups.model import MAX_MEMBERS, EditResult
from groups.store import MembershipReader


def of_edit(
    result: EditResult, groups: MembershipReader, catalog: CatalogStore, now: datetime
) -> Effects:
    """What an edit would do to access, or did: result = of a dry run or of the write itself.

    Compared are the members it moved without and with it, so that either tells the same.
    Args: now = UTC-aware.
    """
    publisher, edited = result.publisher, frozenset((result.group_id,))
    moved = (*result.joined, *result.left)
    concerned = [e for e in all_products(catalog, publisher) if result.group_id in e.product.groups]
    if not concerned or not moved:
        return Effects(products=())
    named = frozenset[str]().union(*(entry.product.groups for entry in concerned))
    present = _present(groups, publisher, named, moved)
    memberships = {one: (present[one] - edited, present[one] | edited) for one in result.joined}
    memberships |= {one: (present[one] | edited, present[one] - edited) for one in result.left}
    return _effects(
        effects_on(entry.product_id, entry.product, entry.product, memberships, now)
        for entry in concerned
    )


def of_plan(
    plan: Plan,
    declaration: Declaration,
    groups: MembershipReader,
    catalog: CatalogStore,
    now: datetime,
) -> Effects:
    """What applying a plan would do to access."""
    publisher = plan.publisher
    stored = {entry.product_id: entry.product for entry in all_products(catalog, publisher)}
    after = dict(stored)
    for one in plan.products:
        if one.action in ("create", "change"):
            after[one.product_id] = declaration.products[one.product_id]
        elif one.action == "delete":
            del after[one.product_id]
    edited = {
        one.group_id: declaration.groups[one.group_id].members or ()
        for one in plan.groups
        if one.moves_members
    }
    members = _Members(groups, publisher, edited)
    return _effects(
        effects_on(one, stored.get(one), after.get(one), members.of(stored, after, one), now)
        for one in sorted(stored.keys() | after.keys())
        if _concerned(stored.get(one), after.get(one), edited)
    )


def _effects(found: Iterable[ProductEffects]) -> Effects:
    return Effects(products=tuple(one for one in found if not one.is_empty))


class _Members:
    """Who is in a publisher's groups before and after a plan; each group is read once."""

    def __init__(
        self, groups: MembershipReader, publisher: str, edited: Mapping[str, Collection[str]]
    ) -> None:
        self._groups, self._publisher, self._edited = groups, publisher, edited
        self._existing = groups.group_ids(publisher)
        self._known: dict[str, frozenset[str]] = {}

    def of(
        self, before: Mapping[str, Product], after: Mapping[str, Product], product_id: str
    ) -> Memberships:
        """Everybody in a group that the product names in either state."""
        products = [state[product_id] for state in (before, after) if product_id in state]
        named = sorted(frozenset[str]().union(*(product.groups for product in products)))
        was, becomes = defaultdict[str, int](int), defaultdict[str, int](int)
        for bit, group_id in enumerate(named):  # a bit a group: most accounts are in the same ones
            for address in self._present(group_id):
                was[address] |= 1 << bit
            for address in self._edited.get(group_id, self._present(group_id)):
                becomes[address] |= 1 << bit

        @cache
        def groups_of(bits: int) -> frozenset[str]:
            return frozenset(one for bit, one in enumerate(named) if bits >> bit & 1)

        return {
            one: (groups_of(was.get(one, 0)), groups_of(becomes.get(one, 0)))
            for one in was | becomes
        }

    def _present(self, group_id: str) -> frozenset[str]:
        if group_id not in self._existing:
            return frozenset()
        if group_id not in self._known:
            page = self._groups.members(self._publisher, group_id, limit=MAX_MEMBERS)
            self._known[group_id] = frozenset(page.items)
        return self._known[group_id]


def _concerned(
    before: Product | None, after: Product | None, edited: Mapping[str, Collection[str]]
) -> bool:
    product = after or before
    return before != after or (product is not None and bool(product.groups & edited.keys()))


def _present(
    groups: MembershipReader, publisher: str, named: frozenset[str], addresses: Iterable[str]
) -> dict[str, frozenset[str]]:
    """Which of some groups list each address: told by digests, with one read for all."""
    _, sets = groups.member_sets(publisher, named)
    index = MemberIndex.build(sets)
    asked = tuple(addresses)
    numbers = index.find_all(Digester(groups.digest_key()).of_all(asked))
    return {
        address: index.combination(number) for address, number in zip(asked, numbers, strict=True)
    }
