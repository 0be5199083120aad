"""Drafts: changes that are not saved, laid over a state: members, products, floors."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from eligibility.catalog.files import Declaration, read_directory
from eligibility.catalog.model import Product
from eligibility.errors import Fault, InvalidInput
from eligibility.formats.csv_table import Cells, read_table
from eligibility.rules.requirements import Requirements, load_requirements
from groups.emails import canonical
from groups.errors import InvalidEmails

EDIT_COLUMNS = ("group", "account", "change")


@dataclass(frozen=True, slots=True)
class MemberMoves:
    """Who comes to a group and who goes, canonical. whole: `added` are its only members."""

    added: frozenset[str] = frozenset()
    removed: frozenset[str] = frozenset()
    whole: bool = False

    def over(self, members: Iterable[str]) -> list[str]:
        """The members after the moves, in order."""
        kept = () if self.whole else members
        return sorted((set(kept) - self.removed) | self.added)


@dataclass(frozen=True, slots=True)
class Draft:
    """What would be different of a publisher. groups, products: by id. requirements: None = as they are.

    deleted: products that would be gone.
    """

    publisher: str = ""
    groups: Mapping[str, MemberMoves] = field(default_factory=dict)
    products: Mapping[str, Product] = field(default_factory=dict)
    requirements: Requirements | None = None
    deleted: frozenset[str] = frozenset()

    @property
    def is_empty(self) -> bool:
        """Whether nothing would be different."""
        return self == Draft(self.publisher)


NO_DRAFT = Draft()


def read_draft(
    publisher: str,
    *,
    groups: Path | None = None,
    catalog: Path | None = None,
    requirements: Path | None = None,
) -> Draft:
    """Read the files of a draft, each of which may be left out.

    Args: groups = CSV with the columns EDIT_COLUMNS (change: add or remove, by default add);
    catalog = as `catalog apply` takes it, of which the publisher's part counts; requirements = as
    config/requirements.toml.
    Raises: InvalidInput or InvalidFile naming file, line and value; InvalidSettings.
    """
    draft = Draft(publisher)
    if catalog is not None:
        draft = _declared(publisher, read_directory(catalog), str(catalog))
    if groups is not None:
        draft = replace(draft, groups={**draft.groups, **_edits(groups, draft.groups)})
    if requirements is not None:
        draft = replace(draft, requirements=load_requirements(requirements))
    return draft


def publisher_in(catalog: Path, product_id: str) -> str | None:
    """Whose product it is in a catalogue's files; None where it is in none of them."""
    declared = read_directory(catalog)
    return next((one.publisher for one in declared if product_id in one.products), None)


def _declared(publisher: str, declared: tuple[Declaration, ...], path: str) -> Draft:
    mine = next((one for one in declared if one.publisher == publisher), None)
    if mine is None:
        named = ", ".join(f"`{one.publisher}`" for one in declared)
        detail = f"declares nothing of publisher `{publisher}`, only of {named}"
        raise InvalidInput([Fault(path, "UNKNOWN_PUBLISHER", detail)], "the draft")
    groups = {
        group_id: MemberMoves(frozenset(members), whole=True)
        for group_id, one in mine.groups.items()
        if (members := one.members) is not None
    }
    return Draft(publisher, groups, mine.products)


def _edits(path: Path, declared: Mapping[str, MemberMoves]) -> dict[str, MemberMoves]:
    """The edits of a file, over what a catalogue's draft declares."""
    edits = dict[str, MemberMoves]()
    for group_id, address, comes in read_table(
        path, EDIT_COLUMNS, required=("group", "account"), read=_edit
    ):
        moves = edits.get(group_id) or declared.get(group_id, MemberMoves())
        added, removed = moves.added - {address}, moves.removed - {address}
        if comes:
            added |= {address}
        else:
            removed |= {address}
        edits[group_id] = MemberMoves(added, removed, moves.whole)
    return edits


def _edit(cells: Cells) -> tuple[str, str, bool]:
    change = cells.get("change", "").casefold() or "add"
    faults = []
    if change not in ("add", "remove"):
        faults.append(Fault("change", "WRONG_VALUE", f"`{change}` is neither `add` nor `remove`"))
    if not cells["group"]:
        faults.append(Fault("group", "MISSING_VALUE", "has no group"))
    address = ""
    try:
        address = canonical(cells["account"])
    except InvalidEmails as error:
        faults += [Fault("account", fault.code, fault.detail) for fault in error.faults]
    if faults:
        raise InvalidInput(faults)
    return cells["group"], address, change == "add"
