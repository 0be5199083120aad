"""Read accounts from the text of an option: addresses, CSV files, ids of groups."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from eligibility.access.asker import NOBODY, PLAIN, Asker
from eligibility.access.codes import AccountKind
from eligibility.access.model import Account
from eligibility.errors import Fault, InvalidInput
from eligibility.formats.csv_table import (
    MAX_BYTES,
    Cells,
    file_bytes,
    in_file,
    read_table,
    rows_read,
)
from eligibility.simulation.inputs.population import Population, without_duplicates
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
"""Columns of a CSV file. A column `email` is read as `account`."""
_ALSO_NAMED = {header.replace(" ", "_"): "account" for header in csv_file.HEADERS}
ANONYMOUS = ("anonymous", NOBODY, "-")
"""Texts that replace an address and mean that nobody is signed in."""

_YES_NO = {"no": False, "false": False, "0": False, "yes": True, "true": True, "1": True}

Members = Callable[[str], Sequence[str]]
"""A function that lists the members of a group id. Raises: groups.errors.UnknownGroup."""


def read_accounts(
    text: str, members: Members, defaults: Asker = PLAIN, loc: str = "--accounts"
) -> Population:
    """Read accounts from addresses, files and group ids, separated by commas.

    A text with `@` is an address, `anonymous` means that nobody is signed in, an existing path is a
    file (see `read_file`), and any other text is a group id.
    Args: defaults = the claims of every account without its own.
    Raises: InvalidInput; groups.errors.UnknownGroup.
    """
    names: list[str] = []
    others: dict[int, Asker] = {}
    for part in filter(None, map(str.strip, text.split(","))):
        population = _part(part, members, defaults, loc)
        others |= {len(names) + index: asker for index, asker in population.others.items()}
        names += population.names
    if not names:
        raise InvalidInput(
            [Fault(loc, "NO_ACCOUNTS", f"`{text}` names no account")], "the accounts"
        )
    return without_duplicates(Population(names, defaults, others))


def _part(part: str, members: Members, defaults: Asker, loc: str) -> Population:
    if part.casefold() in ANONYMOUS:
        return Population.of([defaults])
    path = Path(part)
    if "@" in part and not path.is_file():
        return Population([canonical_address(part, loc)], defaults)
    if path.is_file():
        return read_file(path, defaults)
    try:
        return Population(members(part), defaults)
    except UnknownGroup:
        if not path.suffix and "/" not in part:
            raise
    detail = f"`{part}` is neither a file nor a group"
    raise InvalidInput([Fault(loc, "UNKNOWN_ACCOUNTS", detail)], "the accounts")


def canonical_address(text: str, loc: str) -> str:
    """Read an address, and return it in canonical form. Raises: InvalidInput at `loc`."""
    try:
        return emails.canonical(text)
    except InvalidEmails as error:
        faults = [Fault(loc, fault.code, fault.detail) for fault in error.faults]
        raise InvalidInput(faults, "the accounts") from None


def read_file(path: Path, defaults: Asker = PLAIN) -> Population:
    """Read a CSV file with a header, or with one address a line. Raises: InvalidInput."""
    data = file_bytes(path)
    if _has_header(data):
        askers = read_table(
            path,
            COLUMNS,
            required=("account",),
            read=lambda row: _asker(row, defaults),
            also_named=_ALSO_NAMED,
        )
        if all(asker == defaults.as_account(Account(asker.name)) for asker in askers):
            return Population([asker.name for asker in askers], defaults)
        return Population.of(askers)
    try:
        rows = list(csv_file.rows(data, max_bytes=MAX_BYTES))
    except InvalidCsv as error:
        raise in_file(path, error) from None
    plain = emails.canonical_together([",".join(filter(None, cells)) for _, cells in rows])
    if plain is not None:
        return Population(plain, defaults)
    return Population.of(rows_read(path, rows, lambda cells: _asker(_listed(cells), defaults)))


def _listed(cells: list[str]) -> Cells:
    """Read a line of a file without a header. Raises: InvalidInput for several addresses."""
    if sum("@" in cell for cell in cells) > 1:
        detail = "has several addresses; add a header that names `account` and `aliases`"
        raise InvalidInput([Fault("", "SEVERAL_ADDRESSES", detail)])
    return {"account": csv_file.plain_cell(cells[0])}


def _has_header(data: bytes) -> bool:
    """Return whether the first line is a header, or unreadable: `read_table` reports the fault."""
    try:
        _, first = next(csv_file.rows(data, max_bytes=MAX_BYTES), (0, []))
    except InvalidCsv:
        return True
    return not any("@" in cell or cell.casefold() in ANONYMOUS for cell in first)


def _asker(cells: Cells, defaults: Asker) -> Asker:
    """Read one line. An empty cell means the default value. Raises: InvalidInput."""
    address = cells["account"]
    if not address:
        detail = f"has no address; write `{ANONYMOUS[0]}` for nobody signed in"
        raise InvalidInput([Fault("account", "NO_ADDRESS", detail)])
    terms: dict[str, Any] = msgspec.structs.asdict(defaults)
    for name in ("installed_version", "market"):
        terms[name] = cells.get(name) or terms[name]
    for name in ("owned", "promotional_code", "manual_check"):
        if cells.get(name):
            terms[name] = _yes_or_no(name, cells[name])
    terms["account"] = None
    if address.casefold() not in ANONYMOUS:
        kind, aliases = cells.get("kind") or AccountKind.MICROSOFT, cells.get("aliases", "").split()
        terms["account"] = {"id": address, "kind": kind, "aliases": aliases}
    return Asker.parse(**terms)


def _yes_or_no(name: str, text: str) -> bool:
    value = _YES_NO.get(text.casefold())
    if value is None:
        raise InvalidInput([Fault(name, "WRONG_VALUE", f"`{text}` is neither yes nor no")])
    return value
