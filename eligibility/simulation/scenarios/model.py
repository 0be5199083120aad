"""Scenarios as read: who asks for what, what is expected, and the line of every field."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from eligibility.access.asker import Asker
from eligibility.catalog.model import Product
from eligibility.errors import Fault, InvalidFile
from eligibility.rules.requirements import AppliesTo, Requirements
from eligibility.simulation.inputs.devices import NamedDevice


@dataclass(frozen=True, slots=True)
class Scenario:
    """One case: each of the askers, on each of the devices, is to get what is expected.

    change: dotted path in the product -> new value. groups: those the askers are in; None = those
    that list them. now: UTC-aware; None = the moment of running. expect: field of `observed` ->
    plain value. lines: the line of each field that the file has.
    """

    file: Path
    line: int
    sentence: str
    product_id: str
    askers: tuple[Asker, ...]
    devices: tuple[NamedDevice, ...]
    expect: Mapping[str, Any]
    change: Mapping[str, Any]
    groups: frozenset[str] | None
    now: datetime | None
    rollout_applies_to: AppliesTo | None
    lines: Mapping[str, int]

    def located(self, faults: Iterable[Fault]) -> list[Fault]:
        """Give faults of fields of the case their file and line."""
        return [
            Fault(
                f"{self.file}:{self.lines.get(f.loc.partition('.')[0], self.line)}",
                f.code,
                f"{f.loc}: {f.detail}",
            )
            for f in faults
        ]


@dataclass(frozen=True, slots=True)
class ScenarioCatalog:
    """The catalogue that a file gives.

    products: by id, with the publisher. groups: canonical members by publisher and group id; one
    that is not declared there is only known where a publisher declares none at all.
    """

    products: Mapping[str, tuple[str, Product]]
    groups: Mapping[str, Mapping[str, tuple[str, ...]]]


@dataclass(frozen=True, slots=True)
class ScenarioFile:
    """One file. catalog: None = the live store. requirements: None = those of the settings.

    reads: every other file that it names, as paths of files or directories.
    """

    path: Path
    title: str
    about: str
    rules: str
    catalog: ScenarioCatalog | None
    requirements: Requirements | None
    scenarios: tuple[Scenario, ...]
    reads: tuple[Path, ...] = ()


class InvalidScenarios(InvalidFile):
    """Scenario files of which one cannot be read or checked; nothing was run."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__(faults, "the scenario file")
