"""`eligibility simulate`: what accounts get on devices, as a table, a data file or a web page."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Annotated, BinaryIO

import typer

from eligibility.access.asker import Asker
from eligibility.cli.options import query as options
from eligibility.cli.options.base import JsonOption, StoreOption, service
from eligibility.cli.options.bundles import bundled
from eligibility.cli.options.simulation import AccountsOption, DevicesOption, StateOptions
from eligibility.errors import Fault, InvalidInput
from eligibility.formats.atomic_file import whole_file
from eligibility.service.service import Service
from eligibility.simulation.inputs.accounts import read_accounts
from eligibility.simulation.inputs.devices import read_devices
from eligibility.simulation.inputs.population import Population
from eligibility.simulation.matrix import before_settling
from eligibility.simulation.matrix import simulate as simulate_matrix
from eligibility.simulation.reports import FORMATS, Format, SimulationReport
from eligibility.simulation.rollout_shares import shares_of
from eligibility.simulation.state import State


@bundled
def simulate(
    product: options.ProductOption,
    claims: options.ClaimOptions,
    state: StateOptions,
    accounts: AccountsOption = None,
    devices: DevicesOption = "flights",
    settling: Annotated[
        bool,
        typer.Option(
            "--settling",
            help="Show accounts whose groups changed in the last 30 minutes twice: with the present"
            " answer, and with the answer that the Store itself may still give.",
        ),
    ] = False,
    rollout: Annotated[
        str | None,
        typer.Option(
            metavar="PERCENT,...",
            help="Show the audience's shares also at these percentages of each rollout.",
        ),
    ] = None,
    each: Annotated[
        bool | None,
        typer.Option(
            "--each/--grouped",
            help="Show a row for each account, or one for all accounts with the same answers. By"
            " default accounts are grouped if there are more than 40.",
            show_default=False,
        ),
    ] = None,
    report_format: Annotated[
        Format | None,
        typer.Option(
            "--format",
            "-f",
            help="Format. The default follows the ending of --output; without --output, it is a table.",
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
    """Show what every account gets on every device. Exit code 0 unless it fails to run.

    `eligibility simulate --product 9NCONTOSORDR --accounts testers.csv --output report.html`
    """
    chosen = _format(report_format, output, as_json)
    named, percentages = read_devices(devices), _percentages(rollout)
    defaults = options.asker_of(claims)
    with service(store) as opened, _opened(output, chosen) as out:
        current, population = _read(opened, product, state, accounts, defaults)
        matrix = simulate_matrix(current, population, named)
        earlier = before_settling(matrix) if settling else None
        report = SimulationReport(matrix, earlier, shares_of(matrix, percentages), each)
        FORMATS[chosen].write(report, out)


def _read(
    service: Service, product_id: str, options: StateOptions, accounts: str | None, defaults: Asker
) -> tuple[State, Population]:
    """Read a product's state and the accounts: those given, or else all members of its groups."""
    states, moment = service.states, options.moment
    publisher = options.publisher(service, product_id)
    draft = options.draft(publisher)
    members = partial(states.members, publisher, at=moment, draft=draft)
    state = states.read(product_id, moment, draft)
    if accounts is not None:
        return state, read_accounts(accounts, members, defaults, ranks=service.header_ranks)
    addresses = [address for group in sorted(state.product.groups) for address in members(group)]
    return state, Population(list(dict.fromkeys(addresses)), defaults)


def _format(named: Format | None, output: Path | None, as_json: bool) -> Format:
    """Return the format by option or file name. Raises: MissingPackage, InvalidInput."""
    if as_json and named not in (None, Format.JSON):
        detail = f"use either `--json` or `--format {named}`, not both"
        raise _usage("--format", "WRONG_USAGE", detail)
    ending = output.suffix.removeprefix(".").lower() if output else ""
    by_name = Format(ending) if ending in list(Format) else Format.TABLE
    chosen = Format.JSON if as_json else named or by_name
    FORMATS[chosen].check()
    return chosen


def _percentages(text: str | None) -> list[float]:
    """Read the percentages of `--rollout`. Raises: InvalidInput, which lists all invalid ones."""
    percentages: list[float] = []
    faults: list[Fault] = []
    for part in filter(None, (part.strip() for part in (text or "").split(","))):
        try:
            percentage = float(part.removesuffix("%"))
        except ValueError:
            percentage = -1.0
        if 0 <= percentage <= 100:
            percentages.append(percentage)
        else:
            detail = f"`{part}` is not a percentage from 0 to 100, as in 10,25,50"
            faults.append(Fault("--rollout", "WRONG_VALUE", detail))
    if faults:
        raise InvalidInput(faults, "the command")
    return percentages


@contextmanager
def _opened(output: Path | None, chosen: Format) -> Iterator[BinaryIO]:
    """Open the output before the simulation: a wrong path fails early. Raises: InvalidInput."""
    if output is not None:
        with whole_file(output) as out:
            yield out
        return
    if not FORMATS[chosen].text and sys.stdout.isatty():
        detail = f"a terminal cannot show {chosen}: add --output FILE, or redirect the output"
        raise _usage("--output", "NOT_FOR_A_TERMINAL", detail)
    sys.stdout.flush()
    yield sys.stdout.buffer
    sys.stdout.buffer.flush()


def _usage(loc: str, code: str, detail: str) -> InvalidInput:
    return InvalidInput([Fault(loc, code, detail)], "the command")
