"""A matrix as it goes over the wire: whole, as one JSON object, or line by line, as NDJSON.

Both tell the same: what was asked, the classes with their outcomes, each account's class, counts.
"""

from collections import Counter
from collections.abc import Iterator
from functools import cache

import msgspec

from eligibility.simulation.matrix import Matrix
from eligibility.simulation.outcome import Kind
from eligibility.simulation.told import (
    ToldAccount,
    ToldClass,
    ToldCounts,
    ToldDevice,
    ToldOutcome,
    ToldSettling,
    ToldSimulation,
    ToldState,
)

_CHUNK = 32_768
"""Bytes, about, that are made at a time: within two milliseconds."""

_encode = msgspec.json.encode


def whole(matrix: Matrix, named: bool) -> bytes:
    """One JSON object. named: whether the caller may read the names of groups."""
    return _encode(
        ToldSimulation(
            matrix.state.product_id,
            ToldState.of(matrix.state),
            _devices(matrix),
            tuple(_classes(matrix, named)),
            tuple(_accounts(matrix)),
            _counts(matrix),
        )
    )


def streamed(matrix: Matrix, named: bool) -> Iterator[bytes]:
    """The same in lines, some at a time: `head`, a `class` each, an `account` each, and `end`.

    Whoever has no `end` has not got all of it.
    """
    chunk, size = list[bytes](), 0
    for line in _lines(matrix, named):
        chunk.append(line)
        size += len(line)
        if size > _CHUNK:
            yield b"".join(chunk)
            chunk, size = [], 0
    yield b"".join(chunk)


def _lines(matrix: Matrix, named: bool) -> Iterator[bytes]:
    head = {"product_id": matrix.state.product_id, "state": ToldState.of(matrix.state)}
    yield _line({"head": {**head, "devices": _devices(matrix)}})
    for one in _classes(matrix, named):
        yield _line({"class": one})
    for account in _accounts(matrix):
        yield _line({"account": account})
    yield _line({"end": _counts(matrix)})


def _line(value: object) -> bytes:
    return _encode(value) + b"\n"


def _devices(matrix: Matrix) -> tuple[ToldDevice, ...]:
    return tuple(map(ToldDevice.of, matrix.devices, matrix.columns))


def _classes(matrix: Matrix, named: bool) -> Iterator[ToldClass]:
    told = cache(ToldOutcome.of)
    for number, outcomes in enumerate(matrix.outcomes):
        settling = ToldSettling.of(matrix.decisions[number][0].settling, named)
        yield ToldClass(number, matrix.sizes[number], settling, tuple(map(told, outcomes)))


def _accounts(matrix: Matrix) -> Iterator[ToldAccount]:
    names, others = matrix.population.names, matrix.population.others
    for place, number in enumerate(matrix.rows):
        other = others.get(place)
        nobody = other is not None and other.account is None
        yield ToldAccount(None if nobody else names[place], number)


def _counts(matrix: Matrix) -> ToldCounts:
    columns, kinds = Counter(matrix.columns), Counter[Kind]()
    for size, outcomes in zip(matrix.sizes, matrix.outcomes, strict=True):
        for column, outcome in enumerate(outcomes):
            kinds[outcome.kind] += size * columns[column]
    accounts, devices = len(matrix.rows), len(matrix.columns)
    decisions = len(matrix.outcomes) * len(columns)
    return ToldCounts(
        accounts,
        devices,
        accounts * devices,
        decisions,
        kinds["flight"],
        kinds["submission"],
        kinds["denied"],
    )
