"""`eligibility timeline`: when an account's answer changed or will change, and why."""

from typing import Annotated

import typer

from eligibility.access.model import Device
from eligibility.changes.responses import timeline_response
from eligibility.cli.options import query as options
from eligibility.cli.options.base import JsonOption, StoreOption, service
from eligibility.cli.options.bundles import bundled, first_set
from eligibility.cli.show.difference import timeline_view
from eligibility.cli.show.output import console, print_json
from eligibility.errors import Fault, InvalidInput
from eligibility.explain.device_names import device_name
from eligibility.simulation.inputs.devices import NamedDevice, read_devices


@bundled
def timeline(
    product: options.ProductOption,
    account: options.AccountOptions,
    device: options.OptionalDeviceOptions,
    claims: options.ClaimOptions,
    devices: Annotated[
        str | None,
        typer.Option(
            "--devices",
            "-d",
            help="Presets (desktop, xbox, all, ...), CSV files and devices, instead of --family and"
            " --os. By default desktop.",
        ),
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Also moments at which the answer stayed the same.")
    ] = False,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show when an account's answer changed or will change, and the reason for each change.

    Reasons: edits of groups, writes of the product, publication dates, and the time until the Store
    applies a change of membership. Today's OS floors are used for all dates.
    """
    asker = options.asker_of(claims, account)
    named = _devices(devices, device)
    with service(store) as opened:
        timeline = opened.timeline(product, asker, named)
        response = timeline_response(timeline, opened.now(), everything=everything)
    if as_json:
        print_json(response)
    else:
        console().print(timeline_view(response))


def _devices(devices: str | None, option: options.OptionalDeviceOptions) -> tuple[NamedDevice, ...]:
    if first_set(option) is None:
        return read_devices(devices or "desktop")
    if devices is not None or option.family is None or option.os is None:
        detail = "use either --family and --os (optionally --arch), or --devices"
        raise InvalidInput([Fault("--devices", "WRONG_VALUE", detail)], "the command")
    device = Device.parse(option.family, option.os, option.arch)
    return (NamedDevice(device_name(device), device),)
