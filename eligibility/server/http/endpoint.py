"""Endpoints: routes that the gate answers itself, because they are called thousands of times a second.

The gate authenticates the caller, calls `check` with the headers, receives the body, and calls `answer`.
If memory is not enough for an answer, a thread computes it. Each endpoint has its own form of errors.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn, Protocol, TypeVar

from eligibility.server.http import problems
from eligibility.server.http.asgi import AsgiScope, HeaderList
from eligibility.server.http.authentication import AuthenticatedCaller

JSON = b"application/json"


@dataclass(frozen=True, slots=True)
class HttpReply:
    """A response that is more than JSON with status 200."""

    status: int
    body: bytes
    media_type: bytes = JSON
    headers: HeaderList = field(default_factory=list)


EndpointAnswer = bytes | HttpReply
"""A reply, or the bytes of JSON to send with status 200."""

DeferredAnswer = Callable[[], EndpointAnswer]
"""Computes an answer for which memory is not enough. It reads the store, so the gate runs it in a thread."""

EndpointHead = TypeVar("EndpointHead")


class Endpoint(Protocol[EndpointHead]):
    """The handler of one path, or of all paths with the same beginning."""

    def check(
        self, scope: AsgiScope, headers: Mapping[bytes, bytes], by: AuthenticatedCaller
    ) -> EndpointHead:
        """Refuse a wrong request before its body is read; return `head`, what `answer` needs of it."""

    def answer(
        self, body: bytes, head: EndpointHead, by: AuthenticatedCaller
    ) -> EndpointAnswer | DeferredAnswer:
        """Return the answer, or a function that computes it. Raises: EligibilityError, GroupsError."""

    def refusal(self, error: Exception) -> HttpReply:
        """Return the reply for an error."""


class UnknownEndpoint:
    """Answers 404 for a path that a standard does not define. refusal: turns errors into replies."""

    def __init__(self, refusal: Callable[[Exception], HttpReply]) -> None:
        self.refusal = refusal

    def check(self, scope: AsgiScope, *_: object) -> NoReturn:
        """See Endpoint."""
        raise problems.no_such_path(scope["path"])

    def answer(self, *_: object) -> NoReturn:
        """See Endpoint; `check` never lets a request come so far."""
        raise problems.no_such_path("")


def problem_reply(error: Exception) -> HttpReply:
    """Return the reply for an error, in the form of RFC 9457."""
    document = problems.problem(error)
    headers = [(n.encode(), v.encode()) for n, v in problems.headers_for(document).items()]
    if document["status"] == 405:
        headers.append((b"allow", b"POST"))
    return HttpReply(
        document["status"], problems.encoded(document), problems.MEDIA_TYPE.encode(), headers
    )


ANY_PART = "/*"
"""At the beginning of an endpoint's path: matches any first part."""


class EndpointPaths:
    """Finds endpoints by path, then by beginning (`families`); both may begin with ANY_PART."""

    def __init__(
        self, endpoints: Mapping[str, Endpoint[Any]], families: Mapping[str, Endpoint[Any]]
    ) -> None:
        self.by_path, self._families = endpoints, families
        """Endpoints by their complete path; for speed, the gate looks here before it calls `endpoint`."""
        self._all = {**families, **endpoints}

    def endpoint(self, path: str) -> Endpoint[Any] | None:
        """Return the endpoint of a path; None if FastAPI answers the path."""
        name = self.name(path)
        return None if name is None else self._all[name]

    def name(self, path: str) -> str | None:
        """Return the declared path of the endpoint, for logs: the path of a request may contain anything."""
        if path in self.by_path:
            return path
        any_publishers = ANY_PART + path[path.find("/", 1) :]
        if any_publishers in self.by_path:
            return any_publishers
        for begins in self._families:
            if path.startswith(begins) or any_publishers.startswith(begins):
                return begins
        return None
