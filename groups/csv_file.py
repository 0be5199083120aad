"""Addresses in CSV files: read what programs really write, and write what none runs as a formula.

Write: one column `email`. A cell that a spreadsheet could run as a formula gets a leading apostrophe,
which reading removes. Source of import and export: Partner Center, KUG; OWASP, "CSV Injection".
"""

from collections.abc import Collection, Iterable

from groups.address_table import AddressTable
from groups.csv_text import harmless_cell, line_fault
from groups.emails import canonical
from groups.errors import Fault, InvalidCsv, InvalidEmails
from groups.list_headers import HeaderRanks, header_ranks

MAX_BYTES = 4 * 1024 * 1024
"""Largest file in bytes; a full group of 10,000 of the longest addresses takes 2.5 MB."""

MOST_FAULTS = 10_000


def read(data: bytes, ranks: HeaderRanks | None = None) -> tuple[str, ...]:
    """Return the canonical addresses of a CSV file without duplicates, in order of first appearance.

    Args: ranks = names of columns with addresses, by default those that come with the program.
    Raises: InvalidCsv, which lists every wrong line, counted from 1 (at most MOST_FAULTS lines), or
    the fault of the whole file.
    """
    addresses: dict[str, None] = {}
    faults: list[Fault] = []
    for row in table(data, ranks).rows():
        faults += [row.fault] if row.fault else []
        for text in row.texts:
            try:
                addresses[canonical(text)] = None
            except InvalidEmails as error:
                faults.append(line_fault(row.line, "INVALID_EMAIL", error.faults[0].detail))
        if len(faults) >= MOST_FAULTS:
            detail = "the lines after this one were not read"
            faults.append(line_fault(row.line, "TOO_MANY_FAULTS", detail))
            break
    if faults:
        raise InvalidCsv(faults)
    return tuple(addresses)


def table(
    data: bytes,
    ranks: HeaderRanks | None = None,
    *,
    max_bytes: int = MAX_BYTES,
    placeholders: Collection[str] = (),
) -> AddressTable:
    """Read a file as AddressTable.read does; the defaults are those of `read`."""
    known = header_ranks() if ranks is None else ranks
    return AddressTable.read(data, known, max_bytes=max_bytes, placeholders=placeholders)


def write(addresses: Iterable[str]) -> bytes:
    """Return a CSV file with one column, with a byte order mark unless it is all ASCII."""
    text = "".join(f"{harmless_cell(cell)}\r\n" for cell in ("email", *addresses))
    return text.encode("utf-8" if text.isascii() else "utf-8-sig")
