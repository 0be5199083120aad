"""Decisions and plans as tables for people, with rich."""

import re
from collections.abc import Iterable

from msgspec import UNSET
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from eligibility.access.codes import Reason
from eligibility.access.model import Decision, PackageVerdict, Settling, TraceStep
from eligibility.catalog.acceptance import CHOICES
from eligibility.catalog.plan import Plan
from eligibility.changes.effects import AccessChange, Effects, effect_text

_ACTION_STYLE = {
    "create": "green",
    "change": "yellow",
    "delete": "red",
    "unchanged": "dim",
    "left_alone": "dim",
}
_ACTION_SIGN = {"create": "+", "change": "~", "delete": "-", "unchanged": " ", "left_alone": " "}


def decision_panel(decision: Decision, title: str | None = None, query: str = "") -> Panel:
    """Format a decision. title: shown instead of the verdict; query: the query, as text."""
    rows = Table.grid(padding=(0, 2))
    rows.add_column(style="bold", no_wrap=True)
    rows.add_column()
    if query:
        rows.add_row("Query", query)
    submission = decision.submission
    listing = f"{submission.audience} audience, listing {submission.listing.replace('_', ' ')}"
    rows.add_row("Submission", _half(submission.granted, listing, submission.reasons))
    rows.add_row("Package", _half(decision.package.granted, *_package(decision.package)))
    for number, remedy in enumerate(decision.remedies):
        rows.add_row("" if number else "What helps", Text(f"• {remedy.text}"))
    if decision.settling is not None:
        rows.add_row("Settling", settling_text(decision.settling))
    if decision.stale_seconds:
        rows.add_row("Stale", f"the store is unavailable; as of {decision.stale_seconds} s ago")
    parts: list[RenderableType] = [rows]
    if decision.trace is not UNSET and decision.trace:
        parts += [Text(), steps_table(decision.trace)]
    verdict = Text.assemble(
        ("✔ granted" if decision.granted else "✘ denied", "bold"), f"  {decision.product_id}"
    )
    style = "green" if decision.granted else "red"
    return Panel(
        Group(*parts),
        title=title or verdict,
        title_align="left",
        border_style=style,
        padding=(0, 1),
        subtitle=verdict if title else None,
        subtitle_align="left",
    )


def _half(granted: bool, what: str, reasons: Iterable[Reason]) -> Text:
    mark, style = ("yes", "green") if granted else ("no", "red")
    return Text.assemble((mark, f"bold {style}"), f"  {what}  ", (", ".join(reasons), "dim"))


def _package(package: PackageVerdict) -> tuple[str, tuple[Reason, ...]]:
    source = package.source
    origin = f"from {source.name} (rank {source.rank})" if source else ""
    if package.package is None:
        return origin or "nothing to offer", package.reasons
    offered = package.package
    name = offered.file_name
    if not re.search(rf"(?<![\d.]){re.escape(offered.version)}(?!\d)", name):
        name = f"{name} {offered.version}"
    what = f"{package.action} {name}, {offered.architecture}, {package.delivery}, {origin}"
    return what, package.reasons


def settling_text(settling: Settling) -> str:
    """Describe a recent change of membership, and until when the Store may not apply it."""
    until = settling.settled_at.strftime("%H:%M UTC")
    return (
        f"{settling.change} in {settling.group_id} just now; the Store itself may lag until {until}"
    )


def steps_table(steps: Iterable[TraceStep]) -> Table:
    """Format a trace as a table with one row for each step."""
    table = Table("step", "outcome", "what was compared", "rule", box=None, header_style="bold dim")
    for step in steps:
        table.add_row(step.step, step.outcome, step.detail, Text(step.source, "dim"))
    return table


def plan_table(plan: Plan) -> RenderableType:
    """Format the changes of a plan: one row for each group and product."""
    table = Table("", "what", "change", title=f"Plan for {plan.publisher}", title_justify="left")
    for group in plan.groups:
        counts = f"{group.added} added, {group.removed} removed" if group.moves_members else ""
        parts = [part for part in (counts, "consent noted" if group.consent else "") if part]
        table.add_row(*_row(group.action, f"group {group.group_id}", ", ".join(parts)))
    for product in plan.products:
        table.add_row(
            *_row(product.action, f"product {product.product_id}", "\n".join(product.differences))
        )
    for accepted in plan.accepted:
        meaning = CHOICES[accepted.partition(":")[0]]
        table.add_row(Text("!", "yellow"), Text(f"accepted {accepted}", "yellow"), Text(meaning))
    return table


def _row(action: str, what: str, details: str) -> tuple[Text, Text, Text]:
    style = _ACTION_STYLE[action]
    words = action.replace("_", " ")
    return (
        Text(_ACTION_SIGN[action], style),
        Text(what, style),
        Text(f"{words}  {details}".strip(), style),
    )


_STYLE = {"gains": "green", "loses": "red", "moves": "yellow"}
_NAMED = 3


def effects_table(effects: Effects) -> RenderableType:
    """Format who would gain or lose what: one row for each change of access."""
    if not effects.products:
        return Text("no effect on access to any product", "dim")
    table = Table("product", "accounts", "what", "who", title="Effect on access")
    table.title_justify = "left"
    table.columns[1].justify = "right"
    for product in effects.products:
        if product.becomes_public:
            what = Text("now see it: it becomes public", _STYLE["gains"])
            table.add_row(product.product_id, "all", what, "everybody")
        for change in product.changes:
            if product.becomes_public and change.kind == "audience":
                continue  # the row above covers everybody
            what = Text(
                effect_text(change), "dim" if change.blocked_by_audience else _STYLE[change.change]
            )
            table.add_row(
                product.product_id, f"{change.accounts:,}", what, Text(_first_accounts(change))
            )
    return table


def _first_accounts(change: AccessChange) -> str:
    more = change.accounts - _NAMED
    named = ", ".join(change.first[:_NAMED])
    return f"{named} and {more:,} more" if more > 0 else named
