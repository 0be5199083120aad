"""Collect faults of the imported files, and notes on facts that they do not contain."""

from dataclasses import dataclass, field
from typing import NamedTuple

from eligibility.catalog.acceptance import CHOICES
from eligibility.errors import Fault, InvalidFile

SUBJECT = "the Partner Center files"


class ImportNote(NamedTuple):
    """A fact that the API's responses do not contain, or for which our products have no field."""

    source: str
    code: str
    detail: str


@dataclass(slots=True)
class ImportReport:
    """Collects faults and notes; `stop_if_faulty` raises all faults at once.

    accepted: choices that somebody accepted, as CODE:PRODUCT. used: those that were needed.
    """

    product_id: str
    accepted: frozenset[str]
    faults: list[Fault] = field(default_factory=list)
    notes: list[ImportNote] = field(default_factory=list)
    used: set[str] = field(default_factory=set)
    kept: list[str] = field(default_factory=list)

    def fault(self, source: str, code: str, detail: str) -> None:
        """Add a fault. The import will be refused because of it."""
        self.faults.append(Fault(source, code, detail))

    def note(self, source: str, code: str, detail: str) -> None:
        """Add a note on something that could not be imported. The import continues."""
        self.notes.append(ImportNote(source, code, detail))

    def choice(self, source: str, code: str, detail: str) -> bool:
        """Add a note if somebody accepted this choice, otherwise a fault; return whether it was."""
        key = f"{code}:{self.product_id}"
        if key in self.accepted:
            self.accept(source, code, f"{detail}; as accepted, {CHOICES[code]}")
            return True
        way = f"get the response again, or add `--accept {key}`: then {CHOICES[code]}"
        self.fault(source, code, f"{detail}: {way}")
        return False

    def accept(self, source: str, code: str, detail: str) -> None:
        """Add a note on a choice that is accepted, or needs nobody who accepts it in an import."""
        self.used.add(f"{code}:{self.product_id}")
        self.note(source, code, detail)

    def keep(self, source: str, name: str, value: object) -> None:
        """Remember a stored value that stays, because the API does not return it."""
        self.kept.append(f"{name} of {source}: {value}" if source else f"{name}: {value}")

    def stop_if_faulty(self) -> None:
        """Raise InvalidFile with all faults added so far; do nothing if there is none."""
        if self.faults:
            raise InvalidFile(self.faults, SUBJECT)
