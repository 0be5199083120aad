"""Count the accounts on each side of each gradual rollout, at any percentage. Pure.

A rollout splits only accounts with the product installed; others always get the newest packages.
"""

import math
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
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
    """Both sides of a rollout at a percentage. flight_id: None = the non-flighted submission.

    declared: whether the product declares this percentage. newest, previous: the number of accounts
    that get the newest packages, and the number that get the previous packages.
    """

    flight_id: str | None
    name: str
    percentage: float
    declared: bool
    newest: int
    previous: int

    @property
    def accounts(self) -> int:
        """Count the accounts on both sides."""
        return self.newest + self.previous


def rollout_shares(
    product: Product,
    product_id: str,
    names_of: Callable[[str | None], Sequence[str]],
    percentages: Sequence[float] = (),
) -> tuple[RolloutShare, ...]:
    """Split accounts by each rollout. names_of: those that get a source, None = the submission."""
    shares: list[RolloutShare] = []
    for source, rollout in _in_progress(product):
        ordered = sorted(buckets(product_id, names_of(source.flight_id)))
        shares += _shares_at(source, rollout, ordered, percentages)
    return tuple(shares)


def shares_of(matrix: Matrix, percentages: Sequence[float] = ()) -> tuple[RolloutShare, ...]:
    """Split by each rollout in progress only the accounts that get packages from its source."""
    state = matrix.state
    return rollout_shares(state.product, state.product_id, partial(_reached, matrix), percentages)


def _reached(matrix: Matrix, source: str | None) -> list[str]:
    """List the accounts that get packages from a source on any of the devices."""
    population = matrix.population
    reach = [any(o.granted and o.source == source for o in row) for row in matrix.outcomes]
    names = population.names
    return [
        names[index]
        for index, row in enumerate(matrix.rows)
        if reach[row] and population.asker(index).account is not None
    ]


def _in_progress(product: Product) -> Iterator[tuple[DeclaredSource, Rollout]]:
    """List the sources with a rollout in progress, highest rank first."""
    submission, *flights = product.sources()
    for source in (*flights, submission):
        if source.rollout and source.rollout.status is RolloutStatus.IN_PROGRESS:
            yield source, source.rollout


def _shares_at(
    source: DeclaredSource, rollout: Rollout, ordered: Sequence[int], percentages: Sequence[float]
) -> Iterator[RolloutShare]:
    for percentage in dict.fromkeys((rollout.percentage, *percentages)):
        newest = bisect_left(ordered, threshold(percentage))
        yield RolloutShare(
            source.flight_id,
            source.flight.name if source.flight else "non-flighted submission",
            percentage,
            percentage == rollout.percentage,
            newest,
            len(ordered) - newest,
        )


_Key = TypeVar("_Key", bound=Hashable)
_TRIED_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class RolloutSide:
    """An example account on one side, and the number of the 10,000 rollout buckets on that side."""

    account: Account
    buckets: int


def sides(snapshot: Snapshot) -> list[RolloutSide]:
    """List the sides, lowest buckets first, or a single side if there are no rollouts."""
    side_of = [bisect_right(snapshot.thresholds, bucket) for bucket in range(BUCKETS)]
    sizes = Counter(side_of)
    accounts: dict[int, Account] = {}
    for start in count(0, _TRIED_AT_ONCE):
        names = [
            f"member-{number}@made-up.invalid" for number in range(start, start + _TRIED_AT_ONCE)
        ]
        for name, bucket in zip(names, buckets(snapshot.product_id, names), strict=True):
            accounts.setdefault(side_of[bucket], Account(name))
        if len(accounts) == len(sizes):
            return [RolloutSide(accounts[side], sizes[side]) for side in sorted(sizes)]
    raise AssertionError  # `count` never ends


def apportioned(members: int, weights: Mapping[_Key, int]) -> dict[_Key, int]:
    """Divide members by bucket counts, in whole numbers with the exact total."""
    exact = {key: members * size / BUCKETS for key, size in weights.items()}
    shares = {key: math.floor(share) for key, share in exact.items()}
    most_cut = sorted(exact, key=lambda key: shares[key] - exact[key])
    for key in most_cut[: members - sum(shares.values())]:
        shares[key] += 1
    return shares


class RolloutEstimate(Struct, frozen=True):
    """A rollout in progress. flight_id: null = the non-flighted submission.

    newest, previous: the highest version on each side. members: those that get the source.
    members_on_newest: an average; the exact number depends on the addresses.
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
    """Estimate each rollout in progress. Args: members_of = by flight id, None = the submission."""
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
