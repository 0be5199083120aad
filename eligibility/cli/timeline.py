"""`eligibility timeline`: when an account's answer changed or will change, and why."""

from typing import Annotated

import typer

from eligibility.access.asker import Asker
from eligibility.access.model import AccountKind, Device
from eligibility.changes.responses import timeline_response
from eligibility.changes.timeline import turns
from eligibility.cli.options import query as options
from eligibility.cli.options.base import JsonOption, StoreOption, service
from eligibility.cli.show.difference import timeline_view
from eligibility.cli.show.output import console, print_json
from eligibility.errors import Fault, InvalidInput
from eligibility.simulation.inputs.devices import NamedDevice, device_name, read_devices
from eligibility.windows.versions import release_name


def timeline(
    product: options.ProductOption,
    account: options.AccountOption = None,
    kind: options.AccountKindOption = AccountKind.MICROSOFT,
    alias: options.AliasOption = None,
    family: options.OptionalFamilyOption = None,
    os_version: options.OptionalOsVersionOption = None,
    arch: options.ArchitectureOption = None,
    devices: Annotated[
        str | None,
        typer.Option(
            "--devices",
            "-d",
            help="Presets (desktop, xbox, all, ...), CSV files and devices, instead of --family and"
            " --os. By default desktop.",
        ),
    ] = None,
    installed: options.InstalledOption = None,
    owned: options.OwnedOption = False,
    market: options.MarketOption = None,
    promotional_code: options.PromotionalCodeOption = False,
    manual_check: options.ManualCheckOption = False,
    everything: Annotated[
        bool, typer.Option("--all", help="Also moments at which the answer stayed the same.")
    ] = False,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the moments at which an account's answer changed or will change, and what made it.

    Past and ahead: edits of groups, writes of the product, public and publish dates, and when a
    change of membership has settled in the Store. Floors are those of today all along.
    """
    asker = Asker.parse(
        account=options.account_fields(account, kind, alias),
        installed_version=installed,
        owned=owned,
        market=market,
        promotional_code=promotional_code,
        manual_check=manual_check,
    )
    named = _devices(devices, family, os_version, arch)
    with service(store) as opened:
        past = opened.past(product, asker.addresses)
        requirements = opened.evaluator.requirements
        found = turns(past, asker, named, requirements, everything=everything)
        name = asker.account.id if asker.account else None
        shown = timeline_response(product, name, named, found, opened.now())
    if as_json:
        print_json(shown)
    else:
        console().print(timeline_view(shown))


def _devices(
    devices: str | None, family: str | None, os_version: str | None, arch: str | None
) -> tuple[NamedDevice, ...]:
    if family is None and os_version is None and arch is None:
        return read_devices(devices or "desktop")
    if devices is not None or family is None or os_version is None:
        detail = "give --family and --os (and maybe --arch), or --devices"
        raise InvalidInput([Fault("--devices", "WRONG_VALUE", detail)], "the command")
    device = Device.parse(family, os_version, arch)
    release = release_name(device.version) or f"Windows {device.os_version}"
    return (NamedDevice(device_name(device, release), device),)
