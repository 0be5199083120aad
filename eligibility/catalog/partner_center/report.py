"""What an import found wrong, and what it could not know."""

from dataclasses import dataclass, field
from typing import NamedTuple

from eligibility.errors import Fault, InvalidFile

SUBJECT = "the Partner Center files"


class ImportNote(NamedTuple):
    """Something that the API does not tell, or that a catalogue has no place for."""

    source: str
    code: str
    detail: str


@dataclass(slots=True)
class ImportReport:
    """Gathers faults and notes; `stop_if_faulty` raises all faults at once."""

    faults: list[Fault] = field(default_factory=list)
    notes: list[ImportNote] = field(default_factory=list)

    def fault(self, source: str, code: str, detail: str) -> None:
        """Something is wrong: the import will be refused."""
        self.faults.append(Fault(source, code, detail))

    def note(self, source: str, code: str, detail: str) -> None:
        """Something could not be known or kept: the import goes on."""
        self.notes.append(ImportNote(source, code, detail))

    def stop_if_faulty(self) -> None:
        """Raise InvalidFile with all faults so far, if any."""
        if self.faults:
            raise InvalidFile(self.faults, SUBJECT)
