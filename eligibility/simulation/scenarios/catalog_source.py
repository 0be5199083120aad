"""Read `given` of a scenario file: its catalogue and its OS floors."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from eligibility.catalog.files import Declaration, GroupDeclaration, read_directory
from eligibility.errors import Fault, InvalidInput, InvalidSettings
from eligibility.rules.requirements import Requirements, load_requirements
from eligibility.simulation.scenarios.document import CatalogDocument
from eligibility.simulation.scenarios.model import ScenarioCatalog
from groups.emails import canonical
from groups.errors import GroupsError, InvalidEmails
from groups.model import check_group_id, check_publisher

_NOBODYS = "given"
"""The publisher of groups and products in files that name no publisher."""


class ResolvedCatalog(NamedTuple):
    """What `given` of a scenario file means. catalog: None = the live store.

    requirements: OS floors, None = those of the settings. reads: the other files that were read.
    """

    catalog: ScenarioCatalog | None
    requirements: Requirements | None
    reads: tuple[Path, ...]


def read_catalog_source(
    document: CatalogDocument, directory: Path, faults: list[Fault]
) -> ResolvedCatalog:
    """Read `given`, and add its errors to `faults`. Paths are relative to `directory`."""
    named = (document.catalog, document.requirements)
    reads = tuple(directory / path for path in named if path is not None)
    requirements = _requirements(document, directory, faults)
    has_own = bool(document.groups or document.products or document.publisher)
    if document.catalog is None and not has_own:
        return ResolvedCatalog(None, requirements, reads)
    if document.store is not None:
        detail = (
            "names the live store, but the file also declares a catalogue: use only one of them"
        )
        faults.append(Fault("given.store", "GIVEN_TWICE", detail))
    declared = _declared(document, directory, faults)
    publisher = _publisher(document, declared, faults) if has_own else _NOBODYS
    products = {
        product_id: (declaration.publisher, product)
        for declaration in declared
        for product_id, product in declaration.products.items()
    }
    products |= {product_id: (publisher, own) for product_id, own in document.products.items()}
    groups = {declaration.publisher: _members(declaration.groups) for declaration in declared}
    if document.groups:
        groups[publisher] = groups.get(publisher, {}) | _own_members(document.groups, faults)
    return ResolvedCatalog(ScenarioCatalog(products, groups), requirements, reads)


def _requirements(
    document: CatalogDocument, directory: Path, faults: list[Fault]
) -> Requirements | None:
    if document.requirements is None:
        return None
    try:
        return load_requirements(directory / document.requirements)
    except InvalidSettings as error:
        faults += [
            Fault("given.requirements", f.code, f"{error.source}: {f}") for f in error.faults
        ]
        return None


def _declared(
    document: CatalogDocument, directory: Path, faults: list[Fault]
) -> tuple[Declaration, ...]:
    if document.catalog is None:
        return ()
    try:
        return read_directory(directory / document.catalog)
    except InvalidInput as error:
        faults += [Fault("given.catalog", f.code, str(f)) for f in error.faults]
        return ()


def _publisher(
    document: CatalogDocument, declared: tuple[Declaration, ...], faults: list[Fault]
) -> str:
    """Return the publisher of the groups and products in the file."""
    if document.publisher is None and len(declared) > 1:
        names = ", ".join(f"`{declaration.publisher}`" for declaration in declared)
        detail = f"is required, because the catalogue has several publishers: name one of {names}"
        faults.append(Fault("given.publisher", "MISSING_FIELD", detail))
    publisher = document.publisher or (declared[0].publisher if declared else _NOBODYS)
    try:
        check_publisher(publisher)
    except GroupsError as error:
        faults.append(Fault("given.publisher", error.code, str(error)))
    return publisher


def _members(groups: Mapping[str, GroupDeclaration]) -> dict[str, tuple[str, ...]]:
    """List the members by group, and none for groups whose members the file does not list."""
    return {group_id: group.members or () for group_id, group in groups.items()}


def _own_members(
    groups: Mapping[str, GroupDeclaration], faults: list[Fault]
) -> dict[str, tuple[str, ...]]:
    wrong = [fault for id_, group in groups.items() for fault in _group_faults(id_, group)]
    faults += wrong
    return dict.fromkeys(groups, ()) if wrong else _members(groups)


def _group_faults(group_id: str, group: GroupDeclaration) -> Iterator[Fault]:
    loc = f"given.groups.{group_id}"
    try:
        check_group_id(group_id)
    except GroupsError as error:
        yield Fault(loc, error.code, str(error))
    if isinstance(group.emails, str):
        try:
            _ = group.members
        except InvalidEmails as error:
            yield from (Fault(f"{loc}.emails", f.code, f.detail) for f in error.faults)
    else:
        yield from account_faults(f"{loc}.emails", group.emails or ())


def account_faults(loc: str, accounts: tuple[str, ...]) -> Iterator[Fault]:
    """List the faults of a list of addresses: invalid and repeated addresses."""
    first: dict[str, int] = {}
    for index, text in enumerate(accounts):
        try:
            address = canonical(text)
        except InvalidEmails as error:
            yield from (Fault(f"{loc}.{index}", f.code, f.detail) for f in error.faults)
            continue
        if first.setdefault(address, index) != index:
            detail = f"`{address}` is listed twice: it is also number {first[address] + 1}"
            yield Fault(f"{loc}.{index}", "DUPLICATE_ACCOUNT", detail)
