"""Preview the effects of edits and plans on access, reading the stores and saving nothing."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
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
    """Compute an edit's effects on access, from its dry run or its result. now: UTC-aware."""
    publisher, edited = result.publisher, frozenset((result.group_id,))
    moved = (*result.joined, *result.left)
    entries = [e for e in all_products(catalog, publisher) if result.group_id in e.product.groups]
    if not entries or not moved:
        return Effects(products=())
    named = frozenset[str]().union(*(entry.product.groups for entry in entries))
    present = _present(groups, publisher, named, moved)
    outside = {address: present[address] - edited for address in moved}
    inside = {address: present[address] | edited for address in moved}
    memberships = {address: (outside[address], inside[address]) for address in result.joined}
    memberships |= {address: (inside[address], outside[address]) for address in result.left}
    return _effects(
        effects_on(entry.product_id, entry.product, entry.product, memberships, now)
        for entry in entries
    )


def of_plan(
    plan: Plan,
    declaration: Declaration,
    groups: MembershipReader,
    catalog: CatalogStore,
    now: datetime,
) -> Effects:
    """Compute the effects that applying a plan would have on access."""
    publisher = plan.publisher
    stored = {entry.product_id: entry.product for entry in all_products(catalog, publisher)}
    after = dict(stored)
    for change in plan.products:
        if change.action in ("create", "change"):
            after[change.product_id] = declaration.products[change.product_id]
        elif change.action == "delete":
            del after[change.product_id]
    edited = {
        group.group_id: declaration.groups[group.group_id].members or ()
        for group in plan.groups
        if group.moves_members
    }
    members = _Members(groups, publisher, edited)
    return _effects(
        effects_on(id_, stored.get(id_), after.get(id_), members.of(stored, after, id_), now)
        for id_ in sorted(stored.keys() | after.keys())
        if _is_affected(stored.get(id_), after.get(id_), edited)
    )


def _effects(products: Iterable[ProductEffects]) -> Effects:
    return Effects(products=tuple(effects for effects in products if not effects.is_empty))


class _Members:
    """The members of a publisher's groups before and after a plan. Each group is read only once."""

    def __init__(
        self, groups: MembershipReader, publisher: str, edited: Mapping[str, Collection[str]]
    ) -> None:
        self._groups, self._publisher, self._edited = groups, publisher, edited
        self._existing = groups.group_ids(publisher)
        self._known: dict[str, frozenset[str]] = {}

    def of(
        self, before: Mapping[str, Product], after: Mapping[str, Product], product_id: str
    ) -> Memberships:
        """Return the memberships of everybody in a group that the product names before or after the edit."""
        products = [state[product_id] for state in (before, after) if product_id in state]
        named = sorted(frozenset[str]().union(*(product.groups for product in products)))
        was, becomes = defaultdict[str, int](int), defaultdict[str, int](int)
        for bit, group_id in enumerate(named):  # one bit a group: few sets of groups differ
            for address in self._present(group_id):
                was[address] |= 1 << bit
            for address in self._edited.get(group_id, self._present(group_id)):
                becomes[address] |= 1 << bit

        @cache
        def groups_of(bits: int) -> frozenset[str]:
            return frozenset(group for bit, group in enumerate(named) if bits >> bit & 1)

        return {
            address: (groups_of(was.get(address, 0)), groups_of(becomes.get(address, 0)))
            for address in was | becomes
        }

    def _present(self, group_id: str) -> frozenset[str]:
        if group_id not in self._existing:
            return frozenset()
        if group_id not in self._known:
            page = self._groups.members(self._publisher, group_id, limit=MAX_MEMBERS)
            self._known[group_id] = frozenset(page.items)
        return self._known[group_id]


def _is_affected(
    before: Product | None, after: Product | None, edited: Mapping[str, Collection[str]]
) -> bool:
    product = after or before
    return before != after or (product is not None and bool(product.groups & edited.keys()))


def _present(
    groups: MembershipReader, publisher: str, named: frozenset[str], addresses: Sequence[str]
) -> dict[str, frozenset[str]]:
    """Map each address to the groups that list it. Compares digests; reads all groups at once."""
    _, sets = groups.member_sets(publisher, named)
    index = MemberIndex.build(sets)
    numbers = index.find_all(Digester(groups.digest_key()).of_all(addresses))
    return dict(zip(addresses, map(index.combination, numbers), strict=True))
