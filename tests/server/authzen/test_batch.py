"""AuthZEN's access evaluations: defaults, semantics, faults of single items; the checklist's number 7."""

from collections.abc import Iterator
from typing import Any

import pytest

from eligibility.access.wire import LONGEST_BATCH
from tests.helpers.clock import Clock
from tests.helpers.standards.authzen import (
    DESKTOP,
    EVALUATION,
    EVALUATIONS,
    GRACE,
    STRANGER,
    Body,
    Pdp,
    account,
    ask,
    pdp,
    resource,
)

YES, NO = {"resource": resource("product:APP")}, {"resource": resource("product:NOPE")}
BROKEN = {"resource": {"type": "product"}}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pdp]:
    store = f"sqlite:///{tmp_path_factory.mktemp('authzen') / 'store.db'}"
    with pdp(store, Clock()) as made:
        yield made


def batch(*items: Any, semantic: str | None = None, **defaults: Any) -> Body:
    """Items that have all but their resource by default."""
    body = {k: v for k, v in ask().items() if k != "resource"} | defaults
    options = {} if semantic is None else {"options": {"evaluations_semantic": semantic}}
    return {**body, "evaluations": list(items), **options}


def test_must_7_answers_are_in_order_and_as_many(world: Pdp) -> None:
    assert world.batch(batch(YES, NO, NO, YES, NO)) == [True, False, False, True, False]
    assert len(world.batch(batch(*[YES] * LONGEST_BATCH))) == LONGEST_BATCH


def test_each_answer_is_that_of_the_single_evaluation(world: Pdp) -> None:
    asked = [
        ask(),
        ask("view", "product:SECRET", account(GRACE)),
        ask("view", "product:SECRET", account(STRANGER)),
        ask("install", "flight:APP:beta", account(GRACE)),
        ask("install", context={}),
        ask("view", "product:THEIRS"),
        ask(subject={"type": "user", "id": "x"}),
        ask(subject=account("nobody")),
        ask(context={**DESKTOP, "time": "2026-06-01T12:30:00Z"}),
        ask(subject=account(STRANGER, aliases=[GRACE])),
    ]
    for by in (world.backend, world.qa):
        for some in (asked, asked[:8]):  # with a moment everything comes from the store
            answers = world.evaluate({"evaluations": some}, by, EVALUATIONS)["evaluations"]
            assert answers == [world.evaluate(one, by) for one in some]


def test_must_7_an_empty_item_has_every_default(world: Pdp) -> None:
    assert world.batch({**ask(), "evaluations": [{}, {"context": None}, {"subject": None}]}) == [
        True,
        True,
        True,
    ]


def test_null_is_as_absent_beside_what_cannot_be_read_too(world: Pdp) -> None:
    nulls = [{name: None} for name in ("subject", "action", "resource", "context")]
    assert world.batch({**ask(), "evaluations": [7, *nulls]}) == [False, True, True, True, True]


def test_must_7_a_member_replaces_the_default_whole(world: Pdp) -> None:
    defaults = {**ask("view", "product:SECRET"), "subject": account(STRANGER, aliases=[GRACE])}
    items = [{}, {"subject": account(STRANGER)}, {"context": {}}]
    assert world.batch({**defaults, "evaluations": items}) == [True, False, False]


def test_must_7_an_incomplete_default_that_all_items_replace_is_legal(world: Pdp) -> None:
    body = batch(YES, NO, resource={"type": "product"})
    assert world.batch(body) == [True, False]
    body = batch(YES, {}, resource={"type": "product"})
    answers = world.evaluate(body, path=EVALUATIONS)["evaluations"]
    assert answers[0]["decision"]
    assert answers[1]["context"]["error"]["status"] == 400


@pytest.mark.parametrize(
    "item",
    [
        {},
        BROKEN,
        {"resource": "product:APP"},
        {**YES, "subject": 7},
        {**YES, "context": []},
        7,
        None,
        "x",
        [],
    ],
)
def test_must_7_a_fault_of_an_item_is_a_no_in_its_place(world: Pdp, item: Any) -> None:
    for items in ([item], [YES, item, YES]):
        answers = world.evaluate(batch(*items), path=EVALUATIONS)["evaluations"]
        assert [one["decision"] for one in answers] == [one is YES for one in items]
        broken = answers[items.index(item)]["context"]
        assert broken.keys() == {"error"}
        assert broken["error"]["status"] == 400
        assert broken["error"]["message"]


@pytest.mark.parametrize("evaluations", ["absent", None, []])
def test_must_7_without_items_it_is_a_single_evaluation(world: Pdp, evaluations: Any) -> None:
    body = ask() if evaluations == "absent" else {**ask(), "evaluations": evaluations}
    assert world.evaluate(body, path=EVALUATIONS) == world.evaluate(ask())
    del body["resource"]
    assert world.send(EVALUATIONS, body).status_code == 400


