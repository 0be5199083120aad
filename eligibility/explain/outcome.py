"""Outcome: the summary of a decision, for all code that counts, compares or prints decisions."""

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, Self

from eligibility.access.model import Decision

OutcomeKind = Literal["flight", "submission", "denied"]


class Outcome(NamedTuple):
    """What an account gets on a device.

    source: the flight's id; None for the non-flighted submission and for a denial. version,
    architecture, action: those of the offered package. reasons: all reasons for a denial; for a
    grant those of the package verdict, which name the side of a rollout. missed_flight: the
    account's flight if it has no package for the device, because no lower source is tried (PF).
    """

    kind: OutcomeKind
    source: str | None
    version: str | None
    architecture: str | None
    action: str
    reasons: tuple[str, ...]
    missed_flight: str | None = None

    @property
    def granted(self) -> bool:
        """Check that the account gets a package."""
        return self.kind != "denied"

    @property
    def flight_id(self) -> str | None:
        """Return the flight that offers the package, or that lacks a package for the device."""
        return self.source or self.missed_flight


def outcome_of(decision: Decision) -> Outcome:
    """Reduce a decision to its outcome; a denial keeps the reasons of the first failed verdict."""
    submission, package = decision.submission, decision.package
    source = package.source
    flight = source.flight_id if source else None
    if not decision.granted:
        half = package if submission.granted else submission
        reasons = tuple(str(reason) for reason in half.reasons)
        return Outcome("denied", None, None, None, package.action, reasons, flight)
    offered = package.package
    return Outcome(
        "submission" if flight is None else "flight",
        flight,
        offered.version if offered else None,
        offered.architecture if offered else None,
        package.action,
        tuple(str(reason) for reason in package.reasons),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeView:
    """What an account gets on a device, as JSON responses show it.

    flight_id: the flight that offers the package; for a denial, the flight that has no package for
    the device. version, architecture, action: those of the package. reasons: all reasons for a
    denial; for a grant those of the package verdict. Subclasses add fields.
    """

    granted: bool
    flight_id: str | None
    version: str | None
    architecture: str | None
    action: str
    reasons: tuple[str, ...]

    @classmethod
    def of(cls, outcome: Outcome, **more: Any) -> Self:
        """Build the view of an outcome. Args: more = the fields that a subclass adds."""
        return cls(
            granted=outcome.granted,
            flight_id=outcome.flight_id,
            version=outcome.version,
            architecture=outcome.architecture,
            action=outcome.action,
            reasons=outcome.reasons,
            **more,
        )
