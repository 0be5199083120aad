"""Every vector holds, and every reason and remedy has one. The vectors are scenario files."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from eligibility.access.model import Reason, RemedyAction
from eligibility.rules.requirements import load_requirements
from eligibility.simulation.scenarios.file import find_files, read_files
from eligibility.simulation.scenarios.model import Scenario
from eligibility.simulation.scenarios.run import run
from eligibility.simulation.scenarios.worlds import FileStateSource, StateSource

DIRECTORY = Path(__file__).parent / "vectors"
FILES = read_files(find_files([DIRECTORY]))
VECTORS = [vector for file in FILES for vector in file.scenarios]
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)  # each vector names its moment
_ALWAYS = {"granted", "submission", "package"}


@pytest.fixture(scope="module")
def worlds() -> dict[Path, StateSource]:
    requirements = load_requirements()
    return {
        file.path: FileStateSource(file.catalog, requirements, _NEVER)
        for file in FILES
        if file.catalog
    }


@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: f"{v.file.stem}: {v.sentence}")
def test_vector(vector: Scenario, worlds: dict[Path, StateSource]) -> None:
    assert vector.expect.keys() >= _ALWAYS
    assert vector.now is not None
    result = run(vector, worlds[vector.file].state(vector))
    assert [mismatch.differences for mismatch in result.mismatches] == []


def test_there_are_as_many_as_there_were() -> None:
    assert len(FILES) >= 5
    assert len(VECTORS) >= 117


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_has_a_vector(reason: Reason) -> None:
    assert any(reason in [*v.expect["submission"], *v.expect["package"]] for v in VECTORS)


@pytest.mark.parametrize("action", RemedyAction)
def test_every_remedy_has_a_vector(action: RemedyAction) -> None:
    assert any(action in vector.expect.get("remedies", []) for vector in VECTORS)
