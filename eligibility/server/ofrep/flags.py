"""Evaluate a flag or all flags, from memory or from the store.

The value of a flag is the evaluator's decision on the flag's question. Flags of publishers that the caller
may not see, and flags that would reveal a secret to an account, get the same answer as an unknown flag,
after the same number of calls to the store.
"""

from collections.abc import Collection

from msgspec import UNSET
from msgspec.structs import replace

from eligibility.access.model import AccessQuery, Account
from eligibility.access.wire import AccountFields, QueryFields, to_query
from eligibility.activity.recorder import Recorder
from eligibility.callers.errors import AccountMismatch
from eligibility.engine.evaluator import Evaluator
from eligibility.engine.past import PastDecision
from eligibility.engine.product_list import ProductList
from eligibility.errors import InvalidInput, UnknownProduct
from eligibility.server.http.accounts import AccountResolver, are_of
from eligibility.server.http.authentication import AuthenticatedCaller
from eligibility.server.http.endpoint import DeferredAnswer
from eligibility.standards import ofrep
from eligibility.standards.flags import (
    NOT_FOUND,
    NOWHERE,
    FlagView,
    FlagWriter,
    question_of_flag,
    questions_of,
)
from eligibility.standards.ofrep import ANONYMOUS, FlagNotFound, FlagRequest
from eligibility.standards.questions import Question, query_fields

_TRUNCATED = b',"metadata":{"truncated":true}'


