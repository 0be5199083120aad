"""Read OFREP requests; report errors with the protocol's codes. No I/O."""

from types import NoneType
from typing import Any, Literal, NamedTuple

from msgspec import Struct
from msgspec.structs import astuple

from eligibility.errors import EligibilityError, Fault, InvalidInput
from eligibility.formats.lru_cache import LruCache
from eligibility.formats.strict_struct import StrictReader, shown
from eligibility.standards.questions import CONTEXT_KEYS, QuestionContext, read_context

ANONYMOUS = "-"
"""The targeting key for "nobody is signed in"; not empty, because clients do not send an empty key."""

ErrorCode = Literal[
    "PARSE_ERROR", "TARGETING_KEY_MISSING", "INVALID_CONTEXT", "GENERAL", "FLAG_NOT_FOUND"
]
_PLAIN = frozenset({str, bool, NoneType})
"""The types of valid context values, for which cached contexts may be used."""
_contexts: LruCache[tuple[str | bool | None, ...], QuestionContext] = LruCache(65_536)
"""Cache: values of CONTEXT_KEYS -> the context."""


class FlagError(EligibilityError):
    """A request failed. code: OFREP's error code. key: the flag's key; None for a bulk request."""

    def __init__(self, code: ErrorCode, details: str, key: str | None = None) -> None:
        super().__init__(details)
        self.code: str = code
        self.key = key


class FlagNotFound(FlagError):
    """The flag does not exist, or the caller may not know of it."""

    def __init__(self, key: str) -> None:
        super().__init__("FLAG_NOT_FOUND", f"flag `{key}` does not exist", key)


class FlagRequest(NamedTuple):
    """A request for one flag or for all flags.

    targeting_key: the account's address, or ANONYMOUS. token: the account's ID token, if it was sent.
    publisher: a bulk answer has only this publisher's flags; None = all publishers.
    """

    targeting_key: str
    token: str | None
    publisher: str | None
    context: QuestionContext


class _Context(Struct, omit_defaults=True, gc=False):
    """A context with unchecked values: first CONTEXT_KEYS in their order, then the other keys."""

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
    """Read a request. key: of the flag; None = a bulk request. Raises: FlagError."""
    try:
        context = _read(body).context
    except InvalidInput as error:
        in_context = error.faults[0].loc.partition(".")[0] == "context"
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
    """Read the values of CONTEXT_KEYS; results are cached. Raises: InvalidInput."""
    # The types are checked because 1 == True in Python: a number must not match a cached boolean.
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
