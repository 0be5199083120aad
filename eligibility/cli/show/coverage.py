"""Coverage as tables for people: what members get on which devices, overlaps, rollouts."""

from collections.abc import Iterable, Iterator

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from eligibility.explain.phrases import reason_texts
from eligibility.simulation.coverage import Coverage, DeviceReach
from eligibility.simulation.responses import SimulatedOutcome
from eligibility.simulation.rollout_shares import RolloutEstimate

_MOST_ROWS = 20
_NO_FLIGHT = "non-flighted"
_ROLLOUTS = "Rollouts in progress, of members who have the product installed"
_STYLE = {"flight": "green", "submission": "cyan", "denied": "red"}


def coverage_tables(found: Coverage) -> RenderableType:
    """The whole coverage, one table for each question."""
    title = Text.assemble(
        (found.name, "bold"),
        f"  {found.product_id}",
        (f"  {found.state.label}, {found.state.moment:%Y-%m-%d %H:%M} UTC\n", "dim"),
        f"{_many(found.members, 'member')} in {_many(len(found.groups), 'group')}\n",
    )
    parts: list[RenderableType] = [title, _reached(found.devices, found.members)]
    if found.combinations:
        parts += [Text("Groups, and which flight wins", "bold"), _combinations(found)]
    if found.overlaps:
        parts += [Text("Members in common", "bold"), _overlaps(found)]
    if found.rollouts:
        parts += [Text(_ROLLOUTS, "bold"), _rollouts(found.rollouts)]
    return Group(*parts)


def _table(*columns: str) -> Table:
    return Table(*columns, box=SIMPLE_HEAD)


def _reached(devices: Iterable[DeviceReach], members: int) -> Table:
    """One row for each outcome on a device; only the first row names the device."""
    table = _table("devices", "members", "", "what they get", "what everybody else gets")
    table.columns[0].no_wrap = True
    table.columns[1].justify = table.columns[2].justify = "right"
    for number, device in enumerate(devices):
        if number:
            table.add_row()
        others = Text("\n").join(_outcome(one) for one in device.others)
        name = Text(device.name)
        for cells in _rows(device, members):
            table.add_row(name, *cells, others)
            name, others = Text(), Text()
    return table


def _rows(device: DeviceReach, members: int) -> Iterator[tuple[Text, Text, Text]]:
    for reach in device.members:
        share = f"{reach.members / members:.0%}"
        number = Text(f"{'~' if reach.estimated else ''}{reach.members:,}")
        yield number, Text("<1%" if share == "0%" else share, "dim"), _outcome(reach.outcome)
    if not device.members:
        yield Text("-", "dim"), Text(), Text()


def _outcome(outcome: SimulatedOutcome) -> Text:
    style = _STYLE[outcome.kind]
    if outcome.granted:
        return Text(f"{outcome.flight_id or _NO_FLIGHT} {outcome.version}", style)
    through = f" from {outcome.flight_id}" if outcome.flight_id else ""
    return Text(f"nothing{through}: {reason_texts(outcome.reasons)}", style)


def _combinations(found: Coverage) -> Table:
    table = _table("members", "groups", "flight")
    table.columns[0].justify = "right"
    for one in found.combinations[:_MOST_ROWS]:
        flight = one.flight_id or _NO_FLIGHT
        won = Text(flight, "green" if one.flight_id else "dim")
        if not one.admitted:
            won = Text(f"{flight}: no use, not in the audience", "red")
        table.add_row(f"{one.members:,}", " + ".join(one.groups), won)
    return _cut(table, len(found.combinations))


def _overlaps(found: Coverage) -> Table:
    table = _table("members", "groups", "share of each")
    table.columns[0].justify = "right"
    sizes = {group.group_id: group.members for group in found.groups}
    for one in found.overlaps[:_MOST_ROWS]:
        shares = " / ".join(f"{one.members / sizes[group]:.0%}" for group in one.groups)
        table.add_row(f"{one.members:,}", " + ".join(one.groups), Text(shares, "dim"))
    return _cut(table, len(found.overlaps))


def _rollouts(rollouts: Iterable[RolloutEstimate]) -> Table:
    table = _table("of", "at", "newest", "members", "previous", "members")
    table.columns[3].justify = table.columns[5].justify = "right"
    for one in rollouts:
        rest = one.members - one.members_on_newest
        table.add_row(
            one.flight_id or _NO_FLIGHT,
            f"{one.percentage:g} %",
            one.newest or "nothing",
            f"~{one.members_on_newest:,}",
            one.previous or "nothing",
            f"~{rest:,}",
        )
    return table


def _cut(table: Table, rows: int) -> Table:
    if rows > _MOST_ROWS:
        table.caption = f"and {rows - _MOST_ROWS:,} smaller ones: see --json"
        table.caption_justify = "left"
    return table


def _many(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
