"""POST /v1/access and /v1/access/batch: plain ASGI, for these two run thousands of times a second.

A query that memory can answer is answered in the event loop; one that needs the store goes to a
thread. FastAPI's routing costs more than the whole decision (docs/decisions.md 0004); app.py puts
these two into the OpenAPI document by hand.
"""

import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Iterator, MutableMapping, Sequence
from typing import Any

from starlette.concurrency import run_in_threadpool

from eligibility import wire
from eligibility.errors import EligibilityError, Fault, InvalidInput
from eligibility.evaluator import Evaluator
from eligibility.server import problems
from eligibility.server.problems import RequestProblem
from eligibility.wire import QueryFields
from groups.errors import GroupsError

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

Asked = QueryFields | InvalidInput
"""A query of a batch as sent, or what is wrong with it."""

Work = Callable[[], bytes]
"""What is left to do for an answer when memory cannot give it: reads the store, so for a thread."""

_log = logging.getLogger("eligibility.server")
JSON = "application/json"
_JSON = (b"content-type", JSON.encode())


class Access:
    """The two access routes over one evaluator, in front of the application that has all others."""

    def __init__(self, evaluator: Evaluator, max_body_bytes: int, others: Application) -> None:
        self._evaluator = evaluator
        self._max_body_bytes = max_body_bytes
        self._others = others
        self._routes = {"/v1/access": self._one, "/v1/access/batch": self._batch}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request to one of the two routes; every error becomes a problem."""
        route = self._routes.get(scope["path"]) if scope["type"] == "http" else None
        if route is None:
            await self._others(scope, receive, send)
            return
        try:
            if scope["method"] != "POST":
                raise RequestProblem(405, "METHOD_NOT_ALLOWED", "access queries are sent by POST")
            if _JSON not in scope["headers"]:
                check_content_type(scope)
            message = await receive()
            body = message.get("body", b"")
            if message.get("more_body") or len(body) > self._max_body_bytes:
                body = await whole_body(message, receive, self._max_body_bytes)
            query_string = scope["query_string"]
            answer = route(body, bool(query_string) and _wants_trace(query_string))
            if not isinstance(answer, bytes):
                answer = await run_in_threadpool(answer)
        except (EligibilityError, GroupsError) as error:
            await _send_problem(send, error)
            return
        except Exception:  # noqa: BLE001 - the last resort: logged, and told as a problem
            _log.exception("an access query failed")
            await _send_problem(send, problems.internal_error())
            return
        headers = [_JSON, (b"content-length", b"%d" % len(answer))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": answer})

    def _one(self, body: bytes, explain: bool) -> bytes | Work:
        asked = wire.decode_query(body)
        held = None
        if not explain and asked.for_memory:
            held = self._evaluator.warm(asked.product_id)
        if held is None:
            return lambda: self._cold(asked, explain)
        return held.answer_json(asked, self._evaluator.clock())

    def _batch(self, body: bytes, explain: bool) -> bytes | Work:
        answers = None if explain else self._all_warm(wire.decode_batch(body))
        if answers is None:
            return lambda: wire.encoded_batch(self._all_cold(wire.decode_batch(body), explain))
        return wire.encoded_batch(answers)

    def _all_warm(self, batch: Sequence[Asked]) -> list[bytes] | None:
        """Answer a batch from memory, all of it as of one moment; None if one query needs the store."""
        now = self._evaluator.clock()
        answers: list[Any] = list(batch)  # each query is replaced by its answer; faults stay
        for product_id, places in _places_by_product(batch).items():
            held = self._evaluator.warm(product_id)
            everywhere = len(places) == len(batch)
            queries: Sequence[Any] = batch if everywhere else [batch[place] for place in places]
            if held is None or not all(asked.for_memory for asked in queries):
                return None
            told = held.answers_json(queries, now)
            if everywhere:
                answers = told
                continue
            for place, answer in zip(places, told, strict=True):
                answers[place] = answer
        return [one if isinstance(one, bytes) else _problem(one) for one in answers]

    def _all_cold(self, batch: Iterable[Asked], explain: bool) -> Iterator[bytes]:
        return (self._cold_or_problem(asked, explain) for asked in batch)

    def _cold(self, asked: QueryFields, explain: bool) -> bytes:
        return wire.encode(self._evaluator.decide(wire.to_query(asked), explain=explain))

    def _cold_or_problem(self, asked: Asked, explain: bool) -> bytes:
        """A decision, or the problem of this query alone."""
        try:
            if isinstance(asked, InvalidInput):
                raise asked
            return self._cold(asked, explain)
        except (EligibilityError, GroupsError) as error:
            return _problem(error)


def _problem(error: Exception) -> bytes:
    return problems.encoded(problems.problem(error))


def _places_by_product(batch: Sequence[Asked]) -> dict[str, Sequence[int]]:
    """Where in a batch each product is asked for; nearly always it is one, everywhere."""
    ids = [None if isinstance(asked, InvalidInput) else asked.product_id for asked in batch]
    first = ids[0]
    if first is not None and ids.count(first) == len(ids):
        return {first: range(len(ids))}
    places: defaultdict[str, list[int]] = defaultdict(list)
    for place, product_id in enumerate(ids):
        if product_id is not None:
            places[product_id].append(place)
    return dict(places)


def _wants_trace(query_string: bytes) -> bool:
    """Read `?explain=true|false`; anything else in the query string is refused."""
    wanted = {b"explain=true": True, b"explain=false": False}.get(query_string)
    if wanted is None:
        detail = (
            f"`{query_string.decode('ascii', 'replace')[:60]}` is unknown; ?explain=true is known"
        )
        raise InvalidInput([Fault("query", "UNKNOWN_PARAMETER", detail)])
    return wanted


async def whole_body(message: Message, receive: Receive, limit: int) -> bytes:
    """The body that begins with a message. Raises RequestProblem 413 as soon as it is too large."""
    parts = [message.get("body", b"")]
    size = len(parts[0])
    _check_size(size, limit)
    while message.get("more_body", False):
        message = await receive()
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        _check_size(size, limit)
    return b"".join(parts)


def _check_size(size: int, limit: int) -> None:
    if size > limit:
        raise RequestProblem(413, "BODY_TOO_LARGE", f"the body is larger than {limit} bytes")


def check_content_type(scope: Scope, taken: Sequence[str] = (JSON,)) -> str:
    """The media type of a body, which has to be one of some; none said is taken as the first.

    Raises: RequestProblem 415.
    """
    found = taken[0]
    for name, value in scope["headers"]:
        if name != b"content-type":
            continue
        found = value.partition(b";")[0].strip().lower().decode("latin-1")
        if found not in taken:
            shown = value.decode("latin-1")[:60]
            detail = f"content-type `{shown}` is not read here; send {' or '.join(taken)}"
            raise RequestProblem(415, "UNSUPPORTED_MEDIA_TYPE", detail)
    return found


async def _send_problem(send: Send, error: Exception) -> None:
    document = problems.problem(error)
    status, body = document["status"], problems.encoded(document)
    headers = [
        (b"content-type", problems.MEDIA_TYPE.encode()),
        (b"content-length", b"%d" % len(body)),
    ]
    headers += [(n.encode(), v.encode()) for n, v in problems.headers_for(document).items()]
    if status == 405:
        headers.append((b"allow", b"POST"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
