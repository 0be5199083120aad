"""Requests of OFREP: what one says, and what is wrong with it in the protocol's own codes. Pure."""

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

import msgspec

from eligibility import strict_json
from eligibility.errors import EligibilityError, Fault, InvalidInput
from eligibility.standards.questions import CONTEXT_KEYS, Context, read_context
from eligibility.strict_fields import shown

ANONYMOUS = "-"
"""The targeting key of nobody signed in; clients do not send an empty one."""

ErrorCode = Literal[
    "PARSE_ERROR", "TARGETING_KEY_MISSING", "INVALID_CONTEXT", "GENERAL", "FLAG_NOT_FOUND"
]
_MOST_REMEMBERED = 65_536

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode
_contexts: dict[object, Context] = {}


class FlagError(EligibilityError):
    """No evaluation was made. code: OFREP's. key: of the flag asked for; None of a bulk request."""

    def __init__(self, code: ErrorCode, details: str, key: str | None = None) -> None:
        super().__init__(details)
        self.code: str = code
        self.key = key


class Asked(NamedTuple):
    """What a request says.

    targeting_key: the account's address, or ANONYMOUS. token: the account's ID token, if it came.
    publisher: whose flags a bulk answer is to be limited to.
    """

    targeting_key: str
    token: str | None
    publisher: str | None
    context: Context


def read_request(body: bytes) -> Asked:
    """Read a request; unknown members and attributes mean nothing here.

    Raises: FlagError without a key.
    """
    try:
        sent = _loads(body)
    except InvalidInput as error:
        raise FlagError("PARSE_ERROR", str(error), None) from None
    if not isinstance(sent, dict):
        raise FlagError("PARSE_ERROR", "the request must be an object")
    context = sent.get("context")
    if context is None:
        raise FlagError("TARGETING_KEY_MISSING", "context.targetingKey is required")
    if not isinstance(context, dict):
        detail = f"context must be an object, not `{shown(context)}`"
        raise FlagError("INVALID_CONTEXT", detail)
    if context.get("targetingKey") in (None, ""):
        raise FlagError("TARGETING_KEY_MISSING", "context.targetingKey is required")
    try:
        targeting_key = _text(context, "targetingKey")
        token, publisher = _text(context, "accountToken"), _text(context, "publisher")
        return Asked(targeting_key or "", token, publisher, _context(context))
    except InvalidInput as error:
        raise invalid_context(error) from None


def invalid_context(error: InvalidInput) -> FlagError:
    """A context that cannot be read, with every fault of it."""
    return FlagError("INVALID_CONTEXT", "; ".join(map(str, error.faults)))


def _loads(body: bytes) -> Any:
    """As strict_json.loads, quickly where nothing is odd: without escapes colons tell of a name twice."""
    if b"\\" not in body:
        try:
            value = _decode(body)
            if _encode(value).count(b":") == body.count(b":"):
                return value
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            pass
    return strict_json.loads(body)


def _text(context: Mapping[str, Any], name: str) -> str | None:
    value = context.get(name)
    if value is None or isinstance(value, str):
        return value
    detail = f"must be a text, not `{shown(value)}`"
    raise InvalidInput([Fault(f"context.{name}", "WRONG_TYPE", detail)])


def _context(sent: Mapping[str, Any]) -> Context:
    """As read_context; one met before, its account apart, is remembered by values and their types."""
    values = tuple(map(sent.get, CONTEXT_KEYS))
    try:
        key = values, tuple(map(type, values))  # True equals 1, and is another value
        known = _contexts.get(key)
    except TypeError:  # a list or an object, which no known key takes
        return read_context(sent)
    if known is None:
        known = read_context(sent)
        if len(_contexts) >= _MOST_REMEMBERED:
            _contexts.clear()
        _contexts[key] = known
    return known
