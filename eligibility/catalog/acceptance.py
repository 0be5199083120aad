"""Choices of an import that somebody has to accept, because they widen or take away access.

An acceptance is a text `CODE:PRODUCT`. It comes from the command line, or from a list `accept` in a
file: beside the imported files, or in a catalogue file, which is how a written import keeps it.
"""

import re
from collections.abc import Iterable

from eligibility.errors import Fault, InvalidInput
from eligibility.formats.strict_struct import shown

ZERO_VERSION = "PACKAGE_VERSION_ZERO"
CHOICES = {
    ZERO_VERSION: "a package whose version starts with 0 is imported as the Store delivers it",
    "NO_FALLBACK": "everybody gets the packages of a rollout that names no fallback submission",
    "ROLLOUT_UNCLEAR": "everybody gets the packages of a submission whose rollout is unclear",
    "NO_VISIBILITY": "a product of unknown visibility becomes public",
    "NO_FAMILY_OFFERED": "no device family is offered to new customers",
    "NOTHING_PUBLISHED": "a flight or an app loses the packages that it has here",
    "FLIGHTS_NOT_LISTED": "flights that the files do not mention are deleted here",
}
"""Code of a choice -> what happens once it is accepted."""

_FORM = re.compile(r"([A-Z_]+):(\S+)")


def read_acceptances(texts: Iterable[str], loc: str) -> frozenset[str]:
    """Check acceptances in the form CODE:PRODUCT. Raises: InvalidInput with every wrong text."""
    accepted = frozenset(text.strip() for text in texts)
    faults = [
        Fault(
            loc,
            "WRONG_VALUE",
            f"`{shown(text)}` must be CODE:PRODUCT, and its code one of {', '.join(CHOICES)}",
        )
        for text in sorted(accepted)
        if not (match := _FORM.fullmatch(text)) or match[1] not in CHOICES
    ]
    if faults:
        raise InvalidInput(faults, "the command")
    return accepted
