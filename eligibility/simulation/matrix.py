"""Matrix: decisions for accounts x devices, made once for each pair of classes (classes.py)."""

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
    """The decision for every account on every device in one state.

    rows, columns: the class number of each account and each device. decisions: [row class][column
    class], equal for all accounts and devices of the two classes.
    """

    state: State
    population: Population
    devices: tuple[NamedDevice, ...]
    rows: Sequence[int]
    columns: tuple[int, ...]
    decisions: tuple[tuple[Decision, ...], ...]

    def decision(self, account: int, device: int) -> Decision:
        """Return the decision for the account and the device at these indices."""
        return self.decisions[self.rows[account]][self.columns[device]]

    def outcome(self, account: int, device: int) -> Outcome:
        """Return the outcome for the account and the device at these indices."""
        return self.outcomes[self.rows[account]][self.columns[device]]

    def explain(self, account: int, device: int) -> Decision:
        """Decide again, with a trace, for the account and the device at these indices."""
        asker = self.population.asker(account)
        query = asker.query(self.state.product_id, self.devices[device].device)
        return with_details(self.state.decide(query, explain=True))

    @cached_property
    def outcomes(self) -> tuple[tuple[Outcome, ...], ...]:
        """Return the outcomes, [row class][column class]."""
        return tuple(tuple(map(outcome_of, row)) for row in self.decisions)

    @cached_property
    def sizes(self) -> tuple[int, ...]:
        """Count the accounts of each class."""
        counted = Counter(self.rows)
        return tuple(counted[number] for number in range(len(self.decisions)))

    @cached_property
    def installed_versions(self) -> tuple[str | None, ...]:
        """Return the installed version of the accounts of each class."""
        firsts = map(self.rows.index, range(len(self.decisions)))
        return tuple(self.population.asker(first).installed_version for first in firsts)

    def members(self, row_class: int) -> Iterator[int]:
        """List the indices of the accounts of a class, in order."""
        return (index for index, number in enumerate(self.rows) if number == row_class)


def simulate(
    state: State,
    population: Population,
    devices: Sequence[NamedDevice],
    most_decisions: int | None = None,
) -> Matrix:
    """Decide for every account and every device, exactly as `state.decide` decides for each pair.

    This takes about a microsecond for each account, and one decision for each pair of classes.
    Raises: InvalidInput if there are more than most_decisions pairs of classes.
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
"""Limit of accounts x devices."""
MOST_DECISIONS = 50_000
"""Limit of account classes x device classes; each pair takes a decision of about 40 us."""


def price_of(state: State, population: Population, devices: Sequence[NamedDevice]) -> int:
    """Return the price of a simulation in access queries: accounts x device classes."""
    kinds = device_classes(state.snapshot, [named.device for named in devices])[1]
    return len(population) * len(kinds)


def check_size(accounts: int, devices: int) -> None:
    """Raise InvalidInput with every limit that is exceeded."""
    faults = [
        Fault(loc, code, f"{count:,} {what}; one simulation takes up to {most:,}")
        for loc, code, what, count, most in (
            ("accounts", "TOO_MANY_ACCOUNTS", "accounts", accounts, MOST_ACCOUNTS),
            ("devices", "TOO_MANY_DEVICES", "devices", devices, MOST_DEVICES),
            ("", "TOO_MANY_CELLS", "cells (accounts x devices)", accounts * devices, MOST_CELLS),
        )
        if count > most
    ]
    if faults:
        raise InvalidInput(faults)


def check_decisions(accounts: int, devices: int, most: int | None) -> None:
    """Raise InvalidInput if account classes x device classes exceed `most`; None = no limit."""
    if most is not None and accounts * devices > most:
        what = f"{accounts:,} kinds of accounts on {devices:,} kinds of devices"
        raise too_many_decisions(what, accounts * devices, most)


def too_many_decisions(what: str, decisions: int, most: int) -> InvalidInput:
    """Build the error for a request that needs too many decisions."""
    detail = f"{what} take {decisions:,} decisions; one request may take up to {most:,}: name fewer devices"
    return InvalidInput([Fault("", "TOO_MANY_DECISIONS", detail)])


def settling_accounts(matrix: Matrix) -> list[int]:
    """List the indices of accounts whose membership changed in the last 30 minutes (KUG)."""
    changed = [any(decision.settling for decision in row) for row in matrix.decisions]
    return [index for index, row in enumerate(matrix.rows) if changed[row]]


def change_of(matrix: Matrix, account: int) -> str:
    """Return `added` or `removed` if the membership changed in the last 30 minutes, else ""."""
    row = matrix.decisions[matrix.rows[account]]
    return next((decision.settling.change for decision in row if decision.settling), "")


def before_settling(matrix: Matrix) -> Matrix | None:
    """Simulate `settling_accounts` with their memberships of 30 minutes before; None = no account."""
    accounts = settling_accounts(matrix)
    state = matrix.state.earlier() if accounts else None
    if state is None:
        return None
    return simulate(state, _only(matrix.population, accounts), matrix.devices)


def _only(population: Population, accounts: list[int]) -> Population:
    others = {
        index: population.others[account]
        for index, account in enumerate(accounts)
        if account in population.others
    }
    names = [population.names[account] for account in accounts]
    return Population(names, population.defaults, others)
