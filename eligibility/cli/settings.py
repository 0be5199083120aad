"""The `settings` command."""

import os

from rich.table import Table

from eligibility.cli.options.base import JsonOption, StoreOption
from eligibility.cli.show.output import console, print_json
from eligibility.service.settings import Settings
from eligibility.service.settings_sources import load_settings


def settings(store: StoreOption = None, as_json: JsonOption = False) -> None:
    """Show the settings in force, and where each value comes from."""
    loaded = load_settings(os.environ, {"store": store})
    values = loaded.settings.shown()
    if as_json:
        print_json({n: {"value": v, "from": loaded.origins[n]} for n, v in values.items()})
        return
    table = Table("setting", "value", "from", "meaning", title="Settings in force")
    for name, description in Settings.descriptions().items():
        shown = "-" if values[name] is None else str(values[name])
        table.add_row(name, shown, loaded.origins[name], description)
    console().print(table)
