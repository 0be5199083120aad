"""OpenFeature's own clients, for Python and for JavaScript, against a real server."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from openfeature import api
from openfeature.contrib.provider.ofrep import OFREPProvider
from openfeature.evaluation_context import EvaluationContext
from openfeature.flag_evaluation import FlagEvaluationDetails

from tests.helpers.catalog.products import flight, package
from tests.helpers.servers.process import Server, bearer, make_key
from tests.helpers.standards import node_clients

ADA, GRACE = "ada@contoso.example", "grace@contoso.example"
DEVICE = {"device_family": "desktop", "os_version": "10.0.22631.0"}


class World:
    """A publisher of its own on the common server. Ada is in the flight f of its product."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.publisher = f"p{uuid4().hex}"
        self.product_id = f"A{uuid4().hex}"
        self.key = self.new_key()
        base = f"/v1/publishers/{self.publisher}"
        group = {"name": "testers", "group_id": "testers", "emails": [ADA]}
        assert server.http.post(f"{base}/groups", json=group).status_code == 201
        body = {
            "name": "App",
            "submission": {"packages": [package("1.0.0.0")]},
            "flights": [flight("f", ["testers"], "2.0.0.0")],
        }
        stored = server.http.put(f"{base}/products/{self.product_id}", json=body)
        assert stored.status_code == 200, stored.text
        self.flag = f"flight:{self.product_id}:f"
        self.product = f"product:{self.product_id}"

    def new_key(self, *scopes: str, **more: Any) -> str:
        """A key of this publisher's."""
        wanted = scopes or ("access:query", "access:assert")
        return make_key(self.server.store_url, *wanted, publishers=[self.publisher], **more)


@pytest.fixture(scope="module")
def world(server: Server) -> World:
    return World(server)


# --- Python ---


@pytest.fixture
def provider(world: World) -> Iterator[dict[str, str]]:
    """The headers that OpenFeature's provider sends, to be changed."""
    headers = bearer(world.key)
    api.set_provider(OFREPProvider(world.server.url, headers_factory=lambda: headers, timeout=10))
    yield headers
    api.clear_providers()


def ask(flag: str, account: str = ADA, otherwise: bool = False, **more: Any) -> Any:
    """What the client tells of a flag."""
    context = EvaluationContext(account, {**DEVICE, **more})
    details: FlagEvaluationDetails[bool] = api.get_client().get_boolean_details(
        flag, otherwise, context
    )
    return details


@pytest.mark.usefixtures("provider")
def test_python_reads_values_reasons_and_metadata(world: World) -> None:
    """It needs `variant` and every `reason` to be one that it knows."""
    told = ask(world.flag)
    assert (told.value, told.reason, told.variant) == (True, "TARGETING_MATCH", "eligible")
    assert told.flag_metadata["flightId"] == "f"
    told = ask(world.flag, GRACE, otherwise=True)
    assert (told.value, told.reason, told.variant) == (False, "TARGETING_MATCH", "ineligible")
    assert told.flag_metadata["reason"] == "OTHER_SOURCE"
    assert (ask(world.product, GRACE).value, ask(world.product, GRACE).reason) == (True, "STATIC")
    assert ask(world.product, GRACE).error_code is None


@pytest.mark.usefixtures("provider")
@pytest.mark.parametrize(
    ("account", "more", "code"),
    [
        ("", {}, "TARGETING_KEY_MISSING"),
        (ADA, {"device_family": "toaster"}, "INVALID_CONTEXT"),
        (ADA, {"owned": "yes"}, "INVALID_CONTEXT"),
    ],
)
def test_python_reads_why_a_request_is_refused(
    world: World, account: str, more: dict[str, Any], code: str
) -> None:
    """It needs `errorDetails`, and 400: a 422 would be GENERAL."""
    told = ask(world.flag, account, **more)
    assert (told.value, told.reason, told.error_code) == (False, "ERROR", code)
    assert "context." in told.error_message


@pytest.mark.usefixtures("provider")
def test_python_without_a_context_misses_the_targeting_key(world: World) -> None:
    """A bare call sends `{}`."""
    told = api.get_client().get_boolean_details(world.flag, False)
    assert told.error_code == "TARGETING_KEY_MISSING"


@pytest.mark.usefixtures("provider")
@pytest.mark.parametrize("flag", ["nope", "flight:NOPE:f", "a/b", "flight:NOPE/f", "a b", "ä"])
def test_python_finds_no_flag_where_there_is_none(flag: str) -> None:
    """It does not escape keys: some come in several parts."""
    told = ask(flag)
    assert (told.value, told.error_code) == (False, "FLAG_NOT_FOUND")
    assert told.error_message == f"flag `{flag}` does not exist"


