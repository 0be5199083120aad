"""Matrix: accounts x devices, decided once for all that no rule tells apart (classes.py)."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from eligibility.access.model import Decision
from eligibility.errors import Fault, InvalidInput
from eligibility.explain.outcome import Outcome, outcome_of
from eligibility.explain.step_details import with_details
from eligibility.simulation.classes import account_classes, device_classes
from eligibility.simulation.inputs.devices import NamedDevice
from eligibility.simulation.inputs.population import Population
from eligibility.simulation.state import State


@dataclass(frozen=True)
class Matrix:
    """Every account's decision on every device of one state.

    rows, columns: for each account and each device the number of its class. decisions:
    [row class][column class], which are those of every account and device of the two classes.
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
        return with_details(self.state.decide(asked, explain=True))

    @cached_property
    def outcomes(self) -> tuple[tuple[Outcome, ...], ...]:
        """[row class][column class]."""
        return tuple(tuple(map(outcome_of, row)) for row in self.decisions)

    @cached_property
    def sizes(self) -> tuple[int, ...]:
        """How many accounts each class has."""
        counted = Counter(self.rows)
        return tuple(counted[number] for number in range(len(self.decisions)))

    @cached_property
    def installed_versions(self) -> tuple[str | None, ...]:
        """What the accounts of each class have installed."""
        firsts = map(self.rows.index, range(len(self.decisions)))
        return tuple(self.population.asker(first).installed_version for first in firsts)

    def members(self, row_class: int) -> Iterator[int]:
        """The places of a class's accounts, in order."""
        return (place for place, number in enumerate(self.rows) if number == row_class)


def simulate(
    state: State,
    population: Population,
    devices: Sequence[NamedDevice],
    most_decisions: int | None = None,
) -> Matrix:
    """Ask a state for every account and every device.

    Exact: each pair has the decision that `state.decide` gives for it. Costs about a microsecond an
    account, and a decision for each pair of classes.
    Raises: InvalidInput, where these pairs are more than most_decisions.
    """
    rows, firsts = account_classes(state.snapshot, population)
    columns, representatives = device_classes(state.snapshot, [named.device for named in devices])
    check_decisions(len(firsts), len(representatives), most_decisions)
    decisions = tuple(
        tuple(
            state.decide(population.asker(first).query(state.product_id, device))
            for device in representatives
        )
        for first in firsts
    )
    return Matrix(state, population, tuple(devices), rows, columns, decisions)


MOST_ACCOUNTS = 100_000
MOST_DEVICES = 1_000
MOST_CELLS = 20_000_000
"""Accounts x devices."""
MOST_DECISIONS = 50_000
"""Kinds of accounts x kinds of devices: what is really decided, at about 40 us each."""


def price_of(state: State, population: Population, devices: Sequence[NamedDevice]) -> int:
    """Count a simulation as queries: accounts x kinds of devices."""
    kinds = device_classes(state.snapshot, [named.device for named in devices])[1]
    return len(population) * len(kinds)


def check_size(accounts: int, devices: int) -> None:
    """Raise InvalidInput with everything that there is too much of."""
    faults = [
        Fault(loc, code, f"{found:,} {what}; one simulation takes up to {most:,}")
        for loc, code, what, found, most in (
            ("accounts", "TOO_MANY_ACCOUNTS", "accounts", accounts, MOST_ACCOUNTS),
            ("devices", "TOO_MANY_DEVICES", "devices", devices, MOST_DEVICES),
            ("", "TOO_MANY_CELLS", "cells (accounts x devices)", accounts * devices, MOST_CELLS),
        )
        if found > most
    ]
    if faults:
        raise InvalidInput(faults)


def check_decisions(accounts: int, devices: int, most: int | None) -> None:
    """Raise InvalidInput where kinds of accounts x kinds of devices are above a limit; None = none."""
    if most is not None and accounts * devices > most:
        what = f"{accounts:,} kinds of accounts on {devices:,} kinds of devices"
        raise too_many_decisions(what, accounts * devices, most)


def too_many_decisions(what: str, decisions: int, most: int) -> InvalidInput:
    """The error of a request that takes more decisions than are made at once."""
    detail = f"{what} are {decisions:,} decisions; up to {most:,} are made at once: ask for fewer devices"
    return InvalidInput([Fault("", "TOO_MANY_DECISIONS", detail)])


def settling_places(matrix: Matrix) -> list[int]:
    """The places of the accounts whose membership changed within the last 30 minutes (KUG)."""
    changed = [any(one.settling is not None for one in row) for row in matrix.decisions]
    return [place for place, row in enumerate(matrix.rows) if changed[row]]


def change_of(matrix: Matrix, place: int) -> str:
    """`added` or `removed`, where the account's membership is settling, else ""."""
    return next(_changes(matrix, place), "")


def _changes(matrix: Matrix, place: int) -> Iterator[str]:
    row = matrix.decisions[matrix.rows[place]]
    return (one.settling.change for one in row if one.settling is not None)


def before_settling(matrix: Matrix) -> Matrix | None:
    """The same devices for the accounts of `settling_places`, in order, as 30 minutes before.

    None where no account's membership is settling.
    """
    places = settling_places(matrix)
    state = matrix.state.earlier() if places else None
    if state is None:
        return None
    return simulate(state, _only(matrix.population, places), matrix.devices)


def _only(population: Population, places: list[int]) -> Population:
    others = {
        number: population.others[place]
        for number, place in enumerate(places)
        if place in population.others
    }
    return Population([population.names[place] for place in places], population.as_told, others)
