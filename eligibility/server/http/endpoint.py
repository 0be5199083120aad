"""Endpoint: a route that the gate answers itself, for it runs thousands of times a second.

The gate finds out who asks, checks the head, receives the body, and has it answered in the event loop
where memory can, in a thread where not. What an answer and an error look like is the endpoint's.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn, Protocol, TypeVar

from eligibility.callers.errors import ScopeMissing
from eligibility.callers.model import Scope as CallerScope
from eligibility.server.http import problems
from eligibility.server.http.asgi import AsgiScope
from eligibility.server.http.authentication import AuthenticatedCaller
from eligibility.server.http.problems import RequestProblem

JSON = b"application/json"
HeaderList = list[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class HttpReply:
    """An answer that is not just JSON with status 200."""

    status: int
    body: bytes
    media_type: bytes = JSON
    headers: HeaderList = field(default_factory=list)


EndpointAnswer = bytes | HttpReply
"""JSON that is sent with status 200, or a Reply."""

DeferredAnswer = Callable[[], EndpointAnswer]
"""What is left to do for an answer when memory cannot give it: reads the store, so for a thread."""

EndpointHead = TypeVar("EndpointHead")


class Endpoint(Protocol[EndpointHead]):
    """One route, or all that begin alike."""

    def check(
        self, scope: AsgiScope, headers: Mapping[bytes, bytes], by: AuthenticatedCaller
    ) -> EndpointHead:
        """Refuse what cannot be answered, before a body is read; give what `answer` needs of the head."""

    def answer(
        self, body: bytes, head: EndpointHead, by: AuthenticatedCaller
    ) -> EndpointAnswer | DeferredAnswer:
        """Answer from memory, or say what is left to do. Raises: EligibilityError, GroupsError."""

    def refusal(self, error: Exception) -> HttpReply:
        """What is sent in place of an answer."""


class UnknownEndpoint:
    """Where a standard has no endpoint: 404, told as that standard tells errors."""

    def __init__(self, refusal: Callable[[Exception], HttpReply]) -> None:
        self.refusal = refusal

    def check(self, *_: object) -> NoReturn:
        """See Endpoint."""
        raise RequestProblem(404, "NO_SUCH_PATH", "not found")

    answer = check


def check_post(scope: AsgiScope, by: AuthenticatedCaller) -> None:
    """Refuse other methods than POST, and callers without `access:query`."""
    if scope["method"] != "POST":
        raise RequestProblem(405, "METHOD_NOT_ALLOWED", "access queries are sent by POST")
    if not by.queries:
        raise ScopeMissing(CallerScope.QUERY, by.caller.scopes)


def problem_reply(error: Exception) -> HttpReply:
    """An error as a problem of RFC 9457."""
    document = problems.problem(error)
    headers = [(n.encode(), v.encode()) for n, v in problems.headers_for(document).items()]
    if document["status"] == 405:
        headers.append((b"allow", b"POST"))
    return HttpReply(
        document["status"],
        problems.encoded(document),
        problems.MEDIA_TYPE.encode(),
        headers,
    )


ANY_PART = "/*"
"""In a path of an endpoint: whatever the first part is."""


class EndpointPaths:
    """The gate's endpoints.

    endpoints: by path. families: by what the paths of one endpoint begin with; the first that fits.
    Both may begin with ANY_PART.
    """

    def __init__(
        self, endpoints: Mapping[str, Endpoint[Any]], families: Mapping[str, Endpoint[Any]]
    ) -> None:
        self._endpoints, self._families = endpoints, families
        self._all = {**families, **endpoints}

    def endpoint(self, path: str) -> Endpoint[Any] | None:
        """The endpoint of a path, if it has one."""
        found = self._endpoints.get(path)
        if found is None:
            name = self.name(path)
            found = None if name is None else self._all[name]
        return found

    def name(self, path: str) -> str | None:
        """How the endpoint of a path is called here: for a log, as a path may hold anything."""
        if path in self._endpoints:
            return path
        anybodys = ANY_PART + path[path.find("/", 1) :]
        if anybodys in self._endpoints:
            return anybodys
        return next(
            (one for one in self._families if path.startswith(one) or anybodys.startswith(one)),
            None,
        )
