"""Turn errors into RFC 9457 problems. Only this file maps errors to HTTP statuses."""

import json
from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from eligibility.callers.errors import (
    AccountMismatch,
    AllPublishersNeeded,
    IssuerUnavailable,
    ScopeMissing,
    Unauthenticated,
    UnknownKey,
    UnknownPublisher,
)
from eligibility.catalog.errors import (
    CatalogRevisionMismatch,
    ProductRevisionMismatch,
    ProductTaken,
)
from eligibility.errors import (
    EligibilityError,
    Fault,
    InvalidInput,
    RevisionNotReached,
    UnknownProduct,
)
from eligibility.formats.pydantic_faults import pydantic_fault
from eligibility.server.http.limits import Overloaded, RateLimited
from eligibility.standards.ofrep import FlagError, FlagNotFound
from groups.errors import (
    GroupExists,
    GroupsError,
    GroupSizeOutOfRange,
    GroupsPermanent,
    HistoryLost,
    InvalidEmails,
    InvalidGroup,
    NewerDatabase,
    NotOurDatabase,
    RevisionMismatch,
    StoreUnavailable,
    UnknownGroup,
    UnsupportedStore,
    WouldBeEmpty,
)

MEDIA_TYPE = "application/problem+json"
RETRY_SECONDS = 1
_STORE_AWAY = "the store cannot answer this now; the server's log says why"


class RequestProblem(EligibilityError):
    """A request that is wrong on the level of HTTP, e.g. its body is too large or its path unknown."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code


def internal_error() -> RequestProblem:
    """Return the problem for an unexpected error, without details: these are only in the log."""
    return RequestProblem(500, "INTERNAL_ERROR", "the server failed; its log says why")


_STATUS: dict[type[Exception], tuple[int, str]] = {
    Unauthenticated: (401, "the caller is unknown"),
    ScopeMissing: (403, "the caller may not do this"),
    AllPublishersNeeded: (403, "the caller may not do this"),
    AccountMismatch: (403, "the caller may not do this"),
    UnknownPublisher: (404, "unknown publisher"),
    UnknownKey: (404, "unknown key"),
    UnknownProduct: (404, "unknown product"),
    UnknownGroup: (404, "unknown group"),
    FlagNotFound: (404, "unknown flag"),
    FlagError: (400, "the request cannot be read"),
    InvalidInput: (400, "the request cannot be read"),
    InvalidEmails: (400, "invalid e-mail addresses"),
    InvalidGroup: (400, "invalid group"),
    GroupSizeOutOfRange: (400, "a group has 1 to 10,000 members"),
    GroupExists: (409, "the group already exists"),
    ProductTaken: (409, "the product id is taken"),
    WouldBeEmpty: (409, "a group would be empty"),
    RevisionNotReached: (409, "the store has not reached this revision"),
    GroupsPermanent: (405, "groups are permanent"),
    RevisionMismatch: (412, "changed meanwhile"),
    CatalogRevisionMismatch: (412, "changed meanwhile"),
    ProductRevisionMismatch: (412, "changed meanwhile"),
    RateLimited: (429, "too many requests"),
    Overloaded: (503, "the server is busy"),
    IssuerUnavailable: (503, "the issuer of the token is unavailable"),
    StoreUnavailable: (503, "the store is unavailable"),
    HistoryLost: (503, "the store lost writes"),
    UnsupportedStore: (503, "the store cannot be used"),
    NotOurDatabase: (503, "the store cannot be used"),
    NewerDatabase: (503, "the store cannot be used"),
}


_OF_THE_STORE = (StoreUnavailable, HistoryLost, UnsupportedStore, NotOurDatabase, NewerDatabase)


def problem(error: Exception) -> dict[str, Any]:
    """Return the problem document for an error."""
    if isinstance(error, RequestProblem):
        return _document(
            error.status, _TITLES.get(error.status, "the request failed"), error.code, str(error)
        )
    status, title = next(
        (_STATUS[kind] for kind in type(error).__mro__ if kind in _STATUS),
        (500, "the request failed"),
    )
    code = getattr(error, "code", "ERROR")
    # Details about the store are only for the operator, who reads them in the log.
    detail = _STORE_AWAY if isinstance(error, _OF_THE_STORE) else str(error)
    document = _document(status, title, code, detail, getattr(error, "faults", ()))
    return document | _extensions(error)


def _extensions(error: Exception) -> dict[str, Any]:
    """Return the data fields of a problem, such as the current revision or the groups concerned."""
    if isinstance(error, RevisionMismatch | ProductRevisionMismatch):
        return {"revision": error.actual}
    if isinstance(error, RateLimited):
        return {"retry_after": error.wait_seconds}
    return {"groups": error.groups} if isinstance(error, WouldBeEmpty) else {}


def no_such_path(path: str) -> RequestProblem:
    """Return the error for a path that does not exist. A frequent cause: the slash of a base URL."""
    slashes = ": the path has two slashes in a row; write the base URL without a slash at its end"
    return RequestProblem(404, "NO_SUCH_PATH", "not found" + (slashes if "//" in path else ""))


_TITLES = {
    400: "the request cannot be read",
    403: "the form was sent from another site",
    404: "no such path",
    405: "method not allowed",
    412: "changed meanwhile",
    413: "the body is too large",
    415: "unsupported media type",
    428: "a precondition is required",
    500: "internal error",
}


def _document(
    status: int, title: str, code: str, detail: str, faults: Sequence[Any] = ()
) -> dict[str, Any]:
    document: dict[str, Any] = {
        "type": f"urn:eligibility:problem:{code.lower().replace('_', '-')}",
        "title": title,
        "status": status,
        "code": code,
        "detail": detail,
    }
    if faults:
        document["errors"] = [{"loc": f.loc, "code": f.code, "detail": f.detail} for f in faults]
    return document


def encoded(document: object) -> bytes:
    """Encode a problem document or other JSON; lone surrogates, copied from a request, become `?`."""
    return json.dumps(document, ensure_ascii=False).encode("utf-8", "replace")


def headers_for(document: dict[str, Any]) -> dict[str, str]:
    """Return a problem's headers: www-authenticate, retry-after or the ETag of the current revision."""
    if document["status"] == 401:
        failed = "" if document["code"] == "CREDENTIALS_MISSING" else ', error="invalid_token"'
        return {"www-authenticate": f'Bearer realm="eligibility"{failed}'}
    if document["status"] in (429, 503):
        return {"retry-after": str(document.get("retry_after", RETRY_SECONDS))}
    revision = document.get("revision")
    return {"etag": f'"{revision}"'} if revision else {}  # revision 0: nothing is stored


