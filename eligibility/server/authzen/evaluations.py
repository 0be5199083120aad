"""POST /access/v1/evaluation and /access/v1/evaluations, which run thousands of times a second.

As the access routes do (server/access.py): from memory in the event loop, from the store in a thread.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache

from eligibility.callers.errors import NotYourself
from eligibility.errors import EligibilityError, InvalidInput
from eligibility.held import HeldProduct
from eligibility.server.admission import Admitted
from eligibility.server.authzen import reading
from eligibility.server.authzen.deciding import (
    Decider,
    Publishers,
    Read,
    Ready,
    Settled,
    nobody_or,
    read,
)
from eligibility.server.authzen.reading import EXECUTE_ALL, SEMANTICS, Asked
from eligibility.server.authzen.telling import PERMITTED, Told, told_error, told_without
from eligibility.server.endpoint import Work
from eligibility.standards.questions import Question, Verdict
from groups.errors import GroupsError

Answering = Callable[[bytes, Publishers, Admitted], bytes | Work]
"""What an endpoint does with a body, for these publishers and that caller."""

_told = lru_cache(maxsize=65_536)(Told)
_NO_FLIGHT = ""
"""An id that no flight has, in the place of those that the product has not."""


class Evaluations:
    """The two endpoints; see endpoint.Endpoint for what they take and give."""

    def __init__(self, decider: Decider) -> None:
        self._decider = decider

    def one(self, body: bytes, publishers: Publishers, by: Admitted) -> bytes | Work:
        """Answer a single evaluation."""
        return self._single(reading.read_one(body), publishers, by)

    def many(self, body: bytes, publishers: Publishers, by: Admitted) -> bytes | Work:
        """Answer a batch; one without evaluations as the single evaluation of its defaults."""
        defaults, items = reading.read_many(body)
        reading.check_objects(defaults)
        semantic = reading.semantic_of(defaults.options)
        if not items:
            return self._single(defaults, publishers, by)
        if by.allowance is not None:
            by.allowance.take(len(items) - 1)  # one was taken for the request
        batch = [_effective(item, defaults) for item in items]
        answers = self._all_warm(batch, publishers, by)
        if answers is None:
            return lambda: _told_all(self._all_cold(batch, publishers, by), semantic)
        return _told_all(answers, semantic)

    def _single(self, asked: Asked, publishers: Publishers, by: Admitted) -> bytes | Work:
        ready = read(asked)
        settled = self._decider.settled(ready, by)
        if isinstance(settled, Verdict):
            return told_without(settled, by.named)
        held = None
        if settled is not None and settled.fields.for_memory:
            held = self._decider.warm(settled.question.product_id, by, publishers)
        if settled is None or held is None:
            return lambda: self._cold(ready, publishers, by)
        try:
            form = _form(settled, held, by)
            return held.answer_json(settled.fields, self._decider.evaluator.clock(), form)
        except InvalidInput as error:
            return told_without(nobody_or(error), by.named)

    def _cold(self, ready: Ready | Verdict, publishers: Publishers, by: Admitted) -> bytes:
        settled = self._decider.settled_in_thread(ready, by)
        if isinstance(settled, Verdict):
            return told_without(settled, by.named)
        decision = self._decider.decide(settled, by, publishers)
        if isinstance(decision, Verdict):
            return told_without(decision, by.named)
        return _told_of(settled, by)(decision)

    def _all_warm(
        self, batch: Sequence[Read], publishers: Publishers, by: Admitted
    ) -> list[bytes] | None:
        """Answer a batch from memory, all of it as of one moment; None if one item needs the store."""
        now = self._decider.evaluator.clock()
        answers: list[bytes] = [b""] * len(batch)
        alike: defaultdict[tuple[Question, bool], list[tuple[int, Settled]]] = defaultdict(list)
        for place, item in enumerate(batch):
            settled = self._settled_item(item, by)
            if settled is None:
                return None
            if isinstance(settled, Settled):
                alike[settled.question, settled.device_known].append((place, settled))
            else:
                answers[place] = _told_item(settled, by)
        for asked in alike.values():
            _, first = asked[0]
            held = self._decider.warm(first.question.product_id, by, publishers)
            fields = [settled.fields for _, settled in asked]
            if held is None or not all(one.for_memory for one in fields):
                return None
            told = held.answers_json(fields, now, _form(first, held, by))
            for (place, _), answer in zip(asked, told, strict=True):
                answers[place] = answer if isinstance(answer, bytes) else _told_nobody(answer, by)
        return answers

    def _settled_item(
        self, item: Read, by: Admitted
    ) -> Settled | Verdict | EligibilityError | None:
        """As Decider.settled; what is wrong with the item's own token is its own."""
        try:
            return item if isinstance(item, EligibilityError) else self._decider.settled(item, by)
        except NotYourself:
            raise
        except EligibilityError as error:
            return error

    def _all_cold(
        self, batch: Iterable[Read], publishers: Publishers, by: Admitted
    ) -> Iterator[bytes]:
        for item in batch:
            try:
                if isinstance(item, EligibilityError):
                    raise item
                yield self._cold(item, publishers, by)
            except NotYourself:
                raise
            except (EligibilityError, GroupsError) as error:
                yield told_error(error)


def _effective(item: Asked | InvalidInput, defaults: Asked) -> Read:
    """An item of a batch with what it leaves out; a member replaces the default whole."""
    if isinstance(item, InvalidInput):
        return item
    try:
        return read(
            Asked(
                item.subject if reading.is_told(item.subject) else defaults.subject,
                item.action if reading.is_told(item.action) else defaults.action,
                item.resource if reading.is_told(item.resource) else defaults.resource,
                item.context if reading.is_told(item.context) else defaults.context,
            )
        )
    except InvalidInput as error:
        return error


def _form(settled: Settled, held: HeldProduct, by: Admitted) -> Told:
    """How the decision is told. Flights that are not there are one, for answers are remembered."""
    flight_id = settled.question.flight_id
    if flight_id is not None and all(flight_id != one.flight_id for one in held.product.flights):
        settled = settled._replace(question=settled.question._replace(flight_id=_NO_FLIGHT))
    return _told_of(settled, by)


def _told_of(settled: Settled, by: Admitted) -> Told:
    resource_type, action, _, flight_id = settled.question
    itself = by.caller.account is not None
    return _told(resource_type, action, flight_id, settled.device_known, by.named, itself)


def _told_nobody(error: InvalidInput, by: Admitted) -> bytes:
    try:
        return told_without(nobody_or(error), by.named)
    except InvalidInput as other:
        return told_error(other)


def _told_item(item: Verdict | EligibilityError, by: Admitted) -> bytes:
    return told_without(item, by.named) if isinstance(item, Verdict) else told_error(item)


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
