"""Convert a matrix to flat rows, one for each account and device, for files and data frames."""

from collections.abc import Iterator, Mapping
from typing import Any

from eligibility.simulation.matrix import Matrix

COLUMNS: Mapping[str, type] = {
    "account": str,  # "" where nobody is signed in
    "device": str,
    "family": str,
    "os_version": str,
    "architecture": str,  # "" where it is unknown
    "granted": bool,
    "source": str,  # `flight`, `submission` or `denied`
    "flight_id": str,  # the source of the package, or the flight without a package for the device
    "package_version": str,
    "package_architecture": str,
    "action": str,
    "reasons": str,  # codes, separated by blanks
    "settling": str,  # `added` or `removed` within the last 30 minutes, else ""
}
"""The columns in order, with their types. A missing value is ""."""

Cell = tuple[Any, ...]
"""One row, in the order of COLUMNS, with or without the account."""


def cells(matrix: Matrix) -> Iterator[Cell]:
    """List the rows, sorted by account, then by device."""
    by_class = cells_by_class(matrix)
    for account, row in zip(matrix.population.addresses(), matrix.rows, strict=True):
        for rest in by_class[row]:
            yield (account, *rest)


def cells_by_class(matrix: Matrix) -> list[list[Cell]]:
    """Return rows without the account, [row class][device]; all accounts of a class share them."""
    devices = [
        (named.name, named.device.family, named.device.os_version, named.device.architecture or "")
        for named in matrix.devices
    ]
    return [
        [
            (*device, *_outcome(matrix, row, column))
            for device, column in zip(devices, matrix.columns, strict=True)
        ]
        for row in range(len(matrix.decisions))
    ]


def _outcome(matrix: Matrix, row: int, column: int) -> Cell:
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
