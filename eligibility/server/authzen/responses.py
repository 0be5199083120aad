"""Write verdicts as the standard's Decision, without times or ids: equal verdicts have equal bytes.

`reason_admin` is for callers who may read groups. `reason_user` is for the end user, and is the same
for a private product as for a product that does not exist.
"""

from functools import lru_cache
from typing import Any

import msgspec
from msgspec import Struct, structs

from eligibility.access.model import Decision
from eligibility.callers.errors import AccountMismatch
from eligibility.explain.phrases import REASONS
from eligibility.server.http import problems
from eligibility.standards import questions
from eligibility.standards.questions import ACTIONS, DenialReason, Question, StandardVerdict

_encode = msgspec.json.Encoder().encode

PERMITTED = b'{"decision":true'
"""The first bytes of every response with a positive decision."""

_FORBIDDEN = "403"
_NOT_FOR_YOU = "Not available for this account"
_FOR_USERS: dict[str, str] = {
    **{reason: phrases.user for reason, phrases in REASONS.items() if phrases.user},
    DenialReason.DEVICE_UNKNOWN: "The device is not known",
    DenialReason.NOT_INSTALLED: "There is nothing to update",
    DenialReason.UP_TO_DATE: "Up to date",
}
_FOR_ADMINS: dict[str, str] = {
    DenialReason.UNKNOWN_RESOURCE: "the resource does not exist, or the caller may not know of it",
    DenialReason.UNKNOWN_ACTION: "not an action of this type of resource: "
    + "; ".join(f"{kind} has {', '.join(actions)}" for kind, actions in ACTIONS.items()),
    DenialReason.UNKNOWN_SUBJECT: "not an account: type `account` with an address, or `anonymous`",
    DenialReason.DEVICE_UNKNOWN: "the context lacks device_family or os_version",
    DenialReason.OTHER_SOURCE: "the account's packages do not come from this flight",
    DenialReason.NOT_INSTALLED: "the context has no installed_version",
    DenialReason.UP_TO_DATE: "what is installed is not older than what is offered",
}


class ResponseWriter(Struct, frozen=True, cache_hash=True):
    """Writes a decision as a response; equal writers write equal bytes. named: name groups."""

    resource_type: str
    action: str
    flight_id: str | None
    device_known: bool
    named: bool

    def __call__(self, decision: Decision) -> bytes:
        """Write the body of the response."""
        question = Question(self.resource_type, self.action, decision.product_id, self.flight_id)
        verdict = questions.verdict(question, decision, self.device_known)
        for_admins = _for_admins(verdict, question, decision)
        return _body(verdict, for_admins, self.named, decision.product_id)


@lru_cache(maxsize=64)
def denial_json(verdict: StandardVerdict, named: bool) -> bytes:
    """Write the response to a question that needs no decision, e.g. because its resource is unknown."""
    return _body(verdict, _FOR_ADMINS[verdict.reason], named)


def sentence(error: Exception) -> str:
    """Describe an error, with the field names of the standard's requests."""
    if isinstance(error, AccountMismatch):
        return "an account may ask only about itself, but the subject is another one"
    return str(problems.problem(error)["detail"])


def error_json(error: Exception) -> bytes:
    """Write the response to a batch item that cannot be decided."""
    document = problems.problem(error)
    fault = {"status": document["status"], "message": sentence(error)}
    return problems.encoded({"decision": False, "context": {"error": fault}})


def _body(verdict: StandardVerdict, for_admins: str, named: bool, product_id: str = "") -> bytes:
    context: dict[str, Any] = {"reason": verdict.reason, "reasons": verdict.reasons}
    if verdict.selected is not None:
        kind, flight_id, _, rank = structs.astuple(verdict.selected)
        resource_id = product_id if flight_id is None else f"{product_id}:{flight_id}"
        context["selected"] = {"type": kind, "id": resource_id, "rank": rank}
    if not verdict.allowed:
        if named:
            context["reason_admin"] = {_FORBIDDEN: for_admins}
        for_user = _NOT_FOR_YOU if verdict.secret else _FOR_USERS.get(verdict.reason, _NOT_FOR_YOU)
        context["reason_user"] = {_FORBIDDEN: for_user}
    return _encode({"decision": verdict.allowed, "context": context})


def _for_admins(verdict: StandardVerdict, question: Question, decision: Decision) -> str:
    """Explain the verdict, with names of groups, and what would change it."""
    texts = [_FOR_ADMINS[reason] for reason in verdict.reasons if reason in _FOR_ADMINS]
    if DenialReason.DEVICE_UNKNOWN not in verdict.reasons:
        texts += [
            remedy.text
            for remedy in decision.remedies
            if remedy.unlocks != "flight" or question.flight_id in remedy.flights
        ]
    return "; ".join(texts) or ", ".join(verdict.reasons)
