"""Reads OFREP requests, and names what is wrong with one by the protocol's codes. Pure."""

from types import NoneType
from typing import Any, Literal, NamedTuple

from msgspec import Struct
from msgspec.structs import astuple

from eligibility.errors import EligibilityError, Fault, InvalidInput
from eligibility.formats.lru_cache import LruCache
from eligibility.formats.strict_struct import StrictReader, shown
from eligibility.standards.questions import CONTEXT_KEYS, QuestionContext, read_context

ANONYMOUS = "-"
"""The targeting key where nobody is signed in, because clients do not send an empty one."""

ErrorCode = Literal[
    "PARSE_ERROR", "TARGETING_KEY_MISSING", "INVALID_CONTEXT", "GENERAL", "FLAG_NOT_FOUND"
]
_PLAIN = frozenset({str, bool, NoneType})
"""The types of the values that a context can be read from."""
_contexts: LruCache[tuple[str | bool | None, ...], QuestionContext] = LruCache(65_536)
"""Contexts that were read, by the values of CONTEXT_KEYS."""


class FlagError(EligibilityError):
    """No evaluation was made. code: OFREP's. key: of the requested flag; None for a bulk request."""

    def __init__(self, code: ErrorCode, details: str, key: str | None = None) -> None:
        super().__init__(details)
        self.code: str = code
        self.key = key


class FlagNotFound(FlagError):
    """There is no such flag, or none of which the caller may know."""

    def __init__(self, key: str) -> None:
        super().__init__("FLAG_NOT_FOUND", f"flag `{key}` was not found", key)


class FlagRequest(NamedTuple):
    """A request for one flag or for all.

    targeting_key: the account's address, or ANONYMOUS. token: the account's ID token, if one was
    sent. publisher: a bulk answer is limited to this publisher's flags.
    """

    targeting_key: str
    token: str | None
    publisher: str | None
    context: QuestionContext


class _Context(Struct, omit_defaults=True, gc=False):
    """A context as sent, its values unchecked: CONTEXT_KEYS in their order, then the protocol's own."""

    device_family: Any = None
    os_version: Any = None
    architecture: Any = None
    installed_version: Any = None
    owned: Any = None
    market: Any = None
    promotional_code: Any = None
    manual_check: Any = None
    time: Any = None
    targetingKey: Any = None  # noqa: N815 - the protocol's name
    accountToken: Any = None  # noqa: N815
    publisher: Any = None


class _Request(Struct, omit_defaults=True, gc=False):
    context: _Context | None = None


_read = StrictReader(_Request, {"context": _Context}).read


def read_request(body: bytes, key: str | None = None) -> FlagRequest:
    """Read a request; unknown members and attributes are ignored.

    Args: key = of the requested flag; None for a bulk request. Raises: FlagError.
    """
    try:
        context = _read(body).context
    except InvalidInput as error:
        in_context = error.faults[0].loc == "context"
        code: ErrorCode = "INVALID_CONTEXT" if in_context else "PARSE_ERROR"
        raise FlagError(code, str(error), key) from None
    values: list[Any]
    *values, targeting_key, token, publisher = astuple(context or _Context())
    if targeting_key in (None, ""):
        raise FlagError("TARGETING_KEY_MISSING", "context.targetingKey is required", key)
    try:
        return FlagRequest(
            _text("targetingKey", targeting_key) or "",
            _text("accountToken", token),
            _text("publisher", publisher),
            _question_context(tuple(values)),
        )
    except InvalidInput as error:
        raise FlagError("INVALID_CONTEXT", "; ".join(map(str, error.faults)), key) from None


def _question_context(values: tuple[Any, ...]) -> QuestionContext:
    """Read the values of CONTEXT_KEYS; those read before come from memory. Raises: InvalidInput."""
    # In Python 1 == True: a number must not get the context that was read from a boolean.
    context = _contexts.get(values) if _PLAIN.issuperset(map(type, values)) else None
    if context is None:
        context = read_context(dict(zip(CONTEXT_KEYS, values, strict=True)))
        _contexts.put(values, context)
    return context


def _text(name: str, value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    detail = f"must be a text, not `{shown(value)}`"
    raise InvalidInput([Fault(f"context.{name}", "WRONG_TYPE", detail)])
