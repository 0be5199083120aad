"""What docker-compose.yml describes, run on loopback: Valkey by valkey.sh, two evaluators, nginx."""

import json
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx2
import pytest
from deployment import NGINX, Deaf, Store, evaluator, nginx, upstreams, valkey_of_compose
from valkey_servers import free_port, until
from worlds import DESKTOP, flight, package

from eligibility.settings import Settings

EDIT = "/v1/publishers/contoso/groups/beta/members"
QUERY = {"product_id": "APP", "account": {"id": "ada@example.com"}, "device": DESKTOP}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("compose")


@pytest.fixture(scope="module")
def store(place: Path) -> Iterator[Store]:
    with valkey_of_compose(place) as started:
        yield started


@pytest.fixture(scope="module")
def front(store: Store, place: Path) -> Iterator[httpx2.Client]:
    """A client of nginx in front of two evaluators, with a product and its group."""
    with (
        evaluator(store) as (_, one),
        evaluator(store) as (_, two),
        nginx(place, (one, two)) as client,
    ):
        body: dict[str, Any] = {"name": "beta", "emails": ["ada@example.com"]}
        assert client.post("/v1/publishers/contoso/groups", json=body).status_code == 201
        body = {
            "name": "App",
            "submission": {"packages": [package("1.0.0.0")]},
            "flights": [flight("canary", ["beta"], "2.0.0.0")],
        }
        put = client.put("/v1/publishers/contoso/products/APP", json=body)
        assert put.status_code == 200, put.text
        yield client


def test_answers_come_through(front: httpx2.Client) -> None:
    for _ in range(4):  # of both evaluators
        answer = front.post("/v1/access", json=QUERY)
        assert answer.json()["package"]["package"]["version"] == "2.0.0.0"
    batch = front.post("/v1/access/batch", json={"queries": [QUERY] * 1_000})
    assert len(batch.json()["decisions"]) == 1_000
    for path in ("/healthz", "/readyz", "/docs", "/openapi.json", "/v1/publishers/contoso/groups"):
        assert front.get(path).status_code == 200, path


def test_an_edit_over_one_evaluator_is_in_the_answers_of_both(front: httpx2.Client) -> None:
    assert front.patch(EDIT, json={"add": ["grace@example.com"]}).status_code == 200
    query = {**QUERY, "account": {"id": "grace@example.com"}, "consistency": "strong"}
    for _ in range(4):
        answer = front.post("/v1/access", json=query)
        assert answer.json()["package"]["package"]["version"] == "2.0.0.0"


@pytest.mark.parametrize("path", ["/", "/metrics", "/healthz/", "/docs/x", "/v2/access", "/.env"])
def test_nothing_but_the_api_is_let_through(front: httpx2.Client, path: str) -> None:
    answer = front.get(path)
    assert (answer.status_code, answer.json()["code"]) == (404, "NO_SUCH_PATH")
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("method", "path", "limit"),
    [
        ("POST", "/v1/access", Settings().max_body_bytes),
        ("PUT", "/v1/publishers/contoso/products/APP", Settings().max_body_bytes),
        ("POST", "/v1/publishers/contoso/groups", Settings().max_upload_bytes),
        ("PUT", EDIT, Settings().max_upload_bytes),
    ],
)
def test_a_body_over_the_limit_is_413_and_one_of_the_limit_is_read(
    front: httpx2.Client, method: str, path: str, limit: int
) -> None:
    header = {"content-type": "application/json"}
    answer = front.request(method, path, content=b" " * (limit + 1), headers=header)
    assert (answer.status_code, answer.json()["code"]) == (413, "BODY_TOO_LARGE")
    assert answer.json()["title"] == "the body is too large"
    answer = front.request(method, path, content=b" " * limit, headers=header)
    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_JSON")


def test_a_request_id_is_passed_on_and_made_where_there_is_none(front: httpx2.Client) -> None:
    def told(**headers: str) -> str:
        return front.post("/v1/access", json=QUERY, headers=headers).headers["x-request-id"]

    assert told(**{"x-request-id": "check-42"}) == "check-42"
    assert len(told()) == 32
    assert told() != told()
    assert len(told(**{"x-request-id": 'a" b'})) == 32


