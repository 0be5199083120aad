"""Groups and products over HTTP, against a real server."""

import uuid
from typing import Any

import pytest

from tests.helpers.catalog.products import DESKTOP, flight, package
from tests.helpers.servers.problem import assert_problem
from tests.helpers.servers.process import Server
from tests.helpers.servers.publisher import A, B, C, Publisher

# --- groups ---


def test_a_group_is_created_with_an_id_made_from_its_name(publisher: Publisher) -> None:
    answer = publisher("POST", "groups", {"name": "Beta Testers!", "emails": f"{A}; {B}\n{A}"})
    assert answer.status_code == 201
    assert answer.headers["location"].endswith("/groups/beta-testers")
    assert answer.headers["etag"] == '"1"'
    result = answer.json()
    assert (result["group_id"], result["added"], result["member_count"]) == ("beta-testers", 2, 2)


def test_a_group_is_shown_with_its_revision_as_etag(publisher: Publisher) -> None:
    publisher.group()
    answer = publisher("GET", "groups/beta")
    group = answer.json()
    assert answer.headers["etag"] == f'"{group["revision"]}"'
    assert (group["name"], group["member_count"]) == ("beta", 2)


def test_groups_and_members_are_listed_page_by_page(publisher: Publisher) -> None:
    for name in ("c", "a", "b"):
        publisher.group(name)
    first = publisher("GET", "groups?limit=2").json()
    assert [group["group_id"] for group in first["items"]] == ["a", "b"]
    rest = publisher("GET", f"groups?limit=2&cursor={first['next_cursor']}").json()
    assert ([group["group_id"] for group in rest["items"]], rest["next_cursor"]) == (["c"], None)
    page = publisher("GET", "groups/a/members?limit=1").json()
    assert page["items"] == [A]
    assert publisher("GET", f"groups/a/members?cursor={page['next_cursor']}").json()["items"] == [B]
    found = publisher("POST", "groups/a/members/search", {"prefix": "B"})
    assert found.json()["items"] == [B]


def test_a_publisher_never_seen_has_no_groups(publisher: Publisher) -> None:
    assert publisher("GET", "groups").json() == {"items": [], "next_cursor": None}


def test_members_are_added_and_removed_in_one_step(publisher: Publisher) -> None:
    publisher.group()
    answer = publisher(
        "PATCH", "groups/beta/members", {"add": [C, A], "remove": f"{B} x@example.com"}
    )
    result = answer.json()
    assert answer.headers["etag"] == '"2"'
    counts = [result[name] for name in ("added", "removed", "unchanged", "unknown")]
    assert counts == [1, 1, 1, 1]
    assert publisher.members() == [A, C]


def test_members_are_replaced_as_a_whole(publisher: Publisher) -> None:
    publisher.group()
    result = publisher("PUT", "groups/beta/members", {"emails": [B, C]}).json()
    assert (result["added"], result["removed"]) == (1, 1)
    assert publisher.members() == [B, C]


@pytest.mark.parametrize(("method", "body"), [("PATCH", {"add": [C]}), ("PUT", {"emails": [C]})])
def test_a_dry_run_says_what_would_change_and_changes_nothing(
    publisher: Publisher, method: str, body: dict[str, Any]
) -> None:
    publisher.group()
    answer = publisher(method, "groups/beta/members?dry_run=true", body)
    assert answer.json()["added"] == 1
    assert publisher.members() == [A, B]
    assert publisher("GET", "groups/beta").json()["revision"] == 1


@pytest.mark.parametrize(("method", "body"), [("PATCH", {"add": [C]}), ("PUT", {"emails": [C]})])
def test_an_edit_based_on_an_old_revision_is_refused(
    publisher: Publisher, method: str, body: dict[str, Any]
) -> None:
    publisher.group()
    publisher("PATCH", "groups/beta/members", {"add": ["d@example.com"]})
    answer = publisher(method, "groups/beta/members", body, headers={"if-match": '"1"'})
    assert_problem(answer, 412, "REVISION_MISMATCH")
    assert "2" in answer.json()["detail"]
    for fits in ('"2"', "*"):
        answer = publisher(
            method, "groups/beta/members?dry_run=true", body, headers={"if-match": fits}
        )
        assert answer.status_code == 200
    answer = publisher(method, "groups/beta/members", body, headers={"if-match": '"two"'})
    assert_problem(answer, 400, "INVALID_INPUT", "UNREADABLE_ETAG")


