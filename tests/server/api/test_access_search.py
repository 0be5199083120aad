"""POST /v1/access/search: what an account can reach, page by page, and what it may not learn of."""

import json
import uuid
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import fields

from eligibility.access.search import AccessSearchFields, read_search
from eligibility.access.wire import QueryFields
from eligibility.callers.model import Scope
from eligibility.errors import Fault, InvalidInput
from eligibility.service.service import Service
from tests.helpers.catalog.products import DESKTOP, flight, group, package, product, put
from tests.helpers.clock import Clock
from tests.helpers.servers.application import App, Headers, asking
from tests.helpers.servers.problem import assert_problem
from tests.helpers.servers.process import Server, bearer
from tests.helpers.tokens.application import ADA, GRACE, TokenApp, token_app

SEARCH = "/v1/access/search"
STRANGER = "x@example.com"


class Shop(NamedTuple):
    """A publisher of its own on the server, and the header of a caller that sees only this one."""

    server: Server
    publisher: str
    caller: Headers

    def search(self, email: str | None = ADA, **more: Any) -> Any:
        answer = self.server.http.post(SEARCH, json=body(email, **more), headers=self.caller)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def ids(self, email: str | None = ADA, **more: Any) -> list[str]:
        """The products found, without the publisher's name in their ids."""
        items = self.search(email, **more)["items"]
        return [item["product_id"].partition("-")[2] for item in items]


def body(email: str | None = ADA, **more: Any) -> dict[str, Any]:
    account = None if email is None else {"id": email}
    return {"account": account, "device": DESKTOP, **more}


@pytest.fixture(scope="module")
def shop(server: Server) -> Shop:
    """Public, private and unavailable products. Ada is in a flight of one, Grace in a private audience."""
    publisher = f"p{uuid.uuid4().hex}"
    base = f"/v1/publishers/{publisher}"
    for group_id, member in (("hush-ada", ADA), ("hush-grace", GRACE)):
        made = {"name": group_id, "group_id": group_id, "emails": [member]}
        assert server.http.post(f"{base}/groups", json=made).status_code == 201
    public = {"packages": [package("1.0.0.0")]}
    private = {**public, "audience": "private"}
    both = [flight("best", ["hush-grace"], "3.0.0.0"), flight("good", ["hush-ada"], "2.0.0.0")]
    old = {"packages": [package("1.0.0.0", Desktop="10.0.26100.0")]}
    products: dict[str, dict[str, Any]] = {
        "a": {"submission": public, "flights": both},
        "b": {"submission": {**private, "audience_groups": ["hush-grace"]}},
        "c": {"submission": {**private, "audience_groups": ["hush-ada"]}},
        "d": {"submission": {**private, "audience_groups": ["hush-grace"]}},
        "e": {"submission": old},
        "f": {"submission": public, "availability": "unavailable"},
    }
    for name, declared in products.items():
        path = f"{base}/products/{publisher}-{name}"
        stored = server.http.put(path, json={"name": f"Product {name}", **declared})
        assert stored.status_code == 200, stored.text
    wanted = {
        "name": "search",
        "scopes": ["access:query", "access:assert"],
        "publishers": [publisher],
    }
    key = server.http.post("/v1/keys", json=wanted).json()["key"]
    return Shop(server, publisher, bearer(key))


# --- what is found ---


def test_an_item_says_what_the_account_gets(shop: Shop) -> None:
    first = shop.search()["items"][0]
    assert first == {
        "publisher": shop.publisher,
        "product_id": f"{shop.publisher}-a",
        "name": "Product a",
        "granted": True,
        "submission": {
            "granted": True,
            "audience": "public",
            "listing": "searchable",
            "reasons": ["PUBLIC_AUDIENCE"],
        },
        "package": {
            "granted": True,
            "source": {"kind": "flight", "flight_id": "good", "name": "good", "rank": 2},
            "package": {
                "file_name": "2.0.0.0.msix",
                "version": "2.0.0.0",
                "architecture": "neutral",
            },
            "action": "install",
            "delivery": "automatic",
            "reasons": ["FLIGHT_MEMBER"],
        },
        "flights": ["good"],
    }


