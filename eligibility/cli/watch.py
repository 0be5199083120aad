"""Run again whenever a scenario file, or a file that one names, changes."""

from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path

from rich.console import Console
from watchfiles import watch

from eligibility.cli.show.exit_codes import told
from eligibility.cli.show.output import console
from eligibility.errors import EligibilityError
from eligibility.simulation.scenarios.file import find_files, read_files
from groups.errors import GroupsError

_WAKE_MS = 500
"""How often the watch comes back without news: its first time says that it has begun."""


def watched(named: Collection[Path], run: Callable[[], object]) -> None:
    """Run now and at every change, until Ctrl-C. What cannot be read is told, and waited for.

    Raises: KeyboardInterrupt, the only way out.
    """
    while True:
        watching = frozenset(_watched(named))
        for number, changed in enumerate(
            watch(*_existing(watching), rust_timeout=_WAKE_MS, yield_on_timeout=True)
        ):
            # Not before the watch has begun: a change while the first run reads would be missed.
            if number == 0 or _concerns(changed, watching):
                _tell(run)
                if frozenset(_watched(named)) != watching:
                    break  # a file names others now


def _tell(run: Callable[[], object]) -> None:
    screen = console()
    screen.clear()
    try:
        run()
    except (EligibilityError, GroupsError) as error:
        told(error)
    Console(stderr=True).print("Waiting for changes. Ctrl-C ends.", style="dim")


def _watched(named: Iterable[Path]) -> Iterator[Path]:
    """What is named, and what the files name; of files that cannot be read now, only they."""
    for path in named:
        yield path.resolve()
        try:
            files = read_files(find_files([path]))
        except EligibilityError:
            continue
        yield from (other.resolve() for file in files for other in file.reads)


def _existing(paths: Iterable[Path]) -> set[Path]:
    """Directories to watch: editors put a new file in the place of the old, so not the files."""
    near = {path if path.is_dir() else path.parent for path in paths}
    return {path for path in near if path.is_dir()}


def _concerns(changed: Iterable[tuple[object, str]], watching: Collection[Path]) -> bool:
    return any(
        Path(name).resolve() == path or path in Path(name).resolve().parents
        for _, name in changed
        for path in watching
    )
