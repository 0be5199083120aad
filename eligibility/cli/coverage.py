"""`eligibility coverage`: how many members of a product's groups get which flight, or why not."""

from eligibility.cli.options import query as options
from eligibility.cli.options.base import JsonOption, StoreOption, service
from eligibility.cli.options.bundles import bundled
from eligibility.cli.options.simulation import DevicesOption, StateOptions
from eligibility.cli.show.coverage import coverage_tables
from eligibility.cli.show.output import console, print_json
from eligibility.simulation.coverage import coverage as coverage_of
from eligibility.simulation.inputs.devices import read_devices


@bundled
def coverage(
    product: options.ProductOption,
    claims: options.ClaimOptions,
    state: StateOptions,
    devices: DevicesOption = "flights",
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Count how many members of a product's groups get which flight on which devices.

    Also count members who get nothing, by reason; and show groups that share members, the flight
    that those members get, and the progress of rollouts. No address is shown.
    """
    named = read_devices(devices)
    defaults = options.asker_of(claims)
    with service(store) as opened:
        result = coverage_of(state.read(opened, product), named, defaults)
    if as_json:
        print_json(result)
    else:
        console().print(coverage_tables(result))