def test_products_are_found_for_whom_may_see_them(shop: Shop) -> None:
    assert shop.ids(ADA) == ["a", "c", "e", "f"]
    assert shop.ids(GRACE) == ["a", "b", "d", "e", "f"]
    for nobody in (None, STRANGER):
        assert shop.ids(nobody) == ["a", "e", "f"]


def test_an_absent_account_is_nobody_as_null_is(shop: Shop) -> None:
    absent = body()
    del absent["account"]
    answer = shop.server.http.post(SEARCH, json=absent, headers=shop.caller)
    assert answer.json() == shop.search(None)


def test_a_product_that_has_nothing_for_the_device_is_seen_without_a_package(shop: Shop) -> None:
    items = {item["product_id"][-1]: item for item in shop.search(GRACE)["items"]}
    assert not items["e"]["granted"]
    assert items["e"]["submission"]["granted"]
    assert items["e"]["package"]["reasons"] == ["OS_BELOW_PACKAGE_MINIMUM"]
    assert items["f"]["package"]["reasons"] == ["PRODUCT_UNAVAILABLE"]
    assert [items[name]["flights"] for name in "abe"] == [["best"], [], []]


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"installed_version": "2.0.0.0", "owned": True},
        {"installed_version": "1.0.0.0", "market": "US", "manual_check": True},
        {"promotional_code": True, "consistency": "strong"},
        {"at": "2030-01-01T00:00:00Z"},
        {"device": {"family": "Xbox One", "os_version": "22621"}},
    ],
)
@pytest.mark.parametrize("email", [ADA, GRACE, STRANGER, None])
def test_an_item_is_the_decision_of_an_access_query(
    shop: Shop, email: str | None, more: dict[str, Any]
) -> None:
    found = {item["product_id"]: item for item in shop.search(email, **more)["items"]}
    for name in "abcdef":
        product_id = f"{shop.publisher}-{name}"
        query = {**body(email, **more), "product_id": product_id}
        decision = shop.server.access(query)
        assert (product_id in found) == decision["submission"]["granted"]
        for half in ("granted", "submission", "package") if product_id in found else ():
            assert found[product_id][half] == decision[half]


def test_no_group_is_named_to_anybody(shop: Shop) -> None:
    for email in (ADA, GRACE, STRANGER):
        everybodys = shop.server.http.post(SEARCH, json=body(email))
        assert everybodys.status_code == 200
        assert "hush" not in everybodys.text + json.dumps(shop.search(email))


def test_before_a_product_was_declared_it_is_not_found(shop: Shop) -> None:
    assert shop.search(at="2020-01-01T00:00:00Z") == {"items": [], "next_cursor": None}


# --- pages ---


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 5, 100])
@pytest.mark.parametrize("email", [ADA, GRACE, None])
def test_pages_hold_as_many_items_as_there_are_hidden_products_or_not(
    shop: Shop, email: str | None, limit: int
) -> None:
    whole = shop.search(email)["items"]
    items: list[Any] = []
    cursor: str | None = None
    while True:
        page = shop.search(email, limit=limit, cursor=cursor)
        items += page["items"]
        cursor = page["next_cursor"]
        assert len(page["items"]) == limit or cursor is None
        if cursor is None:
            break
        assert cursor.endswith(page["items"][-1]["product_id"])
    assert items == whole
    assert len(page["items"]) > 0


def test_a_cursor_goes_on_behind_a_product_that_is_gone(shop: Shop) -> None:
    assert shop.ids(cursor=f"{shop.publisher}:{shop.publisher}-bb") == ["c", "e", "f"]
    assert shop.ids(cursor=f"{shop.publisher}:zzz") == []
    assert shop.ids(cursor="0:x") == shop.ids()


# --- wrong requests ---


