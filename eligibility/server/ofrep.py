"""POST /ofrep/v1/evaluate/flags/{key} and /ofrep/v1/evaluate/flags: OpenFeature's remote evaluation.

The same evaluator as everything else: a flag is a question (standards/flags.py), and its value what
the decision says. Flags of a publisher that the caller does not see, and those that would tell an
account of what it may not know, are answered as unknown ones are, after as many calls of the store.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from hashlib import blake2b

import msgspec

from eligibility.callers.errors import NotYourself, Unauthenticated
from eligibility.errors import Fault, InvalidInput, UnknownProduct
from eligibility.evaluator import Evaluator
from eligibility.listing import Listing
from eligibility.model import Account
from eligibility.server import problems
from eligibility.server.accounts import Accounts, are_of
from eligibility.server.admission import Admitted
from eligibility.server.asgi import Scope
from eligibility.server.endpoint import JSON, Answer, Reply, Work, check_post, problem_reply
from eligibility.server.requests import check_content_type
from eligibility.standards import flags, ofrep
from eligibility.standards.ofrep import ANONYMOUS, Asked, FlagError
from eligibility.standards.questions import Question, query_fields
from eligibility.wire import AccountFields, QueryFields, to_query

BULK = "/ofrep/v1/evaluate/flags"
ONE = f"{BULK}/"

_encode = msgspec.json.Encoder().encode


class FlagEndpoint:
    """One flag. A head is the flag's key: whatever stands behind the path, decoded."""

    def __init__(self, flags_: "Flags") -> None:
        self._flags = flags_

    def check(self, scope: Scope, headers: Mapping[bytes, bytes], by: Admitted) -> str:
        """See Endpoint."""
        key: str = scope["path"][len(ONE) :]
        check_post(scope, by)
        _check_media_type(scope, headers, key)
        return key

    def answer(self, body: bytes, head: str, by: Admitted) -> Answer | Work:
        """See Endpoint."""
        return _named(head, lambda: self._flags.one(body, head, by))

    def refusal(self, error: Exception) -> Reply:
        """See Endpoint."""
        return refusal(error)


class BulkEndpoint:
    """All flags that a caller may have. A head is the `if-none-match` of the request."""

    def __init__(self, flags_: "Flags") -> None:
        self._flags = flags_

    def check(self, scope: Scope, headers: Mapping[bytes, bytes], by: Admitted) -> bytes:
        """See Endpoint. Query parameters are taken and mean nothing: every answer is of now."""
        check_post(scope, by)
        _check_media_type(scope, headers, None)
        return b",".join(value for name, value in scope["headers"] if name == b"if-none-match")

    def answer(self, body: bytes, head: bytes, by: Admitted) -> Answer | Work:
        """See Endpoint. Always for a thread: there may be hundreds of flags."""
        return _named(None, lambda: partial(self._tagged, body, head, by))

    def _tagged(self, body: bytes, known: bytes, by: Admitted) -> Reply:
        answer = self._flags.all(body, by)
        tag = b'"%b"' % blake2b(answer, digest_size=16).hexdigest().encode()
        headers = [(b"etag", tag)]
        if tag in known:  # quoted, and nobody else's tags hold it
            return Reply(304, b"", headers=headers)
        return Reply(200, answer, headers=headers)

    def refusal(self, error: Exception) -> Reply:
        """See Endpoint."""
        return refusal(error)


