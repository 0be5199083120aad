"""POST /v1/access and its batch, against a real server: the answer, and every bad input."""

import json
import uuid
from typing import Any

import pytest

from tests.helpers.catalog.products import DESKTOP, flight, package
from tests.helpers.servers.problem import assert_problem
from tests.helpers.servers.process import Server

ADA, GRACE = "ada@contoso.example", "grace@contoso.example"


@pytest.fixture
def app(server: Server) -> str:
    """A private product of a publisher of its own: Ada in the audience and in canary."""
    publisher, product_id = f"p{uuid.uuid4().hex}", f"A{uuid.uuid4().hex}"
    groups = f"/v1/publishers/{publisher}/groups"
    body: dict[str, Any]
    for group, members in (("beta", [ADA, GRACE]), ("canary-testers", [ADA])):
        body = {"name": group, "group_id": group, "emails": members}
        assert server.http.post(groups, json=body).status_code == 201
    body = {
        "name": "Contoso Reader",
        "submission": {
            "audience": "private",
            "audience_groups": ["beta"],
            "packages": [package("1.0.0.0")],
        },
        "flights": [flight("canary", ["canary-testers"], "2.0.0.0")],
    }
    stored = server.http.put(f"/v1/publishers/{publisher}/products/{product_id}", json=body)
    assert stored.status_code == 200, stored.text
    return product_id


def ask(product_id: str, email: str | None = ADA, **more: Any) -> dict[str, Any]:
    account = None if email is None else {"id": email}
    return {"product_id": product_id, "account": account, "device": DESKTOP, **more}


# --- answers ---


def test_a_granted_answer_has_the_shape_of_the_design(server: Server, app: str) -> None:
    answer = server.access(ask(app, installed_version="1.0.0.0"))
    assert answer.pop("settling")["change"] == "added"
    assert answer == {
        "product_id": app,
        "granted": True,
        "submission": {
            "granted": True,
            "audience": "private",
            "listing": "searchable",
            "reasons": ["AUDIENCE_MEMBER"],
        },
        "package": {
            "granted": True,
            "source": {"kind": "flight", "flight_id": "canary", "name": "canary", "rank": 2},
            "package": {
                "file_name": "2.0.0.0.msix",
                "version": "2.0.0.0",
                "architecture": "neutral",
            },
            "action": "update",
            "delivery": "automatic",
            "reasons": ["FLIGHT_MEMBER"],
        },
        "remedies": [],
        "revision": {"groups": 2, "catalog": 1},
        "stale_seconds": 0,
    }


def test_a_no_is_an_answer_too(server: Server, app: str) -> None:
    answer = server.access(ask(app, None))
    assert not answer["granted"]
    assert answer["submission"]["listing"] == "hidden"
    assert answer["package"] == {
        "granted": False,
        "source": None,
        "package": None,
        "action": "none",
        "delivery": None,
        "reasons": ["SUBMISSION_DENIED"],
    }
    (remedy,) = answer["remedies"]
    assert remedy["action"] == "SIGN_IN"
    assert "Microsoft account" in remedy["text"]


def test_the_trace_comes_when_asked_for(server: Server, app: str) -> None:
    assert "trace" not in server.access(ask(app))
    assert "trace" not in server.access(ask(app), "/v1/access?explain=false")
    trace = server.access(ask(app), "/v1/access?explain=true")["trace"]
    assert {"step", "outcome", "detail", "source", "facts"} == trace[0].keys()


def test_warm_and_cold_answers_are_the_same_bytes(server: Server, app: str) -> None:
    answers = {server.http.post("/v1/access", json=ask(app, GRACE)).content for _ in range(3)}
    (traced,) = (server.access(ask(app, GRACE), "/v1/access?explain=true"),)
    for name in ("trace", "story", "nearest"):
        del traced[name]
    assert len(answers) == 1
    assert json.loads(answers.pop()) == traced


@pytest.mark.parametrize(
    "spelling",
    [
        {"family": "desktop", "os_version": "Windows 11 23H2", "architecture": "AMD64"},
        {"family": "WINDOWS.DESKTOP", "os_version": "22631"},
        {"family": "Windows.Desktop", "os_version": "2814751249597440", "architecture": None},
    ],
)
def test_a_device_may_be_spelt_in_many_ways(
    server: Server, app: str, spelling: dict[str, Any]
) -> None:
    assert server.access(ask(app, device=spelling))["granted"]


def test_texts_with_escapes_and_other_letters_are_read(server: Server, app: str) -> None:
    body = json.dumps(ask(app, "ada@CONTOSO.example")).replace("ada@", "\\u0061da\\u0040")
    answer = server.http.post(
        "/v1/access", content=body, headers={"content-type": "application/json"}
    )
    assert answer.json()["granted"]
    assert not server.access(ask(app, "åda@contoso.example"))["granted"]


