"""What docker-compose.yml describes, run on loopback: Valkey by valkey.sh, two evaluators, nginx."""

import itertools
import json
import re
import signal
import socket
import ssl
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx2
import pytest

from eligibility.app.app import PUBLIC_PATHS
from eligibility.server.document.docs_page import PATHS as DOCS
from eligibility.service.settings import Settings
from tests.helpers.catalog.products import DESKTOP, flight, package
from tests.helpers.machine import linux_only
from tests.helpers.servers.certificates import make_certificate
from tests.helpers.servers.deployment import (
    NGINX,
    Deaf,
    Store,
    evaluator,
    nginx,
    upstreams,
    valkey_of_compose,
)
from tests.helpers.servers.process import bearer
from tests.helpers.stores.redis_servers import free_port, until

EDIT = "/v1/publishers/contoso/groups/beta/members"
QUERY = {"product_id": "APP", "account": {"id": "ada@example.com"}, "device": DESKTOP}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("compose")


@pytest.fixture(scope="module")
def store(place: Path) -> Iterator[Store]:
    with valkey_of_compose(place) as started:
        make_certificate(started.secrets)
        yield started


@pytest.fixture(scope="module")
def key(store: Store) -> str:
    """The first key, made before anything is up."""
    return store.make_key()


@pytest.fixture(scope="module")
def evaluators(store: Store, key: str) -> Iterator[tuple[int, int]]:
    """The ports of two evaluators."""
    with evaluator(store) as (_, one), evaluator(store) as (_, two):
        yield one, two


@pytest.fixture(scope="module")
def front(evaluators: tuple[int, int], place: Path, key: str) -> Iterator[httpx2.Client]:
    """A client of nginx in front of two evaluators, with a product and its group."""
    with nginx(place, evaluators, key, tls=free_port()) as client:
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
    assert front.get("/v1/publishers/contoso/groups").status_code == 200
    search = front.post(f"{EDIT}/search", json={"email": "ada@example.com"})
    assert search.status_code in (200, 400)
    assert search.headers["x-request-id"]


EVALUATION = {
    "subject": {"type": "account", "id": "ada@example.com"},
    "action": {"name": "install"},
    "resource": {"type": "flight", "id": "APP:canary"},
    "context": {"device_family": "desktop", "os_version": "10.0.22631.0"},
}
CONTEXT = {"targetingKey": "ada@example.com", **EVALUATION["context"]}
FLAGS = "/ofrep/v1/evaluate/flags"
STANDARD = [
    "/access/v1/evaluation",
    "/contoso/access/v1/evaluations",
    FLAGS,
    f"{FLAGS}/product:APP",
]


@pytest.mark.parametrize("base", ["", "/contoso"])
def test_authzen_comes_through(front: httpx2.Client, base: str) -> None:
    ask = {path: f"{base}/access/v1/{path}" for path in ("evaluation", "evaluations")}
    search = {**EVALUATION, "resource": {"type": "flight"}}
    for _ in range(4):  # of both evaluators
        assert front.post(ask["evaluation"], json=EVALUATION).json()["decision"] is True
        batch = {**EVALUATION, "evaluations": [{}] * 1_000}
        assert len(front.post(ask["evaluations"], json=batch).json()["evaluations"]) == 1_000
        found = front.post(f"{base}/access/v1/search/resource", json=search).json()
        assert found["results"] == [EVALUATION["resource"]]
    answer = front.get(f"/.well-known/authzen-configuration{base}")
    assert answer.json()["type"].startswith("urn:eligibility:problem:")  # an evaluator's own
    assert "public_url" in answer.json()["detail"]


@pytest.mark.parametrize("path", ["//access/v1/evaluation", "//contoso/access/v1/evaluations"])
def test_a_base_url_that_ends_in_a_slash_is_404_behind_nginx_too(
    front: httpx2.Client, path: str
) -> None:
    answer = httpx2.post(f"{front.base_url}{path}", json=EVALUATION, headers=front.headers)
    assert answer.status_code == 404
    assert "two slashes" in answer.text