def response(error: Exception) -> JSONResponse:
    """Return the FastAPI response for an error."""
    document = problem(error)
    answer = JSONResponse(None, document["status"], headers_for(document), MEDIA_TYPE)
    answer.body = encoded(document)
    answer.headers["content-length"] = str(len(answer.body))
    return answer


def install(app: FastAPI) -> None:
    """Make the application answer all errors with problems, including FastAPI's and Starlette's."""

    def answer(request: Request, error: Exception) -> JSONResponse:
        request.scope["exchange"].error = error
        return response(error)

    def validation(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError)  # noqa: S101 - Starlette passes no other
        return answer(request, InvalidInput([_fault(details) for details in error.errors()]))

    def http(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, HTTPException)  # noqa: S101 - Starlette passes no other
        code = {405: "METHOD_NOT_ALLOWED"}.get(error.status_code, "HTTP_ERROR")
        problem = (
            no_such_path(request.url.path)
            if error.status_code == 404
            else RequestProblem(error.status_code, code, str(error.detail).lower())
        )
        reply = answer(request, problem)
        reply.headers.update(error.headers or {})
        return reply

    def unexpected(request: Request, _: Exception) -> JSONResponse:  # logged by the server
        return answer(request, internal_error())

    app.add_exception_handler(EligibilityError, answer)
    app.add_exception_handler(GroupsError, answer)
    app.add_exception_handler(RequestValidationError, validation)
    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(Exception, unexpected)


def _fault(details: dict[str, Any]) -> Fault:
    """Convert a validation error of FastAPI to a fault. Its loc begins with `body`, `query` etc."""
    where, *path = details["loc"]
    inner = path if where == "body" else [where, *path]
    return pydantic_fault(details | {"loc": tuple(inner)})
