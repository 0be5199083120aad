"""POST /v1/simulations and the coverage of a product: what is told, to whom, and how much at once."""

import copy
import json
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from eligibility.callers.model import Scope
from eligibility.server.api import simulations
from eligibility.server.api.simulations import NDJSON
from eligibility.server.http.authorization import RouteCaller
from eligibility.service.service import Service
from eligibility.simulation import matrix
from groups.model import MembershipEdit
from tests.helpers.catalog.products import DESKTOP, flight, group, package, product, put
from tests.helpers.clock import Clock
from tests.helpers.servers.application import App, Headers, asking
from tests.helpers.servers.problem import assert_problem

ADA, GRACE, LINUS = (f"{name}@example.com" for name in ("ada", "grace", "linus"))
XBOX = {"family": "Xbox", "os_version": "22621", "name": "the console"}
EVERYTHING = (Scope.QUERY, Scope.ASSERT, Scope.READ_GROUPS, Scope.SIMULATE)


@pytest.fixture
def app(service: Service, clock: Clock) -> Iterator[App]:
    """Ada is in both flights, Grace in the lower one, Linus in none."""
    group(service, "canary", ADA)
    group(service, "beta", ADA, GRACE)
    group(service, "others", LINUS)
    high, low = flight("high", ["canary"], "3.0.0.0"), flight("low", ["beta"], "2.0.0.0")
    put(service, "APP", product(high, low))
    clock.advance(3_600)
    with asking(service) as opened:
        yield opened


def simulate(app: App, headers: Headers | None = None, **asked: Any) -> httpx2.Response:
    sent = {"product_id": "APP", "devices": [DESKTOP], **asked}
    return app.post("/v1/simulations", sent, headers or app.key(Scope.ADMIN))


def told(answer: httpx2.Response) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    read: dict[str, Any] = answer.json()
    return read


def outcome(found: dict[str, Any], account: int, device: int = 0) -> dict[str, Any]:
    """What an account gets on a device, by their places."""
    row = found["accounts"][account]["class"]
    one: dict[str, Any] = found["classes"][row]["outcomes"][found["devices"][device]["class"]]
    return one


def versions(found: dict[str, Any]) -> list[str | None]:
    return [outcome(found, place)["version"] for place in range(len(found["accounts"]))]


def refused(answer: httpx2.Response, code: str = "INVALID_INPUT") -> dict[str, str]:
    """The faults' codes by their places."""
    assert_problem(answer, 400, code)
    return {one["loc"]: one["code"] for one in answer.json()["errors"]}


def test_each_account_has_a_class_each_device_too_and_two_classes_an_outcome(app: App) -> None:
    found = told(simulate(app, accounts=[ADA, GRACE, LINUS, None], devices=[DESKTOP, XBOX]))
    assert [one["account"] for one in found["accounts"]] == [ADA, GRACE, LINUS, None]
    assert versions(found) == ["3.0.0.0", "2.0.0.0", "1.0.0.0", "1.0.0.0"]
    assert outcome(found, 1, 1) == {
        "granted": True,
        "kind": "flight",
        "flight_id": "low",
        "version": "2.0.0.0",
        "architecture": "neutral",
        "action": "install",
        "reasons": ["FLIGHT_MEMBER"],
    }
    assert found["devices"][1]["name"] == "the console"
    assert found["state"] == {
        "label": "live",
        "moment": "2026-06-01T13:00:00Z",
        "revision": {"groups": 3, "catalog": 1},
    }
    assert found["counts"] == {
        "accounts": 4,
        "devices": 2,
        "cells": 8,
        "decisions": len(found["classes"]) * 2,
        "flight": 4,
        "submission": 4,
        "denied": 0,
    }


def test_it_tells_what_access_queries_are_told(app: App) -> None:
    accounts: list[Any] = [
        ADA,
        {"id": ADA, "kind": "work_or_school"},
        {"id": LINUS, "aliases": [GRACE]},
    ]
    accounts.append({"id": None, "installed_version": "9.0.0.0"})
    found = told(simulate(app, accounts=accounts, devices=["all"]))
    for place, sent in enumerate(accounts):
        asked = {"id": sent} if isinstance(sent, str) else dict(sent)
        installed = asked.pop("installed_version", None)
        who = asked if asked["id"] else None
        for at, device in enumerate(found["devices"]):
            query = {"product_id": "APP", "account": who, "installed_version": installed}
            query["device"] = {n: device[n] for n in ("family", "os_version", "architecture")}
            answer = app.post("/v1/access", query, app.key(Scope.ADMIN)).json()
            got = outcome(found, place, at)
            offered = answer["package"]["package"] or {}
            assert got["granted"] == answer["granted"]
            assert got["version"] == offered.get("version")
            assert got["action"] == answer["package"]["action"]


