"""Coverage as tables for people: what members get on which devices, overlaps, rollouts."""

from collections.abc import Iterable, Iterator

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from eligibility.cli.show.output import many
from eligibility.explain.phrases import long_text, short_text
from eligibility.simulation.coverage import Coverage, DeviceReach
from eligibility.simulation.responses import SimulatedOutcome
from eligibility.simulation.rollout_shares import RolloutEstimate

_MOST_ROWS = 20
_NO_FLIGHT = "public"
_ROLLOUTS = "Rollouts in progress, of members who have the product installed"
_STYLE = {"flight": "green", "submission": "cyan", "denied": "red"}


def coverage_tables(coverage: Coverage) -> RenderableType:
    """Format a coverage report: outcomes by device, winning flights, overlaps, rollouts."""
    title = Text.assemble(
        (coverage.name, "bold"),
        f"  {coverage.product_id}",
        (f"  {coverage.state.label}, {coverage.state.moment:%Y-%m-%d %H:%M} UTC\n", "dim"),
        f"{many(coverage.members, 'member')} in {many(len(coverage.groups), 'group')}\n",
    )
    parts: list[RenderableType] = [title, _reached(coverage.devices, coverage.members)]
    if coverage.combinations:
        parts += [Text("Groups, and which flight wins", "bold"), _combinations(coverage)]
    if coverage.overlaps:
        parts += [Text("Members in common", "bold"), _overlaps(coverage)]
    if coverage.rollouts:
        parts += [Text(_ROLLOUTS, "bold"), _rollouts(coverage.rollouts)]
    return Group(*parts)


def _table(*columns: str) -> Table:
    return Table(*columns, box=SIMPLE_HEAD)


def _reached(devices: Iterable[DeviceReach], members: int) -> Table:
    """Format one row for each outcome on a device. Only the first row names the device."""
    table = _table("devices", "members", "", "what they get", "what everybody else gets")
    table.columns[0].no_wrap = True
    table.columns[1].justify = table.columns[2].justify = "right"
    for number, device in enumerate(devices):
        if number:
            table.add_row()
        others = Text("\n").join(_outcome(outcome) for outcome in device.others)
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
    text = short_text(outcome) if outcome.granted else f"nothing: {long_text(outcome)}"
    return Text(text, style)


def _combinations(coverage: Coverage) -> Table:
    table = _table("members", "groups", "flight")
    table.columns[0].justify = "right"
    for combination in coverage.combinations[:_MOST_ROWS]:
        flight = combination.flight_id or _NO_FLIGHT
        text = Text(flight, "green" if combination.flight_id else "dim")
        if not combination.admitted:
            text = Text(f"{flight}, but they are not in the audience", "red")
        table.add_row(f"{combination.members:,}", " + ".join(combination.groups), text)
    return _cut(table, len(coverage.combinations))


def _overlaps(coverage: Coverage) -> Table:
    table = _table("members", "groups", "share of each")
    table.columns[0].justify = "right"
    sizes = {group.group_id: group.members for group in coverage.groups}
    for overlap in coverage.overlaps[:_MOST_ROWS]:
        shares = " / ".join(f"{overlap.members / sizes[group]:.0%}" for group in overlap.groups)
        table.add_row(f"{overlap.members:,}", " + ".join(overlap.groups), Text(shares, "dim"))
    return _cut(table, len(coverage.overlaps))


def _rollouts(rollouts: Iterable[RolloutEstimate]) -> Table:
    table = _table("of", "at", "newest", "members", "previous", "members")
    table.columns[3].justify = table.columns[5].justify = "right"
    for rollout in rollouts:
        rest = rollout.members - rollout.members_on_newest
        table.add_row(
            rollout.flight_id or _NO_FLIGHT,
            f"{rollout.percentage:g} %",
            rollout.newest or "nothing",
            f"~{rollout.members_on_newest:,}",
            rollout.previous or "nothing",
            f"~{rest:,}",
        )
    return table


def _cut(table: Table, rows: int) -> Table:
    if rows > _MOST_ROWS:
        table.caption = f"and {rows - _MOST_ROWS:,} smaller ones, which --json shows"
        table.caption_justify = "left"
    return table
