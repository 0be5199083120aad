"""Errors of the client: Problem, and a subclass for each way to react. No message has a secret."""

from collections.abc import Sequence

from msgspec import MsgspecError, Struct
from msgspec.json import Decoder

from eligibility.errors import EligibilityError, Fault


class Problem(EligibilityError):
    """The service refused or failed a request, or one query of a batch.

    code: stable name of the reason. detail: the reason as text. status: HTTP status; None without a
    response. errors: every fault, with its place in the request. request_id: identifies the request
    in the service's log. revision: the current revision if `if_revision` was outdated (status 412).
    """

    def __init__(
        self,
        code: str,
        detail: str,
        status: int | None = None,
        errors: Sequence[Fault] = (),
        request_id: str | None = None,
        revision: int | None = None,
    ) -> None:
        shown = "" if status is None else f" (HTTP {status})"
        super().__init__(f"{code}{shown}: {detail}")
        self.code, self.detail, self.status = code, detail, status
        self.errors = tuple(errors)
        self.request_id, self.revision = request_id, revision


class Unauthenticated(Problem):
    """401: the key or token is missing, wrong or expired."""


class Forbidden(Problem):
    """403: the caller is known, but not allowed to do this."""


class NotFound(Problem):
    """404: the product, group or path does not exist, or the caller may not see its publisher."""


class Unreachable(Problem):
    """The request failed without a fault of the caller: no complete response, or status 5xx.

    The client adds two codes: NO_ANSWER (connection refused or cut, time-out; see `__cause__`) and
    ANSWER_UNREADABLE (the response does not come from this service).
    """


class _Document(Struct):
    """The fields of an RFC 9457 problem that the client reads."""

    code: str
    detail: str = ""
    errors: tuple[Fault, ...] = ()
    revision: int | None = None
    status: int | None = None


UNREADABLE = (MsgspecError, UnicodeDecodeError, RecursionError)
"""The errors that decoding JSON raises."""

_read = Decoder(_Document).decode
_KINDS: dict[int, type[Problem]] = {401: Unauthenticated, 403: Forbidden, 404: NotFound}


def problem_of(body: bytes, status: int | None = None, request_id: str | None = None) -> Problem:
    """Build the error for a problem document.

    status: the HTTP status; None = use the document's. For another body, such as a proxy's page,
    the code is `HTTP_` and the status.
    """
    try:
        document = _read(body)
    except UNREADABLE:
        code = "ANSWER_UNREADABLE" if status is None else f"HTTP_{status}"
        document = _Document(code, "the response is not a problem document of this service")
    status = document.status if status is None else status
    kind = _KINDS.get(status or 0, Unreachable if (status or 500) >= 500 else Problem)
    return kind(
        document.code, document.detail, status, document.errors, request_id, document.revision
    )