class Flags:
    """The two routes over one evaluator. most_products: of how many a bulk answer tells."""

    def __init__(
        self, evaluator: Evaluator, accounts: Accounts, listing: Listing, most_products: int
    ) -> None:
        self._evaluator, self._accounts = evaluator, accounts
        self._listing, self._most_products = listing, most_products
        self.endpoints = {BULK: BulkEndpoint(self)}
        self.families = {ONE: FlagEndpoint(self)}

    def one(self, body: bytes, key: str, by: Admitted) -> bytes | Work:
        """The evaluation of a flag, from memory if it can. Raises: FlagError without a key."""
        asked = ofrep.read_request(body)
        question = flags.question_of_flag(key)
        fields = _fields(question, asked, by)
        settled = self._accounts.settle(fields, by)
        if settled is not None and fields.for_memory:
            _check_own(asked, settled)
            held = self._evaluator.warm(question.product_id, by.publishers)
            if held is not None:
                now = self._evaluator.clock()
                moment = datetime.fromtimestamp(now, UTC)
                form = flags.form_of(
                    question, held.product, moment, asked.context.device_known, by.sees_secrets
                )
                told = held.answer_json(settled, now, form)
                if told is not flags.NOT_FOUND:
                    return told
        return lambda: self._cold(question, key, asked, by)

    def _cold(self, question: Question, key: str, asked: Asked, by: Admitted) -> bytes:
        settled = self._settled(question, asked, by)
        try:
            told = self._told(question, settled, asked, by)
            if told is flags.NOT_FOUND:
                self._evaluator.owner(question.product_id)  # as many calls as an unknown one takes
        except UnknownProduct:
            told = flags.NOT_FOUND
        if told is flags.NOT_FOUND:
            raise FlagError("FLAG_NOT_FOUND", f"flag `{key}` was not found", key)
        return told

    def all(self, body: bytes, by: Admitted) -> bytes:
        """Every flag that the caller may have. Asks the store, where memory is not enough."""
        asked = ofrep.read_request(body)
        publishers = self._publishers(asked, by)
        found: list[bytes] = []
        settled = self._settled(flags.NOWHERE, asked, by)
        product_ids = self._listing.several(publishers, self._most_products + 1)
        cut = len(product_ids) > self._most_products
        for product_id in product_ids[: self._most_products]:
            found += self._of_product(product_id, settled, asked, by)
        more = b',"metadata":{"truncated":true}' if cut else b""
        return b'{"flags":[%b]%b}' % (b",".join(found), more)

    def _of_product(
        self, product_id: str, settled: QueryFields, asked: Asked, by: Admitted
    ) -> list[bytes]:
        """The evaluations of a product's flags; none where it is gone or secret."""
        query = to_query(msgspec.structs.replace(settled, product_id=product_id))
        try:
            product, decision = self._evaluator.product(query), self._evaluator.decide(query)
        except UnknownProduct:
            return []
        moment = query.at or datetime.fromtimestamp(self._evaluator.clock(), UTC)
        known, sees = asked.context.device_known, by.sees_secrets
        told = (
            flags.form_of(question, product, moment, known, sees)(decision)
            for question in flags.questions_of(product_id, product)
        )
        return [one for one in told if one is not flags.NOT_FOUND]

    def _settled(self, question: Question, asked: Asked, by: Admitted) -> QueryFields:
        """The query with its account, verified. May ask an issuer for keys."""
        settled = self._accounts.settle_in_thread(_fields(question, asked, by), by)
        _check_own(asked, settled)
        return settled

    def _told(self, question: Question, settled: QueryFields, asked: Asked, by: Admitted) -> bytes:
        query = to_query(settled)
        if by.publishers is not None:
            self._evaluator.check_publisher(question.product_id, by.publishers)
        product, decision = self._evaluator.product(query), self._evaluator.decide(query)
        moment = query.at or datetime.fromtimestamp(self._evaluator.clock(), UTC)
        known = asked.context.device_known
        return flags.form_of(question, product, moment, known, by.sees_secrets)(decision)

    def _publishers(self, asked: Asked, by: Admitted) -> Collection[str]:
        """Whose flags a bulk answer holds: the caller's, and of these the one the context names."""
        publishers = self._listing.publishers() if by.publishers is None else by.publishers
        if asked.publisher is None:
            return publishers
        return [one for one in publishers if one == asked.publisher]


def _fields(question: Question, asked: Asked, by: Admitted) -> QueryFields:
    """The query of a question as it was asked, before its account is settled."""
    if asked.targeting_key == ANONYMOUS:
        if by.caller.account is not None or asked.token is not None:
            raise NotYourself
        return query_fields(question, None, asked.context)
    if asked.token is not None:
        account = AccountFields(token=asked.token)
    else:
        account = AccountFields(asked.targeting_key)
    return query_fields(question, account, asked.context)


def _check_own(asked: Asked, settled: QueryFields) -> None:
    """Raise NotYourself where the account's token is another's than the targeting key says."""
    account = settled.account
    if asked.token is None or not account:
        return
    if not are_of(Account(account.id, aliases=tuple(account.aliases or ())), [asked.targeting_key]):
        raise NotYourself


# --- errors -------------------------------------------------------------------------------------


def _named(key: str | None, ask: Callable[[], Answer | Work]) -> Answer | Work:
    """Ask now, or later in a thread; what is wrong with the request is told with the flag's key."""
    try:
        made = ask()
    except InvalidInput as error:
        raise _with_key(_invalid(error), key) from None
    except FlagError as error:
        raise _with_key(error, key) from None
    if callable(made):
        return partial(_finished, key, made)
    return made


def _finished(key: str | None, work: Work) -> Answer:
    made = _named(key, work)
    assert not callable(made)  # noqa: S101 - work gives an answer
    return made


def _invalid(error: InvalidInput) -> FlagError:
    """What a query cannot be made of: the account's address, for all else was read before."""
    places = [Fault("context.targetingKey", one.code, one.detail) for one in error.faults]
    return ofrep.invalid_context(InvalidInput(places))


def _with_key(error: FlagError, key: str | None) -> FlagError:
    error.key = key
    return error


def _check_media_type(scope: Scope, headers: Mapping[bytes, bytes], key: str | None) -> None:
    """The protocol has no 415."""
    if headers.get(b"content-type") == JSON:
        return
    try:
        check_content_type(scope)
    except problems.RequestProblem as error:
        raise FlagError("PARSE_ERROR", str(error), key) from None


def refusal(error: Exception) -> Reply:
    """An error in the protocol's form; where it has none, `errorDetails` as for 500."""
    if isinstance(error, FlagError):
        status = 404 if error.code == "FLAG_NOT_FOUND" else 400
        told = {"errorCode": error.code, "errorDetails": str(error)}
        if error.key is not None:
            told = {"key": error.key, **told}
        return Reply(status, _encode(told), code=error.code)
    reply = problem_reply(error)
    details = str(error)
    if isinstance(error, NotYourself):
        details = "an account may ask for itself only: context.targetingKey is another's"
    elif isinstance(error, Unauthenticated) and error.loc == "account.token":
        details = details.replace(error.loc, "context.accountToken", 1)
    body = _encode({"errorDetails": details})
    return replace(reply, body=body, media_type=JSON)
