"""Outcome: the one summary of a decision, for everything that counts, compares or prints decisions."""

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, Self

from eligibility.access.model import Decision

OutcomeKind = Literal["flight", "submission", "denied"]


class Outcome(NamedTuple):
    """What an account gets on a device.

    source: the flight's id; None for the non-flighted submission and for a denial. version,
    architecture, action: of the offered package. reasons: of a denial all of them; of a yes those of
    the package half, which name the side of a rollout. missed_flight: the flight that is the
    account's, but has no package for the device; no lower source is tried (PF).
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
        """Tell whether it is a yes."""
        return self.kind != "denied"

    @property
    def flight_id(self) -> str | None:
        """Return the flight that gives the package, or that has none for the device."""
        return self.source or self.missed_flight


def outcome_of(decision: Decision) -> Outcome:
    """Summarize a decision."""
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
    """What an account gets on a device, as every JSON response has it.

    flight_id: of the flight that gives the package; of a denial, the flight that has no package for
    the device. version, architecture, action: of the package. reasons: of a denial all of them, else
    those of the package half. A simulation adds `kind` and a comparison `text`, as each is documented.
    """

    granted: bool
    flight_id: str | None
    version: str | None
    architecture: str | None
    action: str
    reasons: tuple[str, ...]

    @classmethod
    def of(cls, outcome: Outcome, **more: Any) -> Self:
        """View an outcome; more = the fields that a subclass adds."""
        return cls(
            granted=outcome.granted,
            flight_id=outcome.flight_id,
            version=outcome.version,
            architecture=outcome.architecture,
            action=outcome.action,
            reasons=outcome.reasons,
            **more,
        )