class Flags:
    """Evaluates flags. most_products: the largest number of products in a bulk answer."""

    def __init__(
        self,
        evaluator: Evaluator,
        accounts: AccountResolver,
        listing: ProductList,
        recorder: Recorder,
        most_products: int,
    ) -> None:
        self._evaluator, self._accounts = evaluator, accounts
        self._listing, self._most_products = listing, most_products
        self._record = recorder.record

    def evaluate(self, body: bytes, key: str, by: AuthenticatedCaller) -> bytes | DeferredAnswer:
        """Return a flag's evaluation, or a function that asks the store. Raises: FlagError, AccountMismatch."""
        request = ofrep.read_request(body, key)
        question = question_of_flag(key)
        fields = _fields(question, request, by)
        asserted = by.may_assert and request.token is None
        settled = fields if asserted else self._accounts.settle(fields, by)
        if settled is not None and fields.for_memory:
            _check_own(request, settled)
            evaluation = self._warm(question, settled, request, by)
            if evaluation != NOT_FOUND:
                return evaluation
        return lambda: self._cold(question, key, request, by)

    def _warm(
        self,
        question: Question,
        settled: QueryFields,
        request: FlagRequest,
        by: AuthenticatedCaller,
    ) -> bytes:
        """Evaluate from memory; also return NOT_FOUND if memory is not enough."""
        cached = self._evaluator.warm(question.product_id, by.publishers)
        if cached is None:
            return NOT_FOUND
        now = self._evaluator.clock()
        writer = FlagWriter.of(question, cached.product, now, _view_of(request, by))
        if not writer.known:  # invented flights must not fill the cache
            return NOT_FOUND
        try:
            answer = cached.answer_json(settled, now, writer)
        except InvalidInput:  # the targeting key is not an address
            return NOT_FOUND
        if answer != NOT_FOUND:
            self._record(settled, answer, now)
        return answer

    def _cold(
        self, question: Question, key: str, request: FlagRequest, by: AuthenticatedCaller
    ) -> bytes:
        settled = self._settled(question, request, by)
        query, view = _query(settled, _view_of(request, by))

        def evaluation(result: PastDecision) -> bytes:
            return self._evaluation(question, query, result, view)

        try:
            if by.caller.account is not None:
                result = self._evaluator.find_or_hide(
                    query, by.publishers, lambda past: evaluation(past) is NOT_FOUND
                )
            else:
                if by.publishers is not None:
                    self._evaluator.check_publisher(question.product_id, by.publishers)
                result = self._evaluator.find(query)
        except UnknownProduct:
            raise FlagNotFound(key) from None
        body = evaluation(result)
        if body is NOT_FOUND:
            raise FlagNotFound(key)
        self._note(settled, result, view)
        return body

    def _note(self, settled: QueryFields, result: PastDecision, view: FlagView) -> None:
        """Record a decision, unless it is about another moment in time or an impossible account."""
        if settled.at is UNSET and not view.nobody:
            self._record(settled, result.decision, self._evaluator.clock())

    def evaluate_all(self, body: bytes, by: AuthenticatedCaller) -> bytes:
        """Evaluate every flag that the caller may see; call it in a thread. Raises: see `evaluate`."""
        request = ofrep.read_request(body)
        settled = self._settled(NOWHERE, request, by)
        most = self._most_products
        product_ids = self._listing.several(self._publishers(request, by), most + 1)
        evaluations: list[bytes] = []
        for product_id in product_ids[:most]:
            try:
                evaluations += self._evaluations(
                    replace(settled, product_id=product_id), request, by
                )
            except UnknownProduct:  # deleted meanwhile, or not yet created at the given time
                continue
        flags = b",".join(item for item in evaluations if item is not NOT_FOUND)
        return b'{"flags":[%b]%b}' % (flags, _TRUNCATED if len(product_ids) > most else b"")

    def _evaluations(
        self, settled: QueryFields, request: FlagRequest, by: AuthenticatedCaller
    ) -> list[bytes]:
        """Evaluate all flags of a product. Raises: UnknownProduct."""
        query, view = _query(settled, _view_of(request, by))
        result = self._evaluator.find(query)
        self._note(settled, result, view)
        questions = questions_of(query.product_id, result.product)
        return [self._evaluation(question, query, result, view) for question in questions]

    def _evaluation(
        self, question: Question, query: AccessQuery, result: PastDecision, view: FlagView
    ) -> bytes:
        """Return the evaluation of a question's flag by a decision, or NOT_FOUND."""
        moment = query.at.timestamp() if query.at else self._evaluator.clock()
        return FlagWriter.of(question, result.product, moment, view)(result.decision)

    def _settled(
        self, question: Question, request: FlagRequest, by: AuthenticatedCaller
    ) -> QueryFields:
        """Return the query with its verified account; may fetch the keys of a token's issuer."""
        settled = self._accounts.settle_in_thread(_fields(question, request, by), by)
        _check_own(request, settled)
        return settled

    def _publishers(self, request: FlagRequest, by: AuthenticatedCaller) -> Collection[str]:
        """Return the publishers of a bulk answer: all that the caller may see, or only the context's."""
        publishers = self._listing.publishers() if by.publishers is None else by.publishers
        if request.publisher is None:
            return publishers
        return [publisher for publisher in publishers if publisher == request.publisher]


def _view_of(request: FlagRequest, by: AuthenticatedCaller) -> FlagView:
    return FlagView(request.context.device_known, itself=by.caller.account is not None)


def _query(settled: QueryFields, view: FlagView) -> tuple[AccessQuery, FlagView]:
    """Read the query. If the account's id is not an address, no such account exists: set `nobody`."""
    try:
        return to_query(settled), view
    except InvalidInput:  # only the id can be wrong: the context was read before
        return to_query(replace(settled, account=None)), view._replace(nobody=True)


def _fields(question: Question, request: FlagRequest, by: AuthenticatedCaller) -> QueryFields:
    """Build the query for a question, with an account that is not settled yet."""
    if request.targeting_key == ANONYMOUS:
        if by.caller.account is not None or request.token is not None:
            raise AccountMismatch
        return query_fields(question, None, request.context)
    account = AccountFields(request.targeting_key)
    if request.token is not None:
        account = AccountFields(token=request.token)
    return query_fields(question, account, request.context)


def _check_own(request: FlagRequest, settled: QueryFields) -> None:
    """Raise AccountMismatch if the token belongs to another account than the targeting key."""
    account = settled.account
    if request.token is None or not account:
        return
    if not are_of(
        Account(account.id, aliases=tuple(account.aliases or ())), [request.targeting_key]
    ):
        raise AccountMismatch
