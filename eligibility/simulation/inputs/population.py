"""Population: the accounts of a simulation, from one to millions, and what each says of itself.

Nearly all are a Microsoft account with one address that has nothing installed, and cost one text
each; the others are kept apart, by their place.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from msgspec import Struct

from eligibility.access.model import AccessQuery, Account, Device

NOBODY = "(not signed in)"
"""What stands in the place of an address where nobody is signed in."""


class Asker(Struct, frozen=True, gc=False):
    """Everything of an access query but product, device and moment; account None = not signed in."""

    account: Account | None = None
    installed_version: str | None = None
    owned: bool = False
    market: str | None = None
    promotional_code: bool = False
    manual_check: bool = False

    @classmethod
    def of(cls, query: AccessQuery) -> "Asker":
        """Whoever asks a query, on whatever device."""
        return cls(
            query.account,
            query.installed_version,
            query.owned,
            query.market,
            query.promotional_code,
            query.manual_check,
        )

    def query(self, product_id: str, device: Device) -> AccessQuery:
        """What is asked on a device."""
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

    def as_account(self, account: Account) -> "Asker":
        """The same of another account."""
        return Asker(
            account,
            self.installed_version,
            self.owned,
            self.market,
            self.promotional_code,
            self.manual_check,
        )


PLAIN = Asker()
"""Nobody signed in, nothing installed, nothing claimed."""


@dataclass(frozen=True, slots=True)
class Population:
    """Accounts in order. names: canonical addresses, or NOBODY.

    as_told: what holds of every account that is not among `others`; its own account means nothing.
    others: by place, the accounts that are not plainly one Microsoft address.
    """

    names: Sequence[str]
    as_told: Asker = PLAIN
    others: Mapping[int, Asker] = field(default_factory=lambda: MappingProxyType({}))

    @classmethod
    def of(cls, askers: Iterable[Asker]) -> "Population":
        """Some accounts, each on its own terms."""
        listed = list(askers)
        return cls([one.name for one in listed], others=dict(enumerate(listed)))

    def __len__(self) -> int:
        return len(self.names)

    def asker(self, place: int) -> Asker:
        """The account at a place, and what it says of itself."""
        special = self.others.get(place)
        return special or self.as_told.as_account(Account(self.names[place]))
