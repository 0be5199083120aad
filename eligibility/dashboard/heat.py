"""The heat map of a product: device family x release, and what somebody gets there. Pure over a State.

Somebody is a member of certain groups and of no other; nobody has to be in them.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from eligibility.model import Account, Decision, Device
from eligibility.releases import facts
from eligibility.simulation.devices import NamedDevice
from eligibility.simulation.outcome import Outcome, outcome_of
from eligibility.simulation.population import PLAIN, Asker
from eligibility.simulation.signs import Mark, in_words, marks
from eligibility.simulation.state import State
from eligibility.windows import releases, version_text

_SOMEBODY = Asker(Account("somebody@made-up.invalid"))


@dataclass(frozen=True, slots=True)
class Who:
    """Somebody to look at. key: stands for it in a URL. groups: None = nobody is signed in."""

    key: str
    name: str
    groups: frozenset[str] | None


@dataclass(frozen=True, slots=True)
class Cell:
    """What somebody gets on one device."""

    device: NamedDevice
    outcome: Outcome
    mark: Mark
    words: str


@dataclass(frozen=True, slots=True)
class Heat:
    """rows: by family and architecture, a cell for each release, None where there is no such device."""

    releases: tuple[str, ...]
    rows: tuple[tuple[str, str, tuple[Cell | None, ...]], ...]
    legend: tuple[tuple[Mark, str, int], ...]


def everybody(state: State) -> tuple[Who, ...]:
    """Whom to look at: a member of each group, by the rank of what the group is for; then the others."""
    product = state.product
    named = dict.fromkeys(group for flight in product.flights for group in flight.groups)
    named |= dict.fromkeys(product.submission.audience_groups)
    found = [Who(f"group:{one}", f"a member of {one} only", frozenset({one})) for one in named]
    return (
        *found,
        Who("none", "somebody in none of the groups", frozenset()),
        Who("anonymous", "nobody signed in", None),
    )


def decided_for(state: State, who: Who) -> Callable[[Device], Decision]:
    """What decides for somebody on a device."""

    def decided(device: Device) -> Decision:
        if who.groups is None:
            return state.decide(PLAIN.query(state.product_id, device))
        return state.decide_as_member(_SOMEBODY.query(state.product_id, device), who.groups)

    return decided


def heat(state: State, decided: Callable[[Device], Decision]) -> Heat:
    """What `decided` says of every device that there is."""
    devices = list(_devices())
    outcomes = {named.device: outcome_of(decided(named.device)) for _, _, named in devices}
    distinct = tuple(dict.fromkeys(outcomes.values()))
    signs = dict(zip(distinct, marks(state.product, distinct), strict=True))
    names = tuple(dict.fromkeys(release for _, release, _ in devices))
    order = [one.name for one in releases() if one.name in names]
    rows: dict[tuple[str, str], dict[str, Cell]] = {}
    for family, release, named in devices:
        outcome = outcomes[named.device]
        cell = Cell(named, outcome, signs[outcome], in_words(state.product, outcome))
        rows.setdefault((family, named.device.architecture or ""), {})[release] = cell
    return Heat(
        tuple(order),
        tuple(
            (family, architecture, tuple(cells.get(release) for release in order))
            for (family, architecture), cells in rows.items()
        ),
        tuple(_legend(state, distinct, signs, outcomes)),
    )


def _devices() -> Iterable[tuple[str, str, NamedDevice]]:
    """Family, release and device: every release that a family was made for, by architecture."""
    for family, architectures in facts().devices.items():
        for architecture, builds in architectures.items():
            for release in releases():
                if builds.contains(release.version):
                    device = Device.parse(family, version_text(release.version), architecture)
                    name = f"{family}, {release.name}, {architecture}"
                    yield family, release.name, NamedDevice(name, device)


def _legend(
    state: State,
    distinct: Sequence[Outcome],
    signs: Mapping[Outcome, Mark],
    outcomes: Mapping[Device, Outcome],
) -> Iterable[tuple[Mark, str, int]]:
    """Each sign once, what it means, and on how many devices it stands."""
    counted: dict[Mark, tuple[str, int]] = {}
    for one in distinct:
        number = sum(found == one for found in outcomes.values())
        words, before = counted.get(signs[one], (in_words(state.product, one), 0))
        counted[signs[one]] = words, before + number
    return ((mark, words, number) for mark, (words, number) in counted.items())
