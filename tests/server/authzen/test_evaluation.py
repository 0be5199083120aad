"""AuthZEN's access evaluation: what a conformance test looks at, and what our questions mean there."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.helpers.clock import Clock
from tests.helpers.standards.authzen import (
    ADA,
    DESKTOP,
    EVALUATION,
    EVALUATIONS,
    GRACE,
    SEARCH,
    STRANGER,
    Pdp,
    account,
    ask,
    pdp,
)

PATHS = [
    EVALUATION,
    EVALUATIONS,
    *(f"{SEARCH}/{what}" for what in ("subject", "resource", "action")),
]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pdp]:
    store = f"sqlite:///{tmp_path_factory.mktemp('authzen') / 'store.db'}"
    with pdp(store, Clock(), authzen_subject_search=True) as made:
        yield made


# --- 1: permit and deny ---


def test_must_1_a_permit_is_200_and_true(world: Pdp) -> None:
    assert world.evaluate(ask()) == {
        "decision": True,
        "context": {
            "reason": "FLIGHT_MEMBER",
            "reasons": ["FLIGHT_MEMBER"],
            "selected": {"type": "flight", "id": "APP:canary", "rank": 3},
        },
    }


def test_must_1_a_deny_is_200_and_false(world: Pdp) -> None:
    assert world.evaluate(ask("view", "product:SECRET", account(STRANGER))) == {
        "decision": False,
        "context": {
            "reason": "NOT_IN_AUDIENCE",
            "reasons": ["NOT_IN_AUDIENCE"],
            "reason_user": {"403": "Not available for this account"},
        },
    }


# --- 2: what may be there or not ---


@pytest.mark.parametrize("context", [None, {}, {"mood": {"deep": [1]}, "ip": "192.0.2.1"}])
def test_must_2_the_context_is_optional_and_unknown_keys_are_ignored(
    world: Pdp, context: Any
) -> None:
    assert world.reason(ask("view", context=context)) == (True, "PUBLIC_AUDIENCE")
    left_out = ask("view")
    del left_out["context"]
    assert world.reason(left_out) == (True, "PUBLIC_AUDIENCE")


def test_must_2_unknown_members_are_ignored_at_every_level(world: Pdp) -> None:
    body = ask(extra=1, subject={**account(), "extra": {"a": [None]}})
    body["action"] |= {"extra": "x", "properties": {"soft": True}}
    body["resource"] |= {"extra": [], "properties": {"status": "archived"}}
    body["context"] = {**DESKTOP, "extra": 1}
    body["subject"]["properties"] = {"role": "admin", "department": "Sales"}
    assert world.evaluate(body) == world.evaluate(ask())


def test_null_members_are_as_absent(world: Pdp) -> None:
    body = ask(context=None, subject={**account(), "properties": None})
    body["action"]["properties"] = body["resource"]["properties"] = None
    assert world.reason(body) == (False, "DEVICE_UNKNOWN")
    body["context"] = {**DESKTOP, "architecture": None, "time": None}
    body["subject"]["properties"] = {"kind": None, "aliases": None, "token": None}
    assert world.evaluate(body) == world.evaluate(ask())


def test_members_may_come_in_any_order(world: Pdp) -> None:
    body = ask()
    turned = {name: dict(reversed(body[name].items())) for name in reversed(body)}
    assert world.evaluate(turned) == world.evaluate(body)


# --- 3: what has to be there ---


@pytest.mark.parametrize("name", ["subject", "action", "resource"])
@pytest.mark.parametrize("value", ["absent", None, "text", 7, [], True])
def test_must_3_an_entity_missing_or_of_the_wrong_type_is_400(
    world: Pdp, name: str, value: Any
) -> None:
    body = {k: v for k, v in ask().items() if k != name}
    if value != "absent":
        body[name] = value
    answer = world.send(EVALUATION, body)
    assert answer.status_code == 400
    assert name in answer.json()


@pytest.mark.parametrize(
    ("entity", "name"),
    [
        ("subject", "type"),
        ("subject", "id"),
        ("action", "name"),
        ("resource", "type"),
        ("resource", "id"),
    ],
)
@pytest.mark.parametrize("value", ["absent", None, 7, {}, ["x"]])
def test_must_3_a_member_of_one_missing_or_of_the_wrong_type_is_400(
    world: Pdp, entity: str, name: str, value: Any
) -> None:
    body = ask()
    body[entity] = {k: v for k, v in body[entity].items() if k != name}
    if value != "absent":
        body[entity][name] = value
    answer = world.send(EVALUATION, body)
    assert answer.status_code == 400
    assert f"{entity}.{name}" in answer.json()


@pytest.mark.parametrize("value", ["text", 7, [], False])
def test_must_3_context_and_properties_are_objects(world: Pdp, value: Any) -> None:
    assert world.send(EVALUATION, ask(context=value)).status_code == 400
    for entity in ("subject", "action", "resource"):
        body = ask()
        body[entity] = {**body[entity], "properties": value}
        assert world.send(EVALUATION, body).status_code == 400


# --- 4: bodies, media types, methods ---

BAD_BODIES = {
    "malformed": b'{"subject": ',
    "empty": b"",
    "an array": b"[]",
    "a text": b'"x"',
    "null": b"null",
    "not UTF-8": b'{"subject": "\xff"}',
    "a name twice": b'{"subject": {"type": "account", "id": "a", "id": "b"}}',
    "a name twice in what is ignored": json.dumps(ask()).encode()[:-1]
    + b', "x": {"a": 1, "a": 2}}',
    "a name twice, whole": json.dumps(ask()).encode()[:-1] + b', "subject": {}}',
    "NaN": json.dumps(ask(x=1)).encode().replace(b'"x": 1', b'"x": NaN'),
    "half a surrogate pair": json.dumps(ask(subject=account("\ud800"))).encode(),
    "too deep": json.dumps(ask()).encode()[:-1] + b', "x": ' + b"[" * 100 + b"]" * 100 + b"}",
    "deep in the context": json.dumps(ask(context={"x": 1}))
    .encode()
    .replace(b"1}", b"[" * 99 + b"]" * 99 + b"}"),
}


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("body", BAD_BODIES.values(), ids=BAD_BODIES)
def test_must_4_a_body_that_is_no_good_json_object_is_400(
    world: Pdp, path: str, body: bytes
) -> None:
    assert world.send(path, content=body, by=world.qa).status_code == 400


@pytest.mark.parametrize("path", PATHS)
def test_must_4_another_media_type_is_400(world: Pdp, path: str) -> None:
    for media_type in ("text/plain", "application/xml", "application/x-www-form-urlencoded"):
        answer = world.send(path, ask(), by=world.qa, content_type=media_type)
        assert answer.status_code == 400


@pytest.mark.parametrize(
    "media_type", ["application/json; charset=utf-8", "application/json;charset=UTF-8"]
)
def test_must_4_a_charset_is_taken(world: Pdp, media_type: str) -> None:
    assert world.send(EVALUATION, ask(), content_type=media_type).status_code == 200


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
def test_must_4_another_method_is_405(world: Pdp, path: str, method: str) -> None:
    answer = world.app.ask(method, path, world.qa)
    assert answer.status_code == 405
    assert answer.headers["allow"] == "POST"


# --- 5: the id of a request ---


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("request_id", ["bfe9eb29-ab87-4ca3-be83-a1d5d8305716", "x y!", "7"])
def test_must_5_the_request_id_comes_back_on_answers_and_errors(
    world: Pdp, path: str, request_id: str
) -> None:
    for body in (ask(), {}):
        answer = world.send(path, body, by=world.qa, x_request_id=request_id)
        assert answer.headers["x-request-id"] == request_id


def test_must_5_without_an_id_nothing_fails(world: Pdp) -> None:
    assert world.send(EVALUATION, ask()).status_code == 200


# --- 6: the same each time ---


@pytest.mark.parametrize("by", ["backend", "qa"])
def test_must_6_the_same_request_is_answered_by_the_same_bytes(world: Pdp, by: str) -> None:
    for body in (ask(), ask("view", "product:SECRET", account(STRANGER)), ask("update")):
        answers = {world.send(EVALUATION, body, getattr(world, by)).content for _ in range(3)}
        assert len(answers) == 1


# --- our questions ---


@pytest.mark.parametrize(
    ("body", "decision", "reason"),
    [
        (ask("view", subject={"type": "anonymous", "id": "-"}), True, "PUBLIC_AUDIENCE"),
        (ask("install", subject={"type": "anonymous", "id": "x"}), True, "NON_FLIGHTED_SUBMISSION"),
        (ask("view", "submission:SECRET", account(GRACE)), True, "AUDIENCE_MEMBER"),
        (ask("install", "flight:APP:beta", account(GRACE)), True, "FLIGHT_MEMBER"),
        (ask("install", "flight:APP:beta", account(ADA)), False, "OTHER_SOURCE"),
        (ask("install", "flight:APP:nope"), False, "OTHER_SOURCE"),
        (ask("update", context={**DESKTOP, "installed_version": "1.0.0.0"}), True, "FLIGHT_MEMBER"),
        (ask("update", context={**DESKTOP, "installed_version": "9.0.0.0"}), False, "UP_TO_DATE"),
        (ask("update"), False, "NOT_INSTALLED"),
        (ask("install", context={}), False, "DEVICE_UNKNOWN"),
        (ask("install", "product:NOPE"), False, "UNKNOWN_RESOURCE"),
        (ask("install", "record:APP"), False, "UNKNOWN_RESOURCE"),
        (ask("delete"), False, "UNKNOWN_ACTION"),
        (ask(subject={"type": "user", "id": ADA}), False, "UNKNOWN_SUBJECT"),
        (ask(subject=account("nobody")), False, "UNKNOWN_SUBJECT"),
        (ask(subject=account("")), False, "UNKNOWN_SUBJECT"),
        (
            ask("view", "product:SECRET", account(ADA, kind="work_or_school")),
            False,
            "WRONG_ACCOUNT_KIND",
        ),
        (
            ask("view", "product:SECRET", account(STRANGER, aliases=[GRACE])),
            True,
            "AUDIENCE_MEMBER",
        ),
        (
            ask(
                "view",
                "product:SECRET",
                context={"device_family": "desktop", "os_version": "10240"},
            ),
            False,
            "OS_BELOW_AUDIENCE_MINIMUM",
        ),
    ],
)
def test_questions(world: Pdp, body: Any, decision: bool, reason: str) -> None:
    for by in (world.backend, world.qa):
        assert world.reason(body, by) == (decision, reason)


@pytest.mark.parametrize(
    ("body", "named"),
    [
        (ask(context={**DESKTOP, "market": "us"}), "context.market"),
        (ask(context={"device_family": "Toaster"}), "context.device_family"),
        (ask(context={**DESKTOP, "time": "now"}), "context.time"),
        (ask(subject=account(kind="robot")), "subject.properties.kind"),
        (ask(subject=account(aliases="a@example.com")), "subject.properties.aliases"),
        (ask(subject=account(aliases=["nobody"])), "subject.properties.aliases"),
        (ask(subject=account(token=7)), "subject.properties.token"),
    ],
)
def test_a_known_key_that_cannot_be_read_is_400_and_named(
    world: Pdp, body: Any, named: str
) -> None:
    answer = world.send(EVALUATION, body)
    assert answer.status_code == 400
    assert named in answer.json()
    (item,) = world.evaluate({"evaluations": [body]}, path=EVALUATIONS)["evaluations"]
    assert item == {
        "decision": False,
        "context": {"error": {"status": 400, "message": answer.json()}},
    }


def test_a_moment_past_or_ahead_can_be_asked_for(world: Pdp) -> None:
    then = {**DESKTOP, "time": "2026-06-01T11:00:00Z"}
    assert world.reason(ask("view", context=then)) == (False, "UNKNOWN_RESOURCE")
    ahead = {**DESKTOP, "time": "2027-06-01T11:00:00Z"}
    assert world.evaluate(ask(context=ahead)) == world.evaluate(ask())


def test_why_not_is_told_with_groups_to_those_who_may_read_them(world: Pdp) -> None:
    body = ask("view", "product:SECRET", account(STRANGER))
    told = world.evaluate(body, world.qa)["context"]
    assert "`beta`" in told["reason_admin"]["403"]
    assert "beta" not in world.send(EVALUATION, body).text
    assert "reason_admin" not in world.evaluate(body)["context"]
    flight = ask("install", "flight:APP:beta", account(STRANGER))
    assert "`beta`" in world.evaluate(flight, world.qa)["context"]["reason_admin"]["403"]


def test_the_person_is_told_the_same_of_what_is_private_as_of_what_is_not_there(
    world: Pdp,
) -> None:
    private = world.evaluate(ask("view", "product:SECRET", account(STRANGER)))
    nothing = world.evaluate(ask("view", "product:NOPE", account(STRANGER)))
    assert private["context"]["reason_user"] == nothing["context"]["reason_user"]


def test_keys_that_draft_profiles_give_a_meaning_are_never_used(world: Pdp) -> None:
    drafted = {"obligations", "access_request", "evaluation_id", "approval", "next_action"}
    for body in (ask(), ask("update"), ask("install", "product:NOPE")):
        assert not drafted & world.evaluate(body, world.qa)["context"].keys()