# --- batch ---


def test_a_batch_is_answered_in_order_and_each_for_itself(server: Server, app: str) -> None:
    good, stranger = ask(app), ask(app, "x@contoso.example")
    bad = ask(app, device={"family": "Windows.Desktop", "os_version": "22H2"})
    unknown = ask("NOPE")
    queries = [good, bad, stranger, unknown, {"product_id": 7}, good]
    decisions = server.access({"queries": queries}, "/v1/access/batch")["decisions"]
    assert [d.get("granted") for d in decisions] == [True, None, False, None, None, True]
    assert [d.get("code") for d in decisions] == [
        None,
        "INVALID_INPUT",
        None,
        "UNKNOWN_PRODUCT",
        "INVALID_INPUT",
        None,
    ]
    assert decisions[1]["errors"][0]["loc"] == "device.os_version"
    assert decisions[3]["status"] == 404
    assert decisions[0] == server.access(good)


def test_a_warm_batch_answers_as_single_queries_do(server: Server, app: str) -> None:
    queries = [ask(app, email) for email in (ADA, GRACE, None, "x@contoso.example")] * 250
    singles = [server.access(query) for query in queries[:4]]
    for path in ("/v1/access/batch", "/v1/access/batch", "/v1/access/batch?explain=false"):
        assert server.access({"queries": queries}, path)["decisions"] == singles * 250


def test_a_batch_may_ask_for_several_products(server: Server, app: str) -> None:
    other = f"{app}b"
    body = {"name": "Other", "submission": {"packages": [package("1.0.0.0")]}}
    assert server.http.put(f"/v1/publishers/other/products/{other}", json=body).status_code == 200
    mixed = [ask(app), ask(other), {"product_id": 7}, ask(other), ask(app)]
    for _ in range(2):  # the second time from memory
        decisions = server.access({"queries": mixed}, "/v1/access/batch")["decisions"]
        assert [d.get("product_id") for d in decisions] == [app, other, None, other, app]
        assert decisions[2]["code"] == "INVALID_INPUT"
        assert [server.access(q) for q in mixed if q["product_id"] != 7] == [
            d for d in decisions if "product_id" in d
        ]


def test_a_batch_can_be_explained(server: Server, app: str) -> None:
    decisions = server.access({"queries": [ask(app)]}, "/v1/access/batch?explain=true")["decisions"]
    assert decisions[0]["trace"]


@pytest.mark.parametrize("length", [0, 1_001])
def test_a_batch_of_another_length_is_refused(server: Server, app: str, length: int) -> None:
    answer = server.http.post("/v1/access/batch", json={"queries": [ask(app)] * length})
    assert_problem(answer, 400, "INVALID_INPUT", "BATCH_LENGTH")
    assert f"{length} queries" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("body", "inner"),
    [
        ({}, "MISSING_FIELD"),
        ({"queries": {}}, "WRONG_TYPE"),
        ({"queries": [], "more": 1}, "UNKNOWN_FIELD"),
        ([], "WRONG_TYPE"),
    ],
)
def test_a_batch_that_is_none_is_refused(server: Server, body: Any, inner: str) -> None:
    assert_problem(server.http.post("/v1/access/batch", json=body), 400, "INVALID_INPUT", inner)


def test_a_name_twice_in_one_query_of_a_batch_is_a_problem_in_its_place(
    server: Server, app: str
) -> None:
    query = json.dumps(ask(app))
    twice = query.replace('"product_id"', '"owned": true, "owned": false, "product_id"')
    answer = post(server, f'{{"queries": [{query}, {twice}]}}', "/v1/access/batch")
    good, bad = answer.json()["decisions"]
    assert good["granted"]
    assert bad["errors"][0]["code"] == "DUPLICATE_NAME"


# --- bad input ---


def post(server: Server, body: str | bytes, path: str = "/v1/access") -> Any:
    return server.http.post(path, content=body, headers={"content-type": "application/json"})


