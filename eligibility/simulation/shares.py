"""Shares: how much of an audience is on which side of each gradual rollout, at any percentage.

Pure. Whoever has the product installed and is asked for an update; who has not gets the newest
packages whatever the percentage (rollout.py).
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from eligibility.catalog.model import Flight, Product, Rollout, RolloutStatus
from eligibility.rollout import buckets, threshold
from eligibility.simulation.matrix import Matrix


@dataclass(frozen=True, slots=True)
class RolloutShare:
    """Both sides of one rollout at one percentage. flight_id: None = the non-flighted submission.

    declared: whether it is the percentage that the product declares. newest, previous: how many of
    the accounts get the newest packages, and how many those before.
    """

    flight_id: str | None
    name: str
    percentage: float
    declared: bool
    newest: int
    previous: int

    @property
    def accounts(self) -> int:
        """How many accounts there are on both sides."""
        return self.newest + self.previous


def rollout_shares(
    product: Product, product_id: str, names: Sequence[str], percentages: Sequence[float] = ()
) -> tuple[RolloutShare, ...]:
    """The sides of some accounts in each rollout of the product that is in progress.

    Args: names = canonical addresses, as if each got its packages from that source; percentages =
    0 to 100, beside the declared one, which always comes first.
    """
    places = sorted(buckets(product_id, names))
    return tuple(
        share
        for flight, rollout in _in_progress(product)
        for share in _at_each(flight, rollout, places, percentages)
    )


def shares_of(matrix: Matrix, percentages: Sequence[float] = ()) -> tuple[RolloutShare, ...]:
    """The same, for each rollout of the accounts alone that get their packages from its source."""
    product, product_id = matrix.state.product, matrix.state.product_id
    found: list[RolloutShare] = []
    for flight, rollout in _in_progress(product):
        source = flight.flight_id if flight else None
        places = sorted(buckets(product_id, _reached(matrix, source)))
        found += _at_each(flight, rollout, places, percentages)
    return tuple(found)


def _reached(matrix: Matrix, source: str | None) -> list[str]:
    """The accounts that get packages from a source on any of the devices."""
    population = matrix.population
    reach = [any(one.granted and one.source == source for one in row) for row in matrix.outcomes]
    names = population.names
    return [
        names[place]
        for place, row in enumerate(matrix.rows)
        if reach[row] and population.asker(place).account is not None
    ]


def _in_progress(product: Product) -> Iterator[tuple[Flight | None, Rollout]]:
    sources = [(flight, flight.rollout) for flight in product.flights]
    for flight, rollout in (*sources, (None, product.submission.rollout)):
        if rollout is not None and rollout.status is RolloutStatus.IN_PROGRESS:
            yield flight, rollout


def _at_each(
    flight: Flight | None, rollout: Rollout, places: Sequence[int], percentages: Sequence[float]
) -> Iterator[RolloutShare]:
    for percentage in dict.fromkeys((rollout.percentage, *percentages)):
        newest = bisect_left(places, threshold(percentage))
        yield RolloutShare(
            flight.flight_id if flight else None,
            flight.name if flight else "non-flighted submission",
            percentage,
            percentage == rollout.percentage,
            newest,
            len(places) - newest,
        )
