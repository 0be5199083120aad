"""Read e-mail addresses from several fields, and report the faults of all fields at once."""

from collections.abc import Callable, Mapping
from typing import TypeVar

from eligibility.errors import Fault, InvalidInput
from groups.errors import InvalidEmails

SentAddresses = TypeVar("SentAddresses")
AddressReader = TypeVar("AddressReader")


def read_fields(
    read: Callable[[SentAddresses], AddressReader],
    fields: Mapping[str, SentAddresses],
    subject: str = "the request",
) -> dict[str, AddressReader]:
    """Read each field with `read`, as `emails.parse`. Raises: InvalidInput with every fault."""
    addresses: dict[str, AddressReader] = {}
    faults: list[Fault] = []
    for name, value in fields.items():
        try:
            addresses[name] = read(value)
        except InvalidEmails as error:
            faults += [fault.within(name) for fault in error.faults]
    if faults:
        raise InvalidInput(faults, subject)
    return addresses
