"""Evaluations decided: who asks about whom, from memory or from the store. For endpoints and searches."""

from collections.abc import Set as AbstractSet
from functools import lru_cache
from typing import NamedTuple

from msgspec import UNSET

from eligibility.access import wire
from eligibility.access.model import Decision
from eligibility.access.wire import AccountFields, QueryFields
from eligibility.callers.errors import AccountMismatch
from eligibility.engine.evaluator import Evaluator
from eligibility.engine.held_product import HeldProduct
from eligibility.engine.past import PastDecision
from eligibility.errors import Fault, InvalidInput, UnknownProduct
from eligibility.server.authzen import entities, requests
from eligibility.server.authzen.entities import ACCOUNT
from eligibility.server.authzen.requests import (
    AnyEvaluationRequest,
    LooseEvaluationRequest,
    RawMember,
    Subject,
)
from eligibility.server.http.accounts import AccountResolver
from eligibility.server.http.authentication import AuthenticatedCaller
from eligibility.standards.questions import (
    UNKNOWN_RESOURCE,
    UNKNOWN_SUBJECT,
    Question,
    QuestionContext,
    StandardVerdict,
    query_fields,
    question_of,
    verdict,
)
from groups.emails import canonical_or_none

Publishers = AbstractSet[str] | None
"""Those whose products the caller sees; None = everybody's."""

_question = lru_cache(maxsize=65_536)(question_of)
_NO_QUESTION = Question("", "", "")


class Ready(NamedTuple):
    """An evaluation that was read. claimed: the subject's id where a token names the account."""

    question: Question
    device_known: bool
    fields: QueryFields
    claimed: str | None


class Vain(NamedTuple):
    """The same about what there cannot be: the answer stands, but not yet whether it may be asked."""

    verdict: StandardVerdict
    fields: QueryFields
    claimed: str | None


ReadEvaluation = Ready | Vain | StandardVerdict
"""An evaluation that was read; or the no to a subject that nobody is."""


class EvaluationReader:
    """Reads evaluations that leave out some of their members, as these defaults have them."""

    def __init__(self, defaults: AnyEvaluationRequest) -> None:
        self._defaults = defaults
        self._question: Question | StandardVerdict | None = None
        self._context: QuestionContext | None = None

    def read(self, asked: AnyEvaluationRequest) -> ReadEvaluation:
        """Read an evaluation; what it has replaces the default whole. Raises: InvalidInput."""
        subject, action, resource = asked.subject, asked.action, asked.resource
        # Most are as the default has them, or an account without properties: that is found out first.
        if isinstance(subject, Subject) and subject.properties is UNSET and subject.type == ACCOUNT:
            account: AccountFields | None = AccountFields(subject.id)
            claimed = None
        else:
            told = isinstance(subject, Subject) or (
                subject is not None and requests.is_told(subject)
            )
            who = entities.subject_of(subject if told else self._defaults.subject)
            if isinstance(who, StandardVerdict):
                self._check_others(asked)
                return who
            account, claimed = who
        as_default = action is UNSET and resource is UNSET
        question = self._question if as_default else None
        if question is None:
            question = self._asked(action, resource)
            if as_default:
                self._question = question
        context = self._context_of(asked.context)
        if isinstance(question, StandardVerdict):
            return Vain(question, query_fields(_NO_QUESTION, account, context), claimed)
        fields = query_fields(question, account, context)
        return Ready(question, context.device_known, fields, claimed)

    def _check_others(self, asked: AnyEvaluationRequest) -> None:
        """Raise InvalidInput where the rest of an evaluation cannot be read."""
        self._asked(asked.action, asked.resource)
        self._context_of(asked.context)

    def _context_of(self, sent: RawMember) -> QuestionContext:
        if sent is not UNSET:
            met = entities.context_met(bytes(sent))
            if met is not None:
                return met
        if requests.is_told(sent):
            return entities.context_of(sent)
        if self._context is None:
            self._context = entities.context_of(self._defaults.context)
        return self._context

    def _asked(self, action: RawMember, resource: RawMember) -> Question | StandardVerdict:
        """What is asked: the action on the resource."""
        done = entities.action_of(action if requests.is_told(action) else self._defaults.action)
        to = entities.resource_of(
            resource if requests.is_told(resource) else self._defaults.resource
        )
        return _question(to.type, to.id, done.name)