@pytest.mark.parametrize(
    ("change", "loc", "code", "words"),
    [
        ({"colour": "red"}, "colour", "UNKNOWN_FIELD", "the fields are product_id"),
        ({"product_id": 7}, "product_id", "WRONG_TYPE", "not `7`"),
        ({"owned": "yes"}, "owned", "WRONG_TYPE", "true or false"),
        ({"owned": None}, "owned", "WRONG_TYPE", "not `null`"),
        ({"device": None}, "device", "WRONG_TYPE", "object"),
        ({"device": "PC"}, "device", "WRONG_TYPE", "object"),
        (
            {"device": {"family": "Windows.Desktop"}},
            "device.os_version",
            "MISSING_FIELD",
            "required",
        ),
        ({"device": {**DESKTOP, "os": "x"}}, "device.os", "UNKNOWN_FIELD", "family, os_version"),
        ({"device": {**DESKTOP, "os_version": 19045}}, "device.os_version", "WRONG_TYPE", "19045"),
        (
            {"device": {**DESKTOP, "os_version": "22H2"}},
            "device.os_version",
            "AMBIGUOUS_OS_VERSION",
            "Windows 10 22H2 or Windows 11 22H2",
        ),
        (
            {"device": {**DESKTOP, "os_version": "ten"}},
            "device.os_version",
            "UNREADABLE_OS_VERSION",
            "`ten`",
        ),
        (
            {"device": {**DESKTOP, "family": "Linux"}},
            "device.family",
            "UNREADABLE_FAMILY",
            "Windows.Desktop",
        ),
        (
            {"device": {**DESKTOP, "architecture": "mips"}},
            "device.architecture",
            "UNREADABLE_ARCHITECTURE",
            "`mips`",
        ),
        ({"account": "ada@contoso.example"}, "account", "WRONG_TYPE", "object"),
        ({"account": {}}, "account", "ACCOUNT_MISSING", "`token`"),
        ({"account": {"id": "ada"}}, "account.id", "INVALID_EMAILS", "0 `@`"),
        ({"account": {"id": "a@b@c.example"}}, "account.id", "INVALID_EMAILS", "2 `@`"),
        ({"account": {"id": ""}}, "account", "ACCOUNT_MISSING", "`id`"),
        (
            {"account": {"id": ADA, "kind": "guest"}},
            "account.kind",
            "WRONG_TYPE",
            "`microsoft` or `work_or_school`",
        ),
        ({"account": {"id": ADA, "aliases": ["bad"]}}, "account.aliases", "INVALID_EMAILS", "bad"),
        (
            {"account": {"id": ADA, "aliases": "x@y.example"}},
            "account.aliases",
            "WRONG_TYPE",
            "a list",
        ),
        (
            {"installed_version": "1.0"},
            "installed_version",
            "UNREADABLE_PACKAGE_VERSION",
            "four parts",
        ),
        ({"market": "usa"}, "market", "UNREADABLE_MARKET", "as in US"),
        ({"at": "yesterday"}, "at", "UNREADABLE_MOMENT", "ISO 8601"),
        ({"at": "2026-01-01T00:00:00"}, "at", "UNREADABLE_MOMENT", "offset"),
    ],
    ids=lambda value: json.dumps(value)[:60] if isinstance(value, dict) else "",
)
def test_a_field_that_cannot_be_read_is_named_with_its_value_and_what_would_be_right(
    server: Server, app: str, change: dict[str, Any], loc: str, code: str, words: str
) -> None:
    answer = server.http.post("/v1/access", json=ask(app) | change)
    assert_problem(answer, 400, "INVALID_INPUT", code)
    (fault,) = [error for error in answer.json()["errors"] if error["loc"] == loc]
    assert fault["code"] == code
    assert words in fault["detail"]


def test_all_faults_are_named_at_once(server: Server) -> None:
    body = {
        "product_id": "A",
        "account": {"id": "ada"},
        "market": "x",
        "device": {"family": "x", "os_version": "y"},
    }
    answer = server.http.post("/v1/access", json=body)
    locs = [error["loc"] for error in answer.json()["errors"]]
    assert locs == ["device.family", "device.os_version", "account.id", "market"]


