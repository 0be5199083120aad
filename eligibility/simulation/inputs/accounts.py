"""Accounts to simulate: written out, from a CSV file, or the members of groups."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from eligibility.access.asker import NOBODY, PLAIN, Asker
from eligibility.access.model import Account, AccountKind
from eligibility.errors import Fault, InvalidInput
from eligibility.formats.csv_table import (
    MAX_BYTES,
    Cells,
    file_bytes,
    in_file,
    read_table,
    rows_read,
)
from eligibility.simulation.inputs.population import Population, each_once
from groups import csv_file, emails
from groups.errors import InvalidCsv, InvalidEmails, UnknownGroup

COLUMNS = (
    "account",
    "kind",
    "aliases",
    "installed_version",
    "owned",
    "market",
    "promotional_code",
    "manual_check",
)
"""Columns of a file; `email` is taken for `account`."""
_ALSO_NAMED = {one.replace(" ", "_"): "account" for one in csv_file.HEADERS}
ANONYMOUS = ("anonymous", NOBODY, "-")
"""What stands for nobody being signed in, instead of an address."""

_YES_NO = {"no": False, "false": False, "0": False, "yes": True, "true": True, "1": True}

Members = Callable[[str], Sequence[str]]
"""Gives the members of a group by its id. Raises: groups.errors.UnknownGroup."""


def read_accounts(
    text: str,
    members: Members,
    as_told: Asker = PLAIN,
    loc: str = "--accounts",
) -> Population:
    """Read what was asked for: addresses, files and group ids, with commas between them.

    An address has an `@`; `anonymous` is nobody; an existing path is a CSV file, see COLUMNS, of
    which a plain list of addresses is one; anything else is the id of a group.
    Args: as_told = what holds of every account that does not say otherwise.
    Raises: InvalidInput; groups.errors.UnknownGroup.
    """
    names: list[str] = []
    others: dict[int, Asker] = {}
    for part in filter(None, (one.strip() for one in text.split(","))):
        found = _part(part, members, as_told, loc)
        others |= {len(names) + place: asker for place, asker in found.others.items()}
        names += found.names
    if not names:
        raise InvalidInput(
            [Fault(loc, "NO_ACCOUNTS", f"`{text}` names no account")], "the accounts"
        )
    return each_once(Population(names, as_told, others))


def _part(part: str, members: Members, as_told: Asker, loc: str) -> Population:
    if part.casefold() in ANONYMOUS:
        return Population.of([as_told])
    path = Path(part)
    if "@" in part and not path.is_file():
        return Population([_address(part, loc)], as_told)
    if path.is_file():
        return read_file(path, as_told)
    try:
        return Population(members(part), as_told)
    except UnknownGroup:
        if not path.suffix and "/" not in part:
            raise
    detail = f"`{part}` is neither a file nor a group"
    raise InvalidInput([Fault(loc, "UNKNOWN_ACCOUNTS", detail)], "the accounts")


def _address(text: str, loc: str) -> str:
    try:
        return emails.canonical(text)
    except InvalidEmails as error:
        faults = [Fault(loc, fault.code, fault.detail) for fault in error.faults]
        raise InvalidInput(faults, "the accounts") from None


def read_file(path: Path, as_told: Asker = PLAIN) -> Population:
    """Read a CSV file: a header that names some of COLUMNS, or one address a line without any.

    Raises: InvalidInput naming file, line and value of everything that is wrong.
    """
    data = file_bytes(path)
    if _has_header(data):
        askers = read_table(
            path,
            COLUMNS,
            required=("account",),
            read=lambda row: _asker(row, as_told),
            also_named=_ALSO_NAMED,
        )
        usual = all(one == as_told.as_account(Account(one.name)) for one in askers)
        return Population([one.name for one in askers], as_told) if usual else Population.of(askers)
    try:
        rows = list(csv_file.rows(data, max_bytes=MAX_BYTES))
    except InvalidCsv as error:
        raise in_file(path, error) from None
    plain = emails.canonical_together([",".join(filter(None, cells)) for _, cells in rows])
    if plain is not None:
        return Population(plain, as_told)
    return Population.of(rows_read(path, rows, lambda cells: _asker(_listed(cells), as_told)))


def _listed(cells: list[str]) -> Cells:
    """A line without a header: its address is the first cell. Raises: InvalidInput."""
    if sum("@" in cell for cell in cells) > 1:
        detail = "has several addresses; a header says which counts, and which are `aliases`"
        raise InvalidInput([Fault("", "SEVERAL_ADDRESSES", detail)])
    return {"account": csv_file.plain_cell(cells[0])}


def _has_header(data: bytes) -> bool:
    """Whether the first line names columns, or cannot be read at all, of which read_table tells."""
    try:
        _, first = next(csv_file.rows(data, max_bytes=MAX_BYTES), (0, []))
    except InvalidCsv:
        return True
    return not any("@" in cell or cell.casefold() in ANONYMOUS for cell in first)


def _asker(cells: Cells, as_told: Asker) -> Asker:
    """One line; a cell that is empty is as told for all. Raises: InvalidInput."""
    address = cells["account"]
    if not address:
        detail = f"has no address; write `{ANONYMOUS[0]}` for nobody signed in"
        raise InvalidInput([Fault("account", "NO_ADDRESS", detail)])
    given: dict[str, Any] = {
        name: cells[name] for name in ("installed_version", "market") if cells.get(name)
    }
    for name in ("owned", "promotional_code", "manual_check"):
        if cells.get(name):
            given[name] = _yes_or_no(name, cells[name])
    account: dict[str, Any] | None = None
    if address.casefold() not in ANONYMOUS:
        account = {"id": address, "kind": cells.get("kind") or AccountKind.MICROSOFT}
        aliases = cells.get("aliases", "").split()
        account = {**account, "aliases": aliases} if aliases else account
    return Asker.parse(account=account, **_told(as_told) | given)


def _told(asker: Asker) -> dict[str, Any]:
    told = msgspec.structs.asdict(asker)
    del told["account"]
    return told


def _yes_or_no(name: str, text: str) -> bool:
    value = _YES_NO.get(text.casefold())
    if value is None:
        raise InvalidInput([Fault(name, "WRONG_VALUE", f"`{text}` is neither yes nor no")])
    return value
