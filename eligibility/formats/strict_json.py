"""Read I-JSON: UTF-8, no duplicate names, NaN or lone surrogates; at most 32 levels deep.

Python's json module accepts duplicate names, NaN and lone surrogates. This reader is for input for
which speed does not matter; access/wire.py reads access queries just as strictly, but faster.
"""

import json
from math import isinf
from typing import Any, NoReturn

from msgspec import Raw

from eligibility.errors import Fault, InvalidInput

DEEPEST = 32


class InvalidJson(InvalidInput):
    """A text is not JSON, or it is JSON that programs read in different ways."""

    code = "INVALID_JSON"

    def __init__(self, detail: str, code: str = "MALFORMED_JSON", loc: str = "") -> None:
        super().__init__([Fault(loc, code, detail)], "the JSON")


def loads(body: bytes | str, large_numbers: bool = False) -> Any:
    """Read a JSON text. Raises: InvalidJson with the reason and, if known, line and column.

    large_numbers: keep numbers that are too large as Raw, for members that may not be read at all.
    """
    try:
        text = body if isinstance(body, str) else body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidJson(f"not UTF-8: byte {error.start} is {body[error.start]!r}") from None
    try:
        value = json.loads(
            text,
            object_pairs_hook=_object,
            parse_constant=_constant,
            parse_int=_integer,
            parse_float=_float,
        )
    except json.JSONDecodeError as error:
        why = error.msg[:1].lower() + error.msg[1:]
        where = f"line {error.lineno}, column {error.colno}"
        raise InvalidJson(f"malformed JSON: {why} at {where}") from None
    except RecursionError:
        raise _too_deep() from None
    _check(value, 0)
    if not large_numbers:
        check_numbers(value)
    return value


def check_numbers(value: Any, loc: str = "") -> None:
    """Raise InvalidJson with the location of the first number that is too large."""
    if isinstance(value, Raw):
        detail = f"the number `{_shown(bytes(value).decode())}` is too large"
        raise InvalidJson(detail, "NUMBER_TOO_LARGE", loc)
    members = value.items() if isinstance(value, dict) else ()
    for name, item in enumerate(value) if isinstance(value, list) else members:
        check_numbers(item, f"{loc}.{name}".strip("."))


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        seen: set[str] = set()
        twice = next(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        raise InvalidJson(
            f"the name `{_shown(twice)}` occurs twice in one object", "DUPLICATE_NAME"
        )
    return members


def _constant(name: str) -> NoReturn:
    raise InvalidJson(f"`{name}` is not JSON; a number must be finite", "NOT_A_NUMBER")


def _integer(digits: str) -> int | Raw:  # above 64 bits; int() is slow for long texts
    return Raw(digits) if len(digits) > 20 else int(digits)


def _float(digits: str) -> float | Raw:
    number = float(digits)
    return Raw(digits) if isinf(number) else number


def _check(value: Any, depth: int) -> None:
    """Refuse deep nesting and lone surrogates (UTF-8 cannot encode them)."""
    if depth > DEEPEST:
        raise _too_deep()
    if isinstance(value, str):
        _check_text(value)
    elif isinstance(value, dict):
        for name, item in value.items():
            _check_text(name)
            _check(item, depth + 1)
    elif isinstance(value, list):
        for item in value:
            _check(item, depth + 1)


def _check_text(text: str) -> None:
    if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
        raise InvalidJson("a text contains half of a surrogate pair", "LONE_SURROGATE")


def _too_deep() -> InvalidJson:
    return InvalidJson(f"nested deeper than {DEEPEST} levels", "TOO_DEEP")


def _shown(text: str) -> str:
    return text.encode("utf-8", "replace").decode()[:60]
