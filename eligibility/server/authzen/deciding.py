"""Evaluations decided: who asks about whom, from memory or from the store. For endpoints and searches."""

from collections.abc import Set as AbstractSet
from functools import lru_cache
from typing import NamedTuple

from eligibility import wire
from eligibility.callers.errors import NotYourself
from eligibility.errors import EligibilityError, Fault, InvalidInput, UnknownProduct
from eligibility.evaluator import Evaluator
from eligibility.held import HeldProduct
from eligibility.model import Decision
from eligibility.server.accounts import Accounts
from eligibility.server.admission import Admitted
from eligibility.server.authzen import reading
from eligibility.server.authzen.reading import Asked
from eligibility.standards.questions import (
    UNKNOWN_RESOURCE,
    UNKNOWN_SUBJECT,
    Question,
    Verdict,
    query_fields,
    question_of,
)
from eligibility.wire import AccountFields, QueryFields
from groups.emails import canonical_or_none

Publishers = AbstractSet[str] | None
"""Those whose products the caller sees; None = everybody's."""

_question = lru_cache(maxsize=65_536)(question_of)
_NO_QUESTION = Question("", "", "")


class Ready(NamedTuple):
    """An evaluation that was read; its question may be the no to what cannot be one.

    claimed: the subject's id where a token names the account.
    """

    question: Question | Verdict
    device_known: bool
    fields: QueryFields
    claimed: str | None


class Settled(NamedTuple):
    """A question whose account is as if asserted."""

    question: Question
    device_known: bool
    fields: QueryFields


Read = Ready | Verdict | EligibilityError
"""An evaluation that was read; or the no to a subject that nobody is; or why it cannot be read."""


def read(asked: Asked) -> Ready | Verdict:
    """Read an evaluation. Raises: InvalidInput."""
    who = reading.subject_of(asked.subject)
    action = reading.action_of(asked.action)
    resource = reading.resource_of(asked.resource)
    context = reading.context_of(asked.context)
    if isinstance(who, Verdict):
        return who
    question = _question(resource.type, resource.id, action.name)
    asked_of = _NO_QUESTION if isinstance(question, Verdict) else question
    fields = query_fields(asked_of, who.account, context)
    return Ready(question, context.device_known, fields, who.claimed)


class Decider:
    """Decides evaluations that were read, for the endpoints and the searches."""

    def __init__(self, evaluator: Evaluator, accounts: Accounts) -> None:
        self.evaluator, self._accounts = evaluator, accounts

    def settled(self, ready: Ready | Verdict, by: Admitted) -> Settled | Verdict | None:
        """With the account as if asserted, or the no; None where a token has to be verified first.

        Raises: as Accounts.settle.
        """
        if isinstance(ready, Verdict):
            return _nobody(ready, by)
        if by.asserts and ready.claimed is None:
            return _settled(ready, ready.fields)
        fields = self._accounts.settle(ready.fields, by)
        return None if fields is None else _as_claimed(ready, fields, by)

    def settled_in_thread(self, ready: Ready | Verdict, by: Admitted) -> Settled | Verdict:
        """The same; may ask an issuer."""
        if isinstance(ready, Verdict):
            return _nobody(ready, by)
        return _as_claimed(ready, self._accounts.settle_in_thread(ready.fields, by), by)

    def decide(self, settled: Settled, by: Admitted, publishers: Publishers) -> Decision | Verdict:
        """Decide by the store, or say that the caller knows no such product or account.

        An account that asks for itself may not know of private products: there the store is asked
        whose the product is, whatever memory holds. Raises: InvalidInput, GroupsError.
        """
        product_id = settled.question.product_id
        try:
            query = wire.to_query(settled.fields)
            if by.caller.account is not None:
                self.evaluator.look_up(product_id, publishers)
            elif publishers is not None:
                self.evaluator.check_publisher(product_id, publishers)
            return self.evaluator.decide(query)
        except UnknownProduct:
            return UNKNOWN_RESOURCE
        except InvalidInput as error:
            return nobody_or(error)

    def warm(self, product_id: str, by: Admitted, publishers: Publishers) -> HeldProduct | None:
        """The product, if memory may answer for it to this caller."""
        if by.caller.account is not None:
            return None
        return self.evaluator.warm(product_id, publishers)


def _nobody(verdict: Verdict, by: Admitted) -> Verdict:
    """The no to a subject of an unknown type; an account may ask for itself only."""
    if by.caller.account is not None:
        raise NotYourself
    return verdict


def _settled(ready: Ready, fields: QueryFields) -> Settled | Verdict:
    if isinstance(ready.question, Verdict):
        return ready.question
    return Settled(ready.question, ready.device_known, fields)


def _as_claimed(ready: Ready, fields: QueryFields, by: Admitted) -> Settled | Verdict:
    """What a token says has to be what the subject says. An account does not ask as nobody either."""
    sent, settled = ready.fields.account, fields.account
    if by.caller.account is not None and sent is None:
        raise NotYourself
    if ready.claimed is not None and isinstance(settled, AccountFields):
        addresses = {settled.id, *(settled.aliases or ())}
        if canonical_or_none(ready.claimed) not in addresses:
            detail = "is not an address of the account that the token names"
            raise InvalidInput([Fault("subject.id", "ANOTHER_ACCOUNT", detail)])
    return _settled(ready, fields)


def nobody_or(error: InvalidInput) -> Verdict:
    """The no to a query that cannot be read as its account's id is no address: it is nobody's.

    Raises: InvalidInput where it is an alias; all else was read with the request.
    """
    if {fault.loc for fault in error.faults} <= {"account", "account.id"}:
        return UNKNOWN_SUBJECT
    faults = [Fault("subject.properties.aliases", f.code, f.detail) for f in error.faults]
    raise InvalidInput(faults)
