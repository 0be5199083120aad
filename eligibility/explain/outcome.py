"""Outcome: what a decision comes to, in the fewest words: one colour of a grid, one row of a count."""

from collections.abc import Mapping
from typing import Literal, NamedTuple

from eligibility.access.model import Decision, Reason

OutcomeKind = Literal["flight", "submission", "denied"]


class Outcome(NamedTuple):
    """What an account gets on a device. Equal outcomes are told alike.

    source: id of the flight; None for the non-flighted submission, and where nothing is given.
    version, architecture, action: of the package given. reasons: all of them where it is denied,
    else those of the package half, which tell the side of a rollout.
    missed_flight: the flight that has nothing for the device and through which nothing falls (PF).
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
        """Whether it is a yes."""
        return self.kind != "denied"


def outcome_of(decision: Decision) -> Outcome:
    """The outcome of a decision."""
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


BRIEFLY: Mapping[Reason, str] = {
    Reason.NOT_SIGNED_IN: "not signed in",
    Reason.WRONG_ACCOUNT_KIND: "work or school account",
    Reason.NOT_IN_AUDIENCE: "not in the audience",
    Reason.OS_BELOW_AUDIENCE_MINIMUM: "OS too old for a private audience",
    Reason.DEVICE_FAMILY_UNSUPPORTED: "family without private audiences",
    Reason.SUBMISSION_DENIED: "listing denied",
    Reason.PRODUCT_UNAVAILABLE: "product unavailable",
    Reason.ACQUISITION_STOPPED: "acquisition stopped",
    Reason.MARKET_NOT_OFFERED: "market not offered",
    Reason.DEVICE_FAMILY_NOT_OFFERED: "family not offered",
    Reason.NO_PACKAGE_FOR_FAMILY: "no package for the family",
    Reason.OS_BELOW_PACKAGE_MINIMUM: "OS too old for the package",
    Reason.ARCHITECTURE_MISMATCH: "no package for the architecture",
}
"""Reasons for a no, in the few words that a cell or the key of a grid has room for."""


def briefly(outcome: Outcome) -> str:
    """An outcome in words: `canary 2.1.0.0`, `public 1.4.0.0`, or the first reason for a no."""
    if outcome.granted:
        return f"{outcome.source or 'public'} {outcome.version}"
    first = BRIEFLY[Reason(outcome.reasons[0])]
    return f"{first} ({outcome.missed_flight})" if outcome.missed_flight else first