@pytest.mark.parametrize("method", ["DELETE", "PUT", "PATCH"])
def test_a_group_is_permanent_and_the_answer_says_why(publisher: Publisher, method: str) -> None:
    publisher.group()
    answer = publisher(method, "groups/beta", {"name": "Other"})
    assert_problem(answer, 405, "GROUPS_PERMANENT")
    assert publisher.members() == [A, B]


def test_names_and_ids_are_unique_within_a_publisher(publisher: Publisher, server: Server) -> None:
    publisher.group()
    for body in ({"name": "BETA", "emails": [A]}, {"name": "x", "group_id": "beta", "emails": [A]}):
        assert_problem(publisher("POST", "groups", body), 409, "GROUP_EXISTS")
    Publisher(server).group()


def test_invalid_addresses_are_all_named_with_their_position(publisher: Publisher) -> None:
    publisher.group()
    body = {"add": [C, "bad", "a@@b.example"], "remove": "x@"}
    answer = publisher("PATCH", "groups/beta/members", body)
    assert_problem(answer, 400, "INVALID_INPUT")
    errors = {error["loc"]: error["detail"] for error in answer.json()["errors"]}
    assert errors.keys() == {"add.2", "add.3", "remove.1"}
    assert "`bad`" in errors["add.2"]
    assert publisher.members() == [A, B]


@pytest.mark.parametrize(
    ("emails", "status"),
    [([], 400), (["t@example.com"], 201), (10_000, 201), (10_001, 400)],
    ids=["0", "1", "10000", "10001"],
)
def test_a_group_has_1_to_10000_members(publisher: Publisher, emails: Any, status: int) -> None:
    if isinstance(emails, int):
        emails = " ".join(f"t{number}@example.com" for number in range(emails))
    answer = publisher("POST", "groups", {"name": "beta", "emails": emails})
    assert answer.status_code == status, answer.text
    if status == 400:
        assert_problem(answer, 400, "GROUP_SIZE")
        assert publisher("GET", "groups").json()["items"] == []


def test_an_edit_that_would_empty_a_group_is_refused_whole(publisher: Publisher) -> None:
    publisher.group()
    assert_problem(publisher("PATCH", "groups/beta/members", {"remove": [A, B]}), 400, "GROUP_SIZE")
    assert_problem(publisher("PUT", "groups/beta/members", {"emails": []}), 400, "GROUP_SIZE")
    assert publisher.members() == [A, B]


def test_an_upload_of_members_may_have_4_mib_and_no_more(publisher: Publisher) -> None:
    publisher.group()
    for size, status in ((4 << 20, 200), ((4 << 20) + 1, 413)):
        body = '{"add": ["c@example.com"]}'.ljust(size).encode()
        answer = publisher(
            "PATCH",
            "groups/beta/members",
            content=body,
            headers={"content-type": "application/json"},
        )
        assert answer.status_code == status


@pytest.mark.parametrize(
    ("method", "path", "body", "loc", "code"),
    [
        ("POST", "groups", {"emails": [A]}, "name", "MISSING_FIELD"),
        ("POST", "groups", {"name": "x"}, "emails", "MISSING_FIELD"),
        ("POST", "groups", {"name": "x", "emails": [A], "owner": "y"}, "owner", "UNKNOWN_FIELD"),
        ("POST", "groups", {"name": 7, "emails": [A]}, "name", "WRONG_TYPE"),
        ("POST", "groups", {"name": " ", "emails": [A]}, "name", "INVALID_NAME"),
        (
            "POST",
            "groups",
            {"name": "x", "group_id": "a b", "emails": [A]},
            "group_id",
            "INVALID_ID",
        ),
        ("GET", "groups?limit=0", None, "query.limit", "WRONG_VALUE"),
        ("GET", "groups?limit=1001", None, "query.limit", "WRONG_VALUE"),
        (
            "PATCH",
            "groups/beta/members?dry_run=perhaps",
            {"add": [A]},
            "query.dry_run",
            "WRONG_TYPE",
        ),
    ],
)
def test_a_field_that_cannot_be_taken_is_named(
    publisher: Publisher, method: str, path: str, body: Any, loc: str, code: str
) -> None:
    publisher.group()
    answer = publisher(method, path, body)
    assert answer.status_code == 400, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert (loc, code) in [(error["loc"], error["code"]) for error in answer.json()["errors"]]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "groups/gone"),
        ("DELETE", "groups/gone"),
        ("GET", "groups/gone/members"),
        ("PATCH", "groups/gone/members"),
        ("PUT", "groups/gone/members"),
    ],
)
def test_a_group_that_is_not_there_is_404(publisher: Publisher, method: str, path: str) -> None:
    body = {"PATCH": {"add": [A]}, "PUT": {"emails": [A]}}.get(method)
    assert_problem(publisher(method, path, body), 404, "UNKNOWN_GROUP")


