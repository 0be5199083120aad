"""What simulations tell over the wire, as plain data: outcomes, devices, the state that was asked."""

from dataclasses import dataclass
from datetime import datetime
from typing import Self

from eligibility.simulation.devices import NamedDevice
from eligibility.simulation.outcome import Kind, Outcome
from eligibility.simulation.state import State


@dataclass(frozen=True, slots=True)
class ToldOutcome:
    """What an account gets on a device. kind: `flight`, `submission` or `denied`.

    source: id of the flight; null for the non-flighted submission, and where nothing is given.
    reasons: all of them where it is denied, else those of the package. missed_flight: the flight that
    has nothing for the device and through which nothing falls.
    """

    kind: Kind
    source: str | None
    version: str | None
    architecture: str | None
    action: str
    reasons: tuple[str, ...]
    missed_flight: str | None

    @classmethod
    def of(cls, outcome: Outcome) -> Self:
        """An outcome as it is told."""
        return cls(*outcome)


@dataclass(frozen=True, slots=True)
class ToldDevice:
    """A device, what people call it, and its class: devices of one class get the same, always."""

    name: str
    family: str
    os_version: str
    architecture: str | None
    device_class: int

    @classmethod
    def of(cls, named: NamedDevice, device_class: int) -> Self:
        """A device as it is told."""
        device = named.device
        return cls(named.name, device.family, device.os_version, device.architecture, device_class)


@dataclass(frozen=True, slots=True)
class ToldRevision:
    """The publisher's groups and catalogue revisions that it was made from."""

    groups: int
    catalog: int


@dataclass(frozen=True, slots=True)
class ToldState:
    """What was asked. label: `live`, the moment, `+ draft`. at: the moment that was decided for."""

    label: str
    at: datetime
    revision: ToldRevision

    @classmethod
    def of(cls, state: State) -> Self:
        """A state as it is told."""
        revision = state.held.revision
        return cls(state.label, state.moment, ToldRevision(revision.groups, revision.catalog))
