"""Every vector holds, and every reason and remedy has one."""

from typing import Any

import pytest
from vector_files import Vector, observed, read_files, run

from eligibility.model import Reason, RemedyAction

FILES = tuple(read_files())
VECTORS = [vector for file in FILES for vector in file.vectors]
_ALWAYS = {"granted", "submission", "package"}


@pytest.mark.parametrize("vector", VECTORS, ids=str)
def test_vector(vector: Vector) -> None:
    expected: dict[str, Any] = dict(vector.case["expect"])
    seen = observed(run(vector))
    assert expected.keys() >= _ALWAYS
    remedy = expected.pop("remedy", {})
    assert {name: seen[name] for name in expected} == expected
    for name, value in remedy.items():
        got = getattr(seen["remedy"], name)
        assert (list(got) if isinstance(got, tuple) else got) == value


def test_every_sentence_is_used_once() -> None:
    sentences = [str(vector) for vector in VECTORS]
    assert len(set(sentences)) == len(sentences)


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_has_a_vector(reason: Reason) -> None:
    expected = [vector.case["expect"] for vector in VECTORS]
    assert any(reason in [*e["submission"], *e["package"]] for e in expected)


@pytest.mark.parametrize("action", RemedyAction)
def test_every_remedy_has_a_vector(action: RemedyAction) -> None:
    assert any(action in vector.case["expect"].get("remedies", []) for vector in VECTORS)