def test_ofrep_comes_through(front: httpx2.Client) -> None:
    for key in ("flight:APP:canary", "flight%3AAPP%3Acanary"):
        answer = front.post(f"{FLAGS}/{key}", json={"context": CONTEXT}).json()
        assert (answer["key"], answer["value"]) == ("flight:APP:canary", True)
    assert front.post(f"{FLAGS}/a/b", json={"context": CONTEXT}).json()["key"] == "a/b"
    flags = front.post(FLAGS, json={"context": CONTEXT})
    assert [flag["value"] for flag in flags.json()["flags"]] == [True] * 3
    tag = {"if-none-match": flags.headers["etag"]}
    again = front.post(FLAGS, json={"context": CONTEXT}, headers=tag)
    assert (again.status_code, again.content) == (304, b"")


def said(answer: httpx2.Response) -> str:
    """What an error says, in the form of the standard whose path it is."""
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-request-id"]
    told = answer.json()
    text = told["errorDetails"] if "/ofrep/" in answer.request.url.path else told
    assert isinstance(text, str)
    return text


@pytest.mark.parametrize("path", STANDARD)
def test_errors_of_nginx_have_the_form_of_the_standard(front: httpx2.Client, path: str) -> None:
    header = {"content-type": "application/json"}
    large = front.post(path, content=b" " * (Settings().max_body_bytes + 1), headers=header)
    assert (large.status_code, said(large)) == (413, "the body is larger than is read here")
    assert "retry-after" not in large.headers
    # Those of an evaluator come through as they are.
    assert "Bearer" in said(httpx2.post(f"{front.base_url}{path}", json={}))


@pytest.mark.parametrize("path", sorted(PUBLIC_PATHS))
def test_what_is_public_needs_no_key(front: httpx2.Client, path: str) -> None:
    answer = httpx2.get(f"{front.base_url}{path}")
    assert answer.status_code == 200
    if path in DOCS:
        assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_everything_else_needs_one(front: httpx2.Client, store: Store) -> None:
    def ask(key: str) -> httpx2.Response:
        headers = bearer(key) if key else {}
        return httpx2.get(f"{front.base_url}/v1/publishers/contoso/groups", headers=headers)

    answer = ask("")
    assert (answer.status_code, answer.json()["code"]) == (401, "CREDENTIALS_MISSING")
    assert answer.headers["www-authenticate"] == 'Bearer realm="eligibility"'
    assert ask(store.make_key("groups:read", publishers=["fabrikam"])).status_code == 404
    assert ask(store.make_key("access:query", publishers=["contoso"])).status_code == 403
    assert ask(store.make_key("groups:read", publishers=["contoso"])).status_code == 200


def test_a_caller_over_its_limit_is_told_so_by_the_evaluator(
    front: httpx2.Client, store: Store
) -> None:
    headers = bearer(store.make_key(rate_limit=1))
    answers = [front.post("/v1/access", json=QUERY, headers=headers) for _ in range(20)]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert len(refused) > 10
    assert refused[0].json()["code"] == "RATE_LIMITED"
    assert int(refused[0].headers["retry-after"]) >= 1


# --- who asks, and from where ---

_NUMBERS = itertools.count()


def actor(client: httpx2.Client, **headers: str) -> str:
    """Whom an edit by this client is put down to."""
    body = {"add": [f"edit.{next(_NUMBERS)}@example.com"]}
    assert client.patch(EDIT, json=body, headers=headers).status_code == 200
    newest = client.get(EDIT.replace("members", "history")).json()["items"][0]
    return str(newest["actor"])