def test_terms_of_all_hold_where_an_account_says_no_other(app: App) -> None:
    own = {"id": GRACE, "installed_version": "1.0.0.0"}
    found = told(simulate(app, accounts=[GRACE, own], installed_version="2.0.0.0"))
    assert [outcome(found, place)["action"] for place in (0, 1)] == ["keep", "update"]


def test_groups_stand_for_their_members_and_without_accounts_it_is_everybody(app: App) -> None:
    named = told(simulate(app, accounts={"groups": ["others", "beta", "canary"]}))
    assert [one["account"] for one in named["accounts"]] == [LINUS, ADA, GRACE]
    everybody = told(simulate(app))
    assert [one["account"] for one in everybody["accounts"]] == [ADA, GRACE]
    assert_problem(simulate(app, accounts={"groups": ["nope"]}), 404, "UNKNOWN_GROUP")


def test_a_moment_is_as_it_was_and_as_it_will_be(app: App, service: Service, clock: Clock) -> None:
    soon = product(flight("f", ["beta"], "5.0.0.0", publish_at="2026-12-01T00:00:00Z"))
    put(service, "APP", soon)
    past, ahead = "2026-06-01T12:30:00Z", "2027-01-01T00:00:00+01:00"
    assert versions(told(simulate(app, accounts=[GRACE], at=past))) == ["2.0.0.0"]
    assert versions(told(simulate(app, accounts=[GRACE]))) == ["1.0.0.0"]
    found = told(simulate(app, accounts=[GRACE], at=ahead))
    assert versions(found) == ["5.0.0.0"]
    assert found["state"]["moment"] == "2026-12-31T23:00:00Z"


def test_a_draft_is_laid_over_and_nothing_is_saved(app: App, service: Service) -> None:
    low = {"flight_id": "low", "name": "low", "groups": ["beta"], "packages": [package("7.0.0.0")]}
    body = {"name": "App", "submission": {"packages": [package("6.0.0.0")]}, "flights": [low]}
    floors = {
        "flight": {"Windows.Xbox": "any"},
        "private_audience": {"*": "any"},
        "rollout": {"*": "any"},
    }
    asked: list[tuple[dict[str, Any], list[str]]] = [
        ({"groups": {"beta": {"add": LINUS, "remove": [GRACE]}}}, ["1.0.0.0", "2.0.0.0"]),
        ({"groups": {"beta": {"emails": f"{LINUS}, {ADA}"}}}, ["1.0.0.0", "2.0.0.0"]),
        ({"product": body}, ["7.0.0.0", "6.0.0.0"]),
        ({"requirements": floors}, ["1.0.0.0", "1.0.0.0"]),
    ]
    for draft, expected in asked:
        found = told(simulate(app, accounts=[GRACE, LINUS], draft=draft))
        assert versions(found) == expected, draft
        assert found["state"]["label"] == "live + draft"
    assert versions(told(simulate(app, accounts=[GRACE, LINUS]))) == ["2.0.0.0", "1.0.0.0"]
    assert service.groups.get("contoso", "beta").member_count == 2


def test_a_product_that_is_not_there_yet_is_simulated_from_its_draft(app: App) -> None:
    body = {"name": "New", "submission": {"packages": [package("6.0.0.0")]}}
    draft = {"product": body, "publisher": "contoso"}
    found = told(simulate(app, product_id="NEW", accounts=[None], draft=draft))
    assert versions(found) == ["6.0.0.0"]
    unsaid = simulate(app, product_id="NEW", accounts=[None], draft={"product": body})
    assert_problem(unsaid, 404, "UNKNOWN_PRODUCT")
    taken = simulate(app, accounts=[None], draft=draft | {"publisher": "fabrikam"})
    assert_problem(taken, 409, "PRODUCT_TAKEN")


