"""Convert an OFREP flag to a question, and the decision to the flag's evaluation. No I/O.

Source: OpenFeature Remote Evaluation Protocol 0.3.0; docs/ofrep.md has the mapping as a table.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Literal, NamedTuple

import msgspec
from msgspec import Struct

from eligibility.access.codes import Reason
from eligibility.access.model import Decision
from eligibility.catalog.model import Product
from eligibility.standards.questions import (
    UNKNOWN_SUBJECT,
    Question,
    StandardVerdict,
    question_of,
    verdict,
)

ACTIONS: Mapping[str, str] = {"product": "install", "submission": "view", "flight": "install"}
"""First part of a flag's key -> the action that the flag asks about."""

NOWHERE = Question("product", "install", "-")
"""A question about a product that cannot exist, used for keys that no flag can have."""

NOT_FOUND = b"-"
"""Returned in place of an evaluation if a flag does not exist, or the caller may not know of it."""

_encode = msgspec.json.Encoder().encode


class FlagEvaluation(Struct, frozen=True, gc=False):
    """A flag's evaluation as it is sent. Some clients need all members, so all are always sent."""

    key: str
    value: bool
    reason: Literal["STATIC", "TARGETING_MATCH", "SPLIT", "DISABLED"]
    variant: Literal["eligible", "ineligible", "disabled"]
    metadata: dict[str, str]


@lru_cache(maxsize=65_536)
def question_of_flag(key: str) -> Question:
    """Return the question of a flag; NOWHERE if no flag can have this key."""
    kind, _, resource_id = key.partition(":")
    question = question_of(kind, resource_id, ACTIONS.get(kind, ""))
    return question if isinstance(question, Question) else NOWHERE


def key_of(question: Question) -> str:
    """Return the key of a question's flag."""
    flight = f":{question.flight_id}" if question.flight_id is not None else ""
    return f"{question.resource_type}:{question.product_id}{flight}"


def questions_of(product_id: str, product: Product) -> list[Question]:
    """Return the questions for all flags of a product, in the order of a bulk answer."""
    flights = [
        Question("flight", "install", product_id, flight.flight_id) for flight in product.flights
    ]
    product_question = Question("product", "install", product_id)
    return [product_question, Question("submission", "view", product_id), *flights]


class FlagView(NamedTuple):
    """The caller and account for which flags are evaluated.

    device_known: see `verdict`. itself: an account asks for itself, so flags that it may not know of are
    NOT_FOUND. nobody: the account's id is not an address, so no such account exists.
    """

    device_known: bool
    itself: bool
    nobody: bool = False


class FlagWriter(Struct, frozen=True, cache_hash=True):
    """Writes evaluations. known: the product has the flight, if any. open: it is published."""

    question: Question
    known: bool
    open: bool
    view: FlagView

    @classmethod
    def of(cls, question: Question, product: Product, now: float, view: FlagView) -> "FlagWriter":
        """Build the writer for a question about a product. Args: now = seconds since 1970."""
        if question.flight_id is None:
            return cls(question, True, True, view)
        for flight in product.flights:
            if flight.flight_id == question.flight_id:
                opened = flight.published_at(datetime.fromtimestamp(now, UTC))
                return cls(question, True, opened, view)
        return cls(question, False, False, view)

    def __call__(self, decision: Decision) -> bytes:
        """Return the evaluation as JSON, or NOT_FOUND."""
        if not self.known:
            return NOT_FOUND
        result = verdict(self.question, decision, self.view.device_known)
        if self.view.nobody:
            result = UNKNOWN_SUBJECT
        if result.secret and self.view.itself:
            return NOT_FOUND
        return _encode(_evaluation(self.question, result, decision, self.open))


_WITHDRAWN = frozenset({Reason.PRODUCT_UNAVAILABLE, Reason.ACQUISITION_STOPPED})
_ROLLED_OUT = frozenset({Reason.ROLLOUT_INCLUDED, Reason.ROLLOUT_EXCLUDED})


def _evaluation(
    question: Question, result: StandardVerdict, decision: Decision, is_open: bool
) -> FlagEvaluation:
    metadata = {"reason": str(result.reason), "reasons": ",".join(result.reasons)}
    metadata["productId"] = question.product_id
    flight_id = result.selected.flight_id if result.selected else question.flight_id
    if flight_id is not None:
        metadata["flightId"] = flight_id
    key = key_of(question)
    if result.allowed:
        return FlagEvaluation(key, True, _why_allowed(question, decision), "eligible", metadata)
    if not is_open or not _WITHDRAWN.isdisjoint(result.reasons):
        return FlagEvaluation(key, False, "DISABLED", "disabled", metadata)
    return FlagEvaluation(key, False, "TARGETING_MATCH", "ineligible", metadata)


def _why_allowed(
    question: Question, decision: Decision
) -> Literal["STATIC", "TARGETING_MATCH", "SPLIT"]:
    """Return why the value is true: SPLIT = a rollout, TARGETING_MATCH = the account, STATIC = neither."""
    targeted = decision.submission.audience == "private"
    if question.action != "view":
        if not _ROLLED_OUT.isdisjoint(decision.package.reasons):
            return "SPLIT"
        source = decision.package.source
        targeted = targeted or (source is not None and source.kind == "flight")
    return "TARGETING_MATCH" if targeted else "STATIC"
