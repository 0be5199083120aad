"""The JSON responses of POST /v1/simulations."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Self

import msgspec
from msgspec import Struct

from eligibility.access.model import Revision, Settling
from eligibility.access.redaction import unnamed_settling
from eligibility.explain.outcome import Outcome, OutcomeKind, OutcomeView
from eligibility.simulation.inputs.devices import NamedDevice
from eligibility.simulation.matrix import Matrix
from eligibility.simulation.state import State


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedOutcome(OutcomeView):
    """What an account gets on a device. kind: the source of the package, or `denied`."""

    kind: OutcomeKind


def simulated(outcome: Outcome) -> SimulatedOutcome:
    """Convert an outcome for a response."""
    return SimulatedOutcome.of(outcome, kind=outcome.kind)


class DeviceView(Struct, frozen=True, rename={"number": "class"}):
    """A device and its class. Every account gets the same on all devices of a class."""

    name: str
    family: str
    os_version: str
    architecture: str | None
    number: int

    @classmethod
    def of(cls, named: NamedDevice, number: int) -> Self:
        """Convert a device for a response."""
        device = named.device
        return cls(named.name, device.family, device.os_version, device.architecture, number)


class StateView(Struct, frozen=True):
    """The simulated state. label: `live` or a time, maybe `+ draft`. moment: the simulated time."""

    label: str
    moment: datetime
    revision: Revision

    @classmethod
    def of(cls, state: State) -> Self:
        """Convert a state for a response."""
        return cls(state.label, state.moment, state.snapshot.revision)


class AccountClassView(Struct, frozen=True, rename={"number": "class"}):
    """Accounts with equal decisions. accounts: how many. outcomes: one for each device class.

    settling: a membership change in the last 30 minutes, without its group if the caller may not
    read groups.
    """

    number: int
    accounts: int
    settling: Settling | None
    outcomes: tuple[SimulatedOutcome, ...]


class AccountView(Struct, frozen=True, gc=False, rename={"number": "class"}):
    """An account and its class. account: null = nobody is signed in."""

    account: str | None
    number: int


class SimulationCounts(Struct, frozen=True):
    """Sizes of the simulation. flight, submission, denied: number of cells with such an outcome."""

    accounts: int
    devices: int
    cells: int
    decisions: int
    flight: int
    submission: int
    denied: int


class SimulationResponse(Struct, frozen=True):
    """Outcomes of accounts x devices. Each pair of an account class and a device class has one."""

    product_id: str
    state: StateView
    devices: tuple[DeviceView, ...]
    classes: tuple[AccountClassView, ...]
    accounts: tuple[AccountView, ...]
    counts: SimulationCounts


class HeadLine(Struct, frozen=True, tag_field="line", tag="head"):
    """The first line of a stream."""

    product_id: str
    state: StateView
    devices: tuple[DeviceView, ...]


class ClassLine(AccountClassView, frozen=True, tag_field="line", tag="class"):
    """A line for each class."""


class AccountLine(AccountView, frozen=True, tag_field="line", tag="account"):
    """A line for each account, in the order of the request."""


class EndLine(SimulationCounts, frozen=True, tag_field="line", tag="end"):
    """The last line; a stream without it was cut off."""


_CHUNK = 32_768
"""Approximate bytes of a chunk, which takes two milliseconds to encode."""

_encode = msgspec.json.encode


def whole(matrix: Matrix, named: bool) -> bytes:
    """Encode a simulation as one JSON object. Args: named = whether the caller may read groups."""
    return _encode(
        SimulationResponse(
            matrix.state.product_id,
            StateView.of(matrix.state),
            device_views(matrix),
            tuple(_classes(matrix, named, AccountClassView)),
            tuple(_accounts(matrix, AccountView)),
            _counts(matrix, SimulationCounts),
        )
    )


def streamed(matrix: Matrix, named: bool) -> Iterator[bytes]:
    """Encode a simulation as NDJSON lines, in chunks: a head, classes, accounts, and an end."""
    chunk, size = list[bytes](), 0
    for line in _lines(matrix, named):
        chunk += _encode(line), b"\n"
        size += len(chunk[-2])
        if size > _CHUNK:
            yield b"".join(chunk)
            chunk, size = [], 0
    yield b"".join(chunk)


def _lines(matrix: Matrix, named: bool) -> Iterator[Struct]:
    yield HeadLine(matrix.state.product_id, StateView.of(matrix.state), device_views(matrix))
    yield from _classes(matrix, named, ClassLine)
    yield from _accounts(matrix, AccountLine)
    yield _counts(matrix, EndLine)


def device_views(matrix: Matrix) -> tuple[DeviceView, ...]:
    """Convert the devices of a matrix, in order."""
    return tuple(map(DeviceView.of, matrix.devices, matrix.columns))


def _classes(
    matrix: Matrix, named: bool, kind: type[AccountClassView]
) -> Iterator[AccountClassView]:
    view = cache(simulated)
    for number, outcomes in enumerate(matrix.outcomes):
        settling = matrix.decisions[number][0].settling
        if not named:
            settling = unnamed_settling(settling)
        yield kind(number, matrix.sizes[number], settling, tuple(map(view, outcomes)))


def _accounts(matrix: Matrix, kind: type[AccountView]) -> Iterator[AccountView]:
    for address, number in zip(matrix.population.addresses(), matrix.rows, strict=True):
        yield kind(address or None, number)


def _counts(matrix: Matrix, kind: type[SimulationCounts]) -> SimulationCounts:
    columns, cells = Counter(matrix.columns), Counter[OutcomeKind]()
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
