"""`eligibility coverage`: how many members of a product's groups reach what, and why others do not."""

from eligibility.cli.options import query as options
from eligibility.cli.options.base import AtOption, JsonOption, StoreOption, service
from eligibility.cli.options.simulation import (
    DevicesOption,
    WithCatalogOption,
    WithGroupsOption,
    WithRequirementsOption,
    asked_of,
    asker_of,
)
from eligibility.cli.show.coverage import coverage_tables
from eligibility.cli.show.output import console, print_json
from eligibility.simulation.coverage import coverage as covered
from eligibility.simulation.inputs.accounts import ANONYMOUS
from eligibility.simulation.inputs.devices import read_devices


def coverage(
    product: options.ProductOption,
    devices: DevicesOption = "flights",
    at: AtOption = None,
    with_groups: WithGroupsOption = None,
    with_catalog: WithCatalogOption = None,
    with_requirements: WithRequirementsOption = None,
    installed: options.InstalledOption = None,
    owned: options.OwnedOption = False,
    market: options.MarketOption = None,
    promotional_code: options.PromotionalCodeOption = False,
    manual_check: options.ManualCheckOption = False,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Count how many members of a product's groups reach which flight on which devices.

    Who gets nothing is counted by reason; then which groups have members in common and which flight
    wins, and how far rollouts are. No address is looked at.
    """
    named = read_devices(devices)
    defaults = asker_of(installed, owned, market, promotional_code, manual_check)
    with service(store) as opened:
        asked = asked_of(
            opened,
            product,
            ANONYMOUS[0],  # nobody: members are counted, not named
            at,
            with_groups=with_groups,
            with_catalog=with_catalog,
            with_requirements=with_requirements,
        )
        state = opened.states.read(product, asked.at, asked.draft)
        found = covered(state, named, defaults)
    if as_json:
        print_json(found)
    else:
        console().print(coverage_tables(found))
