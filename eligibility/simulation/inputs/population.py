"""Population: the accounts of a simulation. To save memory, most accounts are only an address."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from eligibility.access.asker import PLAIN, Asker
from eligibility.access.model import Account


@dataclass(frozen=True, slots=True)
class Population:
    """Accounts in order. names: canonical addresses, or NOBODY.

    defaults: the claims of every account that is not in `others`; its account is not used.
    others: by index, the accounts with another kind, aliases or claims, or nobody signed in.
    """

    names: Sequence[str]
    defaults: Asker = PLAIN
    others: Mapping[int, Asker] = field(default_factory=lambda: MappingProxyType({}))

    @classmethod
    def of(cls, askers: Iterable[Asker]) -> "Population":
        """Build a population of accounts, each with its own claims."""
        listed = list(askers)
        return cls([asker.name for asker in listed], others=dict(enumerate(listed)))

    def __len__(self) -> int:
        return len(self.names)

    def addresses(self) -> Iterator[str]:
        """List the address of each account in order, "" if nobody is signed in."""
        for index, name in enumerate(self.names):
            other = self.others.get(index)
            yield "" if other is not None and other.account is None else name

    def asker(self, index: int) -> Asker:
        """Return the account at an index, with its claims."""
        other = self.others.get(index)
        return other or self.defaults.as_account(Account(self.names[index]))


def without_duplicates(population: Population) -> Population:
    """Drop repeated accounts with the same claims, as groups drop repeated addresses (KUG)."""
    if not population.others:
        return Population(list(dict.fromkeys(population.names)), population.defaults)
    askers = dict.fromkeys(map(population.asker, range(len(population))))
    return population if len(askers) == len(population) else Population.of(askers)