@pytest.mark.parametrize(
    ("semantic", "items", "decisions"),
    [
        (None, [NO, YES, NO], [False, True, False]),
        ("execute_all", [NO, YES, NO], [False, True, False]),
        ("deny_on_first_deny", [YES, YES, NO, YES], [True, True, False]),
        ("deny_on_first_deny", [NO, YES], [False]),
        ("deny_on_first_deny", [YES, YES], [True, True]),
        ("deny_on_first_deny", [YES, BROKEN, YES], [True, False]),
        ("permit_on_first_permit", [NO, YES, NO], [False, True]),
        ("permit_on_first_permit", [BROKEN, YES, YES], [False, True]),
        ("permit_on_first_permit", [NO, NO], [False, False]),
    ],
)
@pytest.mark.parametrize("warm", [True, False])
def test_must_7_semantics_cut_after_the_item_that_decides(
    world: Pdp, semantic: str | None, items: list[Any], decisions: list[bool], warm: bool
) -> None:
    time = {} if warm else {"time": "2026-06-01T12:30:00Z"}
    assert world.batch(batch(*items, semantic=semantic, context={**DESKTOP, **time})) == decisions


@pytest.mark.parametrize("semantic", ["execute", "EXECUTE_ALL", ""])
def test_must_7_an_unknown_semantic_is_400(world: Pdp, semantic: str) -> None:
    assert world.send(EVALUATIONS, batch(YES, semantic=semantic)).status_code == 400
    options = {"evaluations_semantic": semantic}
    assert world.send(EVALUATIONS, {**ask(), "options": options}).status_code == 400


def test_other_options_are_ignored(world: Pdp) -> None:
    for options in ({"speed": 9}, {}, None, {"evaluations_semantic": None}):
        assert world.batch({**batch(YES), "options": options}) == [True]


@pytest.mark.parametrize("name", ["subject", "action", "resource", "context", "options"])
@pytest.mark.parametrize("value", ["x", 7, [], True])
def test_defaults_of_the_wrong_type_are_400_for_all(world: Pdp, name: str, value: Any) -> None:
    assert world.send(EVALUATIONS, {**batch({**ask()}), name: value}).status_code == 400


@pytest.mark.parametrize("value", ["x", 7, {}, True])
def test_evaluations_are_an_array(world: Pdp, value: Any) -> None:
    answer = world.send(EVALUATIONS, {**ask(), "evaluations": value})
    assert answer.status_code == 400
    assert "evaluations: must be" in answer.json()
    assert "subject" not in answer.json()  # nothing is wrong with the rest


def test_a_fault_of_the_options_is_named_within_them(world: Pdp) -> None:
    answer = world.send(EVALUATIONS, {**batch(YES), "options": {"evaluations_semantic": 5}})
    assert answer.status_code == 400
    assert "options.evaluations_semantic: must be" in answer.json()


def test_a_batch_has_a_longest_length(world: Pdp) -> None:
    answer = world.send(EVALUATIONS, batch(*[YES] * (LONGEST_BATCH + 1)))
    assert answer.status_code == 400
    assert "1000" in answer.json()


@pytest.mark.parametrize("text", ['"a": 1, "a": 2', '"x": NaN', '"x": "\\ud800"'])
def test_json_that_readers_read_differently_is_400_for_all(world: Pdp, text: str) -> None:
    item = f'{{"resource": {{"type": "product", "id": "APP", "properties": {{{text}}}}}}}'
    body = f'{{"evaluations": [{item}]}}'.encode()
    answer = world.send(EVALUATIONS, content=body)
    if answer.status_code == 200:
        (told,) = answer.json()["evaluations"]
        assert told["context"]["error"]["status"] == 400
    else:
        assert answer.status_code == 400


def test_must_11_the_same_batch_is_answered_by_the_same_bytes(world: Pdp) -> None:
    body = batch(YES, NO, BROKEN, 7)
    assert len({world.send(EVALUATIONS, body).content for _ in range(3)}) == 1


def test_unknown_members_of_a_batch_are_ignored(world: Pdp) -> None:
    assert world.batch({**batch({**YES, "x": 1}), "x": {"y": 2}}) == [True]


def test_a_batch_counts_its_items_against_the_callers_limit(world: Pdp) -> None:
    limited = world.app.key("access:query", "access:assert", rate_limit=3)
    assert world.send(EVALUATIONS, batch(YES, YES, YES), limited).status_code == 200
    answer = world.send(EVALUATION, ask(), limited)
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) >= 1
