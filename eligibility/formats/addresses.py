"""Addresses out of named fields: whatever cannot be read is named with its field."""

from collections.abc import Callable, Mapping
from typing import TypeVar

from eligibility.errors import Fault, InvalidInput
from groups.errors import InvalidEmails

Sent = TypeVar("Sent")
Read = TypeVar("Read")


def read_fields(
    read: Callable[[Sent], Read], fields: Mapping[str, Sent], subject: str = "the request"
) -> dict[str, Read]:
    """Read several fields by `emails.parse` or `emails.canonical`.

    Raises: InvalidInput with the faults of all of them: field, position and value.
    """
    found: dict[str, Read] = {}
    faults: list[Fault] = []
    for name, sent in fields.items():
        try:
            found[name] = read(sent)
        except InvalidEmails as error:
            faults += [Fault(f"{name}.{f.loc}".rstrip("."), f.code, f.detail) for f in error.faults]
    if faults:
        raise InvalidInput(faults, subject)
    return found