FAULTS: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
    "an unknown field": ({"acounts": []}, {"acounts": "UNKNOWN_FIELD"}),
    "a field of an account": (
        {"accounts": [ADA, {"id": ADA, "instaled": 1}]},
        {"accounts.1.instaled": "UNKNOWN_FIELD"},
    ),
    "an account without id": ({"accounts": [{"owned": True}]}, {"accounts.0.id": "MISSING_FIELD"}),
    "a number": ({"accounts": [ADA, 7]}, {"accounts.1": "WRONG_TYPE"}),
    "no addresses": (
        {"accounts": ["ada", None, {"id": "@"}]},
        {"accounts.0": "INVALID_EMAILS", "accounts.2.id": "INVALID_EMAILS"},
    ),
    "a market": (
        {"accounts": [{"id": ADA, "market": "usa"}]},
        {"accounts.0.market": "UNREADABLE_MARKET"},
    ),
    "a market of all": ({"market": "usa"}, {"market": "UNREADABLE_MARKET"}),
    "presets": (
        {"devices": ["desktop", "xbx", "/etc/passwd"]},
        {"devices.1": "UNKNOWN_PRESET", "devices.2": "UNKNOWN_PRESET"},
    ),
    "a device": (
        {"devices": [{"family": "Toaster", "os_version": "22621"}]},
        {"devices.0.family": "UNREADABLE_FAMILY"},
    ),
    "no device": ({"devices": []}, {"devices": "NO_DEVICES"}),
    "a moment": ({"at": "tomorrow"}, {"at": "UNREADABLE_MOMENT"}),
    "a drafted group's size": (
        {"draft": {"groups": {"canary": {"remove": ADA}}}},
        {"draft.groups.canary": "GROUP_SIZE"},
    ),
    "a drafted address": (
        {"draft": {"groups": {"beta": {"add": [ADA, "x@"]}}}},
        {"draft.groups.beta.add.2": "INVALID_EMAIL"},
    ),
    "members told twice": (
        {"draft": {"groups": {"beta": {"add": ADA, "emails": ADA}}}},
        {"draft.groups.beta": "MEMBERS_TWICE"},
    ),
    "an address that comes and goes": (
        {"draft": {"groups": {"beta": {"add": [LINUS], "remove": f"{ADA} {LINUS}"}}}},
        {"draft.groups.beta": "ADDED_AND_REMOVED"},
    ),
    "a drafted number": (
        {"draft": {"groups": {"beta": {"emails": [1]}, "canary": {"add": [ADA, None]}}}},
        {
            "draft.groups.beta.emails.0": "WRONG_TYPE",
            "draft.groups.canary.add.1": "WRONG_TYPE",
        },
    ),
    "drafted products of other types": (
        {"draft": {"product": [], "products": {"X": 7}}},
        {"draft.product": "WRONG_TYPE"},
    ),
    "a name that looks like a place": (
        {"x` - at `$.draft.groups.b": 1},
        {"x` - at `$.draft.groups.b": "UNKNOWN_FIELD"},
    ),
    "a drafted floor": (
        {"draft": {"requirements": {"flight": {"Windows.Xbox": "newest"}}}},
        {
            "draft.requirements.flight.Windows.Xbox": "BAD_SPECIFIER",
            "draft.requirements.private_audience": "MISSING_RULE",
            "draft.requirements.rollout": "MISSING_RULE",
        },
    ),
}


@pytest.mark.parametrize("what", FAULTS)
def test_what_cannot_be_read_is_named_with_its_place(app: App, what: str) -> None:
    asked, expected = FAULTS[what]
    found = refused(simulate(app, **{"accounts": [ADA], **asked}))
    assert found == expected


@pytest.mark.parametrize(
    ("body", "loc"),
    [
        ({"name": "App", "submission": {"packages": [{}]}}, "draft.product.submission.packages.0"),
        (
            {"name": "App", "submission": {"audience": "private", "packages": []}},
            "draft.product.submission.audience",
        ),
    ],
)
def test_a_drafted_product_is_held_to_what_a_save_would_take(
    app: App, body: dict[str, Any], loc: str
) -> None:
    answer = simulate(app, accounts=[None], draft={"product": body})
    found = refused(answer, "INVALID_PRODUCT")
    assert all(one.startswith(loc) for one in found), found


def test_a_path_is_never_read(app: App, tmp_path: Any) -> None:
    file = tmp_path / "secret.csv"
    file.write_text(f"family,os_version\nXbox,22621\n{ADA},1\n")
    for accounts, devices in (([None], [str(file)]), ([str(file)], [DESKTOP])):
        answer = simulate(app, accounts=accounts, devices=devices)
        assert_problem(answer, 400, "INVALID_INPUT")
        assert "22621" not in answer.text


def lines(answer: httpx2.Response) -> list[dict[str, Any]]:
    assert answer.headers["content-type"] == NDJSON
    return [json.loads(line) for line in answer.text.splitlines()]


