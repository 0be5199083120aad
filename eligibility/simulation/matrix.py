"""Matrix: accounts x devices, decided once for all that no rule tells apart (classes.py)."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from eligibility.model import Decision
from eligibility.simulation.classes import account_classes, device_classes
from eligibility.simulation.devices import NamedDevice
from eligibility.simulation.outcome import Outcome, outcome_of
from eligibility.simulation.population import Population
from eligibility.simulation.state import State


@dataclass(frozen=True)
class Matrix:
    """Every account's decision on every device of one state.

    rows, columns: for each account and each device the number of its class. decisions:
    [row class][column class], each that of every account and device of its classes.
    """

    state: State
    population: Population
    devices: tuple[NamedDevice, ...]
    rows: Sequence[int]
    columns: tuple[int, ...]
    decisions: tuple[tuple[Decision, ...], ...]

    def decision(self, account: int, device: int) -> Decision:
        """The decision of the account and the device at these places."""
        return self.decisions[self.rows[account]][self.columns[device]]

    def outcome(self, account: int, device: int) -> Outcome:
        """The same in the fewest words."""
        return self.outcomes[self.rows[account]][self.columns[device]]

    def explain(self, account: int, device: int) -> Decision:
        """The decision with its trace, for exactly this account and device."""
        asker = self.population.asker(account)
        asked = asker.query(self.state.product_id, self.devices[device].device)
        return self.state.decide(asked, explain=True)

    @cached_property
    def outcomes(self) -> tuple[tuple[Outcome, ...], ...]:
        """[row class][column class]."""
        return tuple(tuple(map(outcome_of, row)) for row in self.decisions)

    @cached_property
    def sizes(self) -> tuple[int, ...]:
        """How many accounts each class has."""
        counted = Counter(self.rows)
        return tuple(counted[number] for number in range(len(self.decisions)))

    def members(self, row_class: int) -> Iterator[int]:
        """The places of a class's accounts, in order."""
        return (place for place, number in enumerate(self.rows) if number == row_class)


def simulate(state: State, population: Population, devices: Sequence[NamedDevice]) -> Matrix:
    """Ask a state for every account and every device.

    Exact: each pair has the decision that `state.decide` gives for it. Costs about a microsecond an
    account, and a decision for each pair of classes.
    """
    rows, firsts = account_classes(state.held, population)
    columns, representatives = device_classes(state.held, [named.device for named in devices])
    decisions = tuple(
        tuple(
            state.decide(population.asker(first).query(state.product_id, device))
            for device in representatives
        )
        for first in firsts
    )
    return Matrix(state, population, tuple(devices), rows, columns, decisions)
