"""Differences and timelines as tables for people."""

from datetime import timedelta

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from eligibility.access.asker import NOBODY
from eligibility.changes.difference import ChangeKind
from eligibility.changes.responses import (
    ComparedOutcome,
    ComparisonResponse,
    DifferenceView,
    OutcomeChangeView,
    TimelineResponse,
    TurnView,
)
from eligibility.cli.show.output import console, exact, many

_STYLE = {"gains": "green", "loses": "red", "moves": "yellow", "still_denied": "dim"}
_VERBS = {
    "gains": ("gains", "gain"),
    "loses": ("loses", "lose"),
    "moves": ("moves", "move"),
    "still_denied": ("still denied, for another reason",) * 2,
}
_NOBODY = "no such product"
_PUBLIC = (
    "The product is public: the row (not signed in) also stands for everybody who is in none of its"
    " groups, on the same side of a rollout."
)


def show_comparison(comparison: ComparisonResponse, *, names: bool) -> None:
    """Print a comparison. names: also print the first accounts of each change."""
    console().print(Text(f"{comparison.before} -> {comparison.after}", "bold"))
    for product in comparison.products:
        console().print()
        console().print(difference_view(product, names=names))
    if not comparison.products:
        console().print("no difference: every account gets the same in both states")


def difference_view(difference: DifferenceView, *, names: bool) -> RenderableType:
    """Format the counts, then each change. names: also show the first addresses of each change."""
    head = Text.assemble((difference.product_id, "bold"), f"  {difference.name}\n")
    head.append(f"{difference.changed:,} of {many(difference.accounts, 'account')} changed")
    market = f" in market {difference.market}" if difference.market else ""
    head.append(f" on {many(difference.devices, 'device')}{market}: ")
    head.append_text(
        Text(", ").join(_count(kind, count) for kind, count in difference.counts.items() if count)
    )
    if difference.public:
        head.append(f"\n{_PUBLIC}", "dim")
    return Group(head, *(_change(change, names=names) for change in difference.changes))


def _count(kind: ChangeKind, count: int) -> Text:
    return Text(f"{count:,} {_VERBS[kind][0 if count == 1 else 1]}", _STYLE[kind])


def _change(change: OutcomeChangeView, *, names: bool) -> RenderableType:
    group_moves = f" ({', '.join(change.moved)})" if change.moved else ""
    head = Text.assemble(
        ("\n" + change.kind.replace("_", " "), f"bold {_STYLE[change.kind]}"),
        f"  {many(change.accounts, 'account')}  ",
        _from_to(change.before, change.after),
        (group_moves, "dim"),
    )
    rows = Table.grid(padding=(0, 1))
    rows.add_column(style="dim")
    rows.add_column(overflow="fold")
    rows.add_row("on", Text("; ".join(change.ranges)))
    rows.add_row("why", Text("\n".join(change.why)))
    if names:
        rows.add_row("who", Text(_names(change)))
    return Group(head, Padding(rows, (0, 0, 0, 2)))


def _names(change: OutcomeChangeView) -> str:
    more = change.accounts - len(change.first)
    return "\n".join((*change.first, *((f"and {more:,} more",) if more else ())))


def _from_to(before: ComparedOutcome | None, after: ComparedOutcome | None) -> Text:
    return Text().append_text(_outcome(before)).append(" -> ").append_text(_outcome(after))


def _outcome(outcome: ComparedOutcome | None) -> Text:
    if outcome is None:
        return Text(_NOBODY, "dim")
    return Text(outcome.text, "green" if outcome.granted else "red")


def timeline_view(timeline: TimelineResponse) -> RenderableType:
    """Format past changes of the answer, a line for now, and future changes, with their causes."""
    head = Text.assemble((timeline.product_id, "bold"), f" for {timeline.account or NOBODY} on ")
    several = len(timeline.devices) > 1
    head.append(many(len(timeline.devices), "device") if several else timeline.devices[0])
    rows = Table.grid(padding=(0, 2))
    rows.add_column(no_wrap=True)
    rows.add_column(overflow="fold")
    past = [turn for turn in timeline.turns if not turn.coming]
    for turn in past:
        rows.add_row(Text(exact(turn.at)), _turn(turn, len(timeline.devices)))
    rows.add_row(Text(exact(timeline.now), "bold"), Text("now\n", "bold"))
    for turn in timeline.turns[len(past) :]:
        when = Text.assemble(exact(turn.at), (f"\n{_ahead(turn.at - timeline.now)}", "dim"))
        rows.add_row(when, _turn(turn, len(timeline.devices)))
    return Group(head, Text(), rows)


def _turn(turn: TurnView, devices: int) -> RenderableType:
    shown: list[RenderableType] = []
    for answer in turn.answers:
        shown.append(_from_to(answer.before, answer.after))
        if len(answer.devices) < devices:
            shown.append(Padding(Text(f"on {'; '.join(answer.ranges)}", "dim"), (0, 0, 0, 2)))
    for cause in turn.causes:
        shown.append(Text(cause.text, "dim" if cause.kind == "settled" else ""))
        more = len(cause.details) - _DETAILS
        details = (*cause.details[:_DETAILS], *((f"and {more} more",) if more > 0 else ()))
        shown += [Padding(Text(line, "dim"), (0, 0, 0, 2)) for line in details]
    return Group(*shown, Text())


_DETAILS = 3
"""How many changed fields of a product are shown. --json shows all."""


def _ahead(until: timedelta) -> str:
    """Describe a duration in the largest unit that fits."""
    for name, seconds in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        number = int(until.total_seconds() // seconds)
        if number:
            return f"in {many(number, name)}"
    return "in less than a minute"