def read(asked: AnyEvaluationRequest) -> ReadEvaluation:
    """Read an evaluation that has everything. Raises: InvalidInput."""
    return EvaluationReader(LooseEvaluationRequest()).read(asked)


class Decider:
    """Decides evaluations that were read, for the endpoints and the searches."""

    def __init__(self, evaluator: Evaluator, accounts: AccountResolver) -> None:
        self.evaluator, self._accounts = evaluator, accounts

    def settled(
        self, ready: ReadEvaluation, by: AuthenticatedCaller
    ) -> Ready | StandardVerdict | None:
        """With the account as if asserted, or the no; None where a token has to be verified first.

        Raises: as Accounts.settle.
        """
        if isinstance(ready, StandardVerdict):
            return _nobody(ready, by)
        if by.may_assert and ready.claimed is None:
            return ready if isinstance(ready, Ready) else ready.verdict
        fields = self._accounts.settle(ready.fields, by)
        return None if fields is None else _as_claimed(ready, fields, by)

    def settled_in_thread(
        self, ready: ReadEvaluation, by: AuthenticatedCaller
    ) -> Ready | StandardVerdict:
        """The same; may ask an issuer."""
        if isinstance(ready, StandardVerdict):
            return _nobody(ready, by)
        return _as_claimed(ready, self._accounts.settle_in_thread(ready.fields, by), by)

    def decide(
        self, settled: Ready, by: AuthenticatedCaller, publishers: Publishers, listed: bool = False
    ) -> Decision | StandardVerdict:
        """Decide by the store, or say that the caller knows no such product or account.

        An account that asks for itself may not know of private products, nor of flights it is not in.
        Args: listed = nobody asked for the product by its id, so what it costs tells nothing.
        Raises: InvalidInput, GroupsError.
        """
        question, device_known, fields, _ = settled

        def hides(found: PastDecision) -> bool:
            return verdict(question, found.decision, device_known).secret

        try:
            query = wire.to_query(fields)
            if listed:
                return self.evaluator.decide(query)
            if by.caller.account is not None:
                return self.evaluator.find_or_hide(query, publishers, hides).decision
            if publishers is not None:
                self.evaluator.check_publisher(question.product_id, publishers)
            return self.evaluator.decide(query)
        except UnknownProduct:
            return UNKNOWN_RESOURCE
        except InvalidInput as error:
            return nobody_or(error)

    def warm(
        self, product_id: str, by: AuthenticatedCaller, publishers: Publishers
    ) -> HeldProduct | None:
        """The product, if memory may answer for it to this caller."""
        if by.caller.account is not None:
            return None
        return self.evaluator.warm(product_id, publishers)


def _nobody(verdict: StandardVerdict, by: AuthenticatedCaller) -> StandardVerdict:
    """The no to a subject of an unknown type; an account may ask for itself only."""
    if by.caller.account is not None:
        raise AccountMismatch
    return verdict


def _as_claimed(
    ready: Ready | Vain, fields: QueryFields, by: AuthenticatedCaller
) -> Ready | StandardVerdict:
    """What a token says has to be what the subject says. An account does not ask as nobody either."""
    sent, settled = ready.fields.account, fields.account
    if by.caller.account is not None and sent is None:
        raise AccountMismatch
    if ready.claimed is not None and isinstance(settled, AccountFields):
        addresses = {settled.id, *(settled.aliases or ())}
        if canonical_or_none(ready.claimed) not in addresses:
            raise AccountMismatch
    return ready._replace(fields=fields) if isinstance(ready, Ready) else ready.verdict


def nobody_or(error: InvalidInput) -> StandardVerdict:
    """The no to a query that cannot be read as its account's id is no address: it is nobody's.

    Raises: InvalidInput where it is an alias; all else was read with the request.
    """
    if {fault.loc for fault in error.faults} <= {"account", "account.id"}:
        return UNKNOWN_SUBJECT
    faults = [Fault("subject.properties.aliases", f.code, f.detail) for f in error.faults]
    raise InvalidInput(faults)
