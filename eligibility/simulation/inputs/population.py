"""Population: the accounts of a simulation, from one to millions, and what each says of itself.

Nearly all are a Microsoft account with one address that has nothing installed, and cost one text
each; the others are kept apart, by their place.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from eligibility.access.asker import PLAIN, Asker
from eligibility.access.model import Account


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


def each_once(population: Population) -> Population:
    """Drop accounts that say the same of themselves a second time, as groups do (KUG)."""
    if not population.others:
        return Population(list(dict.fromkeys(population.names)), population.as_told)
    askers = dict.fromkeys(map(population.asker, range(len(population))))
    return population if len(askers) == len(population) else Population.of(askers)
