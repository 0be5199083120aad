"""Read files with one response of the Store submission API each, and recognize what they contain."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, StrictStr, ValidationError

from eligibility.catalog.acceptance import read_acceptances
from eligibility.catalog.files import read_text
from eligibility.catalog.partner_center.report import SUBJECT
from eligibility.catalog.partner_center.shapes import (
    App,
    AppSubmission,
    DraftSubmission,
    FlightPage,
    FlightResource,
    FlightSubmission,
    PartnerCenterResource,
)
from eligibility.errors import Fault, Faults, InvalidFile
from eligibility.formats import strict_json
from eligibility.formats.pydantic_faults import pydantic_fault
from eligibility.formats.yaml_file import load

ACCEPT_FILE = "import.yaml"
"""Name of the file beside the imported files that lists the accepted choices."""

# A field that only one class has, in lower case -> that class. The first field that is there counts.
_KINDS: tuple[tuple[str, type[PartnerCenterResource]], ...] = (
    ("applicationpackages", AppSubmission),
    ("flightpackages", FlightSubmission),
    ("value", FlightPage),
    ("primaryname", App),
    ("friendlyname", FlightResource),
    ("flightid", FlightSubmission),
    ("status", AppSubmission),
)
_POWERSHELL = "; if PowerShell wrote the file, write it again with `ConvertTo-Json -Depth 20`"


class _AcceptFile(BaseModel):
    model_config = ConfigDict(extra="forbid")
    accept: tuple[StrictStr, ...] = ()


def read_accepted(paths: list[Path]) -> frozenset[str]:
    """Read the choices that `import.yaml` beside the files accepts. Raises: InvalidFile."""
    accepted = frozenset[str]()
    faults = Faults()
    for path in sorted({path.parent / ACCEPT_FILE for path in paths}):
        if path.is_file():
            try:
                read = _AcceptFile.model_validate(load(read_text(path), str(path))[0] or {})
            except ValidationError as error:
                raise InvalidFile(list(_faults(path, error))) from None
            with faults.collect():
                accepted |= read_acceptances(read.accept, str(path))
    if faults:
        raise InvalidFile(faults, SUBJECT)
    return accepted


def read_resources(paths: list[Path]) -> list[PartnerCenterResource]:
    """Read files with one API response each. Raises: InvalidFile with every fault of every file."""
    resources: list[PartnerCenterResource] = []
    faults = Faults()
    for path in paths:
        if path.name == ACCEPT_FILE:
            continue
        with faults.collect():
            resources.append(_read(path))
    if faults:
        raise InvalidFile(faults, SUBJECT)
    return resources


def _read(path: Path) -> PartnerCenterResource:
    try:
        body = _json(read_text(path))
    except strict_json.InvalidJson as error:
        raise InvalidFile([Fault(str(path), f.code, f.detail) for f in error.faults]) from None
    if isinstance(body, list) and _names(body) & {"flightid", "friendlyname"}:
        body = {"value": body}
    kind = _kind(body)
    if kind is None:
        raise InvalidFile([Fault(str(path), "UNKNOWN_RESOURCE", _why_unknown(body))])
    try:
        return kind.model_validate(body)
    except ValidationError as error:
        raise InvalidFile(list(_faults(path, error))) from None


def _json(text: str) -> Any:
    """Read JSON, or the JSON below the lines that a command printed before it."""
    try:
        return strict_json.loads(text)
    except strict_json.InvalidJson:
        start = re.search(r"^[\[{]", text, re.MULTILINE)
        if start is None:
            raise strict_json.InvalidJson(f"not JSON{_POWERSHELL}") from None
        if start.start() == 0:
            raise
    printed = text[: start.start()].count("\n")
    return strict_json.loads("\n" * printed + text[start.start() :])


def _kind(body: Any) -> type[PartnerCenterResource] | None:
    if not isinstance(body, dict):
        return None
    fields = {name.casefold(): value for name, value in body.items()}
    kind = next((kind for field, kind in _KINDS if field in fields), None)
    if kind is FlightPage and "primaryname" in _names(fields["value"]):
        return None
    status = fields.get("status")
    if kind in (AppSubmission, FlightSubmission) and isinstance(status, str):
        return kind if status.casefold() == "published" else DraftSubmission
    return kind


def _names(rows: Any) -> set[str]:
    """Return the names of all objects in a list, in lower case."""
    objects = [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    return {name.casefold() for row in objects for name in row}


def _faults(path: Path, error: ValidationError) -> Iterator[Fault]:
    for details in error.errors(include_url=False):
        fault = pydantic_fault(details)
        needs_parts = details["type"] in ("model_type", "dict_type", "tuple_type")
        hint = _POWERSHELL if needs_parts and isinstance(details["input"], str) else ""
        where = f"{fault.loc}: " if fault.loc else ""
        yield Fault(str(path), fault.code, f"{where}{fault.detail}{hint}")


def _why_unknown(body: Any) -> str:
    needed = "an app, its list of flights, an app submission or a flight submission"
    if _names(body) or (isinstance(body, dict) and "value" in map(str.casefold, body)):
        return f"is a list of apps or of something else; give {needed}"
    if isinstance(body, dict) and {"code", "message"} <= body.keys():
        return f"is an error response of the API (`{body['code']}`); give {needed}"
    return f"is not a known response of the submission API; give {needed}"
