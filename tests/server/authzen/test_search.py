"""AuthZEN's searches: what is found, and pages of it; the checklist's number 8."""

import base64
from collections.abc import Iterator
from typing import Any

import pytest

from tests.helpers.catalog.products import flight, group, product, put
from tests.helpers.clock import Clock
from tests.helpers.standards.authzen import (
    ADA,
    DESKTOP,
    GRACE,
    SEARCH,
    STRANGER,
    Body,
    Pdp,
    account,
    ask,
    pdp,
    resource,
)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pdp]:
    """The small world, and ten public products of contoso with a flight each for Ada."""
    store = f"sqlite:///{tmp_path_factory.mktemp('authzen') / 'store.db'}"
    clock = Clock()
    with pdp(store, clock, authzen_subject_search=True) as made:
        for number in range(10):
            put(made.service, f"P{number}", product(flight("f", ["canary"], "2.0.0.0")))
        group(made.service, "many", *(f"t{number}@example.com" for number in range(7)))
        put(made.service, "MANY", product(flight("many", ["many", "beta"], "2.0.0.0")))
        clock.advance(3_600)
        yield made


def query(what: str, action: str = "install", of: str = "product:APP", **more: Any) -> Body:
    """A search, without what is searched for."""
    body = ask(action, of, **more)
    if what == "subject":
        body["subject"] = {"type": "account"}
    elif what == "resource":
        body["resource"] = {"type": body["resource"]["type"]}
    else:
        del body["action"]
    return body


QUERIES = {what: query(what) for what in ("subject", "resource", "action")}
IN_APP = {"subject": [ADA, GRACE], "action": ["install", "view"]}


# --- what is found ---


def test_must_8_actions_of_a_resource(world: Pdp) -> None:
    installed = {**DESKTOP, "installed_version": "1.0.0.0"}
    assert world.search("action", query("action")) == ["install", "view"]
    assert world.search("action", query("action", context=installed)) == [
        "install",
        "update",
        "view",
    ]
    assert world.search("action", query("action", of="flight:APP:canary")) == ["install"]
    assert world.search("action", query("action", of="submission:SECRET")) == ["view"]
    stranger = query("action", of="product:SECRET", subject=account(STRANGER))
    assert world.search("action", stranger) == []


def test_must_8_resources_of_a_type(world: Pdp) -> None:
    flights = world.search("resource", query("resource", of="flight:"))
    assert flights == [
        "APP:canary",
        "MANY:many",
        *(f"P{number}:f" for number in range(10)),
        "SECRET:hidden",
        "THEIRS:theirs",
    ]
    grace = query("resource", of="flight:", subject=account(GRACE))
    assert world.search("resource", grace) == ["APP:beta", "MANY:many", "SECRET:hidden"]
    stranger = query("resource", "view", "submission:", subject=account(STRANGER))
    assert world.search("resource", stranger) == ["APP", "MANY", *(f"P{n}" for n in range(10))]


def test_must_8_subjects_of_a_resource(world: Pdp) -> None:
    assert world.search("subject", query("subject")) == [ADA, GRACE]
    assert world.search("subject", query("subject", of="flight:APP:beta")) == [GRACE]
    assert world.search("subject", query("subject", "view", "submission:SECRET")) == [ADA, GRACE]
    nobody = {**query("subject", "view"), "subject": {"type": "anonymous"}}
    assert world.search("subject", nobody) == ["-"]
    assert world.search("subject", {**nobody, "resource": resource("product:SECRET")}) == []


@pytest.mark.parametrize("what", QUERIES)
def test_must_8_every_result_evaluates_to_true(world: Pdp, what: str) -> None:
    body = QUERIES[what] | {"page": {"limit": 1_000}}
    found = world.evaluate(body, world.qa, f"{SEARCH}/{what}")["results"]
    assert found
    for one in found:
        evaluation = {k: v for k, v in QUERIES[what].items() if k != "page"} | {what: one}
        assert world.evaluate(evaluation)["decision"]


