"""Requests of OFREP: what one says, and what is wrong with it in the protocol's own codes. Pure."""

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

import msgspec
from msgspec import Struct
from msgspec.structs import astuple

from eligibility.errors import EligibilityError, Fault, InvalidInput
from eligibility.formats import strict_json
from eligibility.formats.strict_struct import shown
from eligibility.standards.questions import CONTEXT_KEYS, QuestionContext, read_context

ANONYMOUS = "-"
"""The targeting key of nobody signed in; clients do not send an empty one."""

ErrorCode = Literal[
    "PARSE_ERROR", "TARGETING_KEY_MISSING", "INVALID_CONTEXT", "GENERAL", "FLAG_NOT_FOUND"
]
_MOST_REMEMBERED = 65_536

_encode = msgspec.json.Encoder().encode
_contexts: dict[tuple[str | bool | None, ...], QuestionContext] = {}
"""What contexts said that were read before, by the values of CONTEXT_KEYS."""


class FlagError(EligibilityError):
    """No evaluation was made. code: OFREP's. key: of the flag asked for; None of a bulk request."""

    def __init__(self, code: ErrorCode, details: str, key: str | None = None) -> None:
        super().__init__(details)
        self.code: str = code
        self.key = key


class FlagNotFound(FlagError):
    """There is no such flag, or none of which the caller may know."""

    def __init__(self, key: str) -> None:
        super().__init__("FLAG_NOT_FOUND", f"flag `{key}` was not found", key)


class FlagRequest(NamedTuple):
    """What a request says.

    targeting_key: the account's address, or ANONYMOUS. token: the account's ID token, if it came.
    publisher: whose flags a bulk answer is to be limited to.
    """

    targeting_key: str
    token: str | None
    publisher: str | None
    context: QuestionContext


def read_request(body: bytes) -> FlagRequest:
    """Read a request; unknown members and attributes mean nothing here.

    Raises: FlagError without a key.
    """
    return _usual(body) or _any(_sent(body))


# --- requests as most are -----------------------------------------------------------------------


class _Context(Struct, omit_defaults=True, gc=False):
    """A context with what is known, all of it of the right type; CONTEXT_KEYS in their order."""

    device_family: str | None = None
    os_version: str | None = None
    architecture: str | None = None
    installed_version: str | None = None
    owned: bool | None = None
    market: str | None = None
    promotional_code: bool | None = None
    manual_check: bool | None = None
    time: str | None = None
    targetingKey: str = ""  # noqa: N815 - the protocol's name
    accountToken: str | None = None  # noqa: N815
    publisher: str | None = None


class _Request(Struct, gc=False):
    context: _Context


_decode_usual = msgspec.json.Decoder(_Request).decode


def _usual(body: bytes) -> FlagRequest | None:
    """Read a request in which nothing is unknown, null or escaped; None where it has to be looked at.

    Such a one, written again, has as many colons, unless a name stood twice.
    """
    try:
        sent = _decode_usual(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    if b"\\" in body or _encode(sent).count(b":") != body.count(b":"):
        return None
    *values, targeting_key, token, publisher = astuple(sent.context)
    known = _contexts.get(tuple(values))
    if known is None or not targeting_key:
        return None
    return FlagRequest(targeting_key, token, publisher, known)


# --- any request --------------------------------------------------------------------------------


def _sent(body: bytes) -> Mapping[str, Any]:
    """The context of a request as sent."""
    try:
        sent = strict_json.loads(body)
    except InvalidInput as error:
        raise FlagError("PARSE_ERROR", str(error)) from None
    if not isinstance(sent, dict):
        raise FlagError("PARSE_ERROR", "the request must be an object")
    context = sent.get("context")
    if context is None:
        raise FlagError("TARGETING_KEY_MISSING", "context.targetingKey is required")
    if not isinstance(context, dict):
        detail = f"context must be an object, not `{shown(context)}`"
        raise FlagError("INVALID_CONTEXT", detail)
    return context


def _any(context: Mapping[str, Any]) -> FlagRequest:
    """Read a context, and remember what it tells of the device."""
    if context.get("targetingKey") in (None, ""):
        raise FlagError("TARGETING_KEY_MISSING", "context.targetingKey is required")
    try:
        targeting_key = _text(context, "targetingKey")
        token, publisher = _text(context, "accountToken"), _text(context, "publisher")
        read = _known(context) or read_context(context)
    except InvalidInput as error:
        raise FlagError("INVALID_CONTEXT", "; ".join(map(str, error.faults))) from None
    if len(_contexts) >= _MOST_REMEMBERED:
        _contexts.clear()
    _contexts[tuple(map(context.get, CONTEXT_KEYS))] = (
        read  # texts, booleans and None, as it was read
    )
    return FlagRequest(targeting_key or "", token, publisher, read)


def _known(context: Mapping[str, Any]) -> QuestionContext | None:
    values = tuple(map(context.get, CONTEXT_KEYS))
    # In Python 1 is True: a number must not find what a boolean left.
    usual = all(value is None or isinstance(value, str | bool) for value in values)
    return _contexts.get(values) if usual else None


def _text(context: Mapping[str, Any], name: str) -> str | None:
    value = context.get(name)
    if value is None or isinstance(value, str):
        return value
    detail = f"must be a text, not `{shown(value)}`"
    raise InvalidInput([Fault(f"context.{name}", "WRONG_TYPE", detail)])
