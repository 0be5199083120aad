"""Population: the accounts of a simulation, from one to millions, each on its terms.

Nearly all are a Microsoft account with one address on the terms of all, and cost one text each; the
others are kept apart, by position.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from eligibility.access.asker import PLAIN, Asker
from eligibility.access.model import Account


@dataclass(frozen=True, slots=True)
class Population:
    """Accounts in order. names: canonical addresses, or NOBODY.

    defaults: the terms of every account that is not among `others`; its own account means nothing.
    others: by position, the accounts with a kind, aliases or terms of their own, or nobody.
    """

    names: Sequence[str]
    defaults: Asker = PLAIN
    others: Mapping[int, Asker] = field(default_factory=lambda: MappingProxyType({}))

    @classmethod
    def of(cls, askers: Iterable[Asker]) -> "Population":
        """Take accounts, each on its own terms."""
        listed = list(askers)
        return cls([asker.name for asker in listed], others=dict(enumerate(listed)))

    def __len__(self) -> int:
        return len(self.names)

    def asker(self, position: int) -> Asker:
        """Give the account at a position, with its terms."""
        special = self.others.get(position)
        return special or self.defaults.as_account(Account(self.names[position]))


def each_once(population: Population) -> Population:
    """Drop accounts that say the same of themselves a second time, as groups do (KUG)."""
    if not population.others:
        return Population(list(dict.fromkeys(population.names)), population.defaults)
    askers = dict.fromkeys(map(population.asker, range(len(population))))
    return population if len(askers) == len(population) else Population.of(askers)
