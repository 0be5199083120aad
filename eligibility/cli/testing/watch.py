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
"""Milliseconds between returns without a change. The first return shows that the watch started."""


def watched(named: Collection[Path], run: Callable[[], object]) -> None:
    """Run now and at every change until Ctrl-C (KeyboardInterrupt). Report unreadable files."""
    while True:
        watching = frozenset(_watched(named))
        for number, changed in enumerate(
            watch(*_existing(watching), rust_timeout=_WAKE_MS, yield_on_timeout=True)
        ):
            # The first run starts after the watch: else a change during that run would be missed.
            if number == 0 or _concerns(changed, watching):
                _run_and_report(run)
                if frozenset(_watched(named)) != watching:
                    break  # a file now names other files: watch those


def _run_and_report(run: Callable[[], object]) -> None:
    screen = console()
    screen.clear()
    try:
        run()
    except (EligibilityError, GroupsError) as error:
        print_error(error)
    Console(stderr=True).print("Waiting for changes. Ctrl-C ends.", style="dim")


def _watched(named: Iterable[Path]) -> Iterator[Path]:
    """List the named files and the files that they name; for an unreadable file, only itself."""
    for path in named:
        yield path.resolve()
        try:
            files = read_files(find_files([path]))
        except EligibilityError:
            continue
        yield from (other.resolve() for file in files for other in file.reads)


def _existing(paths: Iterable[Path]) -> set[Path]:
    """List the directories to watch. Watching files would fail, because editors replace them."""
    near = {path if path.is_dir() else path.parent for path in paths}
    return {path for path in near if path.is_dir()}


def _concerns(changed: Iterable[tuple[object, str]], watching: Collection[Path]) -> bool:
    return any(
        Path(name).resolve() == path or path in Path(name).resolve().parents
        for _, name in changed
        for path in watching
    )