def test_a_stream_tells_the_same_and_ends_with_a_line_that_says_so(app: App) -> None:
    asked = {"product_id": "APP", "accounts": [ADA, GRACE, None], "devices": ["all"]}
    key = app.key(Scope.ADMIN)
    whole = told(app.post("/v1/simulations", asked, key))
    streamed = app.post("/v1/simulations", asked, key | {"accept": NDJSON})
    head, *middle, end = lines(streamed)
    assert head == {"line": "head"} | {n: whole[n] for n in ("product_id", "state", "devices")}
    assert end == {"line": "end"} | whole["counts"]
    assert middle == [
        *({"line": "class"} | one for one in whole["classes"]),
        *({"line": "account"} | one for one in whole["accounts"]),
    ]


def test_long_answers_are_streamed_unless_the_client_takes_json_alone(app: App) -> None:
    asked = {"product_id": "APP", "accounts": [f"{n}@example.com" for n in range(50)]}
    asked["devices"] = ["all"]
    key = app.key(Scope.ADMIN)
    assert len(lines(app.post("/v1/simulations", asked, key))) == 1 + 1 + 50 + 1
    only = app.post("/v1/simulations", asked, key | {"accept": "application/json"})
    assert told(only)["counts"]["cells"] == 50 * len(only.json()["devices"]) > 5_000


def test_a_write_of_a_moment_ago_is_one_class_and_says_that_it_is_settling(
    app: App, service: Service
) -> None:
    """Each member being a class of its own, a fresh import could not be simulated at all."""
    fresh = [f"fresh{number}@example.com" for number in range(200)]
    service.groups.edit("contoso", "beta", MembershipEdit(add=tuple(fresh)), actor="test")
    for headers, named in ((app.key(Scope.ADMIN), "beta"), (app.key(*EVERYTHING[:2]), None)):
        found = told(simulate(app, headers, accounts=[GRACE, *fresh]))
        assert [one["accounts"] for one in found["classes"]] == [1, 200]
        assert found["classes"][0]["settling"] is None
        settling = found["classes"][1]["settling"]
        assert (settling["change"], settling["group_id"]) == ("added", named)


LIMITS: dict[str, tuple[str, dict[str, Any]]] = {
    "TOO_MANY_ACCOUNTS": ("MOST_ACCOUNTS", {"accounts": [ADA, GRACE, LINUS]}),
    "TOO_MANY_DEVICES": ("MOST_DEVICES", {"accounts": [ADA], "devices": ["xbox"]}),
    "TOO_MANY_CELLS": ("MOST_CELLS", {"accounts": [ADA, GRACE], "devices": [DESKTOP, XBOX]}),
}