@pytest.mark.usefixtures("provider")
def test_python_tells_of_another_type(world: World) -> None:
    context = EvaluationContext(ADA, DEVICE)
    told = api.get_client().get_string_details(world.flag, "no", context)
    assert (told.value, told.error_code) == ("no", "TYPE_MISMATCH")


def test_python_tells_of_bad_credentials(world: World, provider: dict[str, str]) -> None:
    provider["authorization"] = "Bearer elg_nonsense"
    assert ask(world.flag).error_message == "unauthorized"
    provider["authorization"] = f"Bearer {world.new_key('metrics')}"
    assert ask(world.flag).error_message == "forbidden"


def test_python_may_send_its_key_as_x_api_key(world: World, provider: dict[str, str]) -> None:
    provider.clear()
    provider["X-API-Key"] = world.key
    assert ask(world.flag).value is True


def test_python_waits_as_long_as_it_is_told(world: World, provider: dict[str, str]) -> None:
    """It takes Retry-After in seconds; the form of the protocol's own example makes it raise."""
    limited = world.new_key("access:query", "access:assert", rate_limit=1)
    provider["authorization"] = f"Bearer {limited}"
    for _ in range(20):
        told = ask(world.flag)
        if told.error_code is not None:
            break
    assert told.error_message.startswith("Rate limited, retry after: ")
    assert "paused due to TooManyRequests" in ask(world.flag).error_message


# --- JavaScript, on a server ---


def test_node_reads_values_errors_and_unknown_flags(world: World) -> None:
    context = {"targetingKey": ADA, **DEVICE}
    headers = [["Authorization", f"Bearer {world.key}"]]
    questions = [
        [world.flag, False, context],
        [world.flag, True, {**context, "targetingKey": GRACE}],
        [world.product, False, {**context, "targetingKey": GRACE}],
        ["flight:NOPE:f", False, context],
        ["a/b", True, context],
        [world.flag, False, {**DEVICE}],
        [world.flag, False, {**context, "owned": "yes"}],
    ]
    told = node_clients.run("server.mjs", world.server.url, headers, questions)
    assert [one["value"] for one in told] == [True, False, True, False, True, False, False]
    assert [one.get("errorCode") for one in told] == [
        None,
        None,
        None,
        "FLAG_NOT_FOUND",
        "FLAG_NOT_FOUND",
        "TARGETING_KEY_MISSING",
        "INVALID_CONTEXT",
    ]
    assert told[0]["reason"] == "TARGETING_MATCH"
    assert told[0]["variant"] == "eligible"
    assert told[0]["flagMetadata"]["flightId"] == "f"
    assert told[2]["reason"] == "STATIC"


def test_node_may_send_its_key_as_x_api_key(world: World) -> None:
    question = [world.flag, False, {"targetingKey": ADA, **DEVICE}]
    told = node_clients.run("server.mjs", world.server.url, [["X-API-Key", world.key]], [question])
    assert told[0]["value"] is True


def test_node_tells_of_bad_credentials(world: World) -> None:
    question = [world.flag, True, {"targetingKey": ADA, **DEVICE}]
    for key in ("elg_nonsense", world.new_key("metrics")):
        headers = [["Authorization", f"Bearer {key}"]]
        (told,) = node_clients.run("server.mjs", world.server.url, headers, [question])
        assert (told["value"], told["reason"]) == (True, "ERROR")  # the default, which is the app's


# --- JavaScript, in a browser ---


def test_a_browser_reads_flags_from_one_answer_and_polls_for_another(world: World) -> None:
    """Each poll names the tag of the answer before; another account gets one of its own."""
    contexts = [{"targetingKey": account, **DEVICE} for account in (ADA, GRACE, ADA)]
    flags = [world.flag, world.product, "flight:NOPE:f"]
    headers = [["Authorization", f"Bearer {world.key}"]]
    told = node_clients.run("web.mjs", world.server.url, headers, contexts, flags)
    for one, member in zip(told, (True, False, True), strict=True):
        values = [details["value"] for details in one["details"]]
        assert values == [member, True, False]
        assert one["details"][0]["variant"] == ("eligible" if member else "ineligible")
        assert one["details"][2]["errorCode"] == "FLAG_NOT_FOUND"
        assert one["statuses"][0] == 200
        assert one["statuses"][-1] == 304
