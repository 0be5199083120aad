"""POST /ofrep/v1/evaluate/flags(/{key}): headers, ETags and errors; a wrong request gets 400."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from hashlib import blake2b
from typing import Any

import msgspec

from eligibility.callers.errors import AccountMismatch, Unauthenticated
from eligibility.server.http.asgi import AsgiScope
from eligibility.server.http.authentication import AuthenticatedCaller
from eligibility.server.http.endpoint import (
    JSON,
    DeferredAnswer,
    Endpoint,
    EndpointAnswer,
    HttpReply,
    UnknownEndpoint,
    problem_reply,
)
from eligibility.server.http.problems import RequestProblem
from eligibility.server.http.strict_route import check_content_type
from eligibility.server.ofrep.flags import Flags
from eligibility.standards.ofrep import FlagError

BULK = "/ofrep/v1/evaluate/flags"
SINGLE = f"{BULK}/"
_BASE = "/ofrep/"

_encode = msgspec.json.Encoder().encode


def _check_media_type(
    scope: AsgiScope, headers: Mapping[bytes, bytes], key: str | None = None
) -> None:
    if headers.get(b"content-type") == JSON:
        return
    try:
        check_content_type(scope)
    except RequestProblem as error:
        raise FlagError("PARSE_ERROR", str(error), key) from None


def refusal(error: Exception) -> HttpReply:
    """Return the reply for an error. If OFREP has no code for it, the body has only `errorDetails`."""
    details = str(error)
    content = {"errorDetails": details}
    if isinstance(error, FlagError):
        content = {"errorCode": error.code, **content}
        if error.key is not None:
            content = {"key": error.key, **content}
    elif isinstance(error, AccountMismatch):
        content["errorDetails"] = (
            "an account may ask only about itself, but context.targetingKey names another one"
        )
    elif isinstance(error, Unauthenticated) and error.loc == "account.token":
        content["errorDetails"] = details.replace(error.loc, "context.accountToken", 1)
    return replace(problem_reply(error), body=_encode(content), media_type=JSON)


class FlagEndpoint:
    """Evaluates one flag. `check` returns the flag's key: the decoded rest of the path."""

    refusal = staticmethod(refusal)

    def __init__(self, flags: Flags) -> None:
        self.answer = flags.evaluate

    def check(
        self, scope: AsgiScope, headers: Mapping[bytes, bytes], by: AuthenticatedCaller
    ) -> str:
        """See Endpoint."""
        key: str = scope["path"][len(SINGLE) :]
        by.check_query(scope["method"])
        _check_media_type(scope, headers, key)
        return key


class BulkEndpoint:
    """Evaluates all flags that a caller may see. `check` returns the request's `if-none-match`."""

    refusal = staticmethod(refusal)

    def __init__(self, flags: Flags) -> None:
        self._flags = flags

    def check(
        self, scope: AsgiScope, headers: Mapping[bytes, bytes], by: AuthenticatedCaller
    ) -> bytes:
        """See Endpoint. Query parameters are ignored, because every answer is up to date."""
        by.check_query(scope["method"])
        _check_media_type(scope, headers)
        return b",".join(value for name, value in scope["headers"] if name == b"if-none-match")

    def answer(
        self, body: bytes, head: bytes, by: AuthenticatedCaller
    ) -> EndpointAnswer | DeferredAnswer:
        """See Endpoint. Always runs in a thread, because there may be hundreds of flags."""
        return partial(self._tagged, body, head, by)

    def _tagged(self, body: bytes, known: bytes, by: AuthenticatedCaller) -> HttpReply:
        """Return the answer, or 304 if the client has it already. The ETag is a digest of the answer."""
        answer = self._flags.evaluate_all(body, by)
        tag = f'"{blake2b(answer, digest_size=16).hexdigest()}"'.encode()
        headers = [(b"etag", tag)]
        if tag in known:  # the tag includes its quotes, so no other tag contains it
            return HttpReply(304, b"", headers=headers)
        return HttpReply(200, answer, headers=headers)


def endpoints(flags: Flags) -> dict[str, Endpoint[Any]]:
    """Build the endpoint with a fixed path."""
    return {BULK: BulkEndpoint(flags)}


def families(flags: Flags) -> dict[str, Endpoint[Any]]:
    """Build the endpoint of single flags, whose keys may have slashes, and the 404 for other paths."""
    return {SINGLE: FlagEndpoint(flags), _BASE: UnknownEndpoint(refusal)}
