"""Cells: a matrix as flat rows, one an account and device; what every format and frame is made of."""

from collections.abc import Iterator, Mapping
from typing import Any

from eligibility.simulation.matrix import Matrix

COLUMNS: Mapping[str, type] = {
    "account": str,  # "" where nobody is signed in
    "device": str,
    "family": str,
    "os_version": str,
    "architecture": str,  # "" where it was not told
    "granted": bool,
    "source": str,  # `flight`, `submission` or `denied`
    "flight_id": str,  # of the flight given, or of the one that has nothing for the device
    "package_version": str,
    "package_architecture": str,
    "action": str,
    "reasons": str,  # codes with blanks between them
    "settling": str,  # `added` or `removed` within the last 30 minutes, else ""
}
"""The columns in order. "" stands where there is nothing to tell."""

Cell = tuple[Any, ...]
"""One row, in the order of COLUMNS."""


def cells(matrix: Matrix) -> Iterator[Cell]:
    """Every account's row for every device: by account, then by device."""
    told = cells_by_class(matrix)
    for account, row in zip(account_names(matrix), matrix.rows, strict=True):
        for rest in told[row]:
            yield (account, *rest)


def account_names(matrix: Matrix) -> Iterator[str]:
    """What the column `account` has, for each account in order."""
    names, others = matrix.population.names, matrix.population.others
    for place, name in enumerate(names):
        other = others.get(place)
        yield "" if other is not None and other.account is None else name


def cells_by_class(matrix: Matrix) -> list[list[Cell]]:
    """[row class][device]: a row without its account, which is all that differs in a class."""
    devices = [
        (named.name, named.device.family, named.device.os_version, named.device.architecture or "")
        for named in matrix.devices
    ]
    return [
        [
            (*device, *_told(matrix, row, column))
            for device, column in zip(devices, matrix.columns, strict=True)
        ]
        for row in range(len(matrix.decisions))
    ]


def _told(matrix: Matrix, row: int, column: int) -> Cell:
    outcome, settling = matrix.outcomes[row][column], matrix.decisions[row][column].settling
    return (
        outcome.granted,
        outcome.kind,
        outcome.flight_id or "",
        outcome.version or "",
        outcome.architecture or "",
        outcome.action,
        " ".join(outcome.reasons),
        settling.change if settling else "",
    )
