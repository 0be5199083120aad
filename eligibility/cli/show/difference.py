"""Differences and timelines as tables for people."""

from datetime import datetime, timedelta

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
from eligibility.cli.show.output import console

_STYLE = {"gains": "green", "loses": "red", "moves": "yellow", "still_denied": "dim"}
_VERBS = {
    "gains": ("gains", "gain"),
    "loses": ("loses", "lose"),
    "moves": ("moves", "move"),
    "still_denied": ("still denied, for another reason",) * 2,
}
_NOBODY = "no such product"
_PUBLIC = (
    "The product is public: whoever is in none of its groups is concerned too, as (not signed in)"
    " is, or by the side of a rollout."
)


def show_comparison(told: ComparisonResponse, *, names: bool) -> None:
    """Print a comparison. names: also the first accounts of each change."""
    console().print(Text(f"{told.before} -> {told.after}", "bold"))
    for one in told.products:
        console().print()
        console().print(difference_view(one, names=names))
    if not told.products:
        console().print("no difference: every account gets what it got")


def difference_view(found: DifferenceView, *, names: bool) -> RenderableType:
    """The counts, then each change. names: also the first addresses of each."""
    head = Text.assemble((found.product_id, "bold"), f"  {found.name}\n")
    head.append(f"{found.changed:,} of {_many(found.accounts, 'account')} changed")
    market = f" in market {found.market}" if found.market else ""
    head.append(f" on {_many(found.devices, 'device')}{market}: ")
    head.append_text(Text(", ").join(_count(*one) for one in found.counts.items() if one[1]))
    if found.public:
        head.append(f"\n{_PUBLIC}", "dim")
    return Group(head, *(_change(change, names=names) for change in found.changes))


def _count(kind: ChangeKind, count: int) -> Text:
    return Text(f"{count:,} {_VERBS[kind][0 if count == 1 else 1]}", _STYLE[kind])


def _change(change: OutcomeChangeView, *, names: bool) -> RenderableType:
    moved = f" ({', '.join(change.moved)})" if change.moved else ""
    head = Text.assemble(
        ("\n" + change.kind.replace("_", " "), f"bold {_STYLE[change.kind]}"),
        f"  {_many(change.accounts, 'account')}  ",
        _from_to(change.before, change.after),
        (moved, "dim"),
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


def _many(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _from_to(before: ComparedOutcome | None, after: ComparedOutcome | None) -> Text:
    return Text().append_text(_said(before)).append(" -> ").append_text(_said(after))


def _said(answer: ComparedOutcome | None) -> Text:
    if answer is None:
        return Text(_NOBODY, "dim")
    return Text(answer.text, "green" if answer.granted else "red")


def timeline_view(found: TimelineResponse) -> RenderableType:
    """Each moment with what changed and why: the past, a line for now, and what is to come."""
    head = Text.assemble((found.product_id, "bold"), f" for {found.account or NOBODY} on ")
    several = len(found.devices) > 1
    head.append(_many(len(found.devices), "device") if several else found.devices[0])
    rows = Table.grid(padding=(0, 2))
    rows.add_column(no_wrap=True)
    rows.add_column(overflow="fold")
    past = [turn for turn in found.turns if not turn.coming]
    for turn in past:
        rows.add_row(Text(_when(turn.at)), _turn(found, turn))
    rows.add_row(Text(_when(found.now), "bold"), Text("now\n", "bold"))
    for turn in found.turns[len(past) :]:
        when = Text.assemble(_when(turn.at), (f"\n{_ahead(turn.at - found.now)}", "dim"))
        rows.add_row(when, _turn(found, turn))
    return Group(head, Text(), rows)


def _turn(found: TimelineResponse, turn: TurnView) -> RenderableType:
    shown: list[RenderableType] = []
    for one in turn.answers:
        shown.append(_from_to(one.before, one.after))
        if len(one.devices) < len(found.devices):
            shown.append(Padding(Text(f"on {'; '.join(one.ranges)}", "dim"), (0, 0, 0, 2)))
    for cause in turn.causes:
        shown.append(Text(cause.text, "dim" if cause.kind == "settled" else ""))
        more = len(cause.details) - _DETAILS
        details = (*cause.details[:_DETAILS], *((f"and {more} more",) if more > 0 else ()))
        shown += [Padding(Text(one, "dim"), (0, 0, 0, 2)) for one in details]
    return Group(*shown, Text())


_DETAILS = 3
"""How many changed fields of a product are shown; --json has all."""


def _when(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"


def _ahead(until: timedelta) -> str:
    """How far away a moment is, in the largest unit that fits."""
    for name, seconds in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        number = int(until.total_seconds() // seconds)
        if number:
            return f"in {_many(number, name)}"
    return "in less than a minute"
