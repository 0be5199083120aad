"""GET .../products/{product_id}/history, against a real server: every version of a product, newest first."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.helpers.catalog.products import flight, package
from tests.helpers.servers.problem import assert_problem
from tests.helpers.servers.process import Server
from tests.helpers.servers.publisher import Publisher


def product(version: str, *flights: dict[str, Any], **submission: Any) -> dict[str, Any]:
    packages = [package(version)]
    return {
        "name": "App",
        "submission": {"packages": packages, **submission},
        "flights": list(flights),
    }


@pytest.fixture
def app(publisher: Publisher) -> str:
    """A product that was declared, changed, deleted and declared again, between writes of another one."""
    product_id = f"A{uuid.uuid4().hex}"
    publisher.group()
    publisher("PUT", f"products/{product_id}", product("1.0.0.0"))
    publisher("PUT", f"products/{product_id}-other", product("9.0.0.0"))
    publisher("PUT", f"products/{product_id}", product("2.0.0.0", audience="public"))
    publisher("DELETE", f"products/{product_id}")
    publisher("PUT", f"products/{product_id}", product("3.0.0.0", flight("f", ["beta"], "4.0.0.0")))
    return product_id


def versions(items: list[dict[str, Any]]) -> list[str | None]:
    """The version of each product's package; None where the product was deleted."""
    return [
        item["product"] and item["product"]["submission"]["packages"][0]["version"]
        for item in items
    ]


def test_every_version_is_listed_newest_first(publisher: Publisher, app: str) -> None:
    page = publisher("GET", f"products/{app}/history").json()
    assert page["next_cursor"] is None
    assert versions(page["items"]) == ["3.0.0.0", None, "2.0.0.0", "1.0.0.0"]
    assert [item["revision"] for item in page["items"]] == [5, 4, 3, 1]
    assert {frozenset(item) for item in page["items"]} == {
        frozenset({"revision", "at", "actor", "product"})
    }


def test_a_version_says_who_wrote_it_and_when(publisher: Publisher, app: str) -> None:
    items = publisher("GET", f"products/{app}/history").json()["items"]
    assert {item["actor"] for item in items} == {"key tests from 127.0.0.1"}
    moments = [datetime.fromisoformat(item["at"]) for item in items]
    assert moments == sorted(moments, reverse=True)
    assert all(abs(datetime.now(UTC) - at) < timedelta(minutes=5) for at in moments)


def test_the_newest_version_is_the_product_as_it_is_shown(publisher: Publisher, app: str) -> None:
    shown = publisher("GET", f"products/{app}").json()
    newest = publisher("GET", f"products/{app}/history?limit=1").json()["items"][0]
    assert newest["product"] == shown["product"]
    assert (newest["revision"], newest["at"]) == (shown["revision"], shown["updated_at"])
    assert newest["product"]["flights"][0]["groups"] == ["beta"]


def test_an_earlier_version_can_be_put_back(publisher: Publisher, app: str) -> None:
    items = publisher("GET", f"products/{app}/history").json()["items"]
    assert publisher("PUT", f"products/{app}", items[2]["product"]).status_code == 200
    assert versions(publisher("GET", f"products/{app}/history").json()["items"])[0] == "2.0.0.0"


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 1_000])
def test_history_comes_page_by_page(publisher: Publisher, app: str, limit: int) -> None:
    found: list[str | None] = []
    path = f"products/{app}/history?limit={limit}"
    cursor = ""
    while cursor is not None:
        page = publisher("GET", path + (f"&cursor={cursor}" if cursor else "")).json()
        assert len(page["items"]) <= limit
        found += versions(page["items"])
        cursor = page["next_cursor"]
    assert found == ["3.0.0.0", None, "2.0.0.0", "1.0.0.0"]


def test_a_deleted_product_keeps_its_history(publisher: Publisher, app: str) -> None:
    publisher("DELETE", f"products/{app}")
    assert_problem(publisher("GET", f"products/{app}"), 404, "UNKNOWN_PRODUCT")
    items = publisher("GET", f"products/{app}/history").json()["items"]
    assert versions(items)[:2] == [None, "3.0.0.0"]


def test_a_product_never_declared_and_one_of_another_publisher_are_404(
    publisher: Publisher, server: Server, app: str
) -> None:
    gone = publisher("GET", "products/NEVER/history")
    foreign = Publisher(server)("GET", f"products/{app}/history")
    assert_problem(gone, 404, "UNKNOWN_PRODUCT")
    assert_problem(foreign, 404, "UNKNOWN_PRODUCT")
    assert foreign.text.replace(app, "NEVER") == gone.text


@pytest.mark.parametrize(
    ("parameters", "name"),
    [
        *(("limit=0", "limit"), ("limit=1001", "limit"), ("limit=x", "limit")),
        *(("cursor=x", "cursor"), ("cursor=-1", "cursor"), (f"cursor={'9' * 19}", "cursor")),
        *(("at=2030-01-01T00:00:00Z", "at"), ("limit=1&limit=2", "limit")),
    ],
)
def test_a_wrong_parameter_is_named(
    publisher: Publisher, app: str, parameters: str, name: str
) -> None:
    answer = publisher("GET", f"products/{app}/history?{parameters}")
    assert_problem(answer, 400, "INVALID_INPUT")
    assert [fault["loc"] for fault in answer.json()["errors"]] == [f"query.{name}"]
