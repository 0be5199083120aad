"""`eligibility test`: run scenario files, or record a scenario from a query."""

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from eligibility.cli.options import query as options
from eligibility.cli.options.base import JsonOption, StoreOption
from eligibility.cli.options.bundles import bundled, first_set
from eligibility.cli.show.exit_codes import Exit
from eligibility.cli.show.output import console, print_json
from eligibility.cli.show.scenarios import results
from eligibility.cli.testing.recording import RecordOptions, query_of, record_case
from eligibility.cli.testing.sources import state_sources
from eligibility.cli.testing.watch import watched
from eligibility.errors import Fault, InvalidInput
from eligibility.formats.atomic_file import write_whole
from eligibility.simulation.scenarios.file import find_files, read_files
from eligibility.simulation.scenarios.junit import junit_xml
from eligibility.simulation.scenarios.messages import as_plain
from eligibility.simulation.scenarios.run import FileResult, run_file
from eligibility.simulation.scenarios.state_sources import bind


@bundled
def scenarios(
    device: options.OptionalDeviceOptions,
    account: options.AccountOptions,
    claims: options.ClaimOptions,
    record: RecordOptions,
    files: Annotated[
        list[Path] | None,
        typer.Argument(help="Scenario files, and directories of them.", show_default=False),
    ] = None,
    junit: Annotated[
        Path | None, typer.Option("--junit", help="Write JUnit XML, for continuous integration.")
    ] = None,
    watch: Annotated[
        bool, typer.Option("--watch", "-w", help="Run again whenever a file changes; Ctrl-C ends.")
    ] = False,
    only: Annotated[
        str | None, typer.Option("--filter", help="Only cases whose sentence has this text.")
    ] = None,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Do not list the cases that pass; count them.")
    ] = False,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Run scenario files: check that each account gets what the files expect.

    A file that neither names nor contains a catalogue is run against the store.
    Exit code: 0 all pass; 1 some fail, or none ran because a file is unreadable; 2 wrong usage.
    """
    if record.record is not None:
        if files or junit or watch or only:
            detail = "it records one case: run files without it"
            raise typer.BadParameter(detail, param_hint="--record")
        query = query_of(record, device, account, claims)
        record_case(record.record, query, record, store, as_json)
        return
    option = first_set(device, account, claims, record)
    if option is not None:
        raise typer.BadParameter("it has a meaning only with --record", param_hint=option)
    if not files:
        raise typer.BadParameter("name at least one file or directory", param_hint="FILES")
    run = partial(_run, files, store, only, junit, quiet, as_json)
    if watch:
        watched(files, run)
        return
    failed = any(result.failed for result in run())
    raise typer.Exit(Exit.FAILED if failed else Exit.GRANTED)


def _run(
    named: Sequence[Path],
    store: str | None,
    only: str | None,
    junit: Path | None,
    quiet: bool,
    as_json: bool,
) -> tuple[FileResult, ...]:
    """Read all files, run them, and print the results."""
    files = read_files(find_files(named))
    text = (only or "").casefold()
    with state_sources(files, store, datetime.now(UTC)) as opened:
        chosen = [
            [pair for pair in pairs if text in pair[0].sentence.casefold()]
            for pairs in bind(files, opened)
        ]
        if not any(chosen):
            detail = f"no case has `{only}` in its sentence"
            raise InvalidInput([Fault("--filter", "NO_CASES", detail)], "the command")
        ran = tuple(
            run_file(file, pairs, time.perf_counter)
            for file, pairs in zip(files, chosen, strict=True)
            if pairs
        )
    if junit is not None:
        write_whole(junit, junit_xml(ran))
    if as_json:
        print_json(as_plain(ran))
    else:
        console().print(results(ran, quiet))
    return ran
