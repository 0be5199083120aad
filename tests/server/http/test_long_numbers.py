"""Numbers of 5,000 digits, which Python refuses to read: wherever text becomes a number, they are a fault."""

from collections.abc import Iterator
from typing import Any

import pytest

from eligibility.service.service import Service
from eligibility.service.settings import Settings
from tests.helpers.catalog.products import DESKTOP, group, product, put
from tests.helpers.servers.application import App, asking

LONG = "9" * 5_000
GROUP = "/v1/publishers/contoso/groups/beta"
HISTORY = f"{GROUP}/history"
CONTEXT = {"targetingKey": "a@example.com", "device_family": "desktop"}
SUBJECT = {"type": "account", "id": "a@example.com"}
SEARCH = {
    "subject": SUBJECT,
    "resource": {"type": "product", "id": "APP"},
    "context": {"device_family": "desktop"},
}
QUERY = {"product_id": "APP", "device": DESKTOP}

Sent = dict[str, Any]


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    store = f"sqlite:///{tmp_path_factory.mktemp('long') / 'store.db'}"
    with Service(Settings(store=store, trusted_proxies=("127.0.0.1",))) as service:
        group(service, "beta", "ada@example.com")
        put(service, "APP", product())
        with asking(service) as opened:
            yield opened


@pytest.mark.parametrize(
    ("request_line", "sent"),
    [
        (f"GET {HISTORY}?cursor={LONG}", {}),
        (f"GET {HISTORY}?limit={LONG}", {}),
        (f"GET {GROUP}/members?cursor={LONG}", {}),
        (f"GET {GROUP}/members?at={LONG}", {}),
        (f"POST {HISTORY}/search", {"json": {"address": "a@example.com", "cursor": LONG}}),
        (f"POST {HISTORY}/search", {"content": f'{{"address": "a@example.com", "limit": {LONG}}}'}),
        (f"PATCH {GROUP}/members", {"json": {"add": ["a@example.com"]}, "etag": f'"{LONG}"'}),
        (f"GET /v1/publishers/contoso/products?cursor={LONG}&limit={LONG}", {}),
        (f"GET /v1/publishers/contoso/products/APP/history?cursor={LONG}", {}),
        ("POST /v1/access/search", {"content": f'{{"device": null, "limit": {LONG}}}'}),
        ("POST /v1/keys", {"json": {"name": "k", "scopes": [], "expires": f"{LONG}d"}}),
        ("POST /v1/keys", {"content": f'{{"name": "k", "rate_limit": {LONG}}}'}),
        ("POST /v1/access", {"json": {**QUERY, "at": LONG}}),
        ("POST /v1/access", {"json": {**QUERY, "device": {**DESKTOP, "os_version": LONG}}}),
        ("POST /v1/access", {"json": {**QUERY, "installed_version": f"1.{LONG}"}}),
        ("POST /v1/access", {"content": f'{{"product_id": "APP", "at_least_revision": {LONG}}}'}),
        ("POST /access/v1/search/action", {"content": f'{{"page": {{"limit": {LONG}}}}}'}),
        ("POST /access/v1/search/action", {"json": {**SEARCH, "page": {"token": LONG}}}),
        ("POST /ofrep/v1/evaluate/flags", {"json": {"context": {**CONTEXT, "time": LONG}}}),
        (
            "POST /ofrep/v1/evaluate/flags",
            {"content": f'{{"context": {{"targetingKey": {LONG}}}}}'},
        ),
    ],
    ids=lambda value: value[:60] if isinstance(value, str) else "",
)
def test_it_is_a_fault_and_no_failure(app: App, request_line: str, sent: Sent) -> None:
    method, path = request_line.split(" ", 1)
    headers = app.key("admin") | {"content-type": "application/json"}
    if etag := sent.pop("etag", None):
        headers["if-match"] = etag
    assert app.ask(method, path, headers, **sent).status_code == 400


@pytest.mark.parametrize("header", ["x-forwarded-for", "traceparent", "x-request-id", "forwarded"])
def test_a_header_that_nobody_asked_for_is_ignored(app: App, header: str) -> None:
    answer = app.post("/v1/access", QUERY, app.key("admin") | {header: LONG})
    assert answer.status_code == 200
    groups = app.ask("GET", GROUP, app.key("admin") | {header: LONG})
    assert groups.status_code == 200
