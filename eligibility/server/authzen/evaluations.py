"""POST /access/v1/evaluation and /access/v1/evaluations, which are called thousands of times a second.

Like the access routes (server/api/access.py), they answer from memory in the event loop, or from the
store in a thread.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache

from msgspec import UNSET

from eligibility.access.wire import QueryFields
from eligibility.activity.recorder import Recorder
from eligibility.callers.errors import AccountMismatch
from eligibility.engine.held_product import HeldProduct
from eligibility.errors import EligibilityError, InvalidInput
from eligibility.server.authzen import requests
from eligibility.server.authzen.decider import (
    Decider,
    Evaluation,
    EvaluationReader,
    Publishers,
    unknown_subject,
)
from eligibility.server.authzen.entities import SEMANTICS, semantic_of
from eligibility.server.authzen.requests import EvaluationRequest, RawMembers
from eligibility.server.authzen.responses import PERMITTED, ResponseWriter, denial_json, error_json
from eligibility.server.http.authentication import AuthenticatedCaller
from eligibility.server.http.endpoint import DeferredAnswer
from eligibility.standards.questions import Question, StandardVerdict
from groups.errors import GroupsError

EvaluationHandler = Callable[[bytes, Publishers, AuthenticatedCaller], bytes | DeferredAnswer]
"""Answers a request from its body, the publishers that the caller may see, and the caller."""

_writer = lru_cache(maxsize=65_536)(ResponseWriter)
_NO_FLIGHT = ""
"""An id that no flight has. It replaces every flight id that the product does not have."""


class EvaluationEndpoints:
    """The two endpoints; see endpoint.Endpoint for their arguments and results."""

    def __init__(self, decider: Decider, recorder: Recorder) -> None:
        self._decider = decider
        self._record, self._record_all = recorder.record, recorder.record_batch

    def evaluate(
        self, body: bytes, publishers: Publishers, by: AuthenticatedCaller
    ) -> bytes | DeferredAnswer:
        """Answer a single evaluation."""
        reader = EvaluationReader(RawMembers())
        return self._single(reader.read(requests.read_evaluation(body)), publishers, by)

    def evaluate_batch(
        self, body: bytes, publishers: Publishers, by: AuthenticatedCaller
    ) -> bytes | DeferredAnswer:
        """Answer a batch. If it has no evaluations, its defaults are a single evaluation."""
        defaults, options, items = requests.read_batch(body)
        requests.check_objects(defaults, options)
        semantic = semantic_of(options)
        reader = EvaluationReader(defaults)
        if not items:
            return self._single(reader.read(EvaluationRequest()), publishers, by)
        if by.allowance is not None:
            by.allowance.take(len(items), paid=1)  # the gate charged 1 for the request
        batch = [_read_or_fault(item, reader) for item in items]
        answers = self._all_warm(batch, publishers, by)
        if answers is None:
            return lambda: _batch_json(self._all_cold(batch, publishers, by), semantic)
        return _batch_json(answers, semantic)

    def _single(
        self, evaluation: Evaluation, publishers: Publishers, by: AuthenticatedCaller
    ) -> bytes | DeferredAnswer:
        settled = self._decider.settled(evaluation, by)
        if settled is not None and settled.denial is not None:
            return denial_json(settled.denial, by.may_read_groups)
        cached = None
        if settled is not None and settled.fields.for_memory:
            cached = self._decider.warm(settled.question.product_id, by, publishers)
        if settled is None or cached is None:
            return lambda: self._cold(evaluation, publishers, by)
        try:
            writer = _cached_writer(settled.question, settled.device_known, cached, by)
            now = self._decider.evaluator.clock()
            answer = cached.answer_json(settled.fields, now, writer)
        except InvalidInput as error:
            return denial_json(unknown_subject(error), by.may_read_groups)
        self._record(settled.fields, answer, now)
        return answer

    def _cold(
        self, evaluation: Evaluation, publishers: Publishers, by: AuthenticatedCaller
    ) -> bytes:
        settled = self._decider.settled_in_thread(evaluation, by)
        decision = self._decider.decide(settled, by, publishers)
        if isinstance(decision, StandardVerdict):
            return denial_json(decision, by.may_read_groups)
        if settled.fields.at is UNSET:
            self._record(settled.fields, decision, self._decider.evaluator.clock())
        return _writer_of(settled.question, settled.device_known, by)(decision)

    def _all_warm(
        self,
        batch: Sequence[Evaluation | InvalidInput],
        publishers: Publishers,
        by: AuthenticatedCaller,
    ) -> list[bytes] | None:
        """Answer a batch from memory, for one moment in time; return None if any item needs the store."""
        now = self._decider.evaluator.clock()
        answers: list[bytes] = [b""] * len(batch)
        warm = True
        alike: defaultdict[tuple[Question, bool], tuple[list[int], list[QueryFields]]]
        alike = defaultdict(lambda: ([], []))
        last: tuple[Question, bool] | None = None
        indices: list[int] = []
        queries: list[QueryFields] = []
        for index, item in enumerate(batch):
            settled = self._settled_item(item, by)
            if isinstance(settled, bytes):
                answers[index] = settled
            elif settled is None or settled.fields.at is not UNSET:
                warm = False
            else:
                question, device_known, fields, _, _ = settled
                if last is None or question is not last[0] or device_known is not last[1]:
                    last = question, device_known
                    indices, queries = alike[last]
                indices.append(index)
                queries.append(fields)
        if not warm:  # not earlier: a later item may be an error that refuses the whole batch
            return None
        for (question, device_known), (indices, queries) in alike.items():
            cached = self._decider.warm(question.product_id, by, publishers)
            if cached is None:
                return None
            writer = _cached_writer(question, device_known, cached, by)
            bodies = cached.answers_json(queries, now, writer)
            self._record_all(queries, bodies, now)
            for index, body in zip(indices, bodies, strict=True):
                answers[index] = body if isinstance(body, bytes) else _unread_json(body, by)
        return answers

    def _settled_item(
        self, item: Evaluation | InvalidInput, by: AuthenticatedCaller
    ) -> Evaluation | bytes | None:
        """Settle an item's account (Decider.settled); return its answer if it is a denial or an error."""
        if isinstance(item, InvalidInput):
            return error_json(item)
        try:
            settled = self._decider.settled(item, by)
        except EligibilityError as error:
            _check_own(error, by)
            return error_json(error)
        if settled is not None and settled.denial is not None:
            return denial_json(settled.denial, by.may_read_groups)
        return settled

    def _all_cold(
        self,
        batch: Iterable[Evaluation | InvalidInput],
        publishers: Publishers,
        by: AuthenticatedCaller,
    ) -> Iterator[bytes]:
        for item in batch:
            try:
                if isinstance(item, EligibilityError):
                    raise item
                yield self._cold(item, publishers, by)
            except (EligibilityError, GroupsError) as error:
                _check_own(error, by)
                yield error_json(error)


