"""Run scenarios again whenever one of their files, or a file that one names, changes."""

from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path

from rich.console import Console
from watchfiles import watch

from eligibility.cli.show.exit_codes import print_error
from eligibility.cli.show.output import console
from eligibility.errors import EligibilityError
from eligibility.simulation.scenarios.file import find_files, read_files
from groups.errors import GroupsError

_WAKE_MS = 500
"""How often the watch returns without a change. Its first return shows that it has started."""


def watched(named: Collection[Path], run: Callable[[], object]) -> None:
    """Run now and at every change, until Ctrl-C. An unreadable file is reported; then it waits.

    Raises: KeyboardInterrupt, the only way to end.
    """
    while True:
        watching = frozenset(_watched(named))
        for number, changed in enumerate(
            watch(*_existing(watching), rust_timeout=_WAKE_MS, yield_on_timeout=True)
        ):
            # Run only once the watch has started: else it would miss a change during the first run.
            if number == 0 or _concerns(changed, watching):
                _run_and_report(run)
                if frozenset(_watched(named)) != watching:
                    break  # a file names others now


def _run_and_report(run: Callable[[], object]) -> None:
    screen = console()
    screen.clear()
    try:
        run()
    except (EligibilityError, GroupsError) as error:
        print_error(error)
    Console(stderr=True).print("Waiting for changes. Ctrl-C ends.", style="dim")


def _watched(named: Iterable[Path]) -> Iterator[Path]:
    """The named files, and the files that they name; an unreadable file is watched alone."""
    for path in named:
        yield path.resolve()
        try:
            files = read_files(find_files([path]))
        except EligibilityError:
            continue
        yield from (other.resolve() for file in files for other in file.reads)


def _existing(paths: Iterable[Path]) -> set[Path]:
    """The directories to watch. Not the files: editors replace a file by a new one."""
    near = {path if path.is_dir() else path.parent for path in paths}
    return {path for path in near if path.is_dir()}


def _concerns(changed: Iterable[tuple[object, str]], watching: Collection[Path]) -> bool:
    return any(
        Path(name).resolve() == path or path in Path(name).resolve().parents
        for _, name in changed
        for path in watching
    )
