"""Convert a matrix to a pandas or polars data frame with a row for each account and device.

Accounts of a class differ only in their names, so each account copies the rows of its class.
A million accounts on 60 devices take one or two gigabytes of memory, and some seconds.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from eligibility.errors import Fault, InvalidInput
from eligibility.formats.optional import optional_module
from eligibility.simulation.matrix import Matrix
from eligibility.simulation.reports.cells import COLUMNS, cells_by_class

if TYPE_CHECKING:
    import pandas
    import polars

MOST_ROWS = 100_000_000
"""Limit of accounts x devices. A frame of this size takes about 4 GB of memory."""

_OF_CLASS = tuple(COLUMNS)[1:]
"""The columns that are equal for all accounts of a class: all but the account."""


def to_pandas(matrix: Matrix) -> "pandas.DataFrame":
    """Build a pandas frame. Raises: MissingPackage; InvalidInput for more than MOST_ROWS rows."""
    pd, np = (optional_module(name, "pandas", "pandas frames") for name in ("pandas", "numpy"))
    _check_size(matrix)
    small = pd.DataFrame(
        {
            name: pd.Categorical(values, categories=_distinct(values))
            if COLUMNS[name] is str
            else values
            for name, values in _by_column(matrix).items()
        }
    )
    devices = len(matrix.devices)
    rows = np.asarray(matrix.rows, dtype=np.intp)
    frame = small.take(np.add.outer(rows * devices, np.arange(devices)).ravel())
    frame.index = pd.RangeIndex(len(frame))
    codes, names = pd.factorize(np.array(list(matrix.population.addresses()), dtype=object))
    accounts = pd.Categorical.from_codes(np.repeat(codes, devices), categories=names)
    frame.insert(0, "account", accounts)
    return frame  # type: ignore[no-any-return]


def to_polars(matrix: Matrix) -> "polars.DataFrame":
    """Build a polars frame. Raises: MissingPackage; InvalidInput as for `to_pandas`."""
    pl = optional_module("polars", "polars", "polars frames")
    _check_size(matrix)
    devices = len(matrix.devices)
    small = pl.DataFrame(
        {
            name: pl.Series(values, dtype=pl.Enum(_distinct(values)))
            if COLUMNS[name] is str
            else pl.Series(values, dtype=pl.Boolean)
            for name, values in _by_column(matrix).items()
        }
    )
    names = list(matrix.population.addresses())
    of_account = pl.DataFrame(
        {
            "account": pl.Series(names, dtype=pl.Enum(_distinct(names))),
            "at": pl.Series(list(matrix.rows), dtype=pl.UInt32) * devices,
        }
    )
    expanded = of_account.select(pl.all().repeat_by(devices).explode())
    steps = pl.int_range(pl.len(), dtype=pl.UInt32) % devices
    rows = expanded.select(pl.col("at") + steps).to_series()
    return expanded.select("account").hstack(small[rows])  # type: ignore[no-any-return]


def _check_size(matrix: Matrix) -> None:
    accounts, devices = len(matrix.population), len(matrix.devices)
    if accounts * devices > MOST_ROWS:
        detail = (
            f"{accounts:,} accounts x {devices:,} devices are {accounts * devices:,} rows; a frame"
            f" takes up to {MOST_ROWS:,}: name fewer devices, or use counts()"
        )
        raise InvalidInput([Fault("", "TOO_MANY_ROWS", detail)], "the frame")


def _by_column(matrix: Matrix) -> dict[str, list[Any]]:
    """List the values of each column, sorted by account class, then by device."""
    rows = [cell for of_class in cells_by_class(matrix) for cell in of_class]
    columns = list(zip(*rows, strict=True)) or [()] * len(_OF_CLASS)
    return {name: list(values) for name, values in zip(_OF_CLASS, columns, strict=True)}


def _distinct(values: Sequence[str]) -> list[str]:
    """List each value once, in order of first appearance."""
    return list(dict.fromkeys(values))
