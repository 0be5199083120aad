"""Sides of a product's rollouts, for whoever counts members without knowing their addresses.

On which side an account is follows from its address (rollout.py). Without one there is still a
made-up account on each side, and how large a share of all accounts is there.
"""

import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from itertools import count
from typing import TypeVar

from packaging.version import Version

from eligibility.catalog.model import Package, Product, Rollout, RolloutStatus
from eligibility.held import HeldProduct
from eligibility.model import Account
from eligibility.package_version import parse_package_version
from eligibility.rollout import BUCKETS, buckets, threshold

_Key = TypeVar("_Key", bound=Hashable)
_TRIED_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class Side:
    """A made-up account, and how many of the 10,000 places in the order of rollouts are on its side."""

    account: Account
    places: int


def sides(held: HeldProduct) -> list[Side]:
    """The sides that there are, from those who get everything first; one where nothing is rolled out."""
    side_of = [bisect_right(held.thresholds, bucket) for bucket in range(BUCKETS)]
    places = Counter(side_of)
    found: dict[int, Account] = {}
    for start in count(0, _TRIED_AT_ONCE):
        names = [f"member-{one}@made-up.invalid" for one in range(start, start + _TRIED_AT_ONCE)]
        for name, bucket in zip(names, buckets(held.product_id, names), strict=True):
            found.setdefault(side_of[bucket], Account(name))
        if len(found) == len(places):
            return [Side(found[side], places[side]) for side in sorted(places)]
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


@dataclass(frozen=True, slots=True)
class ExpectedShare:
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
) -> tuple[ExpectedShare, ...]:
    """Every rollout in progress. members_of: how many there are by flight, None = the submission."""
    submission = product.submission
    sources = [(one.flight_id, one.packages, one.rollout) for one in product.flights]
    return tuple(
        _share(flight_id, packages, rollout, members_of.get(flight_id, 0))
        for flight_id, packages, rollout in (
            *sources,
            (None, submission.packages, submission.rollout),
        )
        if rollout is not None and rollout.status is RolloutStatus.IN_PROGRESS
    )


def _share(
    flight_id: str | None, packages: tuple[Package, ...], rollout: Rollout, members: int
) -> ExpectedShare:
    included = math.ceil(threshold(rollout.percentage))
    split = apportioned(members, {True: included, False: BUCKETS - included})
    newest, previous = _highest(packages), _highest(rollout.previous_packages)
    return ExpectedShare(flight_id, rollout.percentage, newest, previous, members, split[True])


def _highest(packages: tuple[Package, ...]) -> str | None:
    def version(package: Package) -> Version:
        return parse_package_version(package.version)

    return max(packages, key=version).version if packages else None
