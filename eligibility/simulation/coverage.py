"""Coverage: how many members of a product's groups reach what, on which devices. Pure over a State.

Counted from the index of members, which has a number for each combination of groups and knows no
address: 70,000 members are as many decisions as they have combinations.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations, groupby

from msgspec import Struct

from eligibility.access.asker import PLAIN, Asker
from eligibility.access.model import Device
from eligibility.explain.device_names import run_name
from eligibility.explain.outcome import Outcome, outcome_of
from eligibility.simulation.classes import device_classes
from eligibility.simulation.inputs.devices import NamedDevice
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
"""By combination and by device class: what its members get, and on how many places of rollouts."""


class GroupCount(Struct, frozen=True):
    """A group of the product. active: whether the audience or a published flight uses it now."""

    group_id: str
    members: int
    active: bool


class Reach(Struct, frozen=True):
    """How many members get this. estimated: a rollout splits them, and the number is the average."""

    outcome: SimulatedOutcome
    members: int
    estimated: bool


class DeviceReach(Struct, frozen=True):
    """Devices on which everybody gets the same: neighbours of one family and architecture.

    name: the first and the last of them. members: by what they get, most first; granted: how many
    of them get anything. others: what somebody gets who is signed in and in none of the groups.
    """

    name: str
    family: str
    architecture: str | None
    devices: tuple[str, ...]
    granted: int
    members: tuple[Reach, ...]
    others: tuple[SimulatedOutcome, ...]


class Combination(Struct, frozen=True):
    """Groups that have members in common and in no further one. flight_id: the one that wins.

    admitted: whether they are in the audience; if not, the flight is of no use to them.
    """

    groups: tuple[str, ...]
    members: int
    flight_id: str | None
    admitted: bool


class Overlap(Struct, frozen=True):
    """How many members two groups have in common, whatever else they are in."""

    groups: tuple[str, str]
    members: int


class Coverage(Struct, frozen=True):
    """What a product's audience reaches. members: of all its groups, each counted once.

    combinations, overlaps: the largest first. No address is in it.
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
    """Count the kinds of members and of devices; a coverage takes a decision for each pair."""
    members = (len(state.snapshot.index.sizes()) + 1) * len(sides(state.snapshot))
    return members, len(device_classes(state.snapshot, [named.device for named in devices])[1])


def coverage(
    state: State,
    devices: Sequence[NamedDevice],
    as_told: Asker = PLAIN,
    most_decisions: int | None = None,
) -> Coverage:
    """Count what the members of a product's groups reach on some devices.

    Exact, but where a rollout splits members who are in the same groups (see Reach.estimated).
    Args: as_told = what every member says of itself (its account means nothing).
    Raises: InvalidInput above most_decisions.
    """
    index = state.snapshot.index
    sizes = {index.combination(number): size for number, size in index.sizes().items()}
    columns, representatives = device_classes(state.snapshot, [one.device for one in devices])
    on_sides = sides(state.snapshot)
    asked = [*sizes, CoverageGroups()]
    check_decisions(len(asked) * len(on_sides), len(representatives), most_decisions)
    gets = {
        groups: [_gets(state, groups, device, as_told, on_sides) for device in representatives]
        for groups in asked
    }
    told = tuple(_combination(state, groups, size) for groups, size in sizes.items())
    return Coverage(
        state.product_id,
        state.product.name,
        StateView.of(state),
        sum(sizes.values()),
        tuple(_group_counts(state, sizes)),
        tuple(_device_reaches(devices, columns, sizes, gets)),
        tuple(sorted(told, key=lambda one: (-one.members, one.groups))),
        _overlaps(sizes),
        expected_shares(state.product, _sources(told)),
    )


def _gets(
    state: State,
    groups: CoverageGroups,
    device: Device,
    as_told: Asker,
    on_sides: Iterable[RolloutSide],
) -> Mapping[Outcome, int]:
    """What members of exactly these groups get on a device, and on how many places of rollouts."""
    found = Counter[Outcome]()
    for side in on_sides:
        query = as_told.as_account(side.account).query(state.product_id, device)
        found[outcome_of(state.decide_as_member(query, groups))] += side.places
    return found


def _group_counts(state: State, sizes: Mapping[CoverageGroups, int]) -> Iterator[GroupCount]:
    active = state.product.active_groups(state.moment)
    for group_id in sorted(state.product.groups):
        members = sum(size for groups, size in sizes.items() if group_id in groups)
        yield GroupCount(group_id, members, group_id in active)


def _combination(state: State, groups: CoverageGroups, size: int) -> Combination:
    """By the two rules of catalog/model.py that `decide` and effects.py go by."""
    flight = state.product.flight_for(groups, state.moment)
    admitted = state.product.submission.admits(groups, state.moment)
    return Combination(tuple(sorted(groups)), size, flight.flight_id if flight else None, admitted)


def _sources(told: Iterable[Combination]) -> Mapping[str | None, int]:
    found = Counter[str | None]()
    for one in told:
        if one.admitted:
            found[one.flight_id] += one.members
    return found


def _overlaps(sizes: Mapping[CoverageGroups, int]) -> tuple[Overlap, ...]:
    shared = Counter[tuple[str, str]]()
    for groups, size in sizes.items():
        for pair in combinations(sorted(groups), 2):
            shared[pair] += size
    ordered = sorted(shared.items(), key=lambda one: (-one[1], one[0]))
    return tuple(Overlap(pair, members) for pair, members in ordered)


def _device_reaches(
    devices: Sequence[NamedDevice],
    columns: Sequence[int],
    sizes: Mapping[CoverageGroups, int],
    gets: _Gets,
) -> Iterator[DeviceReach]:
    """One for each run of neighbours that every combination gets the same on."""

    def alike(place: int) -> object:
        device = devices[place].device
        same = [gets[groups][columns[place]] for groups in gets]
        return device.family, device.architecture, same

    for _, places in groupby(range(len(devices)), alike):
        run = list(places)
        yield _device_reach([devices[place] for place in run], columns[run[0]], sizes, gets)


def _device_reach(
    run: Sequence[NamedDevice], column: int, sizes: Mapping[CoverageGroups, int], gets: _Gets
) -> DeviceReach:
    members, estimated = Counter[Outcome](), set[Outcome]()
    for groups, size in sizes.items():
        places = gets[groups][column]
        members.update(apportioned(size, places))
        estimated.update(places if len(places) > 1 else ())
    device = run[0].device
    return DeviceReach(
        run_name([one.name for one in run]),
        device.family,
        device.architecture,
        tuple(one.name for one in run),
        sum(size for outcome, size in members.items() if outcome.granted),
        tuple(
            Reach(simulated(outcome), size, outcome in estimated)
            for outcome, size in members.most_common()
        ),
        tuple(map(simulated, gets[CoverageGroups()][column])),
    )