@pytest.mark.parametrize(
    ("body", "inner"),
    [
        (b"", "MALFORMED_JSON"),
        (b"{", "MALFORMED_JSON"),
        (b"{'a': 1}", "MALFORMED_JSON"),
        (b'{"a": 1,}', "MALFORMED_JSON"),
        (b'{"a": 1} {}', "MALFORMED_JSON"),
        (b"\xff\xfe{}", "MALFORMED_JSON"),
        (b'{"a": "\xc3"}', "MALFORMED_JSON"),
        (b"\xef\xbb\xbf{}", "MALFORMED_JSON"),
        (b'{"a": NaN}', "NOT_A_NUMBER"),
        (b'{"a": -Infinity}', "NOT_A_NUMBER"),
        (b'{"a": 1e999}', "NUMBER_TOO_LARGE"),
        (b'{"a": ' + b"9" * 400 + b"}", "NUMBER_TOO_LARGE"),
        (b'{"a": "\\ud800"}', "LONE_SURROGATE"),
        (b'{"a": "\\udc00\\ud800"}', "LONE_SURROGATE"),
        (b'{"\\ud800": 1}', "LONE_SURROGATE"),
        (b'{"a": 1, "a": 2}', "DUPLICATE_NAME"),
        (b'{"a": 1, "\\u0061": 2}', "DUPLICATE_NAME"),
        (b"[" * 40 + b"]" * 40, "TOO_DEEP"),
        (b"[" * 100_000, "TOO_DEEP"),
        (b'{"a":' * 100_000, "TOO_DEEP"),
    ],
    ids=lambda value: repr(value[:24]) if isinstance(value, bytes) else value,
)
@pytest.mark.parametrize("path", ["/v1/access", "/v1/access/batch", "/v1/publishers/p/groups"])
def test_a_body_that_is_not_strict_json_is_refused(
    server: Server, path: str, body: bytes, inner: str
) -> None:
    assert_problem(post(server, body, path), 400, "INVALID_JSON", inner)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"product_id"', '"product_id": "B", "product_id"'),
        ('"id"', '"id": "b@c.example", "id"'),
        ('"id"', '"\\u0069d": "b@c.example", "id"'),
        ('"family"', '"family": "Xbox", "family"'),
        ('"device"', '"device": {"family": "Xbox", "os_version": "1607"}, "device"'),
        ('"account"', '"account": null, "account"'),
    ],
)
def test_a_name_twice_is_refused_wherever_it_stands(
    server: Server, app: str, old: str, new: str
) -> None:
    body = json.dumps(ask(app)).replace(old, new, 1)
    answer = post(server, body)
    assert answer.status_code == 400, answer.text
    assert "DUPLICATE_NAME" in answer.text


def test_colons_and_braces_within_texts_confuse_nobody(server: Server, app: str) -> None:
    answer = server.http.post("/v1/access", json=ask('a":{"b":1}:::'))
    assert_problem(answer, 404, "UNKNOWN_PRODUCT")
    assert server.access(ask(app, None))


def test_an_unknown_product_is_404(server: Server) -> None:
    answer = server.http.post("/v1/access", json=ask("NOPE"))
    assert_problem(answer, 404, "UNKNOWN_PRODUCT")
    assert "`NOPE`" in answer.json()["detail"]


def test_a_query_of_another_moment_is_never_answered_from_memory(server: Server, app: str) -> None:
    asked = ask(app, at="2026-01-01T00:00:00Z")  # the product was not declared then
    for _ in range(2):  # the product not in memory yet, and then in memory
        assert_problem(server.http.post("/v1/access", json=asked), 404, "UNKNOWN_PRODUCT")
        batch = server.access({"queries": [ask(app), asked]}, "/v1/access/batch")
        assert [d.get("code") for d in batch["decisions"]] == [None, "UNKNOWN_PRODUCT"]
        assert server.access(ask(app, at=None))["granted"]


def test_an_unknown_parameter_is_refused(server: Server, app: str) -> None:
    for query_string in ("explain=1", "trace=true", "explain=true&x=1"):
        answer = server.http.post(f"/v1/access?{query_string}", json=ask(app))
        assert_problem(answer, 400, "INVALID_INPUT", "UNKNOWN_PARAMETER")


def test_only_json_is_read(server: Server, app: str) -> None:
    body = json.dumps(ask(app))
    for accepted in ("application/json", "Application/JSON; charset=utf-8"):
        answer = server.http.post("/v1/access", content=body, headers={"content-type": accepted})
        assert answer.status_code == 200
    answer = server.http.post("/v1/access", content=body, headers={"content-type": "text/plain"})
    assert_problem(answer, 415, "UNSUPPORTED_MEDIA_TYPE")


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_beyond_1_mib_is_refused(server: Server, chunked: bool) -> None:
    filler = b" " * (1 << 20)
    for path in ("/v1/access", "/v1/access/batch", "/v1/publishers/p/products/A"):
        method = "PUT" if "products" in path else "POST"
        content: Any = iter([b"{", filler]) if chunked else b"{" + filler
        answer = server.http.request(
            method, path, content=content, headers={"content-type": "application/json"}
        )
        assert_problem(answer, 413, "BODY_TOO_LARGE")


def test_a_body_of_1_mib_is_read(server: Server, app: str) -> None:
    body = json.dumps(ask(app)).encode()
    assert post(server, body + b" " * ((1 << 20) - len(body))).status_code == 200


def test_other_methods_and_paths_are_problems(server: Server) -> None:
    answer = server.http.get("/v1/access")
    assert_problem(answer, 405, "METHOD_NOT_ALLOWED")
    assert answer.headers["allow"] == "POST"
    assert_problem(server.http.post("/v1/acess", json={}), 404, "NO_SUCH_PATH")
    assert_problem(server.http.get("/v1/access/"), 404, "NO_SUCH_PATH")
