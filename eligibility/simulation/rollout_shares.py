"""Shares: how much of an audience is on which side of each gradual rollout, at any percentage.

Pure. Whoever has the product installed and is asked for an update; who has not gets the newest
packages whatever the percentage (rollout.py).
"""

import math
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import TypeVar

from msgspec import Struct
from packaging.version import Version

from eligibility.access.model import Account
from eligibility.catalog.model import DeclaredSource, Package, Product, Rollout, RolloutStatus
from eligibility.engine.snapshot import Snapshot
from eligibility.rules.rollout import BUCKETS, buckets, threshold
from eligibility.simulation.matrix import Matrix
from eligibility.windows.package_versions import parse_package_version


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
        for source, rollout in _in_progress(product)
        for share in _at_each(source, rollout, places, percentages)
    )


def shares_of(matrix: Matrix, percentages: Sequence[float] = ()) -> tuple[RolloutShare, ...]:
    """The same, for each rollout of the accounts alone that get their packages from its source."""
    product, product_id = matrix.state.product, matrix.state.product_id
    found: list[RolloutShare] = []
    for source, rollout in _in_progress(product):
        places = sorted(buckets(product_id, _reached(matrix, source.flight_id)))
        found += _at_each(source, rollout, places, percentages)
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


def _in_progress(product: Product) -> Iterator[tuple[DeclaredSource, Rollout]]:
    """Sources with a rollout in progress, from the highest rank to the lowest."""
    submission, *flights = product.sources()
    for source in (*flights, submission):
        if source.rollout and source.rollout.status is RolloutStatus.IN_PROGRESS:
            yield source, source.rollout


def _at_each(
    source: DeclaredSource, rollout: Rollout, places: Sequence[int], percentages: Sequence[float]
) -> Iterator[RolloutShare]:
    for percentage in dict.fromkeys((rollout.percentage, *percentages)):
        newest = bisect_left(places, threshold(percentage))
        yield RolloutShare(
            source.flight_id,
            source.flight.name if source.flight else "non-flighted submission",
            percentage,
            percentage == rollout.percentage,
            newest,
            len(places) - newest,
        )


_Key = TypeVar("_Key", bound=Hashable)
_TRIED_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class RolloutSide:
    """A made-up account, and how many of the 10,000 places in the order of rollouts are on its side."""

    account: Account
    places: int


def sides(snapshot: Snapshot) -> list[RolloutSide]:
    """The sides that there are, from those who get everything first; one where nothing is rolled out."""
    side_of = [bisect_right(snapshot.thresholds, bucket) for bucket in range(BUCKETS)]
    places = Counter(side_of)
    found: dict[int, Account] = {}
    for start in count(0, _TRIED_AT_ONCE):
        names = [f"member-{one}@made-up.invalid" for one in range(start, start + _TRIED_AT_ONCE)]
        for name, bucket in zip(names, buckets(snapshot.product_id, names), strict=True):
            found.setdefault(side_of[bucket], Account(name))
        if len(found) == len(places):
            return [RolloutSide(found[side], places[side]) for side in sorted(places)]
    raise AssertionError  # `count` never ends


def apportioned(members: int, places: Mapping[_Key, int]) -> dict[_Key, int]:
    """Members by what they get, as places have it on the average; whole numbers that sum up.

    Who is left over by rounding down goes where most was cut off.
    """
    exact = {key: members * size / BUCKETS for key, size in places.items()}
    found = {key: math.floor(share) for key, share in exact.items()}
    cut = sorted(exact, key=lambda key: found[key] - exact[key])
    for key in cut[: members - sum(found.values())]:
        found[key] += 1
    return found


class RolloutEstimate(Struct, frozen=True):
    """A rollout in progress, and the members whose packages come from there.

    flight_id: null for the non-flighted submission. newest, previous: the highest version of either
    side. members_on_newest: how many it is on the average; which ones their addresses tell.
    """

    flight_id: str | None
    percentage: float
    newest: str | None
    previous: str | None
    members: int
    members_on_newest: int


def expected_shares(
    product: Product, members_of: Mapping[str | None, int]
) -> tuple[RolloutEstimate, ...]:
    """Every rollout in progress. members_of: how many there are by flight, None = the submission."""
    return tuple(_share(source, rollout, members_of) for source, rollout in _in_progress(product))


def _share(
    source: DeclaredSource, rollout: Rollout, members_of: Mapping[str | None, int]
) -> RolloutEstimate:
    flight_id = source.flight_id
    members = members_of.get(flight_id, 0)
    included = math.ceil(threshold(rollout.percentage))
    split = apportioned(members, {True: included, False: BUCKETS - included})
    newest, previous = _highest(source.declared.packages), _highest(rollout.previous_packages)
    return RolloutEstimate(flight_id, rollout.percentage, newest, previous, members, split[True])


def _highest(packages: tuple[Package, ...]) -> str | None:
    def version(package: Package) -> Version:
        return parse_package_version(package.version)

    return max(packages, key=version).version if packages else None
