"""Read e-mail addresses from several fields, and report the faults of all fields at once."""

from collections.abc import Callable, Mapping
from typing import TypeVar

from eligibility.errors import Faults, InvalidInput

_Addresses = TypeVar("_Addresses")


def read_fields(
    fields: Mapping[str, Callable[[], _Addresses]], subject: str = "the request"
) -> dict[str, _Addresses]:
    """Call the reader of each field. Raises: InvalidInput with the faults of all fields."""
    addresses: dict[str, _Addresses] = {}
    faults = Faults()
    for name, read in fields.items():
        with faults.collect(name):
            addresses[name] = read()
    if faults:
        raise InvalidInput(faults, subject)
    return addresses
