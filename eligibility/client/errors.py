"""Errors of the client. Each is a Problem; its class tells the caller what to do about it.

No message contains a key or a token.
"""

from collections.abc import Sequence

from msgspec import MsgspecError, Struct
from msgspec.json import Decoder

from eligibility.errors import EligibilityError, Fault


class Problem(EligibilityError):
    """The service did not do what it was asked, or a query of a batch has no decision.

    code: a stable name of the reason. detail: the reason in words. status: of HTTP; None if no
    response came. errors: every fault, with its place in the request. request_id: finds the request
    in the service's log. revision: the current one, if an edit was based on another (status 412).
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
    """401: the service does not know the caller: the key or token is missing, wrong or too old."""


class Forbidden(Problem):
    """403: the service knows the caller, and does not allow the request."""


class NotFound(Problem):
    """404: no such product, group or path, or one of a publisher that the caller may not see."""


class Unreachable(Problem):
    """The service decided nothing, and the caller is not at fault: no whole response, or a 5xx.

    Codes beside those of the service: NO_ANSWER (connection refused or cut, time-out; `__cause__`
    says more) and ANSWER_UNREADABLE (the response does not come from this service).
    """


class _Document(Struct):
    """The fields of an RFC 9457 problem that the client reads."""

    code: str
    detail: str = ""
    errors: tuple[Fault, ...] = ()
    revision: int | None = None
    status: int | None = None


UNREADABLE = (MsgspecError, UnicodeDecodeError, RecursionError)
"""The errors that reading JSON raises."""

_read = Decoder(_Document).decode
_KINDS: dict[int, type[Problem]] = {401: Unauthenticated, 403: Forbidden, 404: NotFound}


def problem_of(body: bytes, status: int | None = None, request_id: str | None = None) -> Problem:
    """The error for a problem document.

    status: of the response; None takes the document's. A body that is no problem document, as a
    proxy's own page, gives the code `HTTP_` and the status.
    """
    try:
        document = _read(body)
    except UNREADABLE:
        code = "ANSWER_UNREADABLE" if status is None else f"HTTP_{status}"
        document = _Document(code, "the answer is no problem document of this service")
    status = document.status if status is None else status
    kind = _KINDS.get(status or 0, Unreachable if (status or 500) >= 500 else Problem)
    return kind(
        document.code, document.detail, status, document.errors, request_id, document.revision
    )