def client_at(address: str, base_url: str, key: str) -> httpx2.Client:
    """A client with an address of its own, of those that loopback has on Linux."""
    transport = httpx2.HTTPTransport(local_address=address)
    return httpx2.Client(base_url=base_url, transport=transport, headers=bearer(key), timeout=30)


SPOOFED = (
    {"x-forwarded-for": "203.0.113.9"},
    {"x-forwarded-for": "203.0.113.9, 127.0.0.1"},
    {"X-FORWARDED-FOR": "127.0.0.1", "x-real-ip": "203.0.113.9"},
    {"x_forwarded_for": "203.0.113.9", "forwarded": "for=203.0.113.9"},
)


@pytest.mark.parametrize("headers", [{}, *SPOOFED])
def test_what_a_client_says_of_its_address_does_not_get_through_nginx(
    front: httpx2.Client, headers: dict[str, str]
) -> None:
    assert actor(front, **headers) == "key tests from 127.0.0.1"


@linux_only
@pytest.mark.parametrize("headers", [{}, *SPOOFED])
def test_history_has_the_address_that_nginx_saw(
    front: httpx2.Client, key: str, headers: dict[str, str]
) -> None:
    with client_at("127.0.0.2", str(front.base_url), key) as client:
        assert actor(client, **headers) == "key tests from 127.0.0.2"


@linux_only
@pytest.mark.parametrize("headers", [{}, *SPOOFED])
def test_who_asks_an_evaluator_without_nginx_is_not_believed(
    evaluators: tuple[int, int], front: httpx2.Client, key: str, headers: dict[str, str]
) -> None:
    assert front.get(EDIT).status_code == 200  # there is a group
    with client_at("127.0.0.2", f"http://127.0.0.1:{evaluators[0]}", key) as client:
        assert actor(client, **headers) == "key tests from 127.0.0.2"


# --- TLS ---


@pytest.fixture(scope="module")
def encrypted(place: Path) -> str:
    """Where nginx listens with TLS."""
    text = (place / "tls" / "tls.conf").read_text("utf-8")
    (listening,) = re.findall(r"^listen (\S+) ssl", text, re.MULTILINE)
    return f"https://{listening}"


