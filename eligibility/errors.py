"""Errors of the evaluator. An error means that no decision was made; a "no" is a decision.

Clients may rely on the `code` of an error, which never changes; its message may change. A message
names the field, the value in backticks, and what would be right.
"""

from datetime import datetime

from groups.errors import Fault as Fault


class EligibilityError(Exception):
    """The base class of all errors that `eligibility` raises on purpose."""

    code = "ERROR"


class InvalidInput(EligibilityError):
    """A request or a file cannot be read. `faults` lists everything that is wrong with it."""

    code = "INVALID_INPUT"

    def __init__(self, faults: list[Fault], subject: str = "the request") -> None:
        super().__init__(f"{subject} is not valid: " + "; ".join(map(str, faults)))
        self.faults = faults


class UnknownProduct(EligibilityError):
    """The catalogue has no product with that id, or had none at the past moment `at`."""

    code = "UNKNOWN_PRODUCT"

    def __init__(self, product_id: str, at: datetime | None = None) -> None:
        then = f" at {at.isoformat()}" if at else ""
        super().__init__(f"unknown product `{product_id}`{then}")
        self.product_id = product_id
        self.at = at


class RevisionNotReached(EligibilityError):
    """The store has not reached the revision that a query requires."""

    code = "REVISION_NOT_REACHED"

    def __init__(self, publisher: str, wanted: object, present: object) -> None:
        super().__init__(
            f"publisher `{publisher}` is at {present}, not yet at {wanted}:"
            " `at_least_revision` must come from a write to this store"
        )
        self.publisher, self.wanted, self.present = publisher, wanted, present


class InvalidSettings(EligibilityError):
    """Settings, requirements or releases.toml are wrong, so the program does not start."""

    code = "INVALID_SETTINGS"

    def __init__(self, source: str, faults: list[Fault]) -> None:
        super().__init__(f"{source}: " + "; ".join(map(str, faults)))
        self.source = source
        self.faults = faults


class MissingPackage(EligibilityError):
    """A feature needs a Python package that is not installed; one of our extras installs it."""

    code = "MISSING_PACKAGE"

    def __init__(self, package: str, extra: str, purpose: str) -> None:
        super().__init__(
            f"`{package}` is not installed, which {purpose} need:"
            f" pip install 'flight-eligibility[{extra}]'"
        )
        self.package, self.extra = package, extra


class InvalidFile(InvalidInput):
    """A catalogue file or a Partner Center file cannot be read; faults name file and line."""

    code = "INVALID_FILE"

    def __init__(self, faults: list[Fault], subject: str = "the catalogue") -> None:
        super().__init__(faults, subject)