@pytest.mark.parametrize(
    ("more", "code", "loc"),
    [
        ({"limit": 0}, "WRONG_TYPE", "limit"),
        ({"limit": 101}, "WRONG_TYPE", "limit"),
        ({"limit": "10"}, "WRONG_TYPE", "limit"),
        ({"limit": True}, "WRONG_TYPE", "limit"),
        ({"limit": None}, "WRONG_TYPE", "limit"),
        ({"cursor": 7}, "WRONG_TYPE", "cursor"),
        ({"cursor": ""}, "UNKNOWN_CURSOR", "cursor"),
        ({"cursor": "nonsense"}, "UNKNOWN_CURSOR", "cursor"),
        ({"cursor": ":"}, "UNKNOWN_CURSOR", "cursor"),
        ({"product_id": "APP"}, "UNKNOWN_FIELD", "product_id"),
        ({"at_least_revision": 1}, "UNKNOWN_FIELD", "at_least_revision"),
        ({"market": "usa"}, "UNREADABLE_MARKET", "market"),
        ({"account": {"id": "nobody"}}, None, "account.id"),
        ({"account": {"email": ADA}}, "UNKNOWN_FIELD", "account.email"),
        ({"device": {"family": "Desktop"}}, "MISSING_FIELD", "device.os_version"),
        ({"device": {"family": "Desktop", "os_version": "nonsense"}}, None, "device.os_version"),
        ({"at": "20300101"}, None, "at"),
    ],
)
def test_a_wrong_field_is_named(
    shop: Shop, more: dict[str, Any], code: str | None, loc: str
) -> None:
    answer = shop.server.http.post(SEARCH, json={**body(), **more}, headers=shop.caller)
    assert_problem(answer, 400, "INVALID_INPUT", code)
    assert loc in [fault["loc"] for fault in answer.json()["errors"]]


def test_a_search_without_a_device_or_with_a_field_twice_is_refused(shop: Shop) -> None:
    answer = shop.server.http.post(SEARCH, json={"account": None})
    assert_problem(answer, 400, "INVALID_INPUT", "MISSING_FIELD")
    twice = json.dumps(body())[:-1] + ', "market": "US", "market": "DE"}'
    headers = {"content-type": "application/json"}
    answer = shop.server.http.post(SEARCH, content=twice, headers=headers)
    assert_problem(answer, 400, "INVALID_JSON")


def test_only_json_by_post_and_without_parameters(shop: Shop) -> None:
    http = shop.server.http
    assert_problem(http.get(SEARCH), 405, "METHOD_NOT_ALLOWED")
    csv = http.post(SEARCH, content=b"{}", headers={"content-type": "text/csv"})
    assert_problem(csv, 415, "UNSUPPORTED_MEDIA_TYPE")
    for parameters in ("explain=true", "limit=5", f"account={ADA}"):
        answer = http.post(f"{SEARCH}?{parameters}", json=body())
        assert_problem(answer, 400, "INVALID_INPUT", "UNKNOWN_PARAMETER")
        assert ADA not in answer.text


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=6,
)
NAMES = [field.name for field in fields(AccessSearchFields)]


@given(st.dictionaries(st.sampled_from(NAMES), json_values) | json_values)
def test_whatever_comes_is_a_search_or_a_fault_that_names_a_field(sent: Any) -> None:
    faults: list[Fault] = []
    try:
        search = read_search(json.dumps(sent).encode())
    except InvalidInput as error:
        faults = error.faults
    else:
        assert 1 <= search.limit <= 100
        assert search.query.for_memory == (not {"at", "consistency"} & sent.keys())
        return
    assert faults
    assert all(fault.code and fault.detail for fault in faults)


def test_a_search_has_the_fields_of_a_query() -> None:
    lacking = {field.name for field in fields(QueryFields)} - set(NAMES)
    assert lacking == {"product_id", "at_least_revision"}
    assert set(NAMES) - {field.name for field in fields(QueryFields)} == {"cursor", "limit"}


# --- callers ---


@pytest.fixture
def world(store_url: str, clock: Clock) -> Iterator[TokenApp]:
    """token_app's, and a private product of each publisher for Grace."""
    with token_app(store_url, clock, account_rate_limit=20_000) as made:
        for publisher, product_id in (("contoso", "PRIVATE"), ("fabrikam", "FOREIGN")):
            private = product(audience="private", audience_groups=["hush-best"])
            put(made.app.service, product_id, private, publisher)
        clock.advance(3_600)
        yield made


