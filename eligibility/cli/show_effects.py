"""Effects on access as people read them."""

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from eligibility.effects import AccessChange, Effects
from eligibility.effects_told import in_words

_STYLE = {"gains": "green", "loses": "red", "moves": "yellow"}
_NAMED = 3


def effects_table(effects: Effects) -> RenderableType:
    """Who would gain or lose what, a row a change."""
    if not effects.products:
        return Text("no effect on access to any product", "dim")
    table = Table("product", "accounts", "what", "who", title="Effect on access")
    table.title_justify = "left"
    table.columns[1].justify = "right"
    for product in effects.products:
        if product.becomes_public:
            what = Text("gain sight of it: it becomes public", _STYLE["gains"])
            table.add_row(product.product_id, "all", what, "everybody")
        for change in product.changes:
            if product.becomes_public and change.kind == "audience":
                continue  # said above of everybody
            what = Text(
                in_words(change), "dim" if change.blocked_by_audience else _STYLE[change.change]
            )
            table.add_row(product.product_id, f"{change.accounts:,}", what, Text(_who(change)))
    return table


def _who(change: AccessChange) -> str:
    more = change.accounts - _NAMED
    named = ", ".join(change.first[:_NAMED])
    return f"{named} and {more:,} more" if more > 0 else named
