"""An explained decision for people: the verdict, the reasons, and what would change it."""

from msgspec import UNSET
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from eligibility.access.explanation import ChangeSet, LeastChange, Sentence
from eligibility.access.model import Decision
from eligibility.cli.show.base import settling_text

_MOST_WAYS = 4
"""How many ways are shown. --json shows all."""


def letter(decision: Decision, product: str, state: str) -> Panel:
    """Format an explained decision. product: its name. state: the label of the evaluated state."""
    verdict, *why = () if decision.story is UNSET else decision.story
    parts: list[RenderableType] = [Text(verdict.text, "bold"), Text()]
    parts += [_titled("Why", _reasons(why))]
    if decision.nearest is not UNSET:
        parts += _smallest_changes(decision.nearest) or _flight_hint(decision)
    if decision.settling is not None:
        parts += [Text(), _titled("Mind", Text(settling_text(decision.settling)))]
    parts += [Text(), _pages(why)]
    granted = decision.granted
    return Panel(
        Group(*parts),
        title=Text.assemble(
            ("✔ granted" if granted else "✘ denied", "bold"), f"  {product}, {decision.product_id}"
        ),
        title_align="left",
        subtitle=Text(state, "dim"),
        subtitle_align="right",
        border_style="green" if granted else "red",
        padding=(1, 2),
    )


def _titled(title: str, content: RenderableType) -> RenderableType:
    return Group(Text(title, "bold"), Padding(content, (0, 0, 0, 2)))


def _reasons(sentences: list[Sentence]) -> Table:
    rows = Table.grid(padding=(0, 1))
    rows.add_column(justify="right", style="dim")
    rows.add_column()
    for number, sentence in enumerate(sentences, 1):
        marks = " ".join(page.code for page in sentence.sources)
        rows.add_row(f"{number}.", Text.assemble(sentence.text, (f"  {marks}", "dim")))
    return rows


def _flight_hint(decision: Decision) -> list[RenderableType]:
    """Suggest --wanting for each higher flight that the remedies name."""
    missed = dict.fromkeys(
        flight
        for remedy in decision.remedies
        if remedy.unlocks == "flight"
        for flight in remedy.flights
    )
    if not missed:
        return []
    options = " or ".join(f"--wanting {flight}" for flight in missed)
    return [Text(), Text(f"To see what would give a higher flight, add {options}.", "dim")]


def _smallest_changes(nearest: LeastChange) -> list[RenderableType]:
    """Format the smallest changes; return [] if the goal is met already."""
    if not nearest.ways and nearest.tries == 1:
        return []
    tried = f"{nearest.tries:,} decisions were tried"
    if not nearest.ways:
        until = "" if nearest.complete else ", which is the limit"
        nothing = Text(f"No small number of changes helps; {tried}{until}.")
        return [Text(), _titled(f"To get {nearest.wanted}", nothing)]
    rows = Table.grid(padding=(0, 1))
    rows.add_column()
    rows.add_column()
    for way in nearest.ways[:_MOST_WAYS]:
        rows.add_row("•", _way(way))
    more = len(nearest.ways) - _MOST_WAYS
    rest = f"{more} more {'way' if more == 1 else 'ways'} with --json; " if more > 0 else ""
    rows.add_row("", Text(f"{rest}{tried}", "dim"))
    one_of = "do this" if len(nearest.ways) == 1 else "do one of these"
    return [Text(), _titled(f"To get {nearest.wanted}, {one_of}", rows)]


def _way(way: ChangeSet) -> Text:
    done = ", and ".join(change.text for change in way.changes)
    kind, _, flight = way.source.partition(" ")
    origin = f"the flight {flight}" if kind == "flight" else "the general release"
    return Text.assemble(done[:1].upper() + done[1:], (f" → {way.version} from {origin}", "dim"))


def _pages(sentences: list[Sentence]) -> RenderableType:
    """List code and title of each cited documentation page, in the order of the sentences."""
    named = dict.fromkeys(page for sentence in sentences for page in sentence.sources)
    entries = (Text.assemble((page.code, "bold"), f" {page.title}", style="dim") for page in named)
    return _titled("The rules are on these pages", Text(" · ", "dim").join(entries))