@pytest.mark.parametrize("code", LIMITS)
def test_too_much_is_refused_with_the_limit(
    app: App, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, asked = LIMITS[code]
    monkeypatch.setattr(matrix, name, 2)
    answer = simulate(app, **asked)
    assert list(refused(answer).values()) == [code]
    assert "takes up to 2" in answer.text


def test_so_many_decisions_at_once_are_refused(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulations, "MOST_DECISIONS", 1)
    assert refused(simulate(app, accounts=[ADA, GRACE])) == {"": "TOO_MANY_DECISIONS"}
    assert told(simulate(app, accounts=[LINUS, None][:1]))["counts"]["decisions"] == 1
    path = "/v1/publishers/contoso/products/APP/coverage"
    answer = app.ask("GET", path, app.key(Scope.READ_GROUPS))
    assert refused(answer) == {"": "TOO_MANY_DECISIONS"}


def test_it_counts_as_accounts_times_kinds_of_devices(app: App) -> None:
    """As a batch counts: up to a second's worth, so that it can be had at all."""
    headers = app.key(Scope.ADMIN, rate_limit=10, name="slow")
    first = simulate(app, headers, accounts=[ADA, GRACE, LINUS], devices=[DESKTOP, XBOX])
    assert first.headers["ratelimit"].startswith('"caller";r=4;')
    assert_problem(simulate(app, headers, accounts=[ADA] * 6), 429, "RATE_LIMITED")
    large = app.key(Scope.ADMIN, rate_limit=10, name="another")
    assert simulate(app, large, accounts=[ADA] * 100).status_code == 200


ASKED: dict[str, tuple[dict[str, Any], set[Scope]]] = {
    "nobody": ({"accounts": [None, {"id": None}]}, {Scope.QUERY}),
    "addresses": ({"accounts": [None, ADA]}, {Scope.QUERY, Scope.ASSERT}),
    "accounts": ({"accounts": [{"id": ADA}]}, {Scope.QUERY, Scope.ASSERT}),
    "groups": ({"accounts": {"groups": ["beta"]}}, {Scope.QUERY, Scope.READ_GROUPS}),
    "everybody": ({}, {Scope.QUERY, Scope.READ_GROUPS}),
    "a draft": (
        {"accounts": [None], "draft": {"groups": {"beta": {"add": ADA}}}},
        {Scope.QUERY, Scope.SIMULATE, Scope.READ_GROUPS},
    ),
}


@pytest.mark.parametrize("what", ASKED)
def test_a_simulation_needs_the_scopes_of_what_it_tells(app: App, what: str) -> None:
    asked, needed = ASKED[what]
    assert simulate(app, app.key(*needed), **asked).status_code == 200
    for scope in needed:
        others = app.key(*(set(EVERYTHING) - {scope}))
        answer = simulate(app, others, **asked)
        assert_problem(answer, 403, "SCOPE_MISSING")
        assert f"`{scope}`" in answer.json()["detail"]


def test_the_product_of_another_publisher_is_unknown(app: App) -> None:
    theirs = app.key(Scope.ADMIN, publishers=["fabrikam"])
    body = {"name": "App", "submission": {"packages": []}}
    for draft in (None, {"product": body}, {"groups": {"beta": {"add": ADA}}}):
        foreign = simulate(app, theirs, accounts=[ADA], draft=draft)
        nobodys = simulate(app, theirs, product_id="NOPE", accounts=[ADA], draft=draft)
        assert_problem(foreign, 404, "UNKNOWN_PRODUCT")
        assert foreign.text.replace("APP", "NOPE") == nobodys.text
    mine = {"product": body, "publisher": "fabrikam"}
    assert_problem(simulate(app, theirs, draft=mine), 409, "PRODUCT_TAKEN")
    yours = {"product": body, "publisher": "contoso"}
    assert_problem(simulate(app, theirs, draft=yours), 404, "UNKNOWN_PUBLISHER")


def test_live_queries_keep_what_is_remembered_for_them(app: App, service: Service) -> None:
    held = service.evaluator.current("APP")
    simulate(app, accounts=[ADA, GRACE, LINUS], devices=["all"])
    assert not held._memory[0].known


def test_coverage_counts_without_telling_an_address(app: App) -> None:
    path = "/v1/publishers/contoso/products/APP/coverage"
    answer = app.ask("GET", f"{path}?devices=windows-11, xbox", app.key(Scope.READ_GROUPS))
    found = told(answer)
    assert "@" not in answer.text
    assert found["members"] == 2
    assert found["combinations"] == [
        {"groups": ["beta"], "members": 1, "flight_id": "low", "admitted": True},
        {"groups": ["beta", "canary"], "members": 1, "flight_id": "high", "admitted": True},
    ]
    assert found["overlaps"] == [{"groups": ["beta", "canary"], "members": 1}]
    assert found["devices"][0]["name"] == "Windows 11 21H2 to 26H1, x64"
    assert found["devices"][0]["granted"] == 2


def test_coverage_is_of_a_moment_and_on_terms(app: App, service: Service) -> None:
    service.groups.edit("contoso", "beta", MembershipEdit(add=(LINUS,)), actor="test")
    limited = product(flight("low", ["beta"], "2.0.0.0"))
    put(service, "APP", limited.model_copy(update={"markets": ("US",)}))
    path, key = "/v1/publishers/contoso/products/APP/coverage", app.key(Scope.READ_GROUPS)

    def granted(query: str) -> tuple[int, int]:
        found = told(app.ask("GET", f"{path}?devices=windows-11&{query}", key))
        return found["members"], found["devices"][0]["granted"]

    assert granted("") == (3, 0)
    assert granted("market=US") == (3, 3)
    assert granted("at=2026-06-01T12:30:00Z") == (2, 2)
    for wrong, loc in (("devices=nope", "devices.0"), ("market=usa", "market")):
        assert list(refused(app.ask("GET", f"{path}?{wrong}", key))) == [loc]


@pytest.mark.parametrize("product_id", ["NOPE", "THEIRS"])
def test_coverage_is_of_the_publishers_own_products(
    app: App, service: Service, product_id: str
) -> None:
    put(service, "THEIRS", product(), publisher="fabrikam")
    path = f"/v1/publishers/contoso/products/{product_id}/coverage"
    assert_problem(app.ask("GET", path, app.key(Scope.ADMIN)), 404, "UNKNOWN_PRODUCT")


ODD: tuple[Any, ...] = (
    1,
    -1.5,
    None,
    True,
    "x",
    "9" * 5_000,
    [],
    [1],
    [[None]],
    {},
    {"a": {"b": 1}},
)
"""Values of every JSON type, one of which is wrong wherever another is right."""

FULL: dict[str, dict[str, Any]] = {
    "/v1/simulations": {
        "product_id": "APP",
        "accounts": [ADA, {"id": GRACE, "kind": "microsoft", "aliases": [LINUS], "owned": True}],
        "devices": ["xbox", XBOX],
        "at": "2026-06-01T12:30:00Z",
        "draft": {
            "publisher": "contoso",
            "groups": {"beta": {"add": [LINUS], "remove": [GRACE]}, "canary": {"emails": [ADA]}},
            "products": {"APP": {"name": "App", "submission": {"packages": [package("6.0.0.0")]}}},
            "requirements": {"flight": {"*": "any"}},
        },
    },
    "/v1/simulations/diff": {
        "product_id": "APP",
        "before": "groups:1",
        "after": "draft",
        "accounts": {"groups": ["beta"]},
        "devices": [XBOX],
        "market": "US",
        "draft": {"groups": {"beta": {"add": LINUS}}},
    },
    "/v1/access/timeline": {
        "product_id": "APP",
        "account": {"id": ADA, "aliases": [GRACE]},
        "devices": "xbox",
        "everything": True,
        "installed_version": "1.0.0.0",
    },
}


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The place of every value within a body."""
    if path:
        yield path
    nested = dict(enumerate(value)) if isinstance(value, list) else value
    for key, item in nested.items() if isinstance(nested, dict) else ():
        yield from places(item, (*path, key))


@pytest.mark.parametrize(
    ("path", "place"), [(path, place) for path, body in FULL.items() for place in places(body)]
)
def test_a_value_of_another_type_is_never_the_servers_fault(
    app: App, path: str, place: tuple[Any, ...]
) -> None:
    """Another value at any place of a body is taken, or refused with its place."""
    headers = app.key(Scope.ADMIN)
    for odd in ODD:
        body = copy.deepcopy(FULL[path])
        target: Any = body
        for key in place[:-1]:
            target = target[key]
        target[place[-1]] = odd
        answer = app.post(path, body, headers)
        assert answer.status_code in (200, 400, 404, 409), (odd, answer.text)
        if answer.status_code == 400:
            assert answer.json()["errors"], answer.text


@pytest.mark.parametrize("path", FULL)
@pytest.mark.parametrize("digits", ["9" * 5_000, "-" + "9" * 5_000])
def test_a_number_of_5_000_digits_is_refused(app: App, path: str, digits: str) -> None:
    """Python reads no more than 4,300 digits, and raises ValueError."""
    text = json.dumps(FULL[path])
    for name in ("product_id", "draft", "everything", "before"):
        body = text.replace("{", f'{{"{name}": {digits}, "more": {{"deep": {digits}}}, ', 1)
        answer = app.ask(
            "POST",
            path,
            app.key(Scope.ADMIN) | {"content-type": "application/json"},
            content=body.encode(),
        )
        assert_problem(answer, 400, "INVALID_JSON")
    for revision in (f"groups:{digits}", f"catalog:{digits}", digits):
        asked = {"product_id": "APP", "before": revision, "after": "live"}
        answer = app.post("/v1/simulations/diff", asked, app.key(Scope.ADMIN))
        assert refused(answer) == {"before": "UNKNOWN_STATE"}
    query = app.ask(
        "GET",
        f"/v1/publishers/contoso/products/APP/coverage?at={digits}",
        app.key(Scope.READ_GROUPS),
    )
    assert query.status_code == 400


def test_coverage_is_paid_for_as_its_decisions(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """For members of both groups, of one, and of none; on each kind of device."""
    paid: list[int] = []
    monkeypatch.setattr(RouteCaller, "pay", lambda _, decisions: paid.append(decisions))
    path = "/v1/publishers/contoso/products/APP/coverage?devices=windows-11"
    kinds = len(told(app.ask("GET", path, app.key(Scope.READ_GROUPS)))["devices"])
    assert paid[0] % 3 == 0
    assert paid[0] >= 3 * kinds