def test_an_edit_by_put_is_carried_out(front: httpx2.Client) -> None:
    body = {"emails": ["ada@example.com", "linus@example.com"]}
    answer = front.put(EDIT, json=body, headers={"if-match": '"99"'})
    assert answer.status_code == 412
    assert answer.json()["code"] == "REVISION_MISMATCH"
    assert front.put(EDIT, json=body).status_code == 200
    assert front.get(EDIT).json()["items"] == body["emails"]


def test_the_log_has_edits_and_failures_and_no_address(front: httpx2.Client, place: Path) -> None:
    front.get(f"{EDIT}?prefix=secretive@")
    front.post("/v1/access", json=QUERY)
    front.post("/v1/access", json={})
    access_log = place / "access.log"
    until(lambda: " POST /v1/access 400 " in access_log.read_text("utf-8"), "the log")
    log = access_log.read_text("utf-8")
    assert f" GET {EDIT} 200 " in log
    assert " POST /v1/access 200 " not in log
    assert "@" not in log
    assert "secretive" not in log


def test_all_requests_are_answered_when_an_evaluator_is_killed(
    store: Store, front: httpx2.Client, tmp_path: Path
) -> None:
    """One that had begun to answer leaves a cut answer, which the caller sees and asks again."""
    cut = 0
    with (
        evaluator(store) as (killed, one),
        evaluator(store) as (_, two),
        nginx(tmp_path, (one, two)) as client,
    ):

        def ask(number: int) -> int:
            nonlocal cut
            if number == 100:
                killed.kill()
            path = "/v1/access" if number % 10 else "/v1/access/batch"
            body = QUERY if number % 10 else {"queries": [QUERY]}
            try:
                return client.post(path, json=body).status_code
            except httpx2.RemoteProtocolError:
                cut += 1
                return client.post(path, json=body).status_code

        with ThreadPoolExecutor(4) as pool:
            statuses = list(pool.map(ask, range(600)))
        assert killed.wait(10) == -signal.SIGKILL
        assert statuses == [200] * 600
        assert cut <= 4  # no more than were under way
        assert client.get("/readyz").status_code == 200
        assert client.patch(EDIT, json={"add": ["new@example.com"]}).status_code == 200


def test_no_evaluator_at_all_is_a_problem_to_try_again_after(tmp_path: Path) -> None:
    with nginx(tmp_path, [free_port() for _ in upstreams()]) as client:
        answer = client.post("/v1/access", json=QUERY)
        assert (answer.status_code, answer.json()["code"]) == (502, "NO_EVALUATOR")
        assert answer.headers["retry-after"] == "1"
        put = client.put(EDIT, json={})
        assert (put.status_code, put.json()["code"]) == (502, "NO_EVALUATOR")


@pytest.mark.parametrize(
    ("method", "path", "times"),
    [
        ("POST", "/v1/access", 2),
        ("POST", "/v1/access/batch", 2),
        ("GET", EDIT, 2),
        ("POST", "/v1/publishers/contoso/groups", 1),
        ("PATCH", EDIT, 1),
        ("PUT", EDIT, 1),
        ("PUT", "/v1/publishers/contoso/products/APP", 1),
        ("DELETE", "/v1/publishers/contoso/products/APP", 1),
    ],
)
def test_what_only_reads_is_sent_to_both_evaluators_and_an_edit_to_one(
    tmp_path: Path, method: str, path: str, times: int
) -> None:
    with Deaf() as one, Deaf() as two, nginx(tmp_path, (one.port, two.port)) as client:
        assert client.request(method, path, json={}).status_code == 502
        assert one.heard + two.heard == times


def test_what_nginx_says_itself_are_problems_of_the_api() -> None:
    for line in NGINX.splitlines():
        if "about:blank" in line:
            body = line[line.index("'{") + 1 : line.rindex("'")]
            problem = json.loads(body)
            assert problem["status"] == int(line.split()[1])
            assert set(problem) == {"type", "title", "status", "code", "detail"}
