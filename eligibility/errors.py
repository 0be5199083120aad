"""Errors of the evaluator. An error means that there is no decision; refusing access is a decision.

Clients may rely on the `code` of an error, which never changes. Messages may change. A message
contains the field, the wrong value in backticks, and what a right value is.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from groups.errors import Fault as Fault
from groups.errors import InvalidEmails, InvalidGroup


class EligibilityError(Exception):
    """The base class of all errors that `eligibility` raises deliberately."""

    code = "ERROR"


class InvalidInput(EligibilityError):
    """A request or a file is not valid. faults: everything that is wrong with it."""

    code = "INVALID_INPUT"

    def __init__(self, faults: list[Fault], subject: str = "the request") -> None:
        be = "are" if subject.endswith("s") else "is"  # the devices; the request
        super().__init__(f"{subject} {be} not valid: " + "; ".join(map(str, faults)))
        self.faults = faults


class Faults(list[Fault]):
    """Collects the faults of several readings, so that one error can name all of them."""

    @contextmanager
    def collect(self, path: str = "") -> Iterator[None]:
        """Add the faults of an error raised in this context; each is below `path`, if it is set."""
        try:
            yield
        except (InvalidInput, InvalidGroup, InvalidEmails) as error:
            self += [fault.within(path) if path else fault for fault in error.faults]


class UnknownProduct(EligibilityError):
    """The catalogue has no product with this id. at: if set, it had none at that date and time."""

    code = "UNKNOWN_PRODUCT"

    def __init__(self, product_id: str, at: datetime | None = None) -> None:
        then = f" at {at.isoformat()}" if at else ""
        super().__init__(f"unknown product `{product_id}`{then}")
        self.product_id = product_id
        self.at = at


class RevisionNotReached(EligibilityError):
    """The store is at an earlier revision than the `at_least_revision` of a query."""

    code = "REVISION_NOT_REACHED"

    def __init__(self, publisher: str, expected: object, present: object) -> None:
        super().__init__(
            f"publisher `{publisher}` is at {present}, not yet at {expected}:"
            " `at_least_revision` must come from a write to this store"
        )
        self.publisher, self.expected, self.present = publisher, expected, present


class InvalidSettings(EligibilityError):
    """Settings, requirements.toml or releases.toml have faults, so the program does not start."""

    code = "INVALID_SETTINGS"

    def __init__(self, source: str, faults: list[Fault]) -> None:
        super().__init__(f"{source}: " + "; ".join(map(str, faults)))
        self.source = source
        self.faults = faults


class MissingPackage(EligibilityError):
    """A feature needs a Python package that is not installed. extra: our extra that installs it."""

    code = "MISSING_PACKAGE"

    def __init__(self, package: str, extra: str, purpose: str) -> None:
        super().__init__(
            f"`{package}` is not installed, but {purpose} need it:"
            f" pip install 'flight-eligibility[{extra}]'"
        )
        self.package, self.extra = package, extra


class InvalidFile(InvalidInput):
    """A catalogue file or Partner Center file is not valid. Each fault names its file."""

    code = "INVALID_FILE"

    def __init__(self, faults: list[Fault], subject: str = "the catalogue") -> None:
        super().__init__(faults, subject)
