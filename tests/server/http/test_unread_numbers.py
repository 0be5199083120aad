"""Numbers beyond 64 bits and 1e400: no hindrance where nothing reads them, else a fault of their field."""

from collections.abc import Iterator

import httpx2
import pytest

from eligibility.service.service import Service
from eligibility.service.settings import Settings
from eligibility.standards.questions import CONTEXT_KEYS
from tests.helpers.catalog.products import product, put
from tests.helpers.servers.application import App, asking

LARGE = ["12345678901234567890123", "-12345678901234567890123", "1e400", "-1E+400", "9" * 5_000]
DEVICE = '"device_family": "desktop", "os_version": "10.0.22631.0"'
OFREP = '{{"context": {{"targetingKey": "a@example.com", {}, {}}}{}}}'
EVALUATION = (
    '{{"subject": {{"type": "account", "id": "a@example.com"{}}},'
    ' "action": {{"name": "install"{}}},'
    ' "resource": {{"type": "product", "id": "APP"{}}},'
    ' "context": {{{}, {}}}{}}}'
)
SINGLE, BULK = "/ofrep/v1/evaluate/flags/product:APP", "/ofrep/v1/evaluate/flags"
ONE, MANY = "/access/v1/evaluation", "/access/v1/evaluations"


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    store = f"sqlite:///{tmp_path_factory.mktemp('numbers') / 'store.db'}"
    with Service(Settings(store=store)) as service:
        put(service, "APP", product())
        with asking(service) as opened:
            yield opened


def send(app: App, path: str, body: str) -> httpx2.Response:
    headers = app.key("admin") | {"content-type": "application/json"}
    return app.ask("POST", path, headers, content=body.encode())


def member(name: str, number: str) -> str:
    return f'"{name}": {number}'


@pytest.mark.parametrize("number", LARGE, ids=lambda number: number[:12])
@pytest.mark.parametrize("shape", ["{}", "[0, {}]", '{{"a": [{}, 1.5]}}'])
def test_where_nothing_reads_it_the_request_is_answered(app: App, shape: str, number: str) -> None:
    extra = member("device\\u0020id", shape.format(number))  # the backslash: read with care
    for unread in (extra, extra.replace("\\u0020", " ")):
        more = f", {unread}"
        for path in (SINGLE, BULK):
            answer = send(app, path, OFREP.format(DEVICE, unread, more))
            assert (answer.status_code, "errorCode" in answer.text) == (200, False)
        properties = f', "properties": {{{unread}}}'
        evaluation = EVALUATION.format(properties, properties, properties, DEVICE, unread, more)
        assert send(app, ONE, evaluation).json()["decision"] is True
        batch = f'{evaluation[:-1]}, "evaluations": [{{}}, {evaluation}], "options": {{{unread}}}}}'
        assert [one["decision"] for one in send(app, MANY, batch).json()["evaluations"]] == [
            True
        ] * 2
        found = send(app, "/access/v1/search/action", evaluation).json()["results"]
        assert {"name": "install"} in found


@pytest.mark.parametrize("number", LARGE, ids=lambda number: number[:12])
@pytest.mark.parametrize("key", CONTEXT_KEYS)
def test_in_a_key_that_is_read_it_is_a_fault_of_that_key(app: App, key: str, number: str) -> None:
    device = DEVICE.replace(f'"{key}"', '"other"')
    answer = send(app, SINGLE, OFREP.format(device, member(key, number), ""))
    assert (answer.status_code, answer.json()["errorCode"]) == (400, "INVALID_CONTEXT")
    assert f"context.{key}" in answer.json()["errorDetails"]
    assert number[:12] in answer.json()["errorDetails"]
    evaluation = EVALUATION.format("", "", "", device, member(key, number), "")
    answer = send(app, ONE, evaluation)
    assert answer.status_code == 400
    assert f"context.{key}" in answer.json()
    assert number[:12] in answer.json()
    batch = f'{evaluation[:-1]}, "evaluations": [{{}}, {{}}]}}'
    for item in send(app, MANY, batch).json()["evaluations"]:
        assert f"context.{key}" in item["context"]["error"]["message"]


@pytest.mark.parametrize("number", LARGE, ids=lambda number: number[:12])
def test_an_access_query_names_the_field(app: App, number: str) -> None:
    query = '{{"product_id": "APP", "device": {{"family": "desktop", "os_version": {}}}}}'
    (fault,) = send(app, "/v1/access", query.format(number)).json()["errors"]
    assert (fault["loc"], number[:12] in fault["detail"]) == ("device.os_version", True)
    (fault,) = send(app, "/v1/access", query.format(f'"11", "owner": {number}')).json()["errors"]
    assert fault["loc"] == "device.owner"
