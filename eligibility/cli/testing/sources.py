"""The states against which scenario files run, with the settings in force."""

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime

from eligibility.cli.options.base import service
from eligibility.rules.requirements import Requirements, load_requirements
from eligibility.service.service import Service
from eligibility.service.settings_sources import load_settings
from eligibility.simulation.scenarios.model import ScenarioFile
from eligibility.simulation.scenarios.state_sources import (
    FileStateSource,
    StateSource,
    StoreStateSource,
)


@contextmanager
def state_sources(
    files: Sequence[ScenarioFile], store: str | None, now: datetime
) -> Iterator[tuple[StateSource, ...]]:
    """Open a state source for each file. Open the store only if needed, and close it at the end."""
    settings = load_settings(os.environ, {"store": store}).settings
    in_force = load_requirements(settings.requirements)
    with ExitStack() as closing:
        live = [file for file in files if file.catalog is None]
        opened = closing.enter_context(service(store)) if live else None
        yield tuple(state_source(file, in_force, now, opened) for file in files)


def state_source(
    file: ScenarioFile, in_force: Requirements, now: datetime, opened: Service | None
) -> StateSource:
    """Return the state source of a file: its own catalogue, or else the store of `opened`."""
    if file.catalog is not None:
        return FileStateSource(file.catalog, file.requirements or in_force, now)
    if opened is None:
        raise ValueError("a file without a catalogue of its own needs the store")
    return StoreStateSource(opened.states, opened.groups, in_force, file.requirements)
