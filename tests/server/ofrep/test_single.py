"""POST /ofrep/v1/evaluate/flags/{key}: what a flag says, and how a request fails."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest

from eligibility.callers.model import Scope
from eligibility.standards import ofrep
from eligibility.standards.questions import CONTEXT_KEYS
from tests.helpers.clock import Clock
from tests.helpers.servers.application import Headers
from tests.helpers.servers.process import bearer
from tests.helpers.standards import ofrep_schemas
from tests.helpers.standards.flags import ADA, BULK, DEVICE, GRACE, STRANGER, Flags, flag_world


@pytest.fixture(scope="module")
def flags(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flags]:
    """For tests that leave clock and catalogue as they are."""
    with flag_world(f"sqlite:///{tmp_path_factory.mktemp('flags') / 'store.db'}", Clock()) as made:
        yield made


# --- evaluations ---


def test_a_flight_of_the_account_is_true(flags: Flags) -> None:
    for _ in range(2):  # the second time from memory
        assert flags.told("flight:APP:f") == {
            "key": "flight:APP:f",
            "value": True,
            "reason": "TARGETING_MATCH",
            "variant": "eligible",
            "metadata": {
                "reason": "FLIGHT_MEMBER",
                "reasons": "FLIGHT_MEMBER",
                "productId": "APP",
                "flightId": "f",
            },
        }


@pytest.mark.parametrize(
    ("key", "account", "more", "value", "reason", "variant", "code"),
    [
        ("product:APP", ADA, {}, True, "TARGETING_MATCH", "eligible", "FLIGHT_MEMBER"),
        ("product:APP", STRANGER, {}, True, "STATIC", "eligible", "NON_FLIGHTED_SUBMISSION"),
        ("product:APP", "-", {}, True, "STATIC", "eligible", "NON_FLIGHTED_SUBMISSION"),
        ("submission:APP", ADA, {}, True, "STATIC", "eligible", "PUBLIC_AUDIENCE"),
        ("flight:APP:f", STRANGER, {}, False, "TARGETING_MATCH", "ineligible", "OTHER_SOURCE"),
        ("flight:APP:later", ADA, {}, False, "DISABLED", "disabled", "OTHER_SOURCE"),
        ("product:SECRET", GRACE, {}, True, "TARGETING_MATCH", "eligible", None),
        ("submission:SECRET", GRACE, {}, True, "TARGETING_MATCH", "eligible", "AUDIENCE_MEMBER"),
        ("submission:SECRET", ADA, {}, False, "TARGETING_MATCH", "ineligible", "NOT_IN_AUDIENCE"),
        ("flight:SECRET:f", ADA, {}, False, "TARGETING_MATCH", "ineligible", "NOT_IN_AUDIENCE"),
        ("submission:SECRET", "-", {}, False, "TARGETING_MATCH", "ineligible", "NOT_SIGNED_IN"),
        ("product:STOPPED", ADA, {}, False, "DISABLED", "disabled", "ACQUISITION_STOPPED"),
        ("product:STOPPED", ADA, {"owned": True}, True, "STATIC", "eligible", None),
        (
            "product:APP",
            ADA,
            {"device_family": "mobile"},
            False,
            "TARGETING_MATCH",
            "ineligible",
            None,
        ),
        (
            "product:APP",
            ADA,
            {"device_family": None},
            False,
            "TARGETING_MATCH",
            "ineligible",
            "DEVICE_UNKNOWN",
        ),
    ],
)
def test_a_flag_says_what_and_why(
    flags: Flags,
    key: str,
    account: str,
    more: dict[str, Any],
    value: bool,
    reason: str,
    variant: str,
    code: str | None,
) -> None:
    for _ in range(2):
        told = flags.told(key, account, **more)
        assert (told["value"], told["reason"], told["variant"]) == (value, reason, variant)
        assert code is None or told["metadata"]["reason"] == code
        assert told["metadata"]["reasons"].split(",")[0] == told["metadata"]["reason"]


@pytest.mark.parametrize("account", ["nobody", "7f2c", "@", "a b@example.com"])
def test_who_is_no_account_gets_nothing(flags: Flags, account: str) -> None:
    for key in ("product:APP", "submission:APP", "flight:APP:f"):
        for _ in range(2):
            told = flags.told(key, account)
            assert (told["value"], told["variant"]) == (False, "ineligible")
            assert told["metadata"]["reason"] == "UNKNOWN_SUBJECT"
    assert flags.one("product:NOPE", account).status_code == 404


def test_chance_is_told_as_such(flags: Flags) -> None:
    """Who has the app is on one side of the rollout; who does not gets the newest by rule."""
    sides = set()
    for number in range(20):
        told = flags.told("product:ROLLED", f"a{number}@example.com", installed_version="0.9.0.0")
        assert (told["value"], told["reason"]) == (True, "SPLIT")
        sides.add(told["metadata"]["reasons"].split(",")[1])
    assert sides == {"ROLLOUT_INCLUDED", "ROLLOUT_EXCLUDED"}
    assert flags.told("product:ROLLED")["reason"] == "STATIC"


def test_a_flight_opens_at_its_moment(store_url: str, clock: Clock) -> None:
    with flag_world(store_url, clock) as flags:
        assert flags.told("flight:APP:later")["variant"] == "disabled"
        assert flags.told("flight:APP:later", time="2100-01-01T00:00:00Z")["value"] is True
        clock.advance(75 * 365.25 * 86_400)
        assert flags.told("flight:APP:later")["value"] is True
        assert flags.told("flight:APP:f")["metadata"]["reason"] == "OTHER_SOURCE"


def test_a_past_moment_may_be_asked_of(flags: Flags) -> None:
    now = flags.app.service.now().isoformat()
    assert flags.told("flight:APP:f", time=now) == flags.told("flight:APP:f")
    assert flags.one("flight:APP:f", time="2020-01-01T00:00:00Z").status_code == 404


def test_unknown_attributes_and_members_mean_nothing(flags: Flags) -> None:
    context = {"targetingKey": ADA, **DEVICE, "colour": ["red"], "nested": {"deep": None}}
    body = {"context": context, "more": 1}
    assert flags.post(f"{BULK}/flight:APP:f", body).json() == flags.told("flight:APP:f")


def test_null_is_as_absent(flags: Flags) -> None:
    told = flags.told("product:APP", market=None, owned=None, publisher=None, accountToken=None)
    assert told == flags.told("product:APP")


@pytest.mark.parametrize("key", ["flight:APP:f", "product:APP"])
def test_a_key_may_come_percent_encoded(flags: Flags, key: str) -> None:
    assert flags.told(quote(key, safe="")) == flags.told(key)


@pytest.mark.parametrize("media_type", ["application/json; charset=utf-8", "Application/JSON"])
def test_a_charset_is_fine(flags: Flags, media_type: str) -> None:
    body = b'{"context": {"targetingKey": "ada@example.com"}}'
    headers = {**flags.admin, "content-type": media_type}
    answer = flags.app.ask("POST", f"{BULK}/submission:APP", headers, content=body)
    assert answer.json()["value"] is True


# --- no such flag ---


@pytest.mark.parametrize(
    "key",
    [
        "flight:APP:nope",
        "flight:NOPE:f",
        "product:NOPE",
        "submission:APP:f",
        "flight:APP",
        "flight:APP:f:x",
        "product:",
        "nope",
        ":",
        "",
        "flight:APP/f",
        "a/b/c",
        "product:APP/",
        "product:%00",
        "product:%F0%9F%98%80",
        "PRODUCT:APP",
        "product:app",
        "product:-",
    ],
)
def test_an_unknown_flag_is_not_found(flags: Flags, key: str) -> None:
    answer = flags.one(key)
    assert answer.status_code == 404
    told = answer.json()
    assert told["errorCode"] == "FLAG_NOT_FOUND"
    assert quote(told["key"], safe="/:%") in (key, quote(key, safe="/:%").replace("%25", "%"))


# --- requests that cannot be read ---


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "TARGETING_KEY_MISSING"),
        ({"context": {}}, "TARGETING_KEY_MISSING"),
        ({"context": None}, "TARGETING_KEY_MISSING"),
        ({"context": {"targetingKey": ""}}, "TARGETING_KEY_MISSING"),
        ({"context": {"targetingKey": None}}, "TARGETING_KEY_MISSING"),
        ({"context": []}, "INVALID_CONTEXT"),
        ({"context": "x"}, "INVALID_CONTEXT"),
        ({"context": {"targetingKey": 7}}, "INVALID_CONTEXT"),
        ({"context": {"targetingKey": ADA, "device_family": "toaster"}}, "INVALID_CONTEXT"),
        ({"context": {"targetingKey": ADA, "os_version": "22H2"}}, "INVALID_CONTEXT"),
        ({"context": {"targetingKey": ADA, "owned": "yes"}}, "INVALID_CONTEXT"),
        ({"context": {"targetingKey": ADA, "market": ["US"]}}, "INVALID_CONTEXT"),
        ({"context": {"targetingKey": ADA, "accountToken": 7}}, "INVALID_CONTEXT"),
        ({"context": {"targetingKey": ADA, "publisher": 7}}, "INVALID_CONTEXT"),
        ([], "PARSE_ERROR"),
        ("x", "PARSE_ERROR"),
        (None, "PARSE_ERROR"),
    ],
)
@pytest.mark.parametrize("path", [f"{BULK}/flight:APP:f", f"{BULK}/flight:NOPE:f", BULK])
def test_a_request_that_cannot_be_read_is_a_400_in_the_protocols_form(
    flags: Flags, path: str, body: Any, code: str
) -> None:
    answer = flags.post(path, body)
    assert answer.status_code == 400
    told = answer.json()
    assert told["errorCode"] == code
    assert told.get("key") == (path.rpartition("/")[2] if path != BULK else None)


def test_the_quick_way_knows_every_attribute() -> None:
    """It looks contexts up by the values of these, in this order."""
    assert ofrep._Context.__struct_fields__[: len(CONTEXT_KEYS)] == CONTEXT_KEYS


def test_true_and_one_are_two_values(flags: Flags) -> None:
    """Contexts are remembered by their values, and in Python these are equal."""
    assert flags.told("product:STOPPED", owned=True)["value"] is True
    for _ in range(2):
        assert flags.one("product:STOPPED", owned=1).json()["errorCode"] == "INVALID_CONTEXT"
        assert flags.one("product:STOPPED", owned="x").json()["errorCode"] == "INVALID_CONTEXT"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff",
        b'{"context": {"targetingKey": "a@b.example", "targetingKey": "ada@example.com"}}',
        b'{"context": {"targetingKey": "a@b.example", "x": {"a": 1, "a": 2}}}',
        b'{"context": {"targetingKey": "a@b.example", "n": NaN}}',
        b'{"context": {"targetingKey": "\\ud800@b.example"}}',
        b'{"context": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    ],
)
@pytest.mark.parametrize("path", [f"{BULK}/flight:APP:f", BULK])
def test_what_is_no_json_is_a_parse_error(flags: Flags, path: str, body: bytes) -> None:
    headers = {**flags.admin, "content-type": "application/json"}
    answer = flags.app.ask("POST", path, headers, content=body)
    ofrep_schemas.check(answer)
    assert (answer.status_code, answer.json()["errorCode"]) == (400, "PARSE_ERROR")


def test_escapes_are_read(flags: Flags) -> None:
    headers = {**flags.admin, "content-type": "application/json"}
    body = b'{"context": {"targetingKey": "\\u0061da@example.com"}}'
    answer = flags.app.ask("POST", f"{BULK}/submission:APP", headers, content=body)
    assert answer.json()["value"] is True


@pytest.mark.parametrize("path", [f"{BULK}/flight:APP:f", BULK])
def test_another_media_type_is_a_parse_error(flags: Flags, path: str) -> None:
    headers = {**flags.admin, "content-type": "text/plain"}
    answer = flags.app.ask("POST", path, headers, content=b"{}")
    ofrep_schemas.check(answer)
    assert (answer.status_code, answer.json()["errorCode"]) == (400, "PARSE_ERROR")


# --- other statuses ---


def refused(flags: Flags, path: str, headers: Headers, method: str = "POST") -> Any:
    answer = flags.app.ask(method, path, headers, json={"context": {"targetingKey": ADA}})
    ofrep_schemas.check(answer)
    return answer


@pytest.mark.parametrize("path", [f"{BULK}/flight:APP:f", BULK])
def test_who_may_not_ask_is_told_so_in_little_json(flags: Flags, path: str) -> None:
    unknown = refused(flags, path, {})
    assert unknown.status_code == 401
    assert unknown.headers["www-authenticate"].startswith("Bearer")
    assert refused(flags, path, bearer("elg_nonsense")).status_code == 401
    for scope in set(Scope) - {Scope.QUERY, Scope.ADMIN}:
        answer = refused(flags, path, flags.app.key(scope))
        assert answer.status_code == 403
        assert "`access:query`" in answer.json()["errorDetails"]


@pytest.mark.parametrize("path", [f"{BULK}/flight:APP:f", BULK])
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_flags_are_asked_for_by_post(flags: Flags, path: str, method: str) -> None:
    answer = refused(flags, path, flags.admin, method)
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


@pytest.mark.parametrize("path", [f"{BULK}/flight:APP:f", BULK])
def test_a_body_too_large_is_refused(flags: Flags, path: str) -> None:
    headers = {**flags.admin, "content-type": "application/json"}
    answer = flags.app.ask("POST", path, headers, content=b" " * 2_000_000)
    ofrep_schemas.check(answer)
    assert answer.status_code == 413


@pytest.mark.parametrize("path", [f"{BULK}/flight:APP:f", BULK])
def test_who_asks_too_often_is_told_in_seconds_when_to_go_on(flags: Flags, path: str) -> None:
    headers = flags.app.key(Scope.QUERY, Scope.ASSERT, rate_limit=1, name=path)
    assert flags.post(path, {"context": {"targetingKey": ADA, **DEVICE}}, headers).is_success
    answer = refused(flags, path, headers)
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) >= 1


@pytest.mark.parametrize("path", [f"{BULK}/flight:APP:f", BULK])
def test_what_nobody_foresaw_is_a_500_without_its_words(
    flags: Flags, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("a secret of the server's")

    monkeypatch.setattr("eligibility.standards.ofrep.read_request", broken)
    answer = refused(flags, path, flags.admin)
    assert answer.status_code == 500
    assert "secret" not in answer.text


# --- who asks ---


@pytest.mark.parametrize("path", [f"{BULK}/flight:APP:f", BULK, "/v1/access"])
def test_a_key_may_come_as_x_api_key(flags: Flags, path: str) -> None:
    key = flags.admin["authorization"].removeprefix("Bearer ")
    body: Any = {"context": {"targetingKey": ADA, **DEVICE}}
    if path == "/v1/access":
        body = {"product_id": "APP", "device": {"family": "desktop", "os_version": "22631"}}
    told = flags.app.post(path, body, {"x-api-key": key})
    assert told.status_code == 200
    assert told.content == flags.app.post(path, body, flags.admin).content
    assert flags.app.post(path, body, {"x-api-key": key[:-1]}).status_code == 401
    both = {"x-api-key": key, **bearer("elg_nonsense")}
    assert flags.app.post(path, body, both).status_code == 401  # authorization goes first
