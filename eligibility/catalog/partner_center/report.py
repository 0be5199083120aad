"""What is wrong with the imported files, and what they do not tell."""

from dataclasses import dataclass, field
from typing import NamedTuple

from eligibility.errors import Fault, InvalidFile

SUBJECT = "the Partner Center files"


class ImportNote(NamedTuple):
    """Something that the API does not tell, or that a product has no field for."""

    source: str
    code: str
    detail: str


@dataclass(slots=True)
class ImportReport:
    """Collects faults and notes; `stop_if_faulty` raises all faults at once."""

    faults: list[Fault] = field(default_factory=list)
    notes: list[ImportNote] = field(default_factory=list)

    def fault(self, source: str, code: str, detail: str) -> None:
        """Add something wrong, for which the import will be refused."""
        self.faults.append(Fault(source, code, detail))

    def note(self, source: str, code: str, detail: str) -> None:
        """Add something that could not be imported; the import goes on."""
        self.notes.append(ImportNote(source, code, detail))

    def stop_if_faulty(self) -> None:
        """Raise InvalidFile with all faults so far, if any."""
        if self.faults:
            raise InvalidFile(self.faults, SUBJECT)
