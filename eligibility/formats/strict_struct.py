"""Read msgspec Structs from JSON as strictly as strict_json.py, at compiled speed.

msgspec accepts duplicate names in an object. To find them, we encode the result again: if that has
the length of the body, or as many colons, the body had no duplicate name. The slow strict_json.py
reads a body only if it contains a backslash, fails this test or is invalid, and finds the reason.
"""

import re
from collections.abc import Iterable, Mapping
from enum import Enum, EnumType
from types import UnionType
from typing import Any, Generic, TypeVar, Union, get_args, get_origin

import msgspec
from msgspec import Struct

from eligibility.errors import Fault, InvalidInput
from eligibility.formats import strict_json

Fields = TypeVar("Fields", bound=Struct)

_WORDS = {
    "str": "a text",
    "bool": "true or false",
    "int": "a whole number",
    "float": "a number",
    "array": "a list",
    "object": "an object",
}
"""What msgspec calls a type, in plain English."""

_BACKSLASH = ord("\\")  # searching bytes for an int is four times as fast as for another bytes
_encode = msgspec.json.Encoder().encode


class StrictReader(Generic[Fields]):
    """Reads one class of Struct from JSON. Unknown names are faults if the class forbids them.

    nested: field -> its Struct class; faults then name the fields within this field.
    """

    __slots__ = ("_fields", "_nested", "decode")

    def __init__(
        self, fields: type[Fields], nested: Mapping[str, type[Struct]] | None = None
    ) -> None:
        self._fields = fields
        self._nested = nested or {}
        self.decode = msgspec.json.Decoder(fields).decode
        """Decodes a body without checking for duplicate names; see `nothing_twice`."""

    def read(self, body: bytes) -> Fields:
        """Read a JSON body. Raises: InvalidJson, or InvalidInput with every wrong field."""
        try:
            struct = self.decode(body)
            if nothing_twice(body, struct):
                return struct
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            raise InvalidInput(_faults(self._loads(body), self._fields, self._nested)) from None
        self._loads(body)  # raises InvalidJson if a name is duplicate
        return struct

    def _loads(self, body: bytes) -> Any:
        value = strict_json.loads(body, large_numbers=True)
        strict_json.check_numbers(_members_read(value, self._fields, self._nested))
        return value


def nothing_twice(body: bytes, read: Struct) -> bool:
    """Return True if no object has duplicate names (Raw is not checked); False if uncertain."""
    if _BACKSLASH in body:
        return False
    encoded = _encode(read)
    return len(encoded) == len(body) or encoded.count(b":") == body.count(b":")


def _members_read(value: Any, fields: type[Struct], nested: Mapping[str, type[Struct]]) -> Any:
    """Leave out the members that nothing reads, and those that have a reader of their own (Raw)."""
    if not isinstance(value, dict) or fields.__struct_config__.forbid_unknown_fields:
        return value
    return {
        field.name: _members_read(value[field.name], nested[field.name], {})
        if field.name in nested
        else value[field.name]
        for field in msgspec.structs.fields(fields)
        if field.name in value and (field.name in nested or not _has_raw(field.type))
    }


def _has_raw(kind: Any) -> bool:
    return kind is msgspec.Raw or any(map(_has_raw, get_args(kind)))


def _faults(
    value: Any, fields: type[Struct], nested: Mapping[str, type[Struct]], loc: str = ""
) -> list[Fault]:
    """List every fault of a JSON value that cannot be read as this Struct; at least one fault."""
    if not isinstance(value, dict):
        return [Fault(loc, "WRONG_TYPE", f"must be an object, not `{quoted(value)}`")]
    known = {field.name: field for field in msgspec.structs.fields(fields)}
    names = ", ".join(known)
    within = f"{loc}." if loc else ""
    faults = [
        Fault(f"{within}{shown(name)}", "UNKNOWN_FIELD", f"unknown field; the fields are {names}")
        for name in value
        if name not in known and fields.__struct_config__.forbid_unknown_fields
    ]
    for name, field in known.items():
        if name in value:
            expected = nested.get(name, field.type)
            if value[name] is not None or field.type is msgspec.Raw:
                faults += _faults_of(value[name], expected, within + name)
            else:
                faults += _faults_of(None, field.type, within + name)
        elif field.required:
            faults.append(Fault(within + name, "MISSING_FIELD", "required"))
    return faults or [Fault(loc, "WRONG_TYPE", "cannot be read")]


def _faults_of(value: Any, expected: Any, loc: str) -> list[Fault]:
    """List every fault of a value that must be of type `expected`, with the faults of its parts."""
    choices = get_args(expected) if get_origin(expected) in (UnionType, Union) else (expected,)
    if msgspec.Raw in choices:  # a Raw field accepts any value
        return []
    try:
        msgspec.convert(value, expected)
    except msgspec.ValidationError as error:
        inner = _inner_faults(value, choices, loc)
        write = shown if str(error).startswith("Invalid enum") else quoted
        detail = f"{_expectation(error, expected)}, not `{write(value)}`"
        return inner or [Fault(loc, "WRONG_TYPE", detail)]
    return []


def _inner_faults(value: Any, choices: Iterable[Any], loc: str) -> list[Fault]:
    """List the faults within an object or a list, read as the first of the types that fits."""
    for kind in choices:
        origin, arguments = get_origin(kind), get_args(kind)
        if isinstance(value, list) and origin is list:
            items: Iterable[tuple[Any, Any]] = enumerate(value)
        elif isinstance(value, dict) and origin is dict:
            items = value.items()
        elif isinstance(value, dict) and isinstance(kind, type(Struct)):
            return _faults(value, kind, {}, loc)
        else:
            continue
        return [
            fault
            for key, item in items
            for fault in _faults_of(item, arguments[-1], f"{loc}.{shown(key)}")
        ]
    return []


def _expectation(error: msgspec.ValidationError, expected: Any) -> str:
    """Describe what a value must be, such as "must be a text or null" or the members of an enum."""
    message = str(error).split(", got")[0].split(" - at")[0].replace("` >=", "`, at least")
    if message.startswith("Invalid enum value"):
        enums: list[Iterable[Enum]] = [
            kind for kind in (expected, *get_args(expected)) if isinstance(kind, EnumType)
        ]
        members = [member.value for enum in enums for member in enum]
        return "must be " + " or ".join(f"`{member}`" for member in members)
    types = re.sub(r"`([^`]*)`", lambda match: _words(match[1]), message)
    return types.replace("Expected", "must be")


def _words(types: str) -> str:
    return " or ".join(_WORDS.get(name, name) for name in types.split(" | "))


def quoted(value: Any) -> str:
    """Write a value for a message about its type: a text in quotes, because `"true"` is not `true`."""
    return shown(msgspec.json.encode(value).decode())


def shown(value: Any) -> str:
    """Write a value for a message, with at most 60 characters."""
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return text if len(text) <= 60 else text[:57] + "..."
