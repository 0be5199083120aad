"""The manual is whole: each rule that the Store documents has vectors, coded tests, or a reason why not.

tests/vectors/rules.toml is the table of those rules. Each vector names its sources at its end.
"""

import ast
import re
import tomllib
from collections import Counter
from functools import cache
from typing import Any

import pytest

from tests.helpers.repository import ROOT
from tests.helpers.vectors import VECTORS

TABLE = tomllib.loads((ROOT / "tests" / "vectors" / "rules.toml").read_text("utf-8"))
RULES: list[dict[str, Any]] = TABLE["rules"]
_SENTENCE = re.compile(r"(.+) \(([A-Z0-9]+(?:, [A-Z0-9]+)*)\)")


def read(sentence: str) -> tuple[str, set[str]]:
    """What a vector says, and its sources."""
    match = _SENTENCE.fullmatch(sentence)
    assert match, f"{sentence!r} names no source at its end"
    return match[1], set(match[2].split(", "))


@cache
def sources_by_vector() -> dict[str, set[str]]:
    return dict(read(vector.sentence) for vector in VECTORS)


@cache
def names_in(file: str) -> set[str]:
    tree = ast.parse((ROOT / "tests" / file).read_text("utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def by_number(rule: dict[str, Any]) -> str:
    return str(rule["number"])


def test_no_number_stands_twice() -> None:
    assert [number for number, n in Counter(map(by_number, RULES)).items() if n > 1] == []


def test_no_sentence_stands_twice() -> None:
    assert len(sources_by_vector()) == len(VECTORS)


@pytest.mark.parametrize("rule", RULES, ids=by_number)
def test_every_rule_is_held_by_something_that_is_there(rule: dict[str, Any]) -> None:
    vectors, tests = rule.get("vectors", []), rule.get("tests", [])
    assert vectors or tests or rule["outside"]
    assert set(rule["sources"]) <= TABLE["sources"].keys()
    for sentence in vectors:
        assert set(rule["sources"]) & sources_by_vector().get(sentence, set()), sentence
    for name in tests:
        file, _, function = name.partition("::")
        assert function in names_in(file), name


def test_every_vector_holds_a_rule() -> None:
    held = {sentence for rule in RULES for sentence in rule.get("vectors", [])}
    assert sources_by_vector().keys() - held == set()


def test_every_source_is_named_by_a_rule() -> None:
    assert {source for rule in RULES for source in rule["sources"]} == TABLE["sources"].keys()