def test_with_certificate_files_nginx_terminates_tls(
    front: httpx2.Client, encrypted: str, place: Path, key: str
) -> None:
    assert front.get("/healthz").status_code == 200
    trusting = ssl.create_default_context(cafile=place / "secrets" / "tls_certificate")
    with httpx2.Client(base_url=encrypted, verify=trusting, headers=bearer(key)) as client:
        assert client.post("/v1/access", json=QUERY).status_code == 200
        assert actor(client, **SPOOFED[0]) == "key tests from 127.0.0.1"
    with pytest.raises(httpx2.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
        httpx2.get(f"{encrypted}/healthz")


@pytest.mark.parametrize(
    ("version", "taken"),
    [
        (ssl.TLSVersion.TLSv1_1, False),
        (ssl.TLSVersion.TLSv1_2, True),
        (ssl.TLSVersion.TLSv1_3, True),
    ],
)
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_old_versions_of_tls_are_not_spoken(
    front: httpx2.Client, encrypted: str, place: Path, version: ssl.TLSVersion, taken: bool
) -> None:
    assert front.get("/healthz").status_code == 200
    trusting = ssl.create_default_context(cafile=place / "secrets" / "tls_certificate")
    trusting.set_ciphers("ALL:@SECLEVEL=0")  # else the client itself would refuse
    trusting.minimum_version = trusting.maximum_version = version
    port = int(encrypted.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        if not taken:
            with pytest.raises(ssl.SSLError, match="ALERT_PROTOCOL_VERSION"):
                trusting.wrap_socket(connection, server_hostname="localhost")
            return
        with trusting.wrap_socket(connection, server_hostname="localhost") as secure:
            assert secure.version() == {"TLSv1_2": "TLSv1.2", "TLSv1_3": "TLSv1.3"}[version.name]


def test_a_request_without_tls_where_it_is_needed_is_a_problem(
    front: httpx2.Client, encrypted: str
) -> None:
    assert front.get("/healthz").status_code == 200
    answer = httpx2.get(encrypted.replace("https", "http"))
    assert (answer.status_code, answer.json()["code"]) == (400, "BAD_REQUEST")


# --- what is let through ---


def test_a_token_of_16_kib_reaches_the_evaluator_and_a_longer_head_is_a_problem(
    front: httpx2.Client,
) -> None:
    token = "eyJ" + "a" * (16_384 - 3)
    answer = front.get(EDIT, headers=bearer(token))
    assert answer.status_code == 401
    assert answer.json()["type"].startswith("urn:eligibility:problem:")  # an evaluator's own
    for answer in (
        front.get(EDIT, headers=bearer(token * 3)),
        front.get(f"{EDIT}?prefix={'a' * 40_000}"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (400, "BAD_REQUEST")
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["x-request-id"]


def test_a_method_that_nginx_refuses_is_a_problem(front: httpx2.Client) -> None:
    answer = front.request("TRACE", "/v1/access")
    assert (answer.status_code, answer.json()["code"]) == (405, "METHOD_NOT_ALLOWED")


def test_an_edit_over_one_evaluator_is_in_the_answers_of_both(front: httpx2.Client) -> None:
    assert front.patch(EDIT, json={"add": ["grace@example.com"]}).status_code == 200
    query = {**QUERY, "account": {"id": "grace@example.com"}, "consistency": "strong"}
    for _ in range(4):
        answer = front.post("/v1/access", json=query)
        assert answer.json()["package"]["package"]["version"] == "2.0.0.0"


@pytest.mark.parametrize(
    "path",
    [
        *("/", "/metrics", "/unreadable", "/healthz/", "/docs/x", "/v2/access", "/.env", "/ofrep"),
        *("/access/v2/evaluation", "/a/b/access/v1/evaluation", "/.well-known/x"),
    ],
)
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
    assert told(**{"x-request-id": 'a" b/c=@'}) == 'a" b/c=@'


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
    front.post("/v1/access", json={}, headers={"x-request-id": "secretive@example.com"})
    flags = front.post(FLAGS, json={"context": CONTEXT})
    front.post(FLAGS, json={"context": CONTEXT}, headers={"if-none-match": flags.headers["etag"]})
    front.post("/access/v1/evaluation", json=EVALUATION)
    front.post("/access/v1/evaluation", json={})
    access_log = place / "access.log"
    last = " POST /access/v1/evaluation 400 "
    until(lambda: last in access_log.read_text("utf-8"), "the log")
    log = access_log.read_text("utf-8")
    assert f" GET {EDIT} 200 " in log
    assert " POST /v1/access 400 " in log
    for went_well in (
        "/v1/access 200 ",
        "/access/v1/evaluation 200 ",
        f"{FLAGS} 200 ",
        f"{FLAGS} 304 ",
    ):
        assert f" POST {went_well}" not in log
    assert "@" not in log
    assert "secretive" not in log


def test_all_requests_are_answered_when_an_evaluator_is_killed(
    store: Store, front: httpx2.Client, key: str, tmp_path: Path
) -> None:
    """One that had begun to answer leaves a cut answer, which the caller sees and asks again."""
    cut = 0
    with (
        evaluator(store) as (killed, one),
        evaluator(store) as (_, two),
        nginx(tmp_path, (one, two), key) as client,
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
        for path in STANDARD:
            answer = client.post(path, json={})
            assert answer.status_code == 502
            assert said(answer) == "no evaluator answered; ask again"
            assert answer.headers["retry-after"] == "1"


@pytest.mark.parametrize(
    ("method", "path", "times"),
    [
        ("POST", "/v1/access", 2),
        ("POST", "/v1/access/batch", 2),
        *(("POST", path, 2) for path in STANDARD),
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
