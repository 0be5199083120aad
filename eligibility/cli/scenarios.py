"""`eligibility test`: run scenario files, or record a scenario from a query."""

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from eligibility.access.model import AccountKind
from eligibility.cli import recording
from eligibility.cli.options import query as options
from eligibility.cli.options.base import AtOption, JsonOption, StoreOption
from eligibility.cli.scenario_sources import state_sources
from eligibility.cli.show.exit_codes import Exit
from eligibility.cli.show.output import console, print_json
from eligibility.cli.show.scenarios import results
from eligibility.cli.watch import watched
from eligibility.errors import Fault, InvalidInput
from eligibility.formats.atomic_file import write_whole
from eligibility.simulation.scenarios.file import find_files, read_files
from eligibility.simulation.scenarios.junit import junit_xml
from eligibility.simulation.scenarios.messages import as_plain
from eligibility.simulation.scenarios.run import FileResult, run_file
from eligibility.simulation.scenarios.state_sources import bind


def scenarios(
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
        bool, typer.Option("--quiet", "-q", help="Of cases that are as expected only the number.")
    ] = False,
    store: StoreOption = None,
    as_json: JsonOption = False,
    record: recording.RecordFileOption = None,
    case: recording.RecordSentenceOption = None,
    inline: recording.RecordInlineOption = False,
    mask: recording.RecordMaskOption = False,
    product: options.OptionalProductOption = None,
    family: options.OptionalFamilyOption = None,
    os_version: options.OptionalOsVersionOption = None,
    account: options.AccountOption = None,
    kind: options.AccountKindOption = AccountKind.MICROSOFT,
    alias: options.AliasOption = None,
    arch: options.ArchitectureOption = None,
    installed: options.InstalledOption = None,
    owned: options.OwnedOption = False,
    market: options.MarketOption = None,
    promotional_code: options.PromotionalCodeOption = False,
    manual_check: options.ManualCheckOption = False,
    at: AtOption = None,
) -> None:
    """Run scenario files: who is expected to get what, and whether it is so.

    A file names a catalogue or writes one out; one that does neither asks the store.
    Exit code: 0 all as expected; 1 not, or a file cannot be read, and then nothing was run; 2 usage.
    """
    asked = recording.RecordRequest(
        *(product, family, os_version, account, kind, tuple(alias or ()), arch, installed),
        *(owned, market, promotional_code, manual_check, at, case, inline, mask),
    )
    if record is not None:
        if files or junit or watch or only:
            raise typer.BadParameter(
                "it records one case; run files without it", param_hint="--record"
            )
        recording.record(record, asked, store, as_json)
        return
    if asked != recording.NOTHING:
        raise typer.BadParameter("only --record asks a query", param_hint=asked.first_option())
    if not files:
        raise typer.BadParameter("name at least one", param_hint="FILES")
    if watch:
        watched(files, lambda: _run(files, store, only, junit, quiet, as_json))
        return
    ran = _run(files, store, only, junit, quiet, as_json)
    raise typer.Exit(Exit.FAILED if any(one.failed for one in ran) else Exit.GRANTED)


def _run(
    named: Sequence[Path],
    store: str | None,
    only: str | None,
    junit: Path | None,
    quiet: bool,
    as_json: bool,
) -> tuple[FileResult, ...]:
    """Read everything, then run everything, then tell."""
    files = read_files(find_files(named))
    with state_sources(files, store, datetime.now(UTC)) as opened:
        bound = bind(files, opened)
        wanted = [
            [
                pair
                for pair in pairs
                if only is None or only.casefold() in pair[0].sentence.casefold()
            ]
            for pairs in bound
        ]
        if not any(wanted):
            detail = f"no case has `{only}` in its sentence"
            raise InvalidInput([Fault("--filter", "NO_CASES", detail)], "the command")
        ran = tuple(
            run_file(file, pairs, time.perf_counter)
            for file, pairs in zip(files, wanted, strict=True)
            if pairs
        )
    if junit is not None:
        write_whole(junit, junit_xml(ran))
    if as_json:
        print_json(as_plain(ran))
    else:
        console().print(results(ran, quiet))
    return ran
