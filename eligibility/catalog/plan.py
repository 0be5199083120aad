"""Compare a declared catalogue with the store, and store the differences.

`make_plan` only reads. `apply_plan` makes the changes that the plan lists and no others. It refuses
a plan if the catalogue has changed since the plan was made.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from eligibility.catalog.catalog import Catalog
from eligibility.catalog.differences import differences
from eligibility.catalog.export import all_groups, all_members, all_products
from eligibility.catalog.files import Declaration, GroupDeclaration, product_body
from eligibility.catalog.model import Product
from eligibility.catalog.product_warnings import product_warnings
from eligibility.catalog.store import CatalogEntry
from eligibility.errors import Fault, Faults, InvalidFile
from groups.errors import GroupSizeOutOfRange
from groups.model import MAX_MEMBERS, Group
from groups.store import GroupStore

PlanAction = Literal["create", "change", "delete", "unchanged", "left_alone"]


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupPlan:
    """A group's planned change. added, removed: members. consent: whether a note will be stored."""

    group_id: str
    action: PlanAction
    added: int = 0
    removed: int = 0
    consent: bool = False

    @property
    def moves_members(self) -> bool:
        """Return whether members will be added or removed."""
        return self.added > 0 or self.removed > 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductPlan:
    """The planned change to one product. differences: texts such as `field: before -> after`."""

    product_id: str
    action: PlanAction
    differences: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PlanWarning:
    """Something to correct, which prevents nothing. group_id: empty if it concerns no single group.

    used_by: as `9NBLGGH4R315 flight canary`.
    """

    code: str
    group_id: str
    used_by: tuple[str, ...]
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What applying a declaration changes. Valid while the catalogue is at `catalog_revision`.

    accepted: choices that somebody accepted, as CODE:PRODUCT.
    """

    publisher: str
    catalog_revision: int
    groups: tuple[GroupPlan, ...]
    products: tuple[ProductPlan, ...]
    warnings: tuple[PlanWarning, ...] = ()
    accepted: tuple[str, ...] = ()

    @property
    def changes_nothing(self) -> bool:
        """Return whether the store already agrees with the declaration."""
        actions = {group.action for group in self.groups} | {p.action for p in self.products}
        return actions <= {"unchanged", "left_alone"}


def make_plan(
    declaration: Declaration, groups: GroupStore, catalog: Catalog, *, prune: bool = False
) -> Plan:
    """Compare a declaration with the store.

    Args: prune = whether to delete products that are not declared. Groups are never deleted.
    Raises: InvalidFile if a group, InvalidProduct if a product is not valid.
    """
    publisher = declaration.publisher
    revision = catalog.store.revision(publisher)
    present = {group.group_id: group for group in all_groups(groups, publisher)}
    group_plans = tuple(_plan_groups(declaration, present, groups))
    stored = {entry.product_id: entry for entry in all_products(catalog.store, publisher)}
    noted = {group_id for group_id, group in present.items() if group.consent is not None}
    noted |= {group_id for group_id, group in declaration.groups.items() if group.consent}
    plan = Plan(
        publisher=publisher,
        catalog_revision=revision,
        groups=group_plans,
        products=tuple(_plan_products(declaration, stored, prune)),
        warnings=(
            *_consent_warnings(declaration.products, noted),
            *_product_warnings(declaration.products),
        ),
        accepted=tuple(sorted(declaration.accepted)),
    )
    puts = _puts(plan, declaration)
    catalog.check(publisher, puts, declaration.groups.keys(), declaration.accepted)
    return plan


def apply_plan(
    plan: Plan,
    declaration: Declaration,
    groups: GroupStore,
    catalog: Catalog,
    *,
    actor: str,
    step: Callable[[str], None] = lambda _: None,
) -> None:
    """Store the changes of a plan: groups one by one, then all products in one transaction.

    Args: step = called after each change with `group ID` or `product ID`.
    Raises: CatalogRevisionMismatch if the catalogue has changed since the plan was made.
    """
    for group in plan.groups:
        _apply_group(plan.publisher, group, declaration.groups[group.group_id], groups, actor)
        step(f"group {group.group_id}")
    puts = _puts(plan, declaration)
    deletes = [p.product_id for p in plan.products if p.action == "delete"]
    if puts or deletes:
        catalog.apply(
            plan.publisher,
            puts,
            deletes,
            actor=actor,
            if_revision=plan.catalog_revision,
            accepted=plan.accepted,
        )
    for product in plan.products:
        step(f"product {product.product_id}")


def _puts(plan: Plan, declaration: Declaration) -> dict[str, Product]:
    """Return the declared products that the plan creates or changes."""
    stored = (p.product_id for p in plan.products if p.action in ("create", "change"))
    return {product_id: declaration.products[product_id] for product_id in stored}


def _apply_group(
    publisher: str, group: GroupPlan, declared: GroupDeclaration, groups: GroupStore, actor: str
) -> None:
    group_id, members = group.group_id, declared.members or ()
    if group.action == "create":
        groups.create(publisher, declared.name, members, group_id=group_id, actor=actor)
    elif group.moves_members:
        groups.replace(publisher, group_id, members, actor=actor)
    if group.consent and declared.consent is not None:
        groups.set_consent(publisher, group_id, declared.consent.note, actor=actor)


def _plan_groups(
    declaration: Declaration, stored: Mapping[str, Group], groups: GroupStore
) -> Iterator[GroupPlan]:
    faults = Faults()
    for group_id, declared in declaration.groups.items():
        with faults.collect():
            yield _plan_group(group_id, declared, stored.get(group_id), groups)
    if faults:
        raise InvalidFile(faults)


def _plan_group(
    group_id: str, declared: GroupDeclaration, stored: Group | None, groups: GroupStore
) -> GroupPlan:
    loc, members = f"groups.{group_id}", declared.members
    if members is not None and not 1 <= len(members) <= MAX_MEMBERS:
        detail = f"has {len(members)} addresses; a group has 1 to {MAX_MEMBERS:,}"
        raise InvalidFile([Fault(loc, GroupSizeOutOfRange.code, detail)])
    if stored is None:
        if members is None:
            raise InvalidFile([Fault(loc, "GROUP_WITHOUT_EMAILS", "a new group needs `emails`")])
        noted = declared.consent is not None
        return GroupPlan(group_id=group_id, action="create", added=len(members), consent=noted)
    if stored.name != declared.name:
        detail = f"is named `{stored.name}` and cannot be renamed to `{declared.name}`"
        raise InvalidFile([Fault(loc, "GROUP_RENAMED", detail)])
    return _plan_change(declared, stored, groups)


def _plan_change(declared: GroupDeclaration, stored: Group, groups: GroupStore) -> GroupPlan:
    members = declared.members
    present = set() if members is None else set(all_members(groups, stored))
    named = set(members or ())
    plan = GroupPlan(
        group_id=stored.group_id,
        action="change",
        added=len(named - present),
        removed=len(present - named),
        consent=declared.consent is not None and declared.consent.note != stored.consent,
    )
    return plan if plan.moves_members or plan.consent else replace(plan, action="unchanged")


def _plan_products(
    declaration: Declaration, stored: dict[str, CatalogEntry], prune: bool
) -> Iterator[ProductPlan]:
    for product_id, product in declaration.products.items():
        entry = stored.get(product_id)
        if entry is None:
            yield ProductPlan(product_id=product_id, action="create")
        elif entry.product == product:
            yield ProductPlan(product_id=product_id, action="unchanged")
        else:
            changes = tuple(differences(product_body(entry.product), product_body(product)))
            yield ProductPlan(product_id=product_id, action="change", differences=changes)
    for product_id in sorted(stored.keys() - declaration.products.keys()):
        yield ProductPlan(product_id=product_id, action="delete" if prune else "left_alone")


def _consent_warnings(
    products: Mapping[str, Product], noted: Collection[str]
) -> Iterator[PlanWarning]:
    """Warn of each group that is used but not in `noted`: consent is required (KUG)."""
    for group_id, uses in sorted(_uses(products).items()):
        if group_id not in noted:
            text = (
                f"nobody confirmed that the people of `{group_id}` agreed to be in it: declare"
                " `consent`, or see `eligibility groups consent`"
            )
            yield PlanWarning("NO_CONSENT_NOTE", group_id, tuple(uses), text)


def _product_warnings(products: Mapping[str, Product]) -> Iterator[PlanWarning]:
    for product_id, product in sorted(products.items()):
        for code, flight, text, remedy in product_warnings(product):
            used_by = (f"{product_id} flight {flight.flight_id}",)
            yield PlanWarning(code, "", used_by, f"{text}: {remedy}")


def _uses(products: Mapping[str, Product]) -> dict[str, list[str]]:
    """Map group ids to the audiences and flights that use them, such as `9NBLGGH4R315 audience`."""
    uses: defaultdict[str, list[str]] = defaultdict(list)
    for product_id, product in sorted(products.items()):
        for source in product.sources():
            use = f"flight {source.flight_id}" if source.flight else "audience"
            for group_id in source.groups:
                uses[group_id].append(f"{product_id} {use}")
    return uses
