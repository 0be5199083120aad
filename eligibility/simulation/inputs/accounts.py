"""Read accounts from the text of an option: addresses, CSV files, ids of groups."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from eligibility.access.asker import NOBODY, PLAIN, Asker
from eligibility.access.codes import AccountKind
from eligibility.errors import Fault, InvalidInput
from eligibility.formats.csv_table import (
    MAX_BYTES,
    Cells,
    column_names,
    file_bytes,
    in_file,
    named,
    rows_read,
)
from eligibility.formats.suggestions import meant
from eligibility.simulation.inputs.population import Population, without_duplicates
from groups import csv_file, emails
from groups.address_table import AddressRow, AddressTable
from groups.errors import InvalidCsv, InvalidEmails, UnknownGroup
from groups.list_headers import HeaderRanks

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
"""Columns of a CSV file. The first may have any name of a column with addresses, such as `email`."""
_CLAIMS = COLUMNS[1:]
ANONYMOUS = ("anonymous", NOBODY, "-")
"""Texts that replace an address and mean that nobody is signed in."""

_YES_NO = {"no": False, "false": False, "0": False, "yes": True, "true": True, "1": True}

Members = Callable[[str], Sequence[str]]
"""A function that lists the members of a group id. Raises: groups.errors.UnknownGroup."""


def read_accounts(
    text: str,
    members: Members,
    defaults: Asker = PLAIN,
    loc: str = "--accounts",
    ranks: HeaderRanks | None = None,
) -> Population:
    """Read accounts from addresses, files and group ids, separated by commas.

    A text with `@` is an address, `anonymous` means that nobody is signed in, an existing path is a
    file (see `read_file`), and any other text is a group id.
    Args: defaults = the claims of every account without its own; ranks = names of columns with
        addresses, by default those that come with the program.
    Raises: InvalidInput; groups.errors.UnknownGroup.
    """
    names: list[str] = []
    others: dict[int, Asker] = {}
    for part in filter(None, map(str.strip, text.split(","))):
        population = _part(part, members, defaults, loc, ranks)
        others |= {len(names) + index: asker for index, asker in population.others.items()}
        names += population.names
    if not names:
        raise InvalidInput(
            [Fault(loc, "NO_ACCOUNTS", f"`{text}` names no account")], "the accounts"
        )
    return without_duplicates(Population(names, defaults, others))


def _part(
    part: str, members: Members, defaults: Asker, loc: str, ranks: HeaderRanks | None
) -> Population:
    if part.casefold() in ANONYMOUS:
        return Population.of([defaults])
    path = Path(part)
    if "@" in part and not path.is_file():
        return Population([canonical_address(part, loc)], defaults)
    if path.is_file():
        return read_file(path, defaults, ranks)
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
        return emails.canonical(text, strict=False)
    except InvalidEmails as error:
        faults = [Fault(loc, fault.code, fault.detail) for fault in error.faults]
        raise InvalidInput(faults, "the accounts") from None


def read_file(path: Path, defaults: Asker = PLAIN, ranks: HeaderRanks | None = None) -> Population:
    """Read a list of people, as groups are imported from, or a file with COLUMNS of their claims.

    Further columns are not read. Raises: InvalidInput.
    """
    try:
        table = csv_file.table(file_bytes(path), ranks, max_bytes=MAX_BYTES, placeholders=ANONYMOUS)
        return _population(path, table, defaults)
    except InvalidCsv as error:
        raise in_file(path, error) from None


def _population(path: Path, table: AddressTable, defaults: Asker) -> Population:
    if not table.lines:
        detail = f"is empty; the columns are {', '.join(COLUMNS)}"
        raise InvalidInput([Fault(str(path), "EMPTY_FILE", detail)], "the file")
    header = column_names(table.header, _CLAIMS)
    faults = _header_faults(header, f"{path}:{table.header_line}")
    if faults:
        raise InvalidInput(faults, "the file")
    claims = any(name in _CLAIMS for name in header)
    if not claims:
        plain = emails.canonical_together([",".join(row.texts) for row in table.rows()])
        if plain is not None:
            return Population(plain, defaults)

    def askers(row: AddressRow) -> list[Asker]:
        if row.fault:
            also = f"; write `{ANONYMOUS[0]}` for nobody signed in"
            detail = row.fault.detail + (also if row.fault.code == "NO_ADDRESS" else "")
            raise InvalidInput([Fault("", row.fault.code, detail)])
        cells = named(header, row.cells) if claims else {}
        return [_asker(text, cells, defaults) for text in row.texts]

    listed = rows_read(path, ((row.line, row) for row in table.rows()), askers)
    return Population.of(asker for row in listed for asker in row)


def _header_faults(header: Sequence[str], loc: str) -> list[Fault]:
    """List names that look like a claim's, because a misspelt claim would silently not count."""
    faults = []
    own_form = COLUMNS[0] in map(str.casefold, header)
    for name in header:
        near = meant(name.casefold(), _CLAIMS, 0.6 if own_form else 0.85)
        if name not in _CLAIMS and near:
            detail = f"`{name}` is not a column{near}; the columns are {', '.join(COLUMNS)}"
            faults.append(Fault(loc, "UNKNOWN_COLUMN", detail))
        elif name in _CLAIMS and header.count(name) > 1:
            detail = f"the header names `{name}` twice"
            faults.append(Fault(loc, "DUPLICATE_COLUMN", detail))
    return faults


def _asker(address: str, cells: Cells, defaults: Asker) -> Asker:
    """Read one line. An empty cell means the default value. Raises: InvalidInput."""
    terms: dict[str, Any] = msgspec.structs.asdict(defaults)
    for name in ("installed_version", "market"):
        terms[name] = cells.get(name) or terms[name]
    for name in ("owned", "promotional_code", "manual_check"):
        if cells.get(name):
            terms[name] = _yes_or_no(name, cells[name])
    terms["account"] = None
    if address.casefold() not in ANONYMOUS:
        kind, aliases = cells.get("kind") or AccountKind.MICROSOFT, cells.get("aliases", "").split()
        terms["account"] = {"id": _own(address), "kind": kind, "aliases": aliases}
    return Asker.parse(**terms)


def _own(address: str) -> str:
    try:
        return emails.canonical(address)
    except InvalidEmails as error:
        faults = [Fault("account", error.code, fault.detail) for fault in error.faults]
        raise InvalidInput(faults) from None


def _yes_or_no(name: str, text: str) -> bool:
    value = _YES_NO.get(text.casefold())
    if value is None:
        raise InvalidInput([Fault(name, "WRONG_VALUE", f"`{text}` is neither yes nor no")])
    return value
