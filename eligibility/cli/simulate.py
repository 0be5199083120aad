"""`eligibility simulate`: accounts x devices, as a grid, a file of cells or a page to mail."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, BinaryIO

import typer

from eligibility.cli.options import query as options
from eligibility.cli.options.base import AtOption, JsonOption, StoreOption, service
from eligibility.cli.options.simulation import (
    AccountsOption,
    DevicesOption,
    WithCatalogOption,
    WithGroupsOption,
    WithRequirementsOption,
    asked_of,
    asker_of,
)
from eligibility.errors import Fault, InvalidInput
from eligibility.formats.atomic_file import whole_file
from eligibility.simulation.inputs.devices import read_devices
from eligibility.simulation.matrix import before_settling
from eligibility.simulation.matrix import simulate as simulated
from eligibility.simulation.reports import FORMATS, Format, SimulationReport
from eligibility.simulation.rollout_shares import shares_of


def simulate(
    product: options.ProductOption,
    accounts: AccountsOption = None,
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
    settling: Annotated[
        bool,
        typer.Option(
            "--settling",
            help="Of accounts that changed groups in the last 30 minutes both sides: as it is here,"
            " and what the Store itself may still say.",
        ),
    ] = False,
    rollout: Annotated[
        str | None,
        typer.Option(
            metavar="PERCENT,...",
            help="Shares of the audience at these percentages of each rollout in progress, beside"
            " the declared one.",
        ),
    ] = None,
    each: Annotated[
        bool | None,
        typer.Option(
            "--each/--grouped",
            help="A row for each account, or one for all that are answered alike. By default the"
            " latter from 41 accounts on.",
            show_default=False,
        ),
    ] = None,
    report_format: Annotated[
        Format | None,
        typer.Option(
            "--format",
            "-f",
            help="How to write it. By default as the name of --output ends, else a table.",
            show_default=False,
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="File to write; standard output by default."),
    ] = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say who gets what: every account on every device. Exit code 0 where it ran, whatever it says.

    `eligibility simulate --product 9NCONTOSORDR --accounts testers.csv --output report.html`
    """
    chosen = _format(report_format, output, as_json)
    named = read_devices(devices)
    percentages = _percentages(rollout)
    defaults = asker_of(installed, owned, market, promotional_code, manual_check)
    with service(store) as opened, _opened(output, chosen) as out:
        asked = asked_of(
            opened,
            product,
            accounts,
            at,
            with_groups=with_groups,
            with_catalog=with_catalog,
            with_requirements=with_requirements,
            defaults=defaults,
        )
        state = opened.states.read(product, asked.at, asked.draft)
        matrix = simulated(state, asked.population, named)
        earlier = before_settling(matrix) if settling else None
        report = SimulationReport(matrix, earlier, shares_of(matrix, percentages), each)
        FORMATS[chosen].write(report, out)


def _format(wanted: Format | None, output: Path | None, as_json: bool) -> Format:
    """The format asked for, or that of the file's name. Raises: MissingPackage, InvalidInput."""
    if as_json and wanted not in (None, Format.JSON):
        detail = f"`--json` is `--format json`, and `--format {wanted}` is asked for, too"
        raise _usage("--format", "WRONG_USAGE", detail)
    ending = output.suffix.removeprefix(".").lower() if output else ""
    meant = Format(ending) if ending in list(Format) else Format.TABLE
    chosen = Format.JSON if as_json else wanted or meant
    FORMATS[chosen].check()
    return chosen


def _percentages(text: str | None) -> list[float]:
    """The percentages of `--rollout`. Raises: InvalidInput naming each that is none."""
    found: list[float] = []
    faults: list[Fault] = []
    for part in filter(None, (one.strip() for one in (text or "").split(","))):
        try:
            percentage = float(part.removesuffix("%"))
        except ValueError:
            percentage = -1.0
        if 0 <= percentage <= 100:
            found.append(percentage)
        else:
            detail = f"`{part}` is no percentage: 0 to 100, as in 10,25,50"
            faults.append(Fault("--rollout", "WRONG_VALUE", detail))
    if faults:
        raise InvalidInput(faults, "the command")
    return found


@contextmanager
def _opened(output: Path | None, chosen: Format) -> Iterator[BinaryIO]:
    """Where the report goes, opened before anything is simulated. Raises: InvalidInput."""
    if output is not None:
        with whole_file(output) as out:
            yield out
        return
    if not FORMATS[chosen].text and sys.stdout.isatty():
        detail = f"{chosen} is nothing for a terminal: give --output FILE, or redirect"
        raise _usage("--output", "NOT_FOR_A_TERMINAL", detail)
    sys.stdout.flush()
    yield sys.stdout.buffer
    sys.stdout.buffer.flush()


def _usage(loc: str, code: str, detail: str) -> InvalidInput:
    return InvalidInput([Fault(loc, code, detail)], "the command")
