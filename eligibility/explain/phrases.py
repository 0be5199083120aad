"""Texts for reasons, outcomes and effects. step_phrases.py has those for the steps of a trace."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from eligibility.access.codes import Reason
from eligibility.catalog.model import Product
from eligibility.explain.outcome import Outcome, OutcomeView


class ReasonPhrases(NamedTuple):
    """The texts for one reason of a denial.

    text: for publishers and testers, short enough for a legend. symbol: for a cell of a grid; in
    lower case, so that readers do not take it for a flight. user: for the person who asked; ""
    if that person must not learn the reason.
    """

    text: str
    symbol: str
    user: str = ""


REASONS: Mapping[Reason, ReasonPhrases] = {
    Reason.NOT_SIGNED_IN: ReasonPhrases("not signed in", "anon"),
    Reason.WRONG_ACCOUNT_KIND: ReasonPhrases("work or school account", "work"),
    Reason.NOT_IN_AUDIENCE: ReasonPhrases("not in the audience", "aud"),
    Reason.OS_BELOW_AUDIENCE_MINIMUM: ReasonPhrases("OS too old for a private audience", "floor"),
    Reason.DEVICE_FAMILY_UNSUPPORTED: ReasonPhrases("family without private audiences", "unsup"),
    Reason.SUBMISSION_DENIED: ReasonPhrases("listing denied", "hidden"),
    Reason.PRODUCT_UNAVAILABLE: ReasonPhrases("product unavailable", "gone", "No longer offered"),
    Reason.ACQUISITION_STOPPED: ReasonPhrases("acquisition stopped", "stop", "No longer offered"),
    Reason.MARKET_NOT_OFFERED: ReasonPhrases(
        "market not offered", "mkt", "Not offered in this market"
    ),
    Reason.DEVICE_FAMILY_NOT_OFFERED: ReasonPhrases(
        "family not offered", "fam", "Not offered for this kind of device"
    ),
    Reason.NO_PACKAGE_FOR_FAMILY: ReasonPhrases(
        "no package for the family", "pkg", "Not offered for this kind of device"
    ),
    Reason.OS_BELOW_PACKAGE_MINIMUM: ReasonPhrases(
        "OS too old for the package", "os", "Needs a newer version of Windows"
    ),
    Reason.ARCHITECTURE_MISMATCH: ReasonPhrases(
        "no package for the architecture", "arch", "Not offered for the processor of this device"
    ),
}
"""Reason -> texts. Reasons for a grant are not listed: reason_text shows their code."""

NO_FALL_THROUGH = (
    "If a flight has no package for a device, the answer is no: nothing falls through to a lower"
    " flight or to the non-flighted submission."
)
"""Shown with every denial that names a flight. Source: PF."""

EFFECTS: Mapping[tuple[str, str], str] = {
    ("audience", "gains"): "now see the private product",
    ("audience", "loses"): "no longer see the private product",
    ("flight", "gains"): "gain flight {to_flight}",
    ("flight", "loses"): "lose flight {from_flight}",
    ("flight", "moves"): "move from flight {from_flight} to {to_flight}",
}
"""(kind, change) of an AccessChange (changes/effects.py) -> what happens to its accounts."""


def reason_text(code: str) -> str:
    """Return the text of a reason code; for the reason of a grant, the code in lower case."""
    phrases = REASONS.get(Reason(code))
    return phrases.text if phrases else code.lower().replace("_", " ")


def reason_texts(codes: Iterable[str]) -> str:
    """Return the texts of several reason codes, separated by commas."""
    return ", ".join(map(reason_text, codes))


def short_text(outcome: Outcome | OutcomeView) -> str:
    """Describe an outcome: `canary 2.1.0.0`, `public 1.4.0.0`, or the first reason for a denial."""
    if outcome.granted:
        return f"{outcome.flight_id or 'public'} {outcome.version}"
    return _at_flight(reason_text(outcome.reasons[0]), outcome)


def long_text(outcome: Outcome | OutcomeView) -> str:
    """Describe an outcome: `canary 2.1.0.0, x64, install`, or all reasons for a denial."""
    if outcome.granted:
        parts = short_text(outcome), outcome.architecture, outcome.action
        return ", ".join(filter(None, parts))
    return _at_flight(reason_texts(outcome.reasons), outcome)


def _at_flight(text: str, outcome: Outcome | OutcomeView) -> str:
    """Append the flight that has no package for the device to the text of a denial."""
    return f"{text} ({outcome.flight_id})" if outcome.flight_id else text


def label_text(product: Product, outcome: Outcome) -> str:
    """Describe an outcome: `Canary 2.1.0.0`, or for a denial `Canary: ` and the first reason."""
    names = product.flight_names
    if outcome.granted:
        return f"{names.get(outcome.source or '', 'Submission')} {outcome.version}"
    flight = f"{names[outcome.missed_flight]}: " if outcome.missed_flight else ""
    return flight + reason_text(outcome.reasons[0])


def full_text(product: Product, outcome: Outcome) -> str:
    """Describe an outcome: `Canary, 2.1.0.0, x64, install`, or `no, flight Canary: ` + reasons."""
    names = product.flight_names
    if outcome.granted:
        source = names[outcome.source] if outcome.source else "non-flighted submission"
        return f"{source}, {outcome.version}, {outcome.architecture}, {outcome.action}"
    flight = f", flight {names[outcome.missed_flight]}" if outcome.missed_flight else ""
    return f"no{flight}: {reason_texts(outcome.reasons)}"