def ids(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [item["product_id"] for item in answer.json()["items"]]


def test_an_account_searches_for_itself_only(world: TokenApp) -> None:
    own = world.own()
    for sent in ({"device": DESKTOP}, body(), {**body(), "account": None}):
        assert ids(world.app.post(SEARCH, {**sent, "limit": 2}, own)) == ["APP", "THEIRS"]
        assert "FOREIGN" not in world.app.post(SEARCH, {**sent, "limit": 2}, own).text
    assert_problem(world.app.post(SEARCH, body(GRACE), own), 403, "NOT_YOURSELF")


def test_a_caller_names_accounts_by_assert_or_by_token(world: TokenApp) -> None:
    assert ids(world.app.post(SEARCH, body(GRACE), world.asserting)) == [
        *("APP", "PRIVATE"),
        *("FOREIGN", "THEIRS"),
    ]
    assert_problem(world.app.post(SEARCH, body(), world.plain), 401, "TOKEN_REQUIRED")
    token = {**body(), "account": {"token": world.bench.account()}}
    assert ids(world.app.post(SEARCH, token, world.plain)) == ["APP", "THEIRS"]


def test_only_the_callers_publishers_are_searched(world: TokenApp) -> None:
    theirs = world.app.key(Scope.QUERY, Scope.ASSERT, publishers=["fabrikam"])
    answer = world.app.post(SEARCH, body(GRACE), theirs)
    assert ids(answer) == ["FOREIGN", "THEIRS"]
    assert "contoso" not in answer.text
    behind = world.app.post(SEARCH, body(GRACE, cursor="contoso:APP"), theirs)
    assert behind.json() == answer.json()
    nobodys = world.app.key(Scope.QUERY, publishers=["elsewhere"])
    assert ids(world.app.post(SEARCH, body(None), nobodys)) == []


def test_hidden_products_leave_no_trace(world: TokenApp) -> None:
    """The same bytes and headers, the price included, as where the hidden products do not exist."""

    def pages() -> list[Any]:
        seen = []
        for cursor in (None, "contoso:APP", "fabrikam:A"):
            answer = world.app.post(SEARCH, body(limit=1, cursor=cursor), world.own())
            headers = {k: v for k, v in answer.headers.items() if k != "x-request-id"}
            seen.append((answer.status_code, answer.text, headers))
        return seen

    with_hidden = pages()
    for publisher, product_id in (("contoso", "PRIVATE"), ("fabrikam", "FOREIGN")):
        world.app.service.catalog.delete(publisher, product_id, actor="tests")
    assert pages() == with_hidden
    assert with_hidden[0][1].endswith('"next_cursor":"contoso:APP"}')


# --- the price ---


@pytest.fixture
def app(service: Service, clock: Clock) -> Iterator[App]:
    """Three products, of which one is hidden from all but Grace."""
    group(service, "hush", GRACE)
    for product_id in ("A", "C"):
        put(service, product_id, product())
    put(service, "B", product(audience="private", audience_groups=["hush"]))
    clock.advance(3_600)
    with asking(service) as opened:
        yield opened


@pytest.mark.parametrize(("limit", "price"), [(1, 1), (2, 2), (50, 50), (100, 100), (None, 100)])
@pytest.mark.parametrize("email", [GRACE, STRANGER])
def test_a_page_costs_its_limit_whatever_is_hidden(
    app: App, email: str, limit: int | None, price: int
) -> None:
    caller = app.key(Scope.QUERY, Scope.ASSERT, rate_limit=200)
    more = {} if limit is None else {"limit": limit}
    answer = app.post(SEARCH, body(email, **more), caller)
    assert answer.headers["ratelimit"].startswith(f'"caller";r={200 - price};')


def test_who_has_less_left_is_refused_and_not_charged(app: App) -> None:
    caller = app.key(Scope.QUERY, Scope.ASSERT, rate_limit=110)
    assert app.post(SEARCH, body(), caller).status_code == 200
    assert_problem(app.post(SEARCH, body(limit=50), caller), 429, "RATE_LIMITED")
    assert app.post(SEARCH, body(limit=9), caller).status_code == 200


def test_the_largest_page_is_answered_however_low_the_limit(app: App) -> None:
    caller = app.key(Scope.QUERY, Scope.ASSERT, rate_limit=2)
    assert ids(app.post(SEARCH, body(GRACE), caller)) == ["A", "B", "C"]
    assert_problem(app.post(SEARCH, body(GRACE), caller), 429, "RATE_LIMITED")