@pytest.mark.parametrize("what", ["subject", "resource"])
def test_must_8_the_own_id_is_ignored(world: Pdp, what: str) -> None:
    body = QUERIES[what]
    for own in ("x", "APP", 7, None):
        asked = {**body, what: {**body[what], "id": own}}
        assert world.search(what, asked) == world.search(what, body)
    extra = {**query("action"), "action": {"name": "view"}}
    assert world.search("action", extra) == ["install", "view"]
    assert world.search("action", {**extra, "action": 7}) == ["install", "view"]


@pytest.mark.parametrize("what", QUERIES)
@pytest.mark.parametrize("entity", ["subject", "action", "resource"])
def test_must_8_an_unknown_type_or_id_is_found_nothing(world: Pdp, what: str, entity: str) -> None:
    body = QUERIES[what]
    unknown: dict[str, Any]
    for unknown in ({"type": "nope"}, {"id": "nope"}, {"name": "nope"}):
        if entity not in body or not unknown.keys() <= body[entity].keys():
            continue
        assert world.search(what, {**body, entity: {**body[entity], **unknown}}) == []


@pytest.mark.parametrize("what", QUERIES)
def test_must_8_an_input_missing_or_wrong_is_400(world: Pdp, what: str) -> None:
    body = QUERIES[what]
    for entity in body.keys() - {"context"}:
        wrong: Any
        for wrong in (None, 7, "x", [], {}):
            answer = world.send(f"{SEARCH}/{what}", {**body, entity: wrong}, world.qa)
            assert answer.status_code == 400
            assert entity in answer.json()
    for entity in body.keys() - {"context", what}:
        for name in body[entity]:
            broken = {k: v for k, v in body[entity].items() if k != name}
            sent = {**body, entity: broken}
            assert world.send(f"{SEARCH}/{what}", sent, world.qa).status_code == 400


def test_a_search_is_of_the_callers_publishers(world: Pdp) -> None:
    theirs = world.app.key("access:query", "access:assert", "groups:read", publishers=["fabrikam"])
    assert world.search("resource", query("resource", "view"), theirs) == ["THEIRS"]
    assert world.search("action", query("action"), theirs) == []
    assert world.search("subject", query("subject"), theirs) == []
    path = f"/fabrikam{SEARCH}/resource"
    found = world.evaluate(query("resource", "view"), world.qa, path)["results"]
    assert found == [{"type": "product", "id": "THEIRS"}]


def test_a_moment_counts_for_searches_too(world: Pdp) -> None:
    then = {**DESKTOP, "time": "2026-06-01T11:00:00Z"}
    for what in QUERIES:
        assert world.search(what, query(what, context=then)) == []


# --- pages ---


@pytest.mark.parametrize("what", QUERIES)
@pytest.mark.parametrize("limit", [1, 2, 3, 1_000, 10**9])
def test_must_8_the_loop_of_tokens_finds_all_and_ends_with_an_empty_one(
    world: Pdp, what: str, limit: int
) -> None:
    body = query(what, of="product:MANY" if what == "subject" else "product:APP")
    whole = world.search(what, body)
    assert len(whole) >= 2
    assert world.search(what, {**body, "page": {"limit": limit}}) == whole
    first = world.evaluate({**body, "page": {"limit": limit}}, world.qa, f"{SEARCH}/{what}")
    assert next(iter(first)) == "page"
    assert first["page"]["count"] == len(first["results"]) == min(limit, len(whole))
    assert bool(first["page"]["next_token"]) is (limit < len(whole))


def test_without_a_page_everything_comes_at_once(world: Pdp) -> None:
    for what, body in QUERIES.items():
        assert world.evaluate(body, world.qa, f"{SEARCH}/{what}").keys() == {"results"}


def test_a_limit_of_nothing_is_an_empty_page(world: Pdp) -> None:
    answer = world.evaluate({**QUERIES["action"], "page": {"limit": 0}}, path=f"{SEARCH}/action")
    assert answer["results"] == []
    assert answer["page"]["next_token"]


@pytest.mark.parametrize("page", [{"limit": -1}, {"limit": "2"}, {"limit": 1.5}, {"token": 7}, 7])
def test_a_page_that_cannot_be_read_is_400(world: Pdp, page: Any) -> None:
    answer = world.send(f"{SEARCH}/action", {**QUERIES["action"], "page": page})
    assert answer.status_code == 400
    assert "page" in answer.json()


