"""The routes POST /v1/access and /v1/access/batch, which are called thousands of times a second.

A query is answered from memory in the event loop, or, if it needs the store, in a thread. FastAPI's
routing costs more than the whole decision (docs/decisions.md 0004), so the gate answers both routes.
document/api.yaml describes them.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from msgspec import UNSET

from eligibility.access import wire
from eligibility.access.redaction import unnamed
from eligibility.access.wire import QueryFields
from eligibility.activity.recorder import Recorder
from eligibility.engine.decision_cache import DecisionBody
from eligibility.engine.evaluator import Evaluator
from eligibility.errors import EligibilityError, Fault, InvalidInput
from eligibility.explain.least_change import explained
from eligibility.server.http import problems
from eligibility.server.http.accounts import AccountResolver, may_hold_tokens
from eligibility.server.http.asgi import AsgiScope
from eligibility.server.http.authentication import AuthenticatedCaller
from eligibility.server.http.endpoint import JSON, DeferredAnswer, problem_reply
from eligibility.server.http.strict_route import check_content_type
from groups.errors import GroupsError

ParsedQuery = QueryFields | EligibilityError
"""A query of a batch as it was sent, or the error if it cannot be read."""


class AccessEndpoint:
    """One of the two routes. answer: a function of the body, whether to explain, and the caller."""

    refusal = staticmethod(problem_reply)

    def __init__(
        self, answer: Callable[[bytes, bool, AuthenticatedCaller], bytes | DeferredAnswer]
    ) -> None:
        self.answer = answer

    def check(
        self, scope: AsgiScope, headers: Mapping[bytes, bytes], by: AuthenticatedCaller
    ) -> bool:
        """See Endpoint. Return whether the client asks for an explanation."""
        by.check_query(scope["method"])
        if headers.get(b"content-type") != JSON:
            check_content_type(scope)
        query_string = scope["query_string"]
        if not query_string or not wants_trace(query_string):
            return False
        by.check_explain()
        return True


class AccessEndpoints:
    """The two access routes over one evaluator.

    If the caller may not see a product's publisher, the answer and its steps are those for an unknown product.
    """

    def __init__(self, evaluator: Evaluator, accounts: AccountResolver, recorder: Recorder) -> None:
        self._evaluator = evaluator
        self._accounts = accounts
        self._record, self._record_all = recorder.record, recorder.record_batch
        self.endpoints = {
            "/v1/access": AccessEndpoint(self._single),
            "/v1/access/batch": AccessEndpoint(self._batch),
        }

    def _single(
        self, body: bytes, explain: bool, by: AuthenticatedCaller
    ) -> bytes | DeferredAnswer:
        query = wire.decode_query(body)
        account = query.account
        asserted = by.may_assert and not (account and account.token is not UNSET)
        settled = query if asserted else self._accounts.settle(query, by)
        if settled is not None and not explain and query.for_memory:
            cached = self._evaluator.warm(query.product_id, by.publishers)
            if cached is not None:
                now = self._evaluator.clock()
                answer = cached.answer_json(settled, now, by.may_read_groups)
                self._record(settled, answer, now)
                return answer
        return lambda: self._cold(query, explain, by, search=True)

    def _batch(self, body: bytes, explain: bool, by: AuthenticatedCaller) -> bytes | DeferredAnswer:
        batch = wire.decode_batch(body)
        if by.allowance is not None:
            by.allowance.take(len(batch), paid=1)  # the gate charged 1 for the request
        settled: Sequence[ParsedQuery] | None = batch
        if not by.may_assert or may_hold_tokens(body):
            settled = self._accounts.settle_all(batch, by)
        answers = self._all_warm(settled, by) if settled is not None and not explain else None
        if answers is None:
            cold = (self._cold_or_problem(query, explain, by) for query in batch)
            return lambda: wire.encoded_batch(cold)
        return wire.encoded_batch(answers)

    def _all_warm(
        self, batch: Sequence[ParsedQuery], by: AuthenticatedCaller
    ) -> list[bytes] | None:
        """Answer a batch from memory, for one moment in time; return None if any query needs the store."""
        now = self._evaluator.clock()
        answers: list[Any] = list(batch)  # below, answers replace the queries; errors stay
        for product_id, indices in _indices_by_product(batch).items():
            cached = self._evaluator.warm(product_id, by.publishers)
            everywhere = len(indices) == len(batch)
            queries: Sequence[Any] = batch if everywhere else [batch[index] for index in indices]
            if cached is None or not all(query.for_memory for query in queries):
                return None
            bodies = cached.answers_json(queries, now, by.may_read_groups)
            if everywhere:
                answers = bodies
                continue
            for index, body in zip(indices, bodies, strict=True):
                answers[index] = body
        self._record_all(batch, answers, now)
        return [body if isinstance(body, bytes) else _problem(body) for body in answers]

    def _cold(
        self, fields: QueryFields, explain: bool, by: AuthenticatedCaller, *, search: bool = False
    ) -> bytes:
        """Decide by the store. Args: search = also find the least change; too expensive for a batch."""
        settled = self._accounts.settle_in_thread(fields, by)
        query = wire.to_query(settled)
        if by.publishers is not None:
            self._evaluator.check_publisher(query.product_id, by.publishers)
        if explain:
            decision = explained(*self._evaluator.explain(query), search=search)
        else:
            decision = self._evaluator.decide(query)
        if query.at is None:
            self._record(settled, decision, self._evaluator.clock())
        body = wire.encode(decision if explain or by.may_read_groups else unnamed(decision))
        return DecisionBody.of(body, decision, member=False)

    def _cold_or_problem(self, query: ParsedQuery, explain: bool, by: AuthenticatedCaller) -> bytes:
        """Return the decision on a query of a batch, or the problem document if it fails."""
        try:
            if isinstance(query, EligibilityError):
                raise query
            return self._cold(query, explain, by)
        except (EligibilityError, GroupsError) as error:
            return _problem(error)


def _problem(error: Exception) -> bytes:
    return problems.encoded(problems.problem(error))


def _indices_by_product(batch: Sequence[ParsedQuery]) -> dict[str, Sequence[int]]:
    """Map each product to the indices of the batch's queries about it; most batches have one product."""
    ids = [None if isinstance(query, EligibilityError) else query.product_id for query in batch]
    first = ids[0]
    if first is not None and ids.count(first) == len(ids):
        return {first: range(len(ids))}
    indices: defaultdict[str, list[int]] = defaultdict(list)
    for index, product_id in enumerate(ids):
        if product_id is not None:
            indices[product_id].append(index)
    return dict(indices)


def wants_trace(query_string: bytes) -> bool:
    """Read `?explain=true|false` from a query string, and refuse everything else in it."""
    explain = {b"explain=true": True, b"explain=false": False}.get(query_string)
    if explain is None:
        detail = f"`{query_string.decode('ascii', 'replace')[:60]}` is not a known query string: use ?explain=true"
        raise InvalidInput([Fault("query", "UNKNOWN_PARAMETER", detail)])
    return explain
