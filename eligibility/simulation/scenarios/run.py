"""Run scenarios: decide, and compare the decisions with the expected ones. Pure."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from eligibility.access.model import Decision
from eligibility.explain.outcome import Outcome, outcome_of
from eligibility.simulation.inputs.population import Population
from eligibility.simulation.matrix import simulate
from eligibility.simulation.scenarios.model import Scenario, ScenarioFile
from eligibility.simulation.scenarios.state_sources import BoundScenario
from eligibility.simulation.state import State


@dataclass(frozen=True, slots=True)
class FieldMismatch:
    """A field with another value than expected, as plain values."""

    field: str
    expected: Any
    got: Any


@dataclass(frozen=True, slots=True)
class Mismatch:
    """Differences, and the pairs that have them. decision: of the first pair, with its trace."""

    differences: tuple[FieldMismatch, ...]
    where: tuple[tuple[str, str], ...]  # account, device
    decision: Decision


@dataclass(frozen=True, slots=True)
class ScenarioResult:
    """The result of a scenario. queries: number of account and device pairs. outcomes: each once."""

    scenario: Scenario
    queries: int
    outcomes: tuple[Outcome, ...]
    mismatches: tuple[Mismatch, ...]

    @property
    def passed(self) -> bool:
        """Return whether all decisions are as expected."""
        return not self.mismatches


@dataclass(frozen=True, slots=True)
class FileResult:
    """The results of a file's scenarios in order, and the seconds that each took."""

    file: ScenarioFile
    results: tuple[ScenarioResult, ...]
    seconds: tuple[float, ...]

    @property
    def failed(self) -> tuple[ScenarioResult, ...]:
        """Return the results of the scenarios that failed."""
        return tuple(result for result in self.results if not result.passed)


def run_file(
    file: ScenarioFile, bound: Iterable[BoundScenario], clock: Callable[[], float]
) -> FileResult:
    """Run the scenarios of a file. Args: clock = returns seconds, such as time.perf_counter."""
    results, seconds = [], []
    for scenario, state in bound:
        began = clock()
        results.append(run(scenario, state))
        seconds.append(clock() - began)
    return FileResult(file, tuple(results), tuple(seconds))


def run(scenario: Scenario, state: State) -> ScenarioResult:
    """Decide for every account and device of a scenario, and compare with the expected fields."""
    matrix = simulate(state, Population.of(scenario.askers), scenario.devices)
    differing: dict[bytes, tuple[tuple[FieldMismatch, ...], list[tuple[int, int]]]] = {}
    outcomes: dict[Outcome, None] = {}
    for account in range(len(scenario.askers)):
        for device in range(len(scenario.devices)):
            decision = matrix.decision(account, device)
            outcomes[outcome_of(decision)] = None
            differences = compared(scenario.expect, decision)
            if differences:
                key = msgspec.json.encode(differences)
                differing.setdefault(key, (differences, []))[1].append((account, device))
    mismatches = tuple(
        Mismatch(
            differences,
            tuple((scenario.askers[a].name, scenario.devices[d].name) for a, d in places),
            matrix.explain(*places[0]),
        )
        for differences, places in differing.values()
    )
    queries = len(scenario.askers) * len(scenario.devices)
    return ScenarioResult(scenario, queries, tuple(outcomes), mismatches)


def compared(expect: Mapping[str, Any], decision: Decision) -> tuple[FieldMismatch, ...]:
    """List the fields of a decision that are not as expected, in the order of `expect`."""
    seen = observed(decision)
    return tuple(
        FieldMismatch(name, expected, seen.get(name))
        for name, expected in expect.items()
        if seen.get(name) != expected
    )


def observed(decision: Decision) -> dict[str, Any]:
    """Return all fields of a decision that a case can expect, as plain values."""
    submission, package = decision.submission, decision.package
    source, offered, settling = package.source, package.package, decision.settling
    first = msgspec.structs.asdict(decision.remedies[0]) if decision.remedies else {}
    seen = {
        "granted": decision.granted,
        "source": (source.flight_id or source.kind) if source else None,
        "version": offered.version if offered else None,
        "action": package.action,
        "reasons": outcome_of(decision).reasons,
        "submission": submission.reasons,
        "package": package.reasons,
        "audience": submission.audience,
        "listing": submission.listing,
        "rank": source.rank if source else None,
        "file_name": offered.file_name if offered else None,
        "architecture": offered.architecture if offered else None,
        "delivery": package.delivery,
        "remedies": [remedy.action for remedy in decision.remedies],
        "settling": settling.change if settling else None,
        **{f"remedy.{name}": value for name, value in first.items()},
    }
    plain: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(seen))
    return plain
