"""What simulations tell over the wire, as plain data: outcomes, devices, accounts, the state asked."""

from datetime import datetime
from typing import Self

from msgspec import Struct

from eligibility.model import Revision, Settling
from eligibility.simulation.devices import NamedDevice
from eligibility.simulation.outcome import Kind, Outcome
from eligibility.simulation.state import State
from eligibility.unnamed import unnamed_settling


class ToldOutcome(Struct, frozen=True, gc=False):
    """What an account gets on a device.

    flight_id: of the flight given; where it is denied, of the flight that has nothing for the device
    and through which nothing falls. version, architecture, action: of the package given. reasons: all
    of them where it is denied, else those of the package.
    """

    granted: bool
    kind: Kind
    flight_id: str | None
    version: str | None
    architecture: str | None
    action: str
    reasons: tuple[str, ...]

    @classmethod
    def of(cls, outcome: Outcome) -> Self:
        """An outcome as it is told."""
        return cls(
            outcome.granted,
            outcome.kind,
            outcome.source or outcome.missed_flight,
            outcome.version,
            outcome.architecture,
            outcome.action,
            outcome.reasons,
        )


class ToldDevice(Struct, frozen=True, rename={"number": "class"}):
    """A device, what people call it, and its class: devices of one class get the same."""

    name: str
    family: str
    os_version: str
    architecture: str | None
    number: int

    @classmethod
    def of(cls, named: NamedDevice, number: int) -> Self:
        """A device as it is told."""
        device = named.device
        return cls(named.name, device.family, device.os_version, device.architecture, number)


class ToldState(Struct, frozen=True):
    """What was asked. label: `live`, the moment, `+ draft`. moment: the one that was decided for."""

    label: str
    moment: datetime
    revision: Revision

    @classmethod
    def of(cls, state: State) -> Self:
        """A state as it is told."""
        return cls(state.label, state.moment, state.held.revision)


class ToldClass(Struct, frozen=True, rename={"number": "class"}):
    """Accounts that no rule tells apart. accounts: how many. outcomes: one for each device class.

    settling: a change of their membership in the last 30 minutes; without its group for who may not
    read groups.
    """

    number: int
    accounts: int
    settling: Settling | None
    outcomes: tuple[ToldOutcome, ...]

    @classmethod
    def of(
        cls,
        number: int,
        accounts: int,
        settling: Settling | None,
        outcomes: tuple[ToldOutcome, ...],
        named: bool,
    ) -> Self:
        """A class as it is told; named = to who may read groups."""
        return cls(number, accounts, settling if named else unnamed_settling(settling), outcomes)


class ToldAccount(Struct, frozen=True, gc=False, rename={"number": "class"}):
    """An account, and its class; null = nobody is signed in."""

    account: str | None
    number: int


class ToldCounts(Struct, frozen=True):
    """How much was simulated. flight, submission, denied: cells by what they come to."""

    accounts: int
    devices: int
    cells: int
    decisions: int
    flight: int
    submission: int
    denied: int


class Simulation(Struct, frozen=True):
    """Accounts x devices: each account has a class, each device too, and two classes an outcome."""

    product_id: str
    state: ToldState
    devices: tuple[ToldDevice, ...]
    classes: tuple[ToldClass, ...]
    accounts: tuple[ToldAccount, ...]
    counts: ToldCounts


class HeadLine(Struct, frozen=True, tag_field="line", tag="head"):
    """The first line of a stream."""

    product_id: str
    state: ToldState
    devices: tuple[ToldDevice, ...]


class ClassLine(ToldClass, frozen=True, tag_field="line", tag="class"):
    """A line for each class."""


class AccountLine(ToldAccount, frozen=True, tag_field="line", tag="account"):
    """A line for each account, in the order of the request."""


class EndLine(ToldCounts, frozen=True, tag_field="line", tag="end"):
    """The last line: without it, the stream was cut."""
