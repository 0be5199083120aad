"""Group accounts and devices into classes that a product's rules cannot distinguish.

Rules see only an account's groups and its side of each rollout, so a million accounts are a few
hundred classes. Finding the class of each account takes the time, so it runs in compiled loops.
"""

from array import array
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from itertools import count, repeat

from eligibility.access.asker import Asker
from eligibility.access.model import Device
from eligibility.engine.snapshot import Snapshot
from eligibility.rules.rollout import BUCKETS, buckets, rollout_position
from eligibility.rules.settling import MembershipMove
from eligibility.simulation.inputs.population import Population

_CHUNK = 50_000
"""Accounts looked up at a time, so that memory does not hold the digests of all accounts."""

Classes = Sequence[int]
"""The class number of each account. Classes are numbered in order of first appearance."""


def device_classes(
    snapshot: Snapshot, devices: Iterable[Device]
) -> tuple[tuple[int, ...], list[Device]]:
    """Return the class number of each device, and one device of each class."""
    numbers: dict[int, int] = {}
    representatives: list[Device] = []
    columns = []
    for device in devices:
        device_class = snapshot.device_classes.of(device)
        if device_class not in numbers:
            numbers[device_class] = len(numbers)
            representatives.append(device)
        columns.append(numbers[device_class])
    return tuple(columns), representatives


def account_classes(snapshot: Snapshot, population: Population) -> tuple[Classes, list[int]]:
    """Return the class number of each account, and the index of the first account of each class.

    Accounts with a recent membership change share a class only if the same write changed them,
    because their decisions mention the change.
    """
    others = population.others
    if not others:
        return _plain_classes(snapshot, population.names)
    plain = [index for index in range(len(population)) if index not in others]
    plain_numbers, firsts = _plain_classes(snapshot, [population.names[index] for index in plain])
    rows = array("I", bytes(4 * len(population)))
    for index, number in zip(plain, plain_numbers, strict=True):
        rows[index] = number
    firsts = [plain[first] for first in firsts]
    numbers: dict[object, int] = {}
    for index, asker in others.items():
        key = _key(snapshot, asker)
        if key not in numbers:
            numbers[key] = len(firsts)
            firsts.append(index)
        rows[index] = numbers[key]
    return rows, firsts


def _plain_classes(snapshot: Snapshot, names: Sequence[str]) -> tuple["array[int]", list[int]]:
    """Classify Microsoft accounts with one address each and the default claims."""
    numbers_of = _numbers(snapshot, len(names))
    sides_of = _sides(snapshot)
    recent, ids = (
        snapshot.recent,
        defaultdict[tuple[int, int, tuple[MembershipMove, ...] | None], int](count().__next__),
    )
    rows, firsts = array("I"), list[int]()
    for start in range(0, len(names), _CHUNK):
        chunk = names[start : start + _CHUNK]
        digests = snapshot.digester.of_all(chunk)
        settling = map(recent.get, digests) if recent else repeat(None)
        keys = zip(numbers_of(digests), sides_of(chunk), settling, strict=False)
        numbers = list(map(ids.__getitem__, keys))
        firsts += [start + numbers.index(number) for number in range(len(firsts), len(ids))]
        rows.extend(numbers)
    return rows, firsts


def _numbers(snapshot: Snapshot, lookups: int) -> Callable[[Sequence[int]], Iterable[int]]:
    """Return a function from digests to group combinations. A dict is faster for many digests."""
    index = snapshot.index
    if lookups < len(index):
        return index.find_all
    number_of = index.by_digest().get
    return lambda digests: map(number_of, digests, repeat(0))


def _sides(snapshot: Snapshot) -> Callable[[Sequence[str]], Iterable[int]]:
    """Return a function from addresses to their sides of the product's rollouts."""
    if not snapshot.thresholds:
        return lambda _: repeat(0)
    side_of = [bisect_right(snapshot.thresholds, bucket) for bucket in range(BUCKETS)]
    product_id = snapshot.product_id
    return lambda names: [side_of[bucket] for bucket in buckets(product_id, names)]


def _key(snapshot: Snapshot, asker: Asker) -> object:
    """Return all that the rules see of an account, and its recent membership changes."""
    account = asker.account
    if account is None:
        return asker
    digests = map(snapshot.digester.of, account.addresses)
    settling = tuple(snapshot.recent.get(digest, ()) for digest in digests)
    side = rollout_position(snapshot.thresholds, snapshot.product_id, account.rollout_address)
    terms = asker.installed_version, asker.owned, asker.market
    claims = asker.promotional_code, asker.manual_check
    return snapshot.groups_of(account), account.kind, side, terms, claims, settling
