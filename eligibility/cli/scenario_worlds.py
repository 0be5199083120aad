"""What scenario files are run against, on the settings in force."""

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime

from eligibility.cli.options.base import service
from eligibility.rules.requirements import load_requirements
from eligibility.service.service import Service
from eligibility.service.settings_sources import load_settings
from eligibility.simulation.scenarios.model import ScenarioFile
from eligibility.simulation.scenarios.worlds import FileStateSource, StateSource, StoreStateSource


@contextmanager
def worlds(
    files: Sequence[ScenarioFile], store: str | None, now: datetime
) -> Iterator[tuple[StateSource, ...]]:
    """A world for each file; the store is opened only if one asks it, and closed at the end."""
    settings = load_settings(os.environ, {"store": store}).settings
    in_force = load_requirements(settings.requirements)
    with ExitStack() as closing:
        live = [file for file in files if file.catalog is None]
        opened = closing.enter_context(service(store)) if live else None
        made: list[StateSource] = []
        for file in files:
            if file.catalog is not None:
                made.append(FileStateSource(file.catalog, file.requirements or in_force, now))
            elif opened is not None:
                made.append(live_world(opened, file))
        yield tuple(made)


def live_world(opened: Service, file: ScenarioFile) -> StoreStateSource:
    """The store as a file asks it."""
    in_force = opened.evaluator.requirements
    return StoreStateSource(opened.states, opened.groups, in_force, file.requirements)
