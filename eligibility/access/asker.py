"""Asker: an access query without its product, device, time and consistency."""

from msgspec import Struct, structs

from eligibility.access import wire
from eligibility.access.model import AccessQuery, Account, Device

NOBODY = "(not signed in)"
"""Reports show this instead of an address if nobody is signed in."""

_UNUSED = {"product_id": "-", "device": {"family": "Windows.Desktop", "os_version": "10.0.10240.0"}}
"""Placeholders: the parser requires these fields, and an asker does not have them."""


class Asker(Struct, frozen=True, gc=False):
    """The account and terms of an access query. account None = not signed in."""

    account: Account | None = None
    installed_version: str | None = None
    owned: bool | None = None
    market: str | None = None
    promotional_code: bool = False
    manual_check: bool = False

    @classmethod
    def parse(cls, **fields: object) -> "Asker":
        """Read an asker from plain values. Raises InvalidInput with every field that is invalid."""
        return cls.of(wire.query_of(**_UNUSED, **fields))

    @classmethod
    def of(cls, query: AccessQuery) -> "Asker":
        """Copy the account and the terms of a query."""
        return cls(**{name: getattr(query, name) for name in cls.__struct_fields__})

    def query(self, product_id: str, device: Device) -> AccessQuery:
        """Build this asker's access query for a product on a device."""
        return AccessQuery(product_id, device, *structs.astuple(self))  # in the same order

    @property
    def name(self) -> str:
        """The account's primary address, or NOBODY."""
        return NOBODY if self.account is None else self.account.id

    @property
    def addresses(self) -> tuple[str, ...]:
        """Every address of the account. Empty if nobody is signed in."""
        return () if self.account is None else self.account.addresses

    def as_account(self, account: Account | None) -> "Asker":
        """Copy this asker with another account."""
        return structs.replace(self, account=account)


TERMS = Asker.__struct_fields__[1:]
"""Names of all fields except `account`. An access query has the same names."""

PLAIN = Asker()
"""Nobody is signed in, nothing is installed, and nothing is claimed."""