# --- products ---


def product(*flights: dict[str, Any], **submission: Any) -> dict[str, Any]:
    packages = [package("1.0.0.0")]
    return {
        "name": "App",
        "submission": {"packages": packages, **submission},
        "flights": list(flights),
    }


@pytest.fixture
def app() -> str:
    return f"A{uuid.uuid4().hex}"


def test_a_product_is_put_shown_listed_and_deleted(publisher: Publisher, app: str) -> None:
    stored = publisher("PUT", f"products/{app}", product())
    assert stored.json() == {"publisher": publisher.name, "product_id": app, "revision": 1}
    shown = publisher("GET", f"products/{app}").json()
    assert shown["product"]["submission"]["packages"][0]["version"] == "1.0.0.0"
    assert shown["revision"] == 1
    listed = publisher("GET", "products").json()
    assert [item["product_id"] for item in listed["items"]] == [app]
    assert publisher("DELETE", f"products/{app}").status_code == 200
    assert_problem(publisher("GET", f"products/{app}"), 404, "UNKNOWN_PRODUCT")
    assert_problem(publisher("DELETE", f"products/{app}"), 404, "UNKNOWN_PRODUCT")
    assert publisher("GET", "products").json()["items"] == []


def test_what_is_shown_can_be_put_back(publisher: Publisher, app: str) -> None:
    publisher.group()
    publisher("PUT", f"products/{app}", product(flight("f", ["beta"], "2.0.0.0")))
    shown = publisher("GET", f"products/{app}").json()["product"]
    assert publisher("PUT", f"products/{app}", shown).status_code == 200
    assert publisher("GET", f"products/{app}").json()["product"] == shown


def test_a_refused_product_names_every_fault_and_stores_nothing(
    publisher: Publisher, app: str
) -> None:
    body = product(flight("f", ["gone"], "0.1.0.0"), audience="private")
    answer = publisher("PUT", f"products/{app}", body)
    assert_problem(answer, 400, "INVALID_PRODUCT")
    assert {error["code"] for error in answer.json()["errors"]} == {
        "UNDECLARED_GROUP",
        "PACKAGE_VERSION_ZERO",
        "AUDIENCE_WITHOUT_GROUP",
    }
    assert_problem(publisher("GET", f"products/{app}"), 404, "UNKNOWN_PRODUCT")


def test_a_misshapen_product_names_its_fields(publisher: Publisher, app: str) -> None:
    body = product(colour="red") | {"name": 7}
    answer = publisher("PUT", f"products/{app}", body)
    assert answer.status_code == 400
    errors = {error["loc"]: error["code"] for error in answer.json()["errors"]}
    assert errors == {"name": "WRONG_TYPE", "submission.colour": "UNKNOWN_FIELD"}


def test_a_product_of_another_publisher_is_taken(
    publisher: Publisher, server: Server, app: str
) -> None:
    publisher("PUT", f"products/{app}", product())
    other = Publisher(server)
    assert_problem(other("PUT", f"products/{app}", product()), 409, "PRODUCT_TAKEN")
    assert_problem(other("GET", f"products/{app}"), 404, "UNKNOWN_PRODUCT")
    assert_problem(other("DELETE", f"products/{app}"), 404, "UNKNOWN_PRODUCT")


def test_an_id_that_no_product_can_have_is_refused(publisher: Publisher) -> None:
    answer = publisher("PUT", "products/-x", product())
    assert_problem(answer, 400, "INVALID_PRODUCT", "WRONG_VALUE")


# --- both are live ---


def test_an_edit_is_in_force_in_the_next_answer(
    publisher: Publisher, server: Server, app: str
) -> None:
    publisher.group("beta", A)
    publisher("PUT", f"products/{app}", product(flight("f", ["beta"], "2.0.0.0")))
    query = {"product_id": app, "account": {"id": C}, "device": DESKTOP}

    def version() -> str:
        found: str = server.access(query)["package"]["package"]["version"]
        return found

    assert version() == "1.0.0.0"
    for _ in range(20):
        publisher("PATCH", "groups/beta/members", {"add": [C]})
        assert version() == "2.0.0.0"
        publisher("PATCH", "groups/beta/members", {"remove": [C]})
        assert version() == "1.0.0.0"
    publisher("PUT", f"products/{app}", product(packages=[package("1.1.0.0")]))
    assert version() == "1.1.0.0"
