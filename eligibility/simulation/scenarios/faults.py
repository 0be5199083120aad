"""Messages for scenario files with unknown or invalid fields, with suggestions."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from pydantic import BaseModel, ValidationError

from eligibility.catalog.files import GroupDeclaration
from eligibility.catalog.model import Flight, Package, Product, Rollout, Submission
from eligibility.errors import Fault
from eligibility.formats.pydantic_faults import path_of, pydantic_fault
from eligibility.formats.suggestions import meant
from eligibility.simulation.scenarios import document

_SHAPES: tuple[tuple[str, type[BaseModel]], ...] = (
    (r"", document.ScenarioDocument),
    (r"given", document.CatalogDocument),
    (r"given\.groups\.[^.]+", GroupDeclaration),
    (r"given\.products\.[^.]+(?=\.|$)", Product),
    (r"given\.products\..*submission", Submission),
    (r"given\.products\..*flights\.\d+", Flight),
    (r"given\.products\..*rollout", Rollout),
    (r"given\.products\..*packages\.\d+", Package),
    (r"defaults", document.QueryDocument),
    (r"cases\.\d+", document.CaseDocument),
    (r"cases\.\d+\.expect", document.ExpectDocument),
    (r"cases\.\d+\.expect\.remedy", document.RemedyFields),
    (r"devices\..+|.*\.device(\.\d+)?", document.DeviceDocument),
)
"""The model for each place in a file. Messages list its fields if a file has an unknown field."""
_QUOTED = re.compile(r"'([^']*)'")
_MOST_LISTED = 8


def shape_faults(error: ValidationError) -> Iterator[Fault]:
    """Convert a validation error to faults with dotted places in the file."""
    for details in error.errors(include_url=False):
        fault = pydantic_fault(details)
        yield Fault(
            fault.loc,
            fault.code,
            _unknown(fault, path_of(details)) or _choice(details) or fault.detail,
        )


def _unknown(fault: Fault, path: list[str]) -> str | None:
    if fault.code != "UNKNOWN_FIELD":
        return None
    *above, name = path
    known = _fields(".".join(above))
    return f"is not a known field{meant(name, known) or f'; the fields are {listed(known)}'}"


def _fields(path: str) -> list[str]:
    shape = next(model for pattern, model in _SHAPES if re.fullmatch(pattern, path))
    return [field.alias or name for name, field in shape.model_fields.items()]


def _choice(details: Any) -> str | None:
    if details["type"] not in ("enum", "literal_error"):
        return None
    known = _QUOTED.findall(details["ctx"]["expected"])
    value = str(details["input"])
    near = meant(value, known)
    return f"`{value[:60]}` is unknown{near or f'; the known ones are {listed(known)}'}"


def listed(names: Iterable[str]) -> str:
    """Join names with commas; of more than _MOST_LISTED, only the first."""
    shown = list(names)
    more = ", ..." if len(shown) > _MOST_LISTED else ""
    return ", ".join(shown[:_MOST_LISTED]) + more