def _check_own(error: Exception, by: AuthenticatedCaller) -> None:
    """Refuse the batch if an account asks for another account; other errors concern only their item."""
    if isinstance(error, AccountMismatch) and by.caller.account is not None:
        raise error


def _read_or_fault(
    item: EvaluationRequest | InvalidInput, reader: EvaluationReader
) -> Evaluation | InvalidInput:
    if isinstance(item, InvalidInput):
        return item
    try:
        return reader.read(item)
    except InvalidInput as error:
        return error


def _cached_writer(
    question: Question, device_known: bool, cached: HeldProduct, by: AuthenticatedCaller
) -> ResponseWriter:
    """Return the writer for cached responses; unknown flights share one, so they cannot fill the cache."""
    flight_id = question.flight_id
    if flight_id is not None and all(
        flight_id != flight.flight_id for flight in cached.product.flights
    ):
        question = question._replace(flight_id=_NO_FLIGHT)
    return _writer_of(question, device_known, by)


def _writer_of(question: Question, device_known: bool, by: AuthenticatedCaller) -> ResponseWriter:
    resource_type, action, _, flight_id = question
    return _writer(resource_type, action, flight_id, device_known, by.may_read_groups)


def _unread_json(error: InvalidInput, by: AuthenticatedCaller) -> bytes:
    """Answer an item whose query could not be read."""
    try:
        return denial_json(unknown_subject(error), by.may_read_groups)
    except InvalidInput as other:
        return error_json(other)


def _batch_json(answers: Iterable[bytes], semantic: str) -> bytes:
    """Write the response to a batch, up to the item at which the batch's semantic stops."""
    stops = SEMANTICS[semantic]
    bodies: list[bytes] = []
    if stops is None:
        bodies += answers
    else:
        for answer in answers:
            bodies.append(answer)
            if answer.startswith(PERMITTED) is stops:
                break
    return b"".join((b'{"evaluations":[', b",".join(bodies), b"]}"))
