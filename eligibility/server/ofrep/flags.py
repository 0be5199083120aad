"""Flags evaluated: whom a request is about, from memory or from the store, one flag or all.

The same evaluator as everything else: a flag is a question, and its value what the decision says.
Flags of a publisher that the caller does not see, and those that would tell an account of what it may
not know, are answered as unknown ones are, after as many calls of the store.
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
    """Evaluates flags. most_products: of how many a bulk answer tells."""

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
        self._hear = recorder.record

    def one(self, body: bytes, key: str, by: AuthenticatedCaller) -> bytes | DeferredAnswer:
        """The evaluation of a flag, from memory if it can. Raises: FlagError, NotYourself."""
        asked = ofrep.read_request(body)
        question = question_of_flag(key)
        fields = _fields(question, asked, by)
        asserted = by.may_assert and asked.token is None
        settled = fields if asserted else self._accounts.settle(fields, by)
        if settled is not None and fields.for_memory:
            _check_own(asked, settled)
            told = self._warm(question, settled, asked, by)
            if told != NOT_FOUND:
                return told
        return lambda: self._cold(question, key, asked, by)

    def _warm(
        self, question: Question, settled: QueryFields, asked: FlagRequest, by: AuthenticatedCaller
    ) -> bytes:
        """The evaluation; NOT_FOUND also where memory cannot tell."""
        held = self._evaluator.warm(question.product_id, by.publishers)
        if held is None:
            return NOT_FOUND
        now = self._evaluator.clock()
        form = FlagWriter.of(question, held.product, now, _viewed(asked, by))
        if not form.known:  # answers are remembered by their form: anybody could make up flights
            return NOT_FOUND
        try:
            answer = held.answer_json(settled, now, form)
        except InvalidInput:  # the targeting key is no address: nobody's
            return NOT_FOUND
        if answer != NOT_FOUND:
            self._hear(settled, answer, now)
        return answer

    def _cold(
        self, question: Question, key: str, asked: FlagRequest, by: AuthenticatedCaller
    ) -> bytes:
        settled = self._settled(question, asked, by)
        query, viewed = _query(settled, _viewed(asked, by))

        def tell(found: PastDecision) -> bytes:
            return self._told(question, query, found, viewed)

        try:
            if by.caller.account is not None:
                found = self._evaluator.find_or_hide(
                    query, by.publishers, lambda found: tell(found) is NOT_FOUND
                )
            else:
                if by.publishers is not None:
                    self._evaluator.check_publisher(question.product_id, by.publishers)
                found = self._evaluator.find(query)
            told = tell(found)
        except UnknownProduct:
            told = NOT_FOUND
        else:
            if told is not NOT_FOUND:
                self._note(settled, found, viewed)
        if told is NOT_FOUND:
            raise FlagNotFound(key)
        return told

    def _note(self, settled: QueryFields, found: PastDecision, viewed: FlagView) -> None:
        """Let what was decided be counted, unless it is of a past moment or about nobody."""
        if settled.at is UNSET and not viewed.nobody:
            self._hear(settled, found.decision, self._evaluator.clock())

    def all(self, body: bytes, by: AuthenticatedCaller) -> bytes:
        """Every flag that the caller may have; for a thread. Raises: as `one`."""
        asked = ofrep.read_request(body)
        settled = self._settled(NOWHERE, asked, by)
        most = self._most_products
        product_ids = self._listing.several(self._publishers(asked, by), most + 1)
        found: list[bytes] = []
        for product_id in product_ids[:most]:
            try:
                found += self._evaluations(replace(settled, product_id=product_id), asked, by)
            except UnknownProduct:  # gone meanwhile, or not there yet at the moment asked of
                continue
        flags = b",".join(one for one in found if one is not NOT_FOUND)
        return b'{"flags":[%b]%b}' % (flags, _TRUNCATED if len(product_ids) > most else b"")

    def _evaluations(
        self, settled: QueryFields, asked: FlagRequest, by: AuthenticatedCaller
    ) -> list[bytes]:
        """What all of a product's flags say. Raises: UnknownProduct."""
        query, viewed = _query(settled, _viewed(asked, by))
        found = self._evaluator.find(query)
        self._note(settled, found, viewed)
        questions = questions_of(query.product_id, found.product)
        return [self._told(question, query, found, viewed) for question in questions]

    def _told(
        self, question: Question, query: AccessQuery, found: PastDecision, viewed: FlagView
    ) -> bytes:
        """The evaluation of a flag that a decision makes, or NOT_FOUND."""
        moment = query.at.timestamp() if query.at else self._evaluator.clock()
        return FlagWriter.of(question, found.product, moment, viewed)(found.decision)

    def _settled(
        self, question: Question, asked: FlagRequest, by: AuthenticatedCaller
    ) -> QueryFields:
        """The query with its account, verified. May ask an issuer for keys."""
        settled = self._accounts.settle_in_thread(_fields(question, asked, by), by)
        _check_own(asked, settled)
        return settled

    def _publishers(self, asked: FlagRequest, by: AuthenticatedCaller) -> Collection[str]:
        """Whose flags a bulk answer holds: the caller's, and of these the one the context names."""
        publishers = self._listing.publishers() if by.publishers is None else by.publishers
        if asked.publisher is None:
            return publishers
        return [one for one in publishers if one == asked.publisher]


def _viewed(asked: FlagRequest, by: AuthenticatedCaller) -> FlagView:
    itself = by.caller.account is not None
    return FlagView(asked.context.device_known, itself)


def _query(settled: QueryFields, viewed: FlagView) -> tuple[AccessQuery, FlagView]:
    """The query as read; where its account's id is no address it is nobody's, who gets nothing."""
    try:
        return to_query(settled), viewed
    except InvalidInput:  # all else was read with the context
        return to_query(replace(settled, account=None)), viewed._replace(nobody=True)


def _fields(question: Question, asked: FlagRequest, by: AuthenticatedCaller) -> QueryFields:
    """The query of a question as it was asked, before its account is settled."""
    if asked.targeting_key == ANONYMOUS:
        if by.caller.account is not None or asked.token is not None:
            raise AccountMismatch
        return query_fields(question, None, asked.context)
    if asked.token is not None:
        return query_fields(question, AccountFields(token=asked.token), asked.context)
    return query_fields(question, AccountFields(asked.targeting_key), asked.context)


def _check_own(asked: FlagRequest, settled: QueryFields) -> None:
    """Raise NotYourself where the account's token is another's than the targeting key says."""
    account = settled.account
    if asked.token is None or not account:
        return
    if not are_of(Account(account.id, aliases=tuple(account.aliases or ())), [asked.targeting_key]):
        raise AccountMismatch
