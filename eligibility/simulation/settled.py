"""The other side of membership changes that are settling: what the Store itself may still say."""

from collections.abc import Iterator

from eligibility.simulation.matrix import Matrix, simulate
from eligibility.simulation.population import Population


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
