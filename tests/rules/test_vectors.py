"""Every vector holds, and every reason and remedy has one. The vectors are scenario files."""

import inspect
import re
from pathlib import Path

import pytest

from eligibility.access.codes import Action, Reason
from eligibility.rules import remedies
from eligibility.simulation.scenarios.model import Scenario
from eligibility.simulation.scenarios.run import run
from eligibility.simulation.scenarios.state_sources import StateSource
from tests.helpers.vectors import FILES, VECTORS

_ALWAYS = {"granted", "submission", "package"}


@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: f"{v.file.stem}: {v.sentence}")
def test_vector(vector: Scenario, vector_states: dict[Path, StateSource]) -> None:
    assert vector.expect.keys() >= _ALWAYS
    assert vector.now is not None
    result = run(vector, vector_states[vector.file].state(vector))
    assert [mismatch.differences for mismatch in result.mismatches] == []


def test_there_are_as_many_as_there_were() -> None:
    assert len(FILES) >= 6
    assert len(VECTORS) >= 250


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_has_a_vector(reason: Reason) -> None:
    assert any(reason in [*v.expect["submission"], *v.expect["package"]] for v in VECTORS)


@pytest.mark.parametrize("action", re.findall(r"\bAction\.(\w+)", inspect.getsource(remedies)))
def test_every_remedy_has_a_vector(action: str) -> None:
    assert any(Action[action] in vector.expect.get("remedies", []) for vector in VECTORS)
