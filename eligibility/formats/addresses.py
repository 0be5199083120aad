"""Read e-mail addresses from several fields, and report the faults of all fields at once."""

from collections.abc import Callable, Mapping
from typing import TypeVar

from eligibility.errors import Faults, InvalidInput

SentAddresses = TypeVar("SentAddresses")
AddressReader = TypeVar("AddressReader")


def read_fields(
    read: Callable[[SentAddresses], AddressReader],
    fields: Mapping[str, SentAddresses],
    subject: str = "the request",
) -> dict[str, AddressReader]:
    """Read each field with `read`, as `emails.parse`. Raises: InvalidInput with every fault."""
    addresses: dict[str, AddressReader] = {}
    faults = Faults()
    for name, value in fields.items():
        with faults.collect(name):
            addresses[name] = read(value)
    if faults:
        raise InvalidInput(faults, subject)
    return addresses
