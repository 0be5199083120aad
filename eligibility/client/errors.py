"""Why a call of the client gave no result. Every error is a Problem; the class says what to do about it.

No message holds a key or a token.
"""

from collections.abc import Sequence

from msgspec import MsgspecError, Struct
from msgspec.json import Decoder

from eligibility.errors import EligibilityError, Fault


class Problem(EligibilityError):
    """What was asked was not done, or a query of a batch has no decision; `code` and `detail` say why.

    status: of HTTP; None where no answer came. code: stable. errors: where several things are wrong,
    each with its place. request_id: under which the service's log has it. revision: the present one,
    where an edit was based on another (status 412).
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
    """401: the service does not know who is asking: no key or token, or not a good one."""


class Forbidden(Problem):
    """403: the service knows who is asking, and does not allow it."""


class NotFound(Problem):
    """404: no such product, group or path; also one of another publisher than the caller's."""


class Unreachable(Problem):
    """Nothing was decided, and by no fault of the caller: no answer in time, half of one, or a 5xx.

    Codes beside those of the service: NO_ANSWER (refused, cut, time-out; `__cause__` says more),
    ANSWER_UNREADABLE (something that is not this service answers there).
    """


class _Document(Struct):
    """What is read of a problem of RFC 9457."""

    code: str
    detail: str = ""
    errors: tuple[Fault, ...] = ()
    revision: int | None = None
    status: int | None = None


UNREADABLE = (MsgspecError, UnicodeDecodeError, RecursionError)
"""What reading JSON raises."""

_read = Decoder(_Document).decode
_KINDS: dict[int, type[Problem]] = {401: Unauthenticated, 403: Forbidden, 404: NotFound}


def problem_of(body: bytes, status: int | None = None, request_id: str | None = None) -> Problem:
    """The error that a problem document tells; status = of the answer, by default the document's.

    A body that is none, as a proxy's own page, gives the code HTTP_502 or whatever the status is.
    """
    try:
        told = _read(body)
    except UNREADABLE:
        code = "ANSWER_UNREADABLE" if status is None else f"HTTP_{status}"
        told = _Document(code, "the answer is no problem document of this service")
    found = told.status if status is None else status
    kind = _KINDS.get(found or 0, Unreachable if (found or 500) >= 500 else Problem)
    return kind(told.code, told.detail, found, told.errors, request_id, told.revision)
