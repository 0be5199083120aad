"""Collect faults of the imported files, and notes on facts that they do not contain."""

from dataclasses import dataclass, field
from typing import NamedTuple

from eligibility.errors import Fault, InvalidFile

SUBJECT = "the Partner Center files"


class ImportNote(NamedTuple):
    """A fact that the API's responses do not contain, or for which our products have no field."""

    source: str
    code: str
    detail: str


@dataclass(slots=True)
class ImportReport:
    """Collects faults and notes; `stop_if_faulty` raises all faults at once."""

    faults: list[Fault] = field(default_factory=list)
    notes: list[ImportNote] = field(default_factory=list)

    def fault(self, source: str, code: str, detail: str) -> None:
        """Add a fault. The import will be refused because of it."""
        self.faults.append(Fault(source, code, detail))

    def note(self, source: str, code: str, detail: str) -> None:
        """Add a note on something that could not be imported. The import continues."""
        self.notes.append(ImportNote(source, code, detail))

    def stop_if_faulty(self) -> None:
        """Raise InvalidFile with all faults added so far; do nothing if there is none."""
        if self.faults:
            raise InvalidFile(self.faults, SUBJECT)
