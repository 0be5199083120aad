"""HTML: one file that needs nothing else, to be mailed, read offline, searched and printed."""

import base64
from collections.abc import Iterator, Sequence
from functools import cache
from hashlib import sha256
from importlib.resources import files
from itertools import groupby
from typing import Any, BinaryIO, NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup

from eligibility.explain.phrases import NO_FALL_THROUGH, full_text
from eligibility.simulation.matrix import settling_places
from eligibility.simulation.reports.columns import Column
from eligibility.simulation.reports.report import SimulationReport
from eligibility.simulation.reports.symbols import Help, OutcomeMark

_COLOURS = 6
"""Colours of flights in simulation.css. Further flights use them again, with other letters."""


_MOST_TITLES = 2_000
"""With more cells, the script adds the text that hovering shows; it would be most of the file."""


class CellView(NamedTuple):
    """An outcome as a cell shows it. told: its text, with what helps. number: of the denial it links to."""

    sign: str
    style: str
    told: str
    number: int | None


class DenialText(NamedTuple):
    """A denial, described once for all cells that have it."""

    number: int
    sign: str
    words: str
    codes: tuple[str, ...]
    remedies: tuple[str, ...]


def write(report: SimulationReport, out: BinaryIO) -> None:
    """Write the page. Names that people chose are escaped; the page fetches nothing."""
    out.writelines(part.encode() for part in _template().generate(**_facts(report)))


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("eligibility.simulation.reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["count"] = "{:,}".format
    environment.filters["percent"] = _percent
    environment.globals["style_of"] = style_of
    return environment.get_template("simulation.html.j2")


def _percent(part: int, whole: int) -> str:
    return f"{part / whole:.1%}" if whole else "\N{EN DASH}"


def _facts(report: SimulationReport) -> dict[str, Any]:
    matrix, grid = report.matrix, report.grid
    refusals = [number for number, one in enumerate(grid.outcomes) if not one.granted]
    granted = sum(key.pairs for key in grid.legend if key.mark.kind != "denied")
    script = _own("simulation.js")
    return {
        "report": report,
        "state": matrix.state,
        "revision": matrix.state.snapshot.revision,
        "grid": grid,
        "tops": list(_tops(grid.columns)),
        "shown": [_shown(report, number) for number in range(len(grid.outcomes))],
        "refusals": [_refusal(report, number) for number in refusals],
        "titled": len(grid.rows) * len(grid.columns) <= _MOST_TITLES,
        "accounts": len(matrix.population),
        "devices": len(matrix.devices),
        "pairs": len(matrix.population) * len(matrix.devices),
        "granted": granted,
        "changed": len(settling_places(matrix)),
        "no_fall_through": NO_FALL_THROUGH if grid.names_flights_that_deny else "",
        "style": Markup(_own("simulation.css")),  # noqa: S704 - a file of ours
        "script": Markup(script),  # noqa: S704 - a file of ours
        "script_hash": base64.b64encode(sha256(script.encode()).digest()).decode(),
    }


def _own(name: str) -> str:
    return (files("eligibility.simulation.reports") / "templates" / name).read_text("utf-8")


def style_of(mark: OutcomeMark) -> str:
    """Return the class of a cell: the colour of its flight, of the submission, or of a denial."""
    return mark.kind if mark.flight is None else f"flight f{mark.flight % _COLOURS}"


def _shown(report: SimulationReport, number: int) -> CellView:
    outcome, mark = report.grid.outcomes[number], report.grid.marks[number]
    lines = [full_text(report.matrix.state.product, outcome)]
    lines += [f"\N{BULLET} {_help(one)}" for one in report.grid.helps[number]]
    return CellView(
        mark.sign, style_of(mark), "\n".join(lines), None if outcome.granted else number
    )


def _refusal(report: SimulationReport, number: int) -> DenialText:
    outcome, helps = report.grid.outcomes[number], report.grid.helps[number]
    words = full_text(report.matrix.state.product, outcome)
    sign = report.grid.marks[number].sign
    return DenialText(number, sign, words, outcome.reasons, tuple(map(_help, helps)))


def _help(one: Help) -> str:
    return one.text if one.always else f"for some: {one.text}"


def _tops(columns: Sequence[Column]) -> Iterator[tuple[str, int]]:
    """List the upper row of the head: family and architecture, and the number of their columns."""
    for top, alike in groupby(columns, lambda one: one.head[:2]):
        yield ", ".join(top), len(list(alike))
