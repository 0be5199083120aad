"""Difference: who gains, loses or moves between two states of a product, on which devices, and why.

Pure. Accounts that no rule tells apart in either state are compared once, so that a million cost
little more than being counted.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import repeat
from typing import Literal

from eligibility.access.asker import Asker
from eligibility.access.model import Account
from eligibility.changes.causes import causes
from eligibility.changes.contrast import OutcomeOrNone, plainly, substance
from eligibility.explain.outcome import Outcome
from eligibility.rules.rollout import place
from eligibility.simulation.inputs.devices import NamedDevice
from eligibility.simulation.inputs.population import Population
from eligibility.simulation.matrix import Matrix
from eligibility.windows.package_versions import parse_package_version

NAMED = 100
"""Accounts named of each change; the counts are of all."""

ChangeKind = Literal["gains", "loses", "moves", "still_denied"]
KINDS: tuple[ChangeKind, ...] = ("gains", "loses", "moves", "still_denied")


@dataclass(frozen=True, slots=True)
class OutcomeChange:
    """What some accounts had, and have then, on some devices.

    kind: `moves` = another source, version, action or architecture; `still_denied` = for other
    reasons; nothing of a product that is not there is no change from a no. before, after: with as
    little as tells them apart (words.plainly). why: what made it. devices: their places. accounts:
    how many; first: the places of the first NAMED of them.
    """

    kind: ChangeKind
    before: OutcomeOrNone
    after: OutcomeOrNone
    why: tuple[str, ...]
    devices: tuple[int, ...]
    accounts: int
    first: tuple[int, ...]


@dataclass(frozen=True)
class ProductDifference:
    """All that differs of one product for a population on some devices.

    changes: by kind, the most accounts first. counts: for each kind how many accounts it happens to
    on any device. changed: how many of the accounts have any change. public: in either state
    everybody may have it, not only the accounts compared.
    """

    product_id: str
    name: str
    population: Population
    devices: tuple[NamedDevice, ...]
    changes: tuple[OutcomeChange, ...]
    counts: Mapping[ChangeKind, int]
    changed: int
    public: bool


_Told = tuple[OutcomeOrNone, OutcomeOrNone, tuple[str, ...]]
_Key = tuple[OutcomeOrNone, OutcomeOrNone, tuple[str, ...], tuple[int, ...]]
_Pair = tuple[int, int]


def difference(before: Matrix | None, after: Matrix | None) -> ProductDifference:
    """Compare two states of a product over the same accounts and devices; None = it is not there.

    Raises: ValueError without either.
    """
    either = after or before
    if either is None:
        raise ValueError("no state to compare")
    compared = _Compared(before, after, either)
    sizes, firsts = _counted(compared.pairs())
    told = {pair: found for pair in sizes if (found := compared.told(pair, firsts[pair][0]))}
    counts, accounts = Counter[ChangeKind](), Counter[_Key]()
    named = defaultdict[_Key, list[int]](list)
    for pair, found in told.items():
        counts.update(
            dict.fromkeys({_kind(was, becomes) for was, becomes, *_ in found}, sizes[pair])
        )
        for key in found:
            accounts[key] += sizes[pair]
            named[key] += firsts[pair]
    changes = [
        OutcomeChange(_kind(*key[:2]), *key, accounts[key], tuple(sorted(named[key])[:NAMED]))
        for key in accounts
    ]
    return ProductDifference(
        either.state.product_id,
        either.state.product.name,
        either.population,
        either.devices,
        tuple(sorted(changes, key=lambda one: (KINDS.index(one.kind), -one.accounts))),
        {kind: counts[kind] for kind in KINDS},
        sum(sizes[pair] for pair in told),
        any(_is_public(matrix) for matrix in (before, after)),
    )


def _counted(pairs: Iterable[_Pair]) -> tuple[Mapping[_Pair, int], Mapping[_Pair, list[int]]]:
    """How many accounts have each pair of classes, and the places of the first NAMED of them."""
    sizes, firsts = Counter[_Pair](), defaultdict[_Pair, list[int]](list)
    for number, pair in enumerate(pairs):
        sizes[pair] += 1
        if sizes[pair] <= NAMED:
            firsts[pair].append(number)
    return sizes, firsts


def _is_public(matrix: Matrix | None) -> bool:
    if matrix is None:
        return False
    state = matrix.state
    return state.product.submission.audience_at(state.moment) == "public"


def _kind(before: OutcomeOrNone, after: OutcomeOrNone) -> ChangeKind:
    if _has(before) and _has(after):
        return "moves"
    return "gains" if _has(after) else "loses" if _has(before) else "still_denied"


def _has(answer: OutcomeOrNone) -> bool:
    return answer is not None and answer.granted


class _Compared:
    """Two matrices side by side. A pair is what an account's, or a device's, class is in each."""

    def __init__(self, before: Matrix | None, after: Matrix | None, either: Matrix) -> None:
        self._sides, self._either = (before, after), either
        self._answers = tuple(map(_answers, self._sides))
        self._why: dict[object, tuple[str, ...]] = {}
        nowhere = (0,) * len(either.devices)
        columns = (side.columns if side else nowhere for side in self._sides)
        self._columns = defaultdict[_Pair, list[int]](list)
        for number, both in enumerate(zip(*columns, strict=True)):
            self._columns[both].append(number)

    def pairs(self) -> Iterator[_Pair]:
        """The pair of each account, in order."""
        before, after = (side.rows if side else repeat(0) for side in self._sides)
        return zip(before, after, strict=False)

    def told(self, pair: _Pair, account: int) -> tuple[_Key, ...]:
        """What differs for the accounts of a pair, and on which devices; account = one of them."""
        differing = list(self._differing(pair))
        if not differing:
            return ()
        found = defaultdict[_Told, list[int]](list)
        causes_on = self._causes(self._either.population.asker(account))
        for both, was, becomes in differing:
            found[*plainly(was, becomes), causes_on(both)] += self._columns[both]
        return tuple((*told, tuple(sorted(devices))) for told, devices in found.items())

    def _differing(self, pair: _Pair) -> Iterator[tuple[_Pair, OutcomeOrNone, OutcomeOrNone]]:
        """The pairs of devices on which it has something else; nothing and no product are the same."""
        before, after = self._answers[0][pair[0]], self._answers[1][pair[1]]
        for both in self._columns:
            was, becomes = before[both[0]], after[both[1]]
            if was != becomes and (_has(was) or _has(becomes) or None not in (was, becomes)):
                yield both, was, becomes

    def _causes(self, asker: Asker) -> Callable[[_Pair], tuple[str, ...]]:
        """What tells why an account has something else on a pair of devices; tried once for all alike."""
        before, after = self._sides
        if before is None or after is None:
            return lambda _: ("product deleted" if after is None else "product declared",)
        product_id, devices = before.state.product_id, self._either.devices
        some_query = asker.query(product_id, devices[0].device)
        was, becomes = (side.state.case(some_query) for side in (before, after))
        terms = was.account_groups, becomes.account_groups, *self._terms(asker)

        def on(both: _Pair) -> tuple[str, ...]:
            if (both, terms) not in self._why:
                device = devices[self._columns[both][0]].device
                query = asker.query(product_id, device)
                self._why[both, terms] = causes(
                    replace(was, query=query), replace(becomes, query=query)
                )
            return self._why[both, terms]

        return on

    def _terms(self, asker: Asker) -> Iterator[object]:
        """What rules see of an account but its groups: who it is does not count."""
        account = asker.account
        if account is None:
            yield asker
            return
        yield asker.as_account(Account("", account.kind))
        for side in self._sides:
            if side is not None:
                snapshot = side.state.snapshot
                yield place(snapshot.thresholds, snapshot.product_id, account.id)


def _answers(matrix: Matrix | None) -> tuple[tuple[OutcomeOrNone, ...], ...]:
    """[row class][column class]; a product that is not there has one of each."""
    if matrix is None:
        return ((None,),)
    return tuple(
        tuple(substance(outcome, installed) for outcome in row)
        for row, installed in zip(matrix.outcomes, matrix.installed_versions, strict=True)
    )


def what_moved(before: Outcome, after: Outcome) -> Iterator[str]:
    """In what two yeses differ."""
    if before.source != after.source:
        yield "other source"
    if before.version != after.version:
        versions = [parse_package_version(one.version or "0") for one in (before, after)]
        yield "version up" if versions[0] < versions[1] else "version down"
    if before.action != after.action:
        yield "other action"
    if before.architecture != after.architecture:
        yield "other architecture"
