"""AuthZEN's metadata document; the checklist's number 9."""

from collections.abc import Iterator
from typing import Any

import pytest

from eligibility.errors import InvalidSettings
from eligibility.service.settings_sources import load_settings
from tests.helpers.clock import Clock
from tests.helpers.standards.authzen import Pdp, ask, pdp
from tests.helpers.standards.authzen_schemas import METADATA, check

URL = "https://pdp.example.com"
PATH = "/.well-known/authzen-configuration"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pdp]:
    store = f"sqlite:///{tmp_path_factory.mktemp('authzen') / 'store.db'}"
    with pdp(store, Clock(), public_url=URL, authzen_subject_search=True) as made:
        yield made


def document(world: Pdp, path: str = PATH, **headers: str) -> dict[str, Any]:
    answer = world.app.ask("GET", path, headers)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    assert "max-age" in answer.headers["cache-control"]
    check(METADATA, answer.json())
    told: dict[str, Any] = answer.json()
    return told


def test_must_9_it_is_there_without_credentials_and_names_every_endpoint(world: Pdp) -> None:
    assert document(world) == {
        "policy_decision_point": URL,
        "access_evaluation_endpoint": f"{URL}/access/v1/evaluation",
        "access_evaluations_endpoint": f"{URL}/access/v1/evaluations",
        "search_subject_endpoint": f"{URL}/access/v1/search/subject",
        "search_resource_endpoint": f"{URL}/access/v1/search/resource",
        "search_action_endpoint": f"{URL}/access/v1/search/action",
    }


@pytest.mark.parametrize("base", ["", "/contoso"])
def test_must_9_every_endpoint_of_it_answers(world: Pdp, base: str) -> None:
    told = document(world, PATH + base)
    assert told.pop("policy_decision_point") == URL + base
    for url in told.values():
        assert url.startswith(f"{URL}{base}/access/v1/")
        path = url.removeprefix(URL)
        assert world.send(path, ask(), world.qa).status_code == 200


def test_must_9_it_comes_from_the_settings_and_not_from_the_request(world: Pdp) -> None:
    forged = {"host": "evil.example.com", "x-forwarded-host": "evil.example.com"}
    assert document(world, **forged) == document(world)


def test_it_tells_nobody_which_publishers_there_are(world: Pdp) -> None:
    told = {name: document(world, f"{PATH}/{name}") for name in ("contoso", "fabrikam", "nobody")}
    for name, one in told.items():
        assert {k: v.replace(name, "contoso") for k, v in one.items()} == told["contoso"]


def test_must_9_what_is_not_offered_is_left_out(store_url: str, clock: Clock) -> None:
    with pdp(store_url, clock, public_url=URL) as quiet:
        assert "search_subject_endpoint" not in document(quiet)


def test_without_the_setting_there_is_none(store_url: str, clock: Clock) -> None:
    with pdp(store_url, clock) as quiet:
        for path in (PATH, f"{PATH}/contoso"):
            assert quiet.app.ask("GET", path).status_code == 404


@pytest.mark.parametrize(
    "url",
    [
        "http://pdp.example.com",
        "https://pdp.example.com/",
        "https://pdp.example.com/base",
        "https://pdp.example.com?x",
        "https://pdp.example.com#x",
        "https://user@pdp.example.com",
        "pdp.example.com",
        "https://",
        "",
    ],
)
def test_the_setting_is_an_https_origin(url: str) -> None:
    with pytest.raises(InvalidSettings) as caught:
        load_settings({"ELIGIBILITY_PUBLIC_URL": url})
    assert [fault.loc for fault in caught.value.faults] == ["public_url"]


@pytest.mark.parametrize("url", [URL, f"{URL}:8443", "https://[2001:db8::1]:8443"])
def test_an_https_origin_is_taken(url: str) -> None:
    assert load_settings({"ELIGIBILITY_PUBLIC_URL": url}).settings.public_url == url
