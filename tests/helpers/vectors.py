"""The vectors: scenario files that say what the decision has to be."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from eligibility.rules.requirements import load_requirements
from eligibility.simulation.scenarios.file import find_files, read_files
from eligibility.simulation.scenarios.state_sources import FileStateSource, StateSource
from tests.helpers.repository import ROOT

DIRECTORY = ROOT / "tests" / "vectors"

FILES = read_files(find_files([DIRECTORY]))

VECTORS = [vector for file in FILES for vector in file.scenarios]

_NEVER = datetime(1970, 1, 1, tzinfo=UTC)  # each vector names its moment


@pytest.fixture(scope="session")
def vector_states() -> dict[Path, StateSource]:
    requirements = load_requirements()
    return {
        file.path: FileStateSource(file.catalog, requirements, _NEVER)
        for file in FILES
        if file.catalog
    }
