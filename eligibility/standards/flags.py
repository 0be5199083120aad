"""A flag of OFREP as a question, and what a decision says to it as the flag's evaluation. Pure.

Source: OpenFeature Remote Evaluation Protocol 0.3.0; docs/ofrep.md has the mapping as a table.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Literal, NamedTuple

import msgspec
from msgspec import Struct

from eligibility.access.model import Decision, Reason
from eligibility.catalog.model import Product
from eligibility.standards.questions import (
    UNKNOWN_SUBJECT,
    Question,
    StandardVerdict,
    question_of,
    verdict,
)

ACTIONS: Mapping[str, str] = {"product": "install", "submission": "view", "flight": "install"}
"""What a flag asks, by what its key begins with."""

NOWHERE = Question("product", "install", "-")
"""A question that nobody has a product for: what takes the place of one that a key cannot mean."""

NOT_FOUND = b"-"
"""In place of an evaluation: there is no such flag, or none of which the caller may know."""

_encode = msgspec.json.Encoder().encode


class FlagEvaluation(Struct, frozen=True, gc=False):
    """A flag's evaluation on the wire. Everything is always there, for some clients need it."""

    key: str
    value: bool
    reason: Literal["STATIC", "TARGETING_MATCH", "SPLIT", "DISABLED"]
    variant: Literal["eligible", "ineligible", "disabled"]
    metadata: dict[str, str]


@lru_cache(maxsize=65_536)
def question_of_flag(key: str) -> Question:
    """Give the question of a flag; NOWHERE where the key is not that of a flag."""
    kind, _, resource_id = key.partition(":")
    asked = question_of(kind, resource_id, ACTIONS.get(kind, ""))
    return asked if isinstance(asked, Question) else NOWHERE


def key_of(question: Question) -> str:
    """Give the key of the flag that asks a question."""
    flight = f":{question.flight_id}" if question.flight_id is not None else ""
    return f"{question.resource_type}:{question.product_id}{flight}"


def questions_of(product_id: str, product: Product) -> list[Question]:
    """Give the questions of a product's flags, in the order of a bulk answer."""
    flights = [Question("flight", "install", product_id, one.flight_id) for one in product.flights]
    product_question = Question("product", "install", product_id)
    return [product_question, Question("submission", "view", product_id), *flights]


class FlagView(NamedTuple):
    """From where flags are looked at.

    device_known: see `verdict`. itself: by an account that asks for itself, which is told of what it
    may not know of as of what nobody has. nobody: for an account that none can be.
    """

    device_known: bool
    itself: bool
    nobody: bool = False


class FlagWriter(Struct, frozen=True, cache_hash=True):
    """Makes the evaluation of a question's flag from a decision; equal ones make the same.

    known: such a flight is the product's, or the question names none. open: it is published.
    """

    question: Question
    known: bool
    open: bool
    viewed: FlagView

    @classmethod
    def of(cls, question: Question, product: Product, now: float, viewed: FlagView) -> "FlagWriter":
        """The form of a question about a product as it is at a moment, in seconds."""
        if question.flight_id is None:
            return cls(question, True, True, viewed)
        for flight in product.flights:
            if flight.flight_id == question.flight_id:
                opened = flight.published_at(datetime.fromtimestamp(now, UTC))
                return cls(question, True, opened, viewed)
        return cls(question, False, False, viewed)

    def __call__(self, decision: Decision) -> bytes:
        """The evaluation as JSON, or NOT_FOUND."""
        if not self.known:
            return NOT_FOUND
        found = verdict(self.question, decision, self.viewed.device_known)
        if self.viewed.nobody:
            found = UNKNOWN_SUBJECT
        if found.secret and self.viewed.itself:
            return NOT_FOUND
        return _encode(_evaluation(self.question, found, decision, self.open))


# --- an evaluation ------------------------------------------------------------------------------

_WITHDRAWN = frozenset({Reason.PRODUCT_UNAVAILABLE, Reason.ACQUISITION_STOPPED})
_ROLLED_OUT = frozenset({Reason.ROLLOUT_INCLUDED, Reason.ROLLOUT_EXCLUDED})


def _evaluation(
    question: Question, found: StandardVerdict, decision: Decision, is_open: bool
) -> FlagEvaluation:
    metadata = {"reason": str(found.reason), "reasons": ",".join(found.reasons)}
    metadata["productId"] = question.product_id
    flight_id = found.selected.flight_id if found.selected else question.flight_id
    if flight_id is not None:
        metadata["flightId"] = flight_id
    key = key_of(question)
    if found.allowed:
        return FlagEvaluation(key, True, _why_allowed(question, decision), "eligible", metadata)
    if not is_open or not _WITHDRAWN.isdisjoint(found.reasons):
        return FlagEvaluation(key, False, "DISABLED", "disabled", metadata)
    return FlagEvaluation(key, False, "TARGETING_MATCH", "ineligible", metadata)


def _why_allowed(
    question: Question, decision: Decision
) -> Literal["STATIC", "TARGETING_MATCH", "SPLIT"]:
    """Chance, the account, or neither: what made it a yes."""
    if decision.submission.audience == "private":
        who = True
    else:
        source = decision.package.source
        who = question.action != "view" and source is not None and source.kind == "flight"
    if question.action != "view" and not _ROLLED_OUT.isdisjoint(decision.package.reasons):
        return "SPLIT"
    return "TARGETING_MATCH" if who else "STATIC"
