"""Coverage: how many members get what, on which devices, by combination of groups. Pure."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations

from msgspec import Struct

from eligibility.access.asker import PLAIN, Asker
from eligibility.access.model import Device
from eligibility.explain.device_names import run_name
from eligibility.explain.outcome import Outcome, outcome_of
from eligibility.simulation.classes import device_classes
from eligibility.simulation.inputs.devices import NamedDevice, runs
from eligibility.simulation.matrix import check_decisions
from eligibility.simulation.responses import SimulatedOutcome, StateView, simulated
from eligibility.simulation.rollout_shares import (
    RolloutEstimate,
    RolloutSide,
    apportioned,
    expected_shares,
    sides,
)
from eligibility.simulation.state import State

CoverageGroups = frozenset[str]
_Gets = Mapping[CoverageGroups, Sequence[Mapping[Outcome, int]]]
"""[combination][device class]: the number of rollout buckets with each outcome."""


class GroupCount(Struct, frozen=True):
    """A group of the product. active: whether the audience or a published flight uses it now."""

    group_id: str
    members: int
    active: bool


class Reach(Struct, frozen=True):
    """How many members have an outcome. estimated: an average, because a rollout splits them."""

    outcome: SimulatedOutcome
    members: int
    estimated: bool


class DeviceReach(Struct, frozen=True):
    """Neighbouring devices of one family and architecture with the same outcomes for everybody.

    members: by outcome, the most frequent first. granted: how many members get a package. others:
    the outcomes of accounts that are signed in, but in none of the groups.
    """

    name: str
    family: str
    architecture: str | None
    devices: tuple[str, ...]
    granted: int
    members: tuple[Reach, ...]
    others: tuple[SimulatedOutcome, ...]


class Combination(Struct, frozen=True):
    """The members of exactly these groups. flight_id: their flight with the highest rank.

    admitted: whether they are in the audience; if not, they do not get the flight.
    """

    groups: tuple[str, ...]
    members: int
    flight_id: str | None
    admitted: bool


class Overlap(Struct, frozen=True):
    """How many members two groups have in common."""

    groups: tuple[str, str]
    members: int


class Coverage(Struct, frozen=True):
    """What the members of a product's groups get; it contains no address.

    members: of all groups, each counted once. combinations, overlaps: the largest first.
    """

    product_id: str
    name: str
    state: StateView
    members: int
    groups: tuple[GroupCount, ...]
    devices: tuple[DeviceReach, ...]
    combinations: tuple[Combination, ...]
    overlaps: tuple[Overlap, ...]
    rollouts: tuple[RolloutEstimate, ...]


def coverage_kinds(state: State, devices: Sequence[NamedDevice]) -> tuple[int, int]:
    """Count the classes of members and devices. A coverage takes a decision for each pair."""
    members = (len(state.snapshot.index.sizes()) + 1) * len(sides(state.snapshot))
    return members, len(device_classes(state.snapshot, [named.device for named in devices])[1])


def coverage(
    state: State,
    devices: Sequence[NamedDevice],
    defaults: Asker = PLAIN,
    most_decisions: int | None = None,
) -> Coverage:
    """Count what the members of a product's groups get on devices.

    The counts are exact unless a rollout splits members of the same groups (Reach.estimated).
    Args: defaults = the claims of every member; its account is not used.
    Raises: InvalidInput if there are more than most_decisions pairs of classes.
    """
    index = state.snapshot.index
    sizes = {index.combination(number): size for number, size in index.sizes().items()}
    columns, representatives = device_classes(state.snapshot, [named.device for named in devices])
    on_sides = sides(state.snapshot)
    every_groups = [*sizes, CoverageGroups()]
    check_decisions(len(every_groups) * len(on_sides), len(representatives), most_decisions)
    gets = {
        groups: [_gets(state, groups, device, defaults, on_sides) for device in representatives]
        for groups in every_groups
    }
    counted = tuple(_combination(state, groups, size) for groups, size in sizes.items())
    return Coverage(
        state.product_id,
        state.product.name,
        StateView.of(state),
        sum(sizes.values()),
        tuple(_group_counts(state, sizes)),
        tuple(
            _device_reach([devices[index] for index in run], columns[run[0]], sizes, gets)
            for run in runs(devices, lambda index: [got[columns[index]] for got in gets.values()])
        ),
        tuple(sorted(counted, key=lambda some: (-some.members, some.groups))),
        _overlaps(sizes),
        expected_shares(state.product, _sources(counted)),
    )


def _gets(
    state: State,
    groups: CoverageGroups,
    device: Device,
    defaults: Asker,
    on_sides: Iterable[RolloutSide],
) -> Mapping[Outcome, int]:
    """Count the rollout buckets by what members of exactly these groups get on a device."""
    buckets = Counter[Outcome]()
    for side in on_sides:
        query = defaults.as_account(side.account).query(state.product_id, device)
        buckets[outcome_of(state.decide_as_member(query, groups))] += side.buckets
    return buckets


def _group_counts(state: State, sizes: Mapping[CoverageGroups, int]) -> Iterator[GroupCount]:
    active = state.product.active_groups(state.moment)
    for group_id in sorted(state.product.groups):
        members = sum(size for groups, size in sizes.items() if group_id in groups)
        yield GroupCount(group_id, members, group_id in active)


def _combination(state: State, groups: CoverageGroups, size: int) -> Combination:
    """Describe a combination by the rules in catalog/model.py that `decide` uses too."""
    flight = state.product.flight_for(groups, state.moment)
    admitted = state.product.submission.admits(groups, state.moment)
    return Combination(tuple(sorted(groups)), size, flight.flight_id if flight else None, admitted)


def _sources(counted: Iterable[Combination]) -> Mapping[str | None, int]:
    members = Counter[str | None]()
    for combination in counted:
        if combination.admitted:
            members[combination.flight_id] += combination.members
    return members


def _overlaps(sizes: Mapping[CoverageGroups, int]) -> tuple[Overlap, ...]:
    shared = Counter[tuple[str, str]]()
    for groups, size in sizes.items():
        for pair in combinations(sorted(groups), 2):
            shared[pair] += size
    ordered = sorted(shared.items(), key=lambda item: (-item[1], item[0]))
    return tuple(Overlap(pair, members) for pair, members in ordered)


def _device_reach(
    run: Sequence[NamedDevice], column: int, sizes: Mapping[CoverageGroups, int], gets: _Gets
) -> DeviceReach:
    members, estimated = Counter[Outcome](), set[Outcome]()
    for groups, size in sizes.items():
        buckets = gets[groups][column]
        members.update(apportioned(size, buckets))
        estimated.update(buckets if len(buckets) > 1 else ())
    device = run[0].device
    return DeviceReach(
        run_name([named.name for named in run]),
        device.family,
        device.architecture,
        tuple(named.name for named in run),
        sum(size for outcome, size in members.items() if outcome.granted),
        tuple(
            Reach(simulated(outcome), size, outcome in estimated)
            for outcome, size in members.most_common()
        ),
        tuple(map(simulated, gets[CoverageGroups()][column])),
    )
