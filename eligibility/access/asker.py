"""Asker: who asks, and on what terms; an access query without product, device and moment."""

from msgspec import Struct

from eligibility.access import wire
from eligibility.access.model import AccessQuery, Account, Device

NOBODY = "(not signed in)"
"""What reports show in place of an address where nobody is signed in."""

_UNUSED = {"product_id": "-", "device": {"family": "Windows.Desktop", "os_version": "10.0.10240.0"}}
"""The fields of an access query that an asker lacks; their values are read and dropped."""


class Asker(Struct, frozen=True, gc=False):
    """Everything of an access query but product, device and moment; account None = not signed in."""

    account: Account | None = None
    installed_version: str | None = None
    owned: bool = False
    market: str | None = None
    promotional_code: bool = False
    manual_check: bool = False

    @classmethod
    def parse(cls, **fields: object) -> "Asker":
        """Read an asker from the fields of an access query, as plain values.

        Raises: InvalidInput with every field that cannot be read, named as in an access query.
        """
        return cls.of(wire.query_of(**_UNUSED, **fields))

    @classmethod
    def of(cls, query: AccessQuery) -> "Asker":
        """Take the asker out of a query."""
        return cls(
            query.account,
            query.installed_version,
            query.owned,
            query.market,
            query.promotional_code,
            query.manual_check,
        )

    def query(self, product_id: str, device: Device) -> AccessQuery:
        """Ask for a product on a device."""
        return AccessQuery(
            product_id,
            device,
            self.account,
            self.installed_version,
            self.owned,
            self.market,
            self.promotional_code,
            self.manual_check,
        )

    @property
    def name(self) -> str:
        """The account's address, or NOBODY."""
        return NOBODY if self.account is None else self.account.id

    @property
    def addresses(self) -> tuple[str, ...]:
        """Every address of the account; none where nobody is signed in."""
        return () if self.account is None else self.account.addresses

    def as_account(self, account: Account | None) -> "Asker":
        """Put another account on the same terms."""
        return Asker(
            account,
            self.installed_version,
            self.owned,
            self.market,
            self.promotional_code,
            self.manual_check,
        )


TERMS = Asker.__struct_fields__[1:]
"""The names of the terms: all fields but the account, as in an access query."""

PLAIN = Asker()
"""Nobody signed in, nothing installed, nothing claimed."""
