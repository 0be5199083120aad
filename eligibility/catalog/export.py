"""Read all groups and products of one publisher from the stores."""

from collections.abc import Iterator

from eligibility.catalog.acceptance import ZERO_VERSION
from eligibility.catalog.files import ConsentDeclaration, Declaration, GroupDeclaration
from eligibility.catalog.store import CatalogEntry, CatalogStore
from eligibility.catalog.validation import zero_versions
from groups.model import Group, all_items
from groups.store import GroupStore


def export(
    publisher: str, groups: GroupStore, catalog: CatalogStore, *, members: bool = True
) -> Declaration:
    """Read a declaration that, applied, changes nothing. members: list members of groups too."""
    declaration = Declaration(publisher)
    for group in all_groups(groups, publisher):
        declaration.groups[group.group_id] = GroupDeclaration(
            name=group.name,
            emails=tuple(all_members(groups, group)) if members else None,
            consent=ConsentDeclaration.of(group.consent) if group.consent else None,
        )
    for entry in all_products(catalog, publisher):
        declaration.products[entry.product_id] = entry.product
        if zero_versions(entry.product):
            declaration.accepted.add(f"{ZERO_VERSION}:{entry.product_id}")
    return declaration


def all_groups(groups: GroupStore, publisher: str) -> Iterator[Group]:
    """Read every group of a publisher, page by page."""
    return all_items(lambda cursor: groups.list_groups(publisher, cursor=cursor))


def all_members(groups: GroupStore, group: Group) -> Iterator[str]:
    """Read the address of every member of a group, page by page."""
    return all_items(lambda cursor: groups.members(group.publisher, group.group_id, cursor=cursor))


def all_products(catalog: CatalogStore, publisher: str) -> Iterator[CatalogEntry]:
    """Read every product of a publisher, page by page."""
    return all_items(lambda cursor: catalog.list_products(publisher, cursor=cursor))
