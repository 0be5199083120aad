"""Timelines and comparisons over HTTP: what is asked, what is answered, what is refused."""

from collections.abc import Iterator
from typing import Any

import pytest

from eligibility.callers.model import Scope
from eligibility.service.service import Service
from tests.helpers.catalog.products import DESKTOP, flight, group, product, put
from tests.helpers.servers.application import App, asking
from tests.helpers.servers.problem import assert_problem

ADA, GRACE, LINUS = "ada@x.com", "grace@x.com", "linus@x.com"
DEVICES = [DESKTOP]


@pytest.fixture
def app(service: Service) -> Iterator[App]:
    group(service, "beta", ADA, GRACE)
    put(service, "APP", product(flight("f", ["beta"], "2.0.0.0")))
    with asking(service) as opened:
        yield opened


def ask(app: App, path: str, **body: Any) -> Any:
    headers = app.key(Scope.QUERY, Scope.READ_GROUPS)
    return app.post(path, {"product_id": "APP", "devices": DEVICES, **body}, headers)


def timeline(app: App, **body: Any) -> Any:
    return ask(app, "/v1/access/timeline", **body)


def diff(app: App, **body: Any) -> Any:
    return ask(app, "/v1/simulations/diff", **body)


def test_a_timeline_tells_moments_causes_and_answers(app: App) -> None:
    turn, settled = timeline(app, account={"id": ADA}).json()["turns"]
    assert turn["at"] == "2026-06-01T12:00:00Z"
    causes = {cause["kind"]: cause["text"] for cause in turn["causes"]}
    assert causes["membership"] == "added to group beta by test"
    assert causes["catalog"] == "product declared by test"
    assert (settled["at"], settled["coming"]) == ("2026-06-01T12:30:00Z", True)
    (answer,) = turn["answers"]
    assert answer["before"] is None
    assert (answer["after"]["flight_id"], answer["after"]["version"]) == ("f", "2.0.0.0")
    assert timeline(app).json()["account"] is None


def test_a_draft_is_compared_with_what_is_live(app: App) -> None:
    drafted = product(flight("f", ["beta"], "2.5.0.0")).model_dump(mode="json")
    draft = {"groups": {"beta": {"add": [f" {LINUS.upper()} "]}}, "products": {"APP": drafted}}
    told = diff(app, after="draft", draft=draft).json()
    (found,) = told["products"]
    assert (found["accounts"], found["changed"]) == (4, 3)
    assert {one["first"][0]: one["moved"] for one in found["changes"]} == {
        ADA: ["version up"],
        LINUS: ["other source", "version up"],
    }
    assert diff(app, after="live").json()["products"] == []
    few = diff(app, after="draft", draft=draft, accounts=[GRACE]).json()["products"]
    assert few[0]["changes"][0]["first"] == [GRACE]


def test_a_preset_may_stand_for_devices(app: App) -> None:
    told = timeline(app, account={"id": ADA}, devices="xbox").json()
    assert len(told["devices"]) > 10
    refused = timeline(app, devices="destkop")
    assert_problem(refused, 400, "INVALID_INPUT")
    assert "did you mean `desktop`?" in refused.json()["errors"][0]["detail"]


@pytest.mark.parametrize(
    ("path", "body", "loc"),
    [
        ("/v1/access/timeline", {"account": {"id": "ada"}}, "account.id"),
        ("/v1/access/timeline", {"devices": []}, "devices"),
        (
            "/v1/access/timeline",
            {"devices": [DESKTOP, {"family": "Toaster", "os_version": "1607"}]},
            "devices.1.family",
        ),
        # A file of the server is not for callers to name.
        ("/v1/access/timeline", {"devices": "/etc/passwd"}, "devices"),
        ("/v1/simulations/diff", {"after": "drafts"}, "after"),
        ("/v1/simulations/diff", {"after": "draft"}, "after"),
        ("/v1/simulations/diff", {"before": "groups:9", "after": "live"}, "groups"),
        ("/v1/simulations/diff", {"after": "live", "accounts": [ADA, "no"]}, "accounts.1"),
        (
            "/v1/simulations/diff",
            {"after": "draft", "draft": {"groups": {"beta": {"add": [LINUS], "remove": [LINUS]}}}},
            "draft.groups.beta",
        ),
        (
            "/v1/simulations/diff",
            {"after": "draft", "draft": {"groups": {"none": {"add": [LINUS]}}}},
            "groups.none",
        ),
    ],
)
def test_what_cannot_be_read_is_named(app: App, path: str, body: dict[str, Any], loc: str) -> None:
    refused = ask(app, path, **body)
    assert refused.status_code == 400, refused.text
    assert loc in [error["loc"] for error in refused.json()["errors"]]


def test_a_product_that_nobody_has_is_404(app: App) -> None:
    assert_problem(timeline(app, product_id="NONE"), 404, "UNKNOWN_PRODUCT")
    assert_problem(diff(app, product_id="NONE", after="live"), 404, "UNKNOWN_PRODUCT")
