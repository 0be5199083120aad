"""Turn errors of pydantic into faults in plain English: its own messages name types of Python.

A field that is a text or a list tells the two apart by `kind_of`. pydantic adds the tag of the kind to
the location of an error; here it is left out again.
"""

import re
from typing import Any

from pydantic import ValidationError

from eligibility.errors import Fault
from eligibility.formats.strict_struct import quoted, shown

TEXT, LIST, FIELDS = "<text>", "<list>", "<fields>"
"""Tags of the kinds of a field that has several."""
_NOT_IN_FILES = frozenset({TEXT, LIST, FIELDS, "[key]"})

_WRONG_VALUES = """greater_than_equal less_than_equal finite_number literal_error enum
    string_pattern_mismatch string_too_short string_too_long too_short too_long
    timezone_aware datetime_from_date_parsing datetime_parsing"""
_CODES = {"extra_forbidden": "UNKNOWN_FIELD", "missing": "MISSING_FIELD"}
_CODES |= dict.fromkeys(_WRONG_VALUES.split(), "WRONG_VALUE")
_WITHOUT_VALUE = {"extra_forbidden": "is not a known field", "missing": "is required"}
_TYPES = {
    kind: f"must be {words}"
    for words, kinds in {
        "a text": "string_type string_sub_type string_unicode bytes_type path_type",
        "true or false": "bool_type bool_parsing",
        "a whole number": "int_type int_parsing int_parsing_size int_from_float",
        "a number": "float_type float_parsing",
        "a list": "tuple_type list_type set_type frozen_set_type iterable_type",
        "an object": """dict_type mapping_type model_type model_attributes_type is_instance_of
            dataclass_type""",
        "null": "none_required",
    }.items()
    for kind in kinds.split()
}
_VALUES = {
    "string_too_short": "must have at least {min_length} characters",
    "string_too_long": "must have at most {max_length} characters",
    "string_pattern_mismatch": "must match the pattern `{pattern}`",
    "too_short": "must have at least {min_length} items",
    "too_long": "must have at most {max_length} items",
    "greater_than": "must be more than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be at most {le}",
    "finite_number": "must be a finite number",
    "invalid_key": "must have a text as its name",
    "value_error": "{error}",
    "assertion_error": "{error}",
}
_PATTERNS = {
    r"^[A-Za-z0-9][A-Za-z0-9._~-]{0,99}$": "must be 1 to 100 of A-Z a-z 0-9 . _ ~ - with a letter or"
    " digit first",
    r"^[^\x00-\x1f\x7f]+$": "must be one line without control characters",
    r"^[0-9]{1,18}$": "must be 1 to 18 digits",
}
_NOT_EMPTY = re.compile("must have at least 1 [a-z]+")


def kind_of(value: Any) -> str:
    """Return the tag of a value: text, list or fields."""
    if isinstance(value, list | tuple):
        return LIST
    return TEXT if isinstance(value, str | int | float | None) else FIELDS


def text_or_list(value: Any) -> str:
    """Return the tag of a value that must be a text or null, or else a list."""
    return TEXT if isinstance(value, str | None) else LIST


def pydantic_faults(error: ValidationError) -> list[Fault]:
    """Convert a pydantic error to faults, one for each entry."""
    return [pydantic_fault(details) for details in error.errors(include_url=False)]


def pydantic_fault(details: Any) -> Fault:
    """Convert one entry of a pydantic error to a fault with path, code, reason and wrong value."""
    loc = ".".join(path_of(details))
    kind = str(details["type"])
    code = _CODES.get(kind, kind if kind.isupper() else "WRONG_TYPE")
    detail = expectation(details)
    if kind in _WITHOUT_VALUE or kind.isupper():
        return Fault(loc, code, detail)
    value = details["input"]
    return Fault(loc, code, f"{detail}, not `{(quoted if kind in _TYPES else shown)(value)}`")


def _plain(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value


def path_of(details: Any) -> list[str]:
    """Return the path to a wrong field, as it is in the file or request."""
    return [str(part) for part in details["loc"] if part not in _NOT_IN_FILES]


def expectation(details: Any) -> str:
    """Say what a value must be, such as "must be a list". The value itself may be a secret."""
    kind, context = str(details["type"]), details.get("ctx", {})
    if kind in ("literal_error", "enum"):
        return f"must be {context['expected']}".replace("'", "`")
    words = _WITHOUT_VALUE.get(kind) or _TYPES.get(kind)
    if words is None and kind in _VALUES:
        bounds = {name: _plain(value) for name, value in context.items()}
        words = _VALUES[kind].format(**bounds)
        words = _PATTERNS.get(context.get("pattern"), _NOT_EMPTY.sub("must not be empty", words))
    if words is None:
        message = str(details["msg"]).replace("Input should", "must")
        words = message if kind.isupper() else message[:1].lower() + message[1:]
    return words
