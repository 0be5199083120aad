"""POST /access/v1/evaluation and /access/v1/evaluations, which run thousands of times a second.

As the access routes do (server/access.py): from memory in the event loop, from the store in a thread.
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
from eligibility.server.authzen import entities, requests
from eligibility.server.authzen.decider import (
    Decider,
    EvaluationReader,
    Publishers,
    ReadEvaluation,
    Ready,
    nobody_or,
    read,
)
from eligibility.server.authzen.entities import EXECUTE_ALL, SEMANTICS
from eligibility.server.authzen.requests import AnyEvaluationRequest
from eligibility.server.authzen.responses import PERMITTED, ResponseWriter, told_error, told_without
from eligibility.server.http.authentication import AuthenticatedCaller
from eligibility.server.http.endpoint import DeferredAnswer
from eligibility.standards.questions import Question, StandardVerdict
from groups.errors import GroupsError

EvaluationHandler = Callable[[bytes, Publishers, AuthenticatedCaller], bytes | DeferredAnswer]
"""What an endpoint does with a body, for these publishers and that caller."""

_told = lru_cache(maxsize=65_536)(ResponseWriter)
_NO_FLIGHT = ""
"""An id that no flight has, in the place of those that the product has not."""


class EvaluationEndpoints:
    """The two endpoints; see endpoint.Endpoint for what they take and give."""

    def __init__(self, decider: Decider, recorder: Recorder) -> None:
        self._decider = decider
        self._hear, self._hear_all = recorder.one, recorder.many

    def one(
        self, body: bytes, publishers: Publishers, by: AuthenticatedCaller
    ) -> bytes | DeferredAnswer:
        """Answer a single evaluation."""
        return self._single(requests.read_one(body), publishers, by)

    def many(
        self, body: bytes, publishers: Publishers, by: AuthenticatedCaller
    ) -> bytes | DeferredAnswer:
        """Answer a batch; one without evaluations as the single evaluation of its defaults."""
        defaults, items = requests.read_many(body)
        requests.check_objects(defaults)
        semantic = entities.semantic_of(defaults.options)
        if not items:
            return self._single(defaults, publishers, by)
        if by.allowance is not None:
            by.allowance.take(len(items), paid=1)  # for the request
        reader = EvaluationReader(defaults)
        batch = [_read_or_fault(item, reader) for item in items]
        answers = self._all_warm(batch, publishers, by)
        if answers is None:
            return lambda: _told_all(self._all_cold(batch, publishers, by), semantic)
        return _told_all(answers, semantic)

    def _single(
        self, asked: AnyEvaluationRequest, publishers: Publishers, by: AuthenticatedCaller
    ) -> bytes | DeferredAnswer:
        ready = read(asked)
        settled = self._decider.settled(ready, by)
        if isinstance(settled, StandardVerdict):
            return told_without(settled, by.may_read_groups)
        held = None
        if settled is not None and settled.fields.for_memory:
            held = self._decider.warm(settled.question.product_id, by, publishers)
        if settled is None or held is None:
            return lambda: self._cold(ready, publishers, by)
        try:
            form = _form(settled.question, settled.device_known, held, by)
            now = self._decider.evaluator.clock()
            answer = held.answer_json(settled.fields, now, form)
        except InvalidInput as error:
            return told_without(nobody_or(error), by.may_read_groups)
        self._hear(settled.fields, answer, now)
        return answer

    def _cold(
        self, ready: ReadEvaluation, publishers: Publishers, by: AuthenticatedCaller
    ) -> bytes:
        settled = self._decider.settled_in_thread(ready, by)
        if isinstance(settled, StandardVerdict):
            return told_without(settled, by.may_read_groups)
        decision = self._decider.decide(settled, by, publishers)
        if isinstance(decision, StandardVerdict):
            return told_without(decision, by.may_read_groups)
        if settled.fields.at is UNSET:
            self._hear(settled.fields, decision, self._decider.evaluator.clock())
        return _told_of(settled.question, settled.device_known, by)(decision)

    def _all_warm(
        self,
        batch: Sequence[ReadEvaluation | InvalidInput],
        publishers: Publishers,
        by: AuthenticatedCaller,
    ) -> list[bytes] | None:
        """Answer a batch from memory, all of it as of one moment; None if one item needs the store."""
        now = self._decider.evaluator.clock()
        answers: list[bytes] = [b""] * len(batch)
        warm = True
        alike: defaultdict[tuple[Question, bool], tuple[list[int], list[QueryFields]]]
        alike = defaultdict(lambda: ([], []))
        like: tuple[Question, bool] | None = None
        places: list[int] = []
        fields: list[QueryFields] = []
        for place, item in enumerate(batch):
            settled = self._settled_item(item, by)
            if settled is None:
                warm = False
                continue
            if not isinstance(settled, Ready):
                answers[place] = _told_item(settled, by)
                continue
            question, device_known, asked, _ = settled
            if asked.at is not UNSET:
                warm = False
                continue
            if like is None or question is not like[0] or device_known is not like[1]:
                like = question, device_known
                places, fields = alike[like]
            places.append(place)
            fields.append(asked)
        if not warm:  # whom the items are about was looked at all the same, for it may end them all
            return None
        for (question, device_known), (places, fields) in alike.items():
            held = self._decider.warm(question.product_id, by, publishers)
            if held is None:
                return None
            told = held.answers_json(fields, now, _form(question, device_known, held, by))
            self._hear_all(fields, told, now)
            for place, answer in zip(places, told, strict=True):
                answers[place] = answer if isinstance(answer, bytes) else _told_nobody(answer, by)
        return answers

    def _settled_item(
        self, item: ReadEvaluation | InvalidInput, by: AuthenticatedCaller
    ) -> Ready | StandardVerdict | EligibilityError | None:
        """As Decider.settled; what is wrong with the item's own token is its own."""
        if isinstance(item, EligibilityError):
            return item
        try:
            return self._decider.settled(item, by)
        except EligibilityError as error:
            _check_own(error, by)
            return error

    def _all_cold(
        self,
        batch: Iterable[ReadEvaluation | InvalidInput],
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
                yield told_error(error)


def _check_own(error: Exception, by: AuthenticatedCaller) -> None:
    """Raise what is wrong with the caller, an account that asks for another; an item's is the item's."""
    if isinstance(error, AccountMismatch) and by.caller.account is not None:
        raise error


def _read_or_fault(
    item: AnyEvaluationRequest | InvalidInput, reader: EvaluationReader
) -> ReadEvaluation | InvalidInput:
    if isinstance(item, InvalidInput):
        return item
    try:
        return reader.read(item)
    except InvalidInput as error:
        return error


def _form(
    question: Question, device_known: bool, held: HeldProduct, by: AuthenticatedCaller
) -> ResponseWriter:
    """How the decision is told. Flights that are not there are one, for answers are remembered."""
    flight_id = question.flight_id
    if flight_id is not None and all(flight_id != one.flight_id for one in held.product.flights):
        question = question._replace(flight_id=_NO_FLIGHT)
    return _told_of(question, device_known, by)


def _told_of(question: Question, device_known: bool, by: AuthenticatedCaller) -> ResponseWriter:
    resource_type, action, _, flight_id = question
    return _told(resource_type, action, flight_id, device_known, by.may_read_groups)


def _told_nobody(error: InvalidInput, by: AuthenticatedCaller) -> bytes:
    try:
        return told_without(nobody_or(error), by.may_read_groups)
    except InvalidInput as other:
        return told_error(other)


def _told_item(item: StandardVerdict | EligibilityError, by: AuthenticatedCaller) -> bytes:
    return (
        told_without(item, by.may_read_groups)
        if isinstance(item, StandardVerdict)
        else told_error(item)
    )


def _told_all(answers: Iterable[bytes], semantic: str) -> bytes:
    """A batch's answer; cut after the item at which its semantic stops."""
    stops = SEMANTICS[semantic]
    told: list[bytes] = []
    if semantic == EXECUTE_ALL:
        told += answers
    else:
        for answer in answers:
            told.append(answer)
            if answer.startswith(PERMITTED) is stops:
                break
    return b"".join((b'{"evaluations":[', b",".join(told), b"]}"))
