"""Describe results as text, for the terminal and JUnit, and as plain values, for JSON."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import Any

import msgspec
from msgspec import UNSET

from eligibility.explain.phrases import short_text
from eligibility.simulation.scenarios.run import FileResult, Mismatch, ScenarioResult

_MOST_NAMED = 3


def value_text(value: Any) -> str:
    """Return an expected or actual value as text, nearly as in YAML."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(value_text, value)) or "none"
    return str(value)


def difference_lines(mismatch: Mismatch) -> Iterator[str]:
    """Return a line for each field that differs."""
    for field in mismatch.differences:
        yield f"{field.field}: expected {value_text(field.expected)}, got {value_text(field.got)}"


def where_text(mismatch: Mismatch) -> str:
    """List the accounts and devices of a mismatch; each account is written once."""
    named: list[str] = []
    account = None
    for who, what in mismatch.where[:_MOST_NAMED]:
        named.append(what if who == account else f"{who} on {what}")
        account = who
    more = len(mismatch.where) - _MOST_NAMED
    return "; ".join([*named, f"and {more} more"] if more > 0 else named)


def outcomes_text(result: ScenarioResult) -> str:
    """Describe what accounts get in a scenario; count accounts and devices if there are several."""
    got = ", ".join(dict.fromkeys(map(short_text, result.outcomes)))
    scenario = result.scenario
    counts = (len(scenario.askers), "accounts"), (len(scenario.devices), "devices")
    numbers = ", ".join(f"{count} {what}" for count, what in counts if count > 1)
    return f"{got} ({numbers})" if numbers else got


def as_plain(files: Iterable[FileResult]) -> dict[str, Any]:
    """Return all results as dicts and lists, for JSON."""
    ran = list(files)
    results = [result for file in ran for result in file.results]
    failed = sum(not result.passed for result in results)
    return {
        "passed": len(results) - failed,
        "failed": failed,
        "files": [
            {"file": str(r.file.path), "title": r.file.title, "cases": [*map(_case, r.results)]}
            for r in ran
        ],
    }


def _case(result: ScenarioResult) -> dict[str, Any]:
    return {
        "case": result.scenario.sentence,
        "line": result.scenario.line,
        "passed": result.passed,
        "asked": result.queries,
        "mismatches": [*map(_mismatch, result.mismatches)],
    }


def _mismatch(mismatch: Mismatch) -> dict[str, Any]:
    trace = mismatch.decision.trace
    return {
        "where": [{"account": who, "device": what} for who, what in mismatch.where],
        "differences": [*map(asdict, mismatch.differences)],
        "trace": [] if trace is UNSET else msgspec.to_builtins(trace),
    }
