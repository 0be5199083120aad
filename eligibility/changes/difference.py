"""Compute which accounts gain, lose or change access between two states, on which devices, and why.

Pure. Accounts that no rule distinguishes in either state are compared only once, so comparing a
million accounts costs little more than counting them.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import repeat
from typing import Literal

from eligibility.access.asker import Asker
from eligibility.access.model import Account
from eligibility.changes.causes import causes
from eligibility.changes.outcome_pairs import OutcomeOrNone, plainly, substance
from eligibility.explain.outcome import Outcome
from eligibility.rules.rollout import rollout_position
from eligibility.simulation.inputs.devices import NamedDevice
from eligibility.simulation.inputs.population import Population
from eligibility.simulation.matrix import Matrix
from eligibility.windows.package_versions import parse_package_version

NAMED = 100
"""Limit of accounts that a change names; its count includes all accounts."""

ChangeKind = Literal["gains", "loses", "moves", "still_denied"]
KINDS: tuple[ChangeKind, ...] = ("gains", "loses", "moves", "still_denied")


@dataclass(frozen=True, slots=True)
class OutcomeChange:
    """The same change of outcome for some accounts on some devices.

    kind: `moves` = another source, version, action or architecture; `still_denied` = other reasons.
    Between a denial and a missing product there is no change. before, after: without details that
    do not differ (contrast.plainly). why: the causes. devices: indices. accounts: their number.
    first: indices of the first NAMED accounts.
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
    """All changes of one product for a population on some devices.

    changes: sorted by kind, then by number of accounts, largest first. counts: kind -> number of
    accounts that have such a change on any device. changed: number of accounts with any change.
    public: in one of the states the product is public, so that other accounts have it, too.
    """

    product_id: str
    name: str
    population: Population
    devices: tuple[NamedDevice, ...]
    changes: tuple[OutcomeChange, ...]
    counts: Mapping[ChangeKind, int]
    changed: int
    public: bool


_Change = tuple[OutcomeOrNone, OutcomeOrNone, tuple[str, ...]]
_ChangeOnDevices = tuple[OutcomeOrNone, OutcomeOrNone, tuple[str, ...], tuple[int, ...]]
_Pair = tuple[int, int]


def difference(before: Matrix | None, after: Matrix | None) -> ProductDifference:
    """Compare two states; None = no such product. Raises: ValueError if both are None."""
    either = after or before
    if either is None:
        raise ValueError("no state to compare")
    compared = _Compared(before, after, either)
    sizes, firsts = _counted(compared.pairs())
    by_pair = {
        pair: changes for pair in sizes if (changes := compared.changes(pair, firsts[pair][0]))
    }
    counts, accounts = Counter[ChangeKind](), Counter[_ChangeOnDevices]()
    named = defaultdict[_ChangeOnDevices, list[int]](list)
    for pair, changes in by_pair.items():
        counts.update(dict.fromkeys({_kind(*change[:2]) for change in changes}, sizes[pair]))
        for change in changes:
            accounts[change] += sizes[pair]
            named[change] += firsts[pair]
    changes_of_all = [
        OutcomeChange(_kind(*change[:2]), *change, number, tuple(sorted(named[change])[:NAMED]))
        for change, number in accounts.items()
    ]
    return ProductDifference(
        either.state.product_id,
        either.state.product.name,
        either.population,
        either.devices,
        tuple(
            sorted(changes_of_all, key=lambda change: (KINDS.index(change.kind), -change.accounts))
        ),
        {kind: counts[kind] for kind in KINDS},
        sum(sizes[pair] for pair in by_pair),
        any(_is_public(matrix) for matrix in (before, after)),
    )


def _counted(pairs: Iterable[_Pair]) -> tuple[Mapping[_Pair, int], Mapping[_Pair, list[int]]]:
    """Count the accounts of each pair of classes, and list the indices of the first NAMED."""
    sizes, firsts = Counter[_Pair](), defaultdict[_Pair, list[int]](list)
    for index, pair in enumerate(pairs):
        sizes[pair] += 1
        if sizes[pair] <= NAMED:
            firsts[pair].append(index)
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


def _has(outcome: OutcomeOrNone) -> bool:
    return outcome is not None and outcome.granted


class _Compared:
    """Two matrices for the same accounts and devices. A pair has a class before and one after."""

    def __init__(self, before: Matrix | None, after: Matrix | None, either: Matrix) -> None:
        self._sides, self._either = (before, after), either
        self._outcomes = tuple(map(_outcomes, self._sides))
        self._why: dict[object, tuple[str, ...]] = {}
        nowhere = (0,) * len(either.devices)
        columns = (side.columns if side else nowhere for side in self._sides)
        self._columns = defaultdict[_Pair, list[int]](list)
        for index, both in enumerate(zip(*columns, strict=True)):
            self._columns[both].append(index)

    def pairs(self) -> Iterator[_Pair]:
        """List the classes of each account before and after, in the order of accounts."""
        before, after = (side.rows if side else repeat(0) for side in self._sides)
        return zip(before, after, strict=False)

    def changes(self, pair: _Pair, account: int) -> tuple[_ChangeOnDevices, ...]:
        """List the changes for the accounts of a pair. Args: account = the index of any of them."""
        differing = list(self._differing(pair))
        if not differing:
            return ()
        devices_of = defaultdict[_Change, list[int]](list)
        causes_on = self._causes(self._either.population.asker(account))
        for both, was, becomes in differing:
            devices_of[*plainly(was, becomes), causes_on(both)] += self._columns[both]
        return tuple((*change, tuple(sorted(on))) for change, on in devices_of.items())

    def _differing(self, pair: _Pair) -> Iterator[tuple[_Pair, OutcomeOrNone, OutcomeOrNone]]:
        """List the pairs of devices whose outcome changes; a missing product equals a denial."""
        before, after = self._outcomes[0][pair[0]], self._outcomes[1][pair[1]]
        for both in self._columns:
            was, becomes = before[both[0]], after[both[1]]
            if was != becomes and (_has(was) or _has(becomes) or None not in (was, becomes)):
                yield both, was, becomes

    def _causes(self, asker: Asker) -> Callable[[_Pair], tuple[str, ...]]:
        """Build a function that finds the causes for a pair of devices, and caches them."""
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
        """List what rules read of an account except its groups; they do not read its address."""
        account = asker.account
        if account is None:
            yield asker
            return
        yield asker.as_account(Account("", account.kind))
        for side in self._sides:
            if side is not None:
                snapshot = side.state.snapshot
                yield rollout_position(snapshot.thresholds, snapshot.product_id, account.id)


def _outcomes(matrix: Matrix | None) -> tuple[tuple[OutcomeOrNone, ...], ...]:
    """Return outcomes as [account class][device class]; a missing product has one of each."""
    if matrix is None:
        return ((None,),)
    return tuple(
        tuple(substance(outcome, installed) for outcome in row)
        for row, installed in zip(matrix.outcomes, matrix.installed_versions, strict=True)
    )


def what_moved(before: Outcome, after: Outcome) -> Iterator[str]:
    """Describe how two granted outcomes differ."""
    if before.source != after.source:
        yield "other source"
    if before.version != after.version:
        was, becomes = (parse_package_version(o.version or "0") for o in (before, after))
        yield "version up" if was < becomes else "version down"
    if before.action != after.action:
        yield "other action"
    if before.architecture != after.architecture:
        yield "other architecture"