@pytest.mark.parametrize("page", [None, {}, {"token": ""}, {"token": None}, {"properties": {}}])
def test_a_page_that_says_nothing_is_the_first(world: Pdp, page: Any) -> None:
    answer = world.evaluate({**QUERIES["action"], "page": page}, path=f"{SEARCH}/action")
    assert answer["results"] == [{"name": "install"}, {"name": "view"}]


def token_of(world: Pdp, what: str) -> str:
    body = {**QUERIES[what], "page": {"limit": 1}}
    token: str = world.evaluate(body, world.qa, f"{SEARCH}/{what}")["page"]["next_token"]
    assert token
    return token


@pytest.mark.parametrize("what", QUERIES)
def test_a_token_goes_with_its_own_query_only(world: Pdp, what: str) -> None:
    token = token_of(world, what)
    changed: list[Body] = [
        {"context": {**DESKTOP, "market": "US"}},
        {"page": {"token": token, "limit": 2}},
    ]
    if what != "subject":
        changed.append({"subject": account(GRACE)})
    if what != "resource":
        changed.append({"resource": resource("product:SECRET")})
    if what != "action":
        changed.append({"action": {"name": "view"}})
    for change in changed:
        body = {**QUERIES[what], "page": {"token": token}, **change}
        answer = world.send(f"{SEARCH}/{what}", body, world.qa)
        assert answer.status_code == 400, change
        assert "page.token" in answer.json()


def test_a_token_goes_with_its_own_search_and_caller_only(world: Pdp) -> None:
    token = {"token": token_of(world, "action")}
    for path, by in ((f"{SEARCH}/resource", world.qa), (f"/contoso{SEARCH}/action", world.qa)):
        body = {**QUERIES[path.rpartition("/")[2]], "page": token}
        assert world.send(path, body, by).status_code == 400
    with_limit = {**QUERIES["action"], "page": {**token, "limit": 1}}
    assert world.evaluate(with_limit, world.qa, f"{SEARCH}/action")["results"] == [{"name": "view"}]
    other = {**account(), "properties": {"department": "Sales"}}
    renamed = {**QUERIES["action"], "page": token, "subject": dict(reversed(other.items()))}
    assert world.send(f"{SEARCH}/action", renamed, world.qa).status_code == 200


def test_a_token_is_opaque_and_cannot_be_made(world: Pdp) -> None:
    token = token_of(world, "subject")
    assert ADA.encode() not in base64.urlsafe_b64decode(token + "==")
    for made in ("x", token[:-4] + "AAAA", ADA, "ä"):
        body = {**QUERIES["subject"], "page": {"token": made}}
        answer = world.send(f"{SEARCH}/subject", body, world.qa)
        assert answer.status_code == 400


def test_a_page_goes_on_though_what_it_ended_at_is_gone(world: Pdp) -> None:
    body = {**query("resource", "view"), "page": {"limit": 3}}
    first = world.evaluate(body, world.qa, f"{SEARCH}/resource")
    last = first["results"][-1]["id"]
    before = world.service.catalog.store.get(last)
    assert before is not None
    world.service.catalog.delete("contoso", last, actor="test")
    body["page"] = {"token": first["page"]["next_token"]}
    found = world.evaluate(body, world.qa, f"{SEARCH}/resource")["results"]
    put(world.service, last, before[0].product)
    assert found[0]["id"] > last


def test_must_11_the_same_search_is_answered_by_the_same_bytes(world: Pdp) -> None:
    for what, body in QUERIES.items():
        answers = {world.send(f"{SEARCH}/{what}", body, world.qa).content for _ in range(3)}
        assert len(answers) == 1


# --- subject search is for those who may read groups, where it is wanted ---


def test_subject_search_needs_groups_read(world: Pdp) -> None:
    answer = world.send(f"{SEARCH}/subject", QUERIES["subject"], world.backend)
    assert answer.status_code == 403
    assert "groups:read" in answer.json()
    reader = world.app.key("access:query", "groups:read")
    assert world.search("subject", QUERIES["subject"], reader) == [ADA, GRACE]


def test_subject_search_is_off_unless_the_settings_want_it(store_url: str, clock: Clock) -> None:
    with pdp(store_url, clock) as quiet:
        assert quiet.send(f"{SEARCH}/subject", QUERIES["subject"], quiet.qa).status_code == 404
