"""Which accounts, and which devices, no rule of a product tells apart, for millions at once.

An account is, to the rules, the combination of the product's groups that it is in, and its side of
each rollout. A million accounts are a few hundred classes, so the work is in finding each account's
class; it is done a column at a time, in loops of compiled code where there are any.
"""

from array import array
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from itertools import count, repeat

from eligibility.access.asker import Asker
from eligibility.access.model import Device
from eligibility.engine.snapshot import Snapshot
from eligibility.rules.rollout import BUCKETS, buckets, place
from eligibility.rules.settling import MembershipMove
from eligibility.simulation.inputs.population import Population

_CHUNK = 50_000
"""Accounts looked up at a time, so that their digests need not all be in memory."""

Classes = Sequence[int]
"""For each account the number of its class, in order of appearance."""


def device_classes(
    snapshot: Snapshot, devices: Iterable[Device]
) -> tuple[tuple[int, ...], list[Device]]:
    """For each device the number of its class, in order of appearance; and one device of each."""
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
    """For each account the number of its class; and the place of the first account of each class.

    Accounts whose membership is settling are of one class where one write changed it, for their
    decisions tell of it.
    """
    others = population.others
    if not others:
        return _plain_classes(snapshot, population.names)
    plain = [place for place in range(len(population)) if place not in others]
    found, firsts = _plain_classes(snapshot, [population.names[place] for place in plain])
    rows = array("I", bytes(4 * len(population)))
    for place_, number in zip(plain, found, strict=True):
        rows[place_] = number
    firsts = [plain[first] for first in firsts]
    numbers: dict[object, int] = {}
    for place_, asker in others.items():
        key = _key(snapshot, asker)
        if key not in numbers:
            numbers[key] = len(firsts)
            firsts.append(place_)
        rows[place_] = numbers[key]
    return rows, firsts


def _plain_classes(snapshot: Snapshot, names: Sequence[str]) -> tuple["array[int]", list[int]]:
    """The same for accounts with one Microsoft address each, which ask on the same terms."""
    numbers_of = _numbers(snapshot, len(names))
    sides_of = _sides(snapshot)
    recent, ids = (
        snapshot.recent,
        defaultdict[tuple[int, int, MembershipMove | None], int](count().__next__),
    )
    rows, firsts = array("I"), list[int]()
    for start in range(0, len(names), _CHUNK):
        chunk = names[start : start + _CHUNK]
        digests = snapshot.digester.of_all(chunk)
        settling = map(recent.get, digests) if recent else repeat(None)
        keys = zip(numbers_of(digests), sides_of(chunk), settling, strict=False)
        found = list(map(ids.__getitem__, keys))
        firsts += [start + found.index(number) for number in range(len(firsts), len(ids))]
        rows.extend(found)
    return rows, firsts


def _numbers(snapshot: Snapshot, asked: int) -> Callable[[Sequence[int]], Iterable[int]]:
    """Tells the combinations of digests, from a dict where more are asked than there are members."""
    index = snapshot.index
    if asked < len(index):
        return index.find_all
    number_of = index.by_digest().get
    return lambda digests: map(number_of, digests, repeat(0))


def _sides(snapshot: Snapshot) -> Callable[[Sequence[str]], Iterable[int]]:
    """Tells the sides of the product's rollouts; without any, all accounts are on one."""
    if not snapshot.thresholds:
        return lambda _: repeat(0)
    side_of = [bisect_right(snapshot.thresholds, bucket) for bucket in range(BUCKETS)]
    product_id = snapshot.product_id
    return lambda names: [side_of[bucket] for bucket in buckets(product_id, names)]


def _key(snapshot: Snapshot, asker: Asker) -> object:
    """All that the rules see of an account, and what its decisions tell of its newest change."""
    account = asker.account
    if account is None:
        return asker
    digests = map(snapshot.digester.of, account.addresses)
    settling = max(
        (snapshot.recent[one] for one in digests if one in snapshot.recent), default=None
    )
    side = place(snapshot.thresholds, snapshot.product_id, account.id)
    terms = asker.installed_version, asker.owned, asker.market
    claims = asker.promotional_code, asker.manual_check
    return snapshot.groups_of(account), account.kind, side, terms, claims, settling
