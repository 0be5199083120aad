"""Read and decide AuthZEN evaluations, from memory or from the store, for endpoints and searches."""

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
from eligibility.server.authzen import entities
from eligibility.server.authzen.entities import ACCOUNT
from eligibility.server.authzen.requests import (
    EvaluationRequest,
    RawMember,
    RawMembers,
    Subject,
    is_present,
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
"""The publishers whose products the caller may see; None = all."""

_question = lru_cache(maxsize=65_536)(question_of)
_NO_QUESTION = Question("", "", "")


class Evaluation(NamedTuple):
    """An evaluation request in our own terms.

    claimed: the subject's id, if a token names the account. denial: the verdict on an unknown subject,
    resource or action; it is returned only after the caller's rights were checked.
    """

    question: Question
    device_known: bool
    fields: QueryFields
    claimed: str | None = None
    denial: StandardVerdict | None = None


class EvaluationReader:
    """Reads evaluations; a member that an evaluation leaves out is taken from the batch's defaults."""

    def __init__(self, defaults: RawMembers) -> None:
        self._defaults = defaults
        self._question: Question | StandardVerdict | None = None
        self._context: QuestionContext | None = None

    def read(self, request: EvaluationRequest) -> Evaluation:
        """Read an evaluation; a member replaces the whole default, without merging. Raises: InvalidInput."""
        subject = request.subject
        claimed: str | None = None
        denial: StandardVerdict | None = None
        # The fast path comes first: most subjects are accounts without properties.
        if isinstance(subject, Subject) and subject.properties is UNSET and subject.type == ACCOUNT:
            account: AccountFields | None = AccountFields(subject.id)
        else:
            account, claimed, denial = entities.subject_of(subject or self._defaults.subject)
        question = self._question_of(request.action, request.resource)
        context = self._context_of(request.context)
        if isinstance(question, StandardVerdict):
            denial = denial or question
            question = _NO_QUESTION
        fields = query_fields(question, account, context)
        return Evaluation(question, context.device_known, fields, claimed, denial)

    def _context_of(self, member: RawMember) -> QuestionContext:
        if member is not UNSET:
            known = entities.known_context(bytes(member))
            if known is not None:
                return known
        if is_present(member):
            return entities.context_of(member)
        if self._context is None:
            self._context = entities.context_of(self._defaults.context)
        return self._context

    def _question_of(self, action: RawMember, resource: RawMember) -> Question | StandardVerdict:
        by_default = action is UNSET and resource is UNSET
        if by_default and self._question is not None:
            return self._question
        action_entity = entities.action_of(action if is_present(action) else self._defaults.action)
        target = entities.resource_of(resource if is_present(resource) else self._defaults.resource)
        question = _question(target.type, target.id, action_entity.name)
        if by_default:
            self._question = question
        return question


class Decider:
    """Decides evaluations that EvaluationReader has read."""

    def __init__(self, evaluator: Evaluator, accounts: AccountResolver) -> None:
        self.evaluator, self._accounts = evaluator, accounts

    def settled(self, evaluation: Evaluation, by: AuthenticatedCaller) -> Evaluation | None:
        """Return the evaluation with a trusted account; None if a token must be verified first.

        Raises: the errors of AccountResolver.settle.
        """
        if by.may_assert and evaluation.claimed is None:
            return evaluation
        fields = self._accounts.settle(evaluation.fields, by)
        return None if fields is None else _as_claimed(evaluation, fields, by)

    def settled_in_thread(self, evaluation: Evaluation, by: AuthenticatedCaller) -> Evaluation:
        """Do the same as `settled`, but in a thread and with the token verified; may fetch issuers' keys."""
        fields = self._accounts.settle_in_thread(evaluation.fields, by)
        return _as_claimed(evaluation, fields, by)

    def decide(
        self,
        settled: Evaluation,
        by: AuthenticatedCaller,
        publishers: Publishers,
        listed: bool = False,
    ) -> Decision | StandardVerdict:
        """Decide by the store; return a verdict if the caller may see no such product or account.

        An account that asks for itself must not learn of private products, or of flights it is not in.
        Args: listed = the caller did not name the product, so the response time reveals nothing.
        Raises: InvalidInput, GroupsError.
        """
        question = settled.question

        def hides(past: PastDecision) -> bool:
            return verdict(question, past.decision, settled.device_known).secret

        if settled.denial is not None:
            return settled.denial
        try:
            query = wire.to_query(settled.fields)
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
            return unknown_subject(error)

    def warm(
        self, product_id: str, by: AuthenticatedCaller, publishers: Publishers
    ) -> HeldProduct | None:
        """Return the product from memory; None if this caller must be answered from the store."""
        if by.caller.account is not None:
            return None
        return self.evaluator.warm(product_id, publishers)


def _as_claimed(evaluation: Evaluation, fields: QueryFields, by: AuthenticatedCaller) -> Evaluation:
    """Return the settled evaluation. Raises: AccountMismatch if the subject is not the token's account."""
    sent, settled = evaluation.fields.account, fields.account
    if by.caller.account is not None and sent is None:
        raise AccountMismatch
    if evaluation.claimed is not None and isinstance(settled, AccountFields):
        addresses = {settled.id, *(settled.aliases or ())}
        if canonical_or_none(evaluation.claimed) not in addresses:
            raise AccountMismatch
    return evaluation._replace(fields=fields)


def unknown_subject(error: InvalidInput) -> StandardVerdict:
    """Return the verdict for an account id that is not an address: no such account exists.

    Raises: InvalidInput if an alias is not an address; no other field can still be wrong here.
    """
    if {fault.loc for fault in error.faults} <= {"account", "account.id"}:
        return UNKNOWN_SUBJECT
    faults = [Fault("subject.properties.aliases", f.code, f.detail) for f in error.faults]
    raise InvalidInput(faults)
