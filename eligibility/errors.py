"""Errors of the evaluator: an error means that no decision was made ("no" is an answer).

Every error has a `code` that clients may rely on; the message may change, the code may not.
A message names the field, the value in backticks and what would be right.
"""

from datetime import datetime

from groups.errors import Fault as Fault


class EligibilityError(Exception):
    """Base of every error that `eligibility` raises on purpose."""

    code = "ERROR"


class InvalidInput(EligibilityError):
    """Something sent in cannot be read. `faults` lists everything that is wrong with it."""

    code = "INVALID_INPUT"

    def __init__(self, faults: list[Fault], subject: str = "the request") -> None:
        super().__init__(f"{subject} is not valid: " + "; ".join(map(str, faults)))
        self.faults = faults


class UnknownProduct(EligibilityError):
    """No product of that id is in the catalogue; `at`, where given, is the moment it was asked for."""

    code = "UNKNOWN_PRODUCT"

    def __init__(self, product_id: str, at: datetime | None = None) -> None:
        then = f" at {at.isoformat()}" if at else ""
        super().__init__(f"unknown product `{product_id}`{then}")
        self.product_id = product_id
        self.at = at


class RevisionNotReached(EligibilityError):
    """The store itself is not at the revision that a query wants at least."""

    code = "REVISION_NOT_REACHED"

    def __init__(self, publisher: str, wanted: object, present: object) -> None:
        super().__init__(
            f"publisher `{publisher}` is at {present}, not yet at {wanted}:"
            " `at_least_revision` has to come from a write to this store"
        )
        self.publisher, self.wanted, self.present = publisher, wanted, present


class InvalidSettings(EligibilityError):
    """Settings, rules or release facts that the program must not start with; names every fault."""

    code = "INVALID_SETTINGS"

    def __init__(self, source: str, faults: list[Fault]) -> None:
        super().__init__(f"{source}: " + "; ".join(map(str, faults)))
        self.source = source
        self.faults = faults


class MissingPackage(EligibilityError):
    """Something asked for needs a package that is not installed; an extra of ours brings it."""

    code = "MISSING_PACKAGE"

    def __init__(self, package: str, extra: str, purpose: str) -> None:
        super().__init__(
            f"`{package}` is not installed, which {purpose} need:"
            f" pip install 'flight-eligibility[{extra}]'"
        )
        self.package, self.extra = package, extra


class InvalidFile(InvalidInput):
    """A catalogue file or Partner Center file that cannot be read; faults name file and line."""

    code = "INVALID_FILE"

    def __init__(self, faults: list[Fault], subject: str = "the catalogue") -> None:
        super().__init__(faults, subject)
