"""Endpoint: a route that the gate answers itself, for it runs thousands of times a second.

The gate finds out who asks, has the endpoint check the head, receives the body, and has the endpoint
answer: in the event loop where memory is enough, otherwise in a thread. Each endpoint decides what its
answers and errors look like.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn, Protocol, TypeVar

from eligibility.server.http import problems
from eligibility.server.http.asgi import AsgiScope, HeaderList
from eligibility.server.http.authentication import AuthenticatedCaller
from eligibility.server.http.problems import RequestProblem

JSON = b"application/json"


@dataclass(frozen=True, slots=True)
class HttpReply:
    """A response that is not just JSON with status 200."""

    status: int
    body: bytes
    media_type: bytes = JSON
    headers: HeaderList = field(default_factory=list)


EndpointAnswer = bytes | HttpReply
"""JSON that is sent with status 200, or a reply."""

DeferredAnswer = Callable[[], EndpointAnswer]
"""What makes the answer where memory is not enough: it reads the store, so the gate runs it in a thread."""

EndpointHead = TypeVar("EndpointHead")


class Endpoint(Protocol[EndpointHead]):
    """One path, or all paths that begin alike."""

    def check(
        self, scope: AsgiScope, headers: Mapping[bytes, bytes], by: AuthenticatedCaller
    ) -> EndpointHead:
        """Refuse what cannot be answered, before a body is read; give what `answer` needs of the head."""

    def answer(
        self, body: bytes, head: EndpointHead, by: AuthenticatedCaller
    ) -> EndpointAnswer | DeferredAnswer:
        """Answer from memory, or give what makes the answer. Raises: EligibilityError, GroupsError."""

    def refusal(self, error: Exception) -> HttpReply:
        """Return the reply that an error is sent as."""


class UnknownEndpoint:
    """Answers 404 where a standard has no endpoint. refusal: makes an error a reply of that standard."""

    def __init__(self, refusal: Callable[[Exception], HttpReply]) -> None:
        self.refusal = refusal

    def check(self, *_: object) -> NoReturn:
        """See Endpoint."""
        raise RequestProblem(404, "NO_SUCH_PATH", "not found")

    answer = check


def problem_reply(error: Exception) -> HttpReply:
    """Return an error as a problem of RFC 9457."""
    document = problems.problem(error)
    headers = [(n.encode(), v.encode()) for n, v in problems.headers_for(document).items()]
    if document["status"] == 405:
        headers.append((b"allow", b"POST"))
    return HttpReply(
        document["status"], problems.encoded(document), problems.MEDIA_TYPE.encode(), headers
    )


# --- which endpoint answers a path --------------------------------------------------------------

ANY_PART = "/*"
"""In the path of an endpoint: whatever the first part is."""


class EndpointPaths:
    """Finds the gate's endpoints.

    endpoints: by path. families: by what the paths of one endpoint begin with; the first that fits
    answers. Both may begin with ANY_PART.
    """

    def __init__(
        self, endpoints: Mapping[str, Endpoint[Any]], families: Mapping[str, Endpoint[Any]]
    ) -> None:
        self.by_path, self._families = endpoints, families
        """Endpoints by their whole path: a hot path looks here before it calls `endpoint`."""
        self._all = {**families, **endpoints}

    def endpoint(self, path: str) -> Endpoint[Any] | None:
        """Return the endpoint of a path; None if the gate has none for it."""
        name = self.name(path)
        return None if name is None else self._all[name]

    def name(self, path: str) -> str | None:
        """Return the path under which the endpoint is declared; a log shows it, for a path may hold anything."""
        if path in self.by_path:
            return path
        any_publishers = ANY_PART + path[path.find("/", 1) :]
        if any_publishers in self.by_path:
            return any_publishers
        for begins in self._families:
            if path.startswith(begins) or any_publishers.startswith(begins):
                return begins
        return None
