"""Sides: what names one of two states that are compared."""

from dataclasses import dataclass
from datetime import datetime

from eligibility import wire
from eligibility.errors import Fault, InvalidInput
from eligibility.simulation.drafts import NO_DRAFT, Draft
from eligibility.simulation.states import States
from eligibility.simulation.tables import meant

STATES = "live, draft, a moment (ISO 8601 with an offset), groups:N or catalog:N"
_WORDS = ("live", "draft", "groups:1", "catalog:1")


@dataclass(frozen=True, slots=True)
class Side:
    """One of two states: of which moment (UTC-aware, None = now), with what draft over it."""

    label: str
    at: datetime | None = None
    draft: Draft = NO_DRAFT


def read_side(
    states: States,
    publisher: str,
    text: str,
    at: datetime | None,
    draft: Draft,
    loc: str = "",
) -> Side:
    """Read one of STATES; `groups:N` and `catalog:N` are as of when the publisher wrote that revision.

    Args: at = the moment of `live` and `draft`, None = now; loc = where the text stands.
    Raises: InvalidInput.
    """
    as_of = "" if at is None else f" at {_named(at)}"
    if text == "live":
        return Side(f"live{as_of}", at)
    if text == "draft":
        if draft.is_empty:
            raise InvalidInput([Fault(loc, "NO_DRAFT", "`draft` needs a draft, and none is given")])
        return Side(f"draft{as_of}", at, draft)
    part, _, number = text.partition(":")
    if number.isascii() and number.isdecimal() and len(number) < 19:
        if part == "groups":
            return _at(text, states.moment_of(publisher, "groups", int(number)))
        if part == "catalog":
            return _at(text, states.moment_of(publisher, "catalog", int(number)))
    try:
        moment = wire.moment_of(text, loc)
    except InvalidInput:
        shown = text if len(text) <= 60 else text[:57] + "..."
        detail = f"`{shown}` is no state{meant(text, _WORDS)}; a state is {STATES}"
        raise InvalidInput([Fault(loc, "UNKNOWN_STATE", detail)]) from None
    return Side(_named(moment), moment)


def _at(text: str, moment: datetime) -> Side:
    return Side(f"{text} ({_named(moment)})", moment)


def _named(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"
