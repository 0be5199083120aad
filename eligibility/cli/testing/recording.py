"""`eligibility test --record`: ask the store one query, and write query and answer as a case."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import typer

from eligibility.access import wire
from eligibility.access.model import AccessQuery, Decision
from eligibility.catalog.files import read_text
from eligibility.cli.options import query as options
from eligibility.cli.options.base import AtOption, service
from eligibility.cli.show.base import decision_panel
from eligibility.cli.show.output import console, print_json
from eligibility.cli.testing.sources import state_source
from eligibility.errors import Fault, InvalidInput
from eligibility.formats.atomic_file import write_whole
from eligibility.service.service import Service
from eligibility.simulation.scenarios.file import read_text_of
from eligibility.simulation.scenarios.messages import difference_lines
from eligibility.simulation.scenarios.model import InvalidScenarios
from eligibility.simulation.scenarios.record import (
    Recording,
    appended,
    given_fields,
    new_file,
    recorded_case,
)
from eligibility.simulation.scenarios.run import run


@dataclass(frozen=True)
class RecordOptions:
    """Options for recording a case. The access query to record has its own options."""

    record: Annotated[
        Path | None,
        typer.Option(
            "--record",
            help="Ask the store one access query, and add it with its answer to this file as a case.",
        ),
    ] = None
    case: Annotated[
        str | None,
        typer.Option(
            "--case", help="With --record: the sentence of the case; by default it is generated."
        ),
    ] = None
    inline: Annotated[
        bool,
        typer.Option(
            "--inline",
            help="With --record: write the product, the account's groups and the moment into the"
            " file, so that it needs no store.",
        ),
    ] = False
    mask: Annotated[
        bool,
        typer.Option(
            "--mask",
            help="With --record: write invented addresses that get the same answer. Groups keep"
            " their names.",
        ),
    ] = False
    product: options.OptionalProductOption = None
    at: AtOption = None


def query_of(
    record: RecordOptions,
    device: options.OptionalDeviceOptions,
    account: options.AccountOptions,
    claims: options.ClaimOptions,
) -> AccessQuery:
    """Read the access query to record. Raises: InvalidInput; BadParameter for a missing option."""
    product = _needed("product", record.product)
    family, version = _needed("family", device.family), _needed("os", device.os)
    needed = options.DeviceOptions(family, version, device.arch)
    return options.query_of(product, needed, account, claims, record.at)


def _needed(name: str, value: str | None) -> str:
    if value is None:
        raise typer.BadParameter("--record needs it", param_hint=f"--{name}")
    return value


def record_case(
    path: Path, query: AccessQuery, options: RecordOptions, store: str | None, as_json: bool
) -> None:
    """Ask the query, write the case if it passes in the file, and print the answer."""
    how = Recording(options.case, options.inline, options.mask)
    with service(store) as opened:
        decision = _record(path, query, how, opened)
    if as_json:
        print_json(wire.encode(decision))
        return
    console().print(decision_panel(decision))
    console().print(f"Recorded in {path}", style="dim", markup=False, soft_wrap=True)


def _record(path: Path, query: AccessQuery, how: Recording, opened: Service) -> Decision:
    state = opened.states.read(query.product_id, query.at)
    if path.exists():
        before = read_text(path)
        present = read_text_of(path, before)
        if how.inline and present.catalog is None:
            detail = (
                "this file queries the live store: record without --inline, or into another file"
            )
            raise InvalidScenarios([Fault(str(path), "GIVEN_DIFFERS", detail)])
        if present.catalog is not None:  # it has no members and no date: add them inline
            how = replace(how, inline=True)
        text = appended(before, recorded_case(query, state, how), str(path))
    else:
        text = new_file(given_fields(state, how), recorded_case(query, state, how))
    _check(path, text, opened)
    write_whole(path, text)
    return state.decide(query)


def _check(path: Path, text: str, opened: Service) -> None:
    """Check that the new case passes in the new text of the file. Raises: InvalidScenarios."""
    try:
        file = read_text_of(path, text)
        scenario = file.scenarios[-1]
        result = run(
            scenario,
            state_source(file, opened.evaluator.requirements, opened.now(), opened).state(scenario),
        )
    except InvalidInput as error:
        detail = "nothing was recorded, because the case does not fit into the file: " + "; ".join(
            map(str, error.faults)
        )
        raise InvalidScenarios([Fault(str(path), "NOT_RECORDED", detail)]) from None
    if not result.passed:
        lines = "; ".join(difference_lines(result.mismatches[0]))
        detail = f"nothing was recorded, because this file's catalogue answers differently: {lines}"
        raise InvalidScenarios([Fault(str(path), "NOT_RECORDED", detail)])
