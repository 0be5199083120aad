"""Scenarios after reading: queries, expected results, and the line of every field."""

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
    """A case: each account must get the expected decision on each device.

    expect: field of `run.observed` -> plain value. change: dotted path in the product -> new value.
    groups: the groups of the accounts, None = as in the catalogue. now: UTC-aware, None = the time
    of the run. lines: the line of each field in the file.
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
        """Return faults of the case's fields with file and line."""
        return [
            Fault(
                f"{self.file}:{self._line(f.loc)}",
                f.code,
                f"{f.loc}: {f.detail}",
            )
            for f in faults
        ]

    def _line(self, loc: str) -> int:
        while loc and loc not in self.lines:
            loc = loc.rpartition(".")[0]
        return self.lines.get(loc, self.line)


@dataclass(frozen=True, slots=True)
class ScenarioCatalog:
    """The catalogue of a scenario file. products: (publisher, product) by id.

    groups: canonical members by publisher and group id. For a publisher without any group here, the
    groups that its products name exist without members.
    """

    products: Mapping[str, tuple[str, Product]]
    groups: Mapping[str, Mapping[str, tuple[str, ...]]]


@dataclass(frozen=True, slots=True)
class ScenarioFile:
    """A scenario file. catalog: None = the live store. reads: paths of other files that it names.

    requirements: OS floors, None = those of the settings.
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
    """At least one scenario file cannot be read or checked, so nothing was run."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__(faults, "the scenario file")
