"""Drafts: unsaved changes of members, products or OS floors, applied to a state."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from eligibility.catalog.files import Declaration, read_directory
from eligibility.catalog.model import Product
from eligibility.errors import Fault, Faults, InvalidInput, UnknownProduct
from eligibility.formats.csv_table import Cells, read_table
from eligibility.rules.requirements import Requirements, load_requirements
from groups.emails import canonical

EDIT_COLUMNS = ("group", "account", "change")


@dataclass(frozen=True, slots=True)
class MemberMoves:
    """Canonical addresses to add to a group and to remove. whole: `added` replaces all members."""

    added: frozenset[str] = frozenset()
    removed: frozenset[str] = frozenset()
    whole: bool = False

    @classmethod
    def read(cls, added: Iterable[str], removed: Iterable[str], loc: str) -> "MemberMoves":
        """Build the moves of one group. Raises: InvalidInput for an address in both lists."""
        moves = cls(frozenset(added), frozenset(removed))
        both = sorted(moves.added & moves.removed)
        if both:
            raise InvalidInput([added_and_removed(both[0], loc)])
        return moves

    def over(self, members: Iterable[str]) -> list[str]:
        """Apply the moves to a group's members, and return the new members, sorted."""
        kept = () if self.whole else members
        return sorted((set(kept) - self.removed) | self.added)

    def then(self, later: "MemberMoves") -> "MemberMoves":
        """Combine these moves with later ones, which win."""
        if later.whole:
            return later
        added = (self.added - later.removed) | later.added
        removed = (self.removed - later.added) | later.removed
        return MemberMoves(added, removed, self.whole)


NO_MOVES = MemberMoves()


def added_and_removed(address: str, loc: str) -> Fault:
    """Build the fault of an address that a draft both adds to a group and removes from it."""
    return Fault(loc, "ADDED_AND_REMOVED", f"`{address}` cannot be added and removed at once")


@dataclass(frozen=True, slots=True)
class Draft:
    """Unsaved changes of a publisher, by id. requirements: None = unchanged. deleted: products."""

    publisher: str = ""
    groups: Mapping[str, MemberMoves] = field(default_factory=dict)
    products: Mapping[str, Product] = field(default_factory=dict)
    requirements: Requirements | None = None
    deleted: frozenset[str] = frozenset()

    @property
    def is_empty(self) -> bool:
        """Return whether the draft changes nothing."""
        return self == Draft(self.publisher)

    def moving(self, moves: Mapping[str, MemberMoves]) -> "Draft":
        """Return the draft with further moves of members, by group id."""
        combined = {
            group_id: self.groups.get(group_id, NO_MOVES).then(later)
            for group_id, later in moves.items()
        }
        return replace(self, groups={**self.groups, **combined})


NO_DRAFT = Draft()


def read_draft(
    publisher: str,
    *,
    groups: Path | None = None,
    catalog: Path | None = None,
    requirements: Path | None = None,
) -> Draft:
    """Read a draft from files, all of which are optional.

    Args: groups = CSV with EDIT_COLUMNS (change: add or remove, default add); catalog = as for
    `catalog apply`, of which this publisher's part is used; requirements = a requirements.toml.
    Raises: InvalidInput or InvalidFile with file, line and value; InvalidSettings.
    """
    draft = Draft(publisher)
    if catalog is not None:
        draft = _declared(publisher, read_directory(catalog), str(catalog))
    if groups is not None:
        draft = draft.moving(_edits(groups))
    if requirements is not None:
        draft = replace(draft, requirements=load_requirements(requirements))
    return draft


def publisher_of(owner: Callable[[str], str], product_id: str, catalog: Path | None) -> str:
    """Return the publisher of a product, as stored (`owner`) or in catalogue files.

    Raises: UnknownProduct if neither has the product.
    """
    try:
        return owner(product_id)
    except UnknownProduct:
        declared = read_directory(catalog) if catalog else ()
        for declaration in declared:
            if product_id in declaration.products:
                return declaration.publisher
        raise


def _declared(publisher: str, declarations: tuple[Declaration, ...], path: str) -> Draft:
    own = next((d for d in declarations if d.publisher == publisher), None)
    if own is None:
        others = ", ".join(f"`{d.publisher}`" for d in declarations)
        detail = f"declares nothing of publisher `{publisher}`, only of {others}"
        raise InvalidInput([Fault(path, "UNKNOWN_PUBLISHER", detail)], "the draft")
    groups = {
        group_id: MemberMoves(frozenset(members), whole=True)
        for group_id, group in own.groups.items()
        if (members := group.members) is not None
    }
    return Draft(publisher, groups, own.products)


def _edits(path: Path) -> dict[str, MemberMoves]:
    """Read a file of edits. Raises: as `read_draft`; InvalidInput if edits contradict each other."""
    moves: dict[str, tuple[set[str], set[str]]] = {}

    def note(cells: Cells) -> None:
        group_id, address, comes = _edit(cells)
        added, removed = moves.setdefault(group_id, (set(), set()))
        if address in (removed if comes else added):
            raise InvalidInput([added_and_removed(address, "account")])
        (added if comes else removed).add(address)

    read_table(path, EDIT_COLUMNS, required=("group", "account"), read=note)
    return {
        group_id: MemberMoves(frozenset(added), frozenset(removed))
        for group_id, (added, removed) in moves.items()
    }


def _edit(cells: Cells) -> tuple[str, str, bool]:
    """Read one line: group id, canonical address, True = add. Raises: InvalidInput."""
    change = cells.get("change", "").casefold() or "add"
    faults = Faults()
    if change not in ("add", "remove"):
        faults.append(Fault("change", "WRONG_VALUE", f"`{change}` is neither `add` nor `remove`"))
    if not cells["group"]:
        faults.append(Fault("group", "MISSING_VALUE", "has no group"))
    address = ""
    with faults.collect("account"):
        address = canonical(cells["account"], strict=change == "add")
    if faults:
        raise InvalidInput(faults)
    return cells["group"], address, change == "add"
