"""A matrix as it goes over the wire: whole, as one JSON object, or line by line, as NDJSON.

Both tell the same: what was asked, the classes with their outcomes, each account's class, counts.
"""

from collections import Counter
from collections.abc import Iterator
from functools import cache

import msgspec
from msgspec import Struct

from eligibility.simulation.matrix import Matrix
from eligibility.simulation.outcome import Kind
from eligibility.simulation.told import (
    AccountLine,
    ClassLine,
    EndLine,
    HeadLine,
    Simulation,
    ToldAccount,
    ToldClass,
    ToldCounts,
    ToldDevice,
    ToldOutcome,
    ToldState,
)

_CHUNK = 32_768
"""Bytes, about, that are made at a time: within two milliseconds."""

_encode = msgspec.json.encode


def whole(matrix: Matrix, named: bool) -> bytes:
    """One JSON object. named: whether the caller may read the names of groups."""
    return _encode(
        Simulation(
            matrix.state.product_id,
            ToldState.of(matrix.state),
            _devices(matrix),
            tuple(_classes(matrix, named, ToldClass)),
            tuple(_accounts(matrix, ToldAccount)),
            _counts(matrix, ToldCounts),
        )
    )


def streamed(matrix: Matrix, named: bool) -> Iterator[bytes]:
    """The same in lines, some at a time: a head, the classes, the accounts, and an end."""
    chunk, size = list[bytes](), 0
    for line in _lines(matrix, named):
        chunk += _encode(line), b"\n"
        size += len(chunk[-2])
        if size > _CHUNK:
            yield b"".join(chunk)
            chunk, size = [], 0
    yield b"".join(chunk)


def _lines(matrix: Matrix, named: bool) -> Iterator[Struct]:
    yield HeadLine(matrix.state.product_id, ToldState.of(matrix.state), _devices(matrix))
    yield from _classes(matrix, named, ClassLine)
    yield from _accounts(matrix, AccountLine)
    yield _counts(matrix, EndLine)


def _devices(matrix: Matrix) -> tuple[ToldDevice, ...]:
    return tuple(map(ToldDevice.of, matrix.devices, matrix.columns))


def _classes(matrix: Matrix, named: bool, kind: type[ToldClass]) -> Iterator[ToldClass]:
    told = cache(ToldOutcome.of)
    for number, outcomes in enumerate(matrix.outcomes):
        settling = matrix.decisions[number][0].settling
        yield kind.of(number, matrix.sizes[number], settling, tuple(map(told, outcomes)), named)


def _accounts(matrix: Matrix, kind: type[ToldAccount]) -> Iterator[ToldAccount]:
    names, others = matrix.population.names, matrix.population.others
    for place, number in enumerate(matrix.rows):
        other = others.get(place)
        nobody = other is not None and other.account is None
        yield kind(None if nobody else names[place], number)


def _counts(matrix: Matrix, kind: type[ToldCounts]) -> ToldCounts:
    columns, cells = Counter(matrix.columns), Counter[Kind]()
    for size, outcomes in zip(matrix.sizes, matrix.outcomes, strict=True):
        for column, outcome in enumerate(outcomes):
            cells[outcome.kind] += size * columns[column]
    accounts, devices = len(matrix.rows), len(matrix.columns)
    return kind(
        accounts=accounts,
        devices=devices,
        cells=accounts * devices,
        decisions=len(matrix.outcomes) * len(columns),
        flight=cells["flight"],
        submission=cells["submission"],
        denied=cells["denied"],
    )
