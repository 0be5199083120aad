"""Write a report as one self-contained HTML file, to mail, read offline, search and print."""

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
from eligibility.simulation.matrix import settling_accounts
from eligibility.simulation.reports.columns import Column
from eligibility.simulation.reports.report import SimulationReport
from eligibility.simulation.reports.symbols import OutcomeMark

_COLOURS = 6
"""Number of flight colours in simulation.css. With more flights, the colours repeat."""

_MOST_TITLES = 2_000
"""With more cells, the script adds the hover texts, which would make the file too large."""


class OutcomeText(NamedTuple):
    """An outcome for the page. number: of a denial's description. helps: remedies."""

    number: int
    granted: bool
    symbol: str
    style: str
    text: str
    codes: tuple[str, ...]
    helps: tuple[str, ...]

    @property
    def title(self) -> str:
        """Return the hover text of a cell."""
        return "\n".join((self.text, *(f"\N{BULLET} {text}" for text in self.helps)))


def write(report: SimulationReport, out: BinaryIO) -> None:
    """Write the page. It loads no other resource, and all names in it are escaped."""
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
    outcomes = _outcomes(report)
    granted = sum(key.pairs for key in grid.legend if key.mark.kind != "denied")
    script = _own("simulation.js")
    return {
        "report": report,
        "state": matrix.state,
        "revision": matrix.state.snapshot.revision,
        "grid": grid,
        "tops": list(_tops(grid.columns)),
        "outcomes": outcomes,
        "denials": [outcome for outcome in outcomes if not outcome.granted],
        "titled": len(grid.rows) * len(grid.columns) <= _MOST_TITLES,
        "accounts": len(matrix.population),
        "devices": len(matrix.devices),
        "pairs": len(matrix.population) * len(matrix.devices),
        "granted": granted,
        "changed": len(settling_accounts(matrix)),
        "no_fall_through": NO_FALL_THROUGH if grid.names_flights_that_deny else "",
        "style": Markup(_own("simulation.css")),  # noqa: S704 - a file of ours
        "script": Markup(script),  # noqa: S704 - a file of ours
        "script_hash": base64.b64encode(sha256(script.encode()).digest()).decode(),
    }


def _own(name: str) -> str:
    return (files("eligibility.simulation.reports") / "templates" / name).read_text("utf-8")


def style_of(mark: OutcomeMark) -> str:
    """Return the CSS class for the colour of a cell: of its flight, the submission, or a denial."""
    return mark.kind if mark.flight is None else f"flight f{mark.flight % _COLOURS}"


def _outcomes(report: SimulationReport) -> list[OutcomeText]:
    grid, product = report.grid, report.matrix.state.product
    return [
        OutcomeText(
            number,
            outcome.granted,
            mark.symbol,
            style_of(mark),
            full_text(product, outcome),
            outcome.reasons,
            tuple(h.text if h.always else f"for some: {h.text}" for h in helps),
        )
        for number, (outcome, mark, helps) in enumerate(
            zip(grid.outcomes, grid.marks, grid.helps, strict=True)
        )
    ]


def _tops(columns: Sequence[Column]) -> Iterator[tuple[str, int]]:
    """List the upper header cells: family with architecture, and the number of columns."""
    for top, alike in groupby(columns, lambda column: column.head[:2]):
        yield ", ".join(top), len(list(alike))
