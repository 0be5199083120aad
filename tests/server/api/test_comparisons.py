"""Timelines and comparisons over HTTP: what is asked, what is answered, what is refused."""

from collections.abc import Iterator
from typing import Any

import pytest

from eligibility.callers.model import Scope
from eligibility.server.api import changes
from eligibility.server.http.authorization import RouteCaller
from eligibility.service.service import Service
from eligibility.simulation import matrix
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
    drafting = [Scope.SIMULATE] if "draft" in body else []
    headers = app.key(Scope.QUERY, Scope.READ_GROUPS, *drafting)
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
            "draft.groups.none",
        ),
    ],
)
def test_what_cannot_be_read_is_named(app: App, path: str, body: dict[str, Any], loc: str) -> None:
    refused = ask(app, path, **body)
    assert refused.status_code == 400, refused.text
    assert loc in [error["loc"] for error in refused.json()["errors"]]


def test_a_comparison_takes_what_a_simulation_takes(app: App) -> None:
    """One body shape: terms, accounts of every kind, groups, presets in a list, drafted members."""
    draft = {"groups": {"beta": {"emails": f"{ADA}, {LINUS}"}}}
    body: dict[str, Any] = {"after": "draft", "draft": draft, "devices": ["xbox", DESKTOP]}
    accounts: list[Any] = [ADA, ADA, None, {"id": LINUS, "installed_version": "1.0.0.0"}]
    (found,) = diff(app, **body, accounts=accounts, owned=True).json()["products"]
    assert (found["accounts"], found["changed"]) == (3, 1)
    (found,) = diff(app, **body, accounts={"groups": ["beta"]}).json()["products"]
    assert (found["accounts"], found["changed"]) == (3, 2)
    (found,) = diff(app, **body, accounts={}).json()["products"]
    assert found["accounts"] == 4
    nobody = diff(app, **body, accounts=[])
    assert [error["loc"] for error in nobody.json()["errors"]] == ["accounts"]
    drafted = product(flight("f", ["beta"], "2.5.0.0")).model_dump(mode="json")
    for both in ({"product": drafted}, {"products": {"APP": drafted}}):
        assert diff(app, after="draft", draft=both).json()["products"]
    twice = diff(app, after="draft", draft={"product": drafted, "products": {"APP": drafted}})
    assert [error["code"] for error in twice.json()["errors"]] == ["PRODUCT_TWICE"]


def test_a_timeline_is_of_an_account_on_its_terms(app: App) -> None:
    told = timeline(app, account=ADA, installed_version="2.0.0.0").json()
    assert told["account"] == ADA
    assert told["turns"][0]["answers"][0]["after"]["action"] == "keep"


def test_so_many_decisions_at_once_are_refused(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changes, "MOST_DECISIONS", 1)
    for refused in (
        timeline(app, account={"id": ADA}, devices="all"),
        diff(app, after="live", accounts=[ADA, LINUS]),
    ):
        assert [error["code"] for error in refused.json()["errors"]] == ["TOO_MANY_DECISIONS"]


def test_accounts_times_devices_are_limited(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matrix, "MOST_CELLS", 2)
    refused = diff(app, after="live", accounts=[ADA, GRACE, LINUS])
    assert [error["code"] for error in refused.json()["errors"]] == ["TOO_MANY_CELLS"]
    monkeypatch.setattr(matrix, "MOST_DEVICES", 2)
    refused = timeline(app, devices="xbox")
    assert [error["code"] for error in refused.json()["errors"]] == [
        "TOO_MANY_DEVICES",
        "TOO_MANY_CELLS",
    ]


def test_both_are_paid_for(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """A comparison as accounts x kinds of devices in each state, a timeline as its decisions."""
    paid: list[int] = []
    monkeypatch.setattr(RouteCaller, "pay", lambda _, decisions: paid.append(decisions))
    xbox = {"family": "Xbox", "os_version": "22621"}
    diff(app, after="live", accounts=[ADA, LINUS], devices=[DESKTOP, xbox])
    timeline(app, account={"id": ADA}, devices=[DESKTOP, xbox])
    assert paid == [8, 2]


def test_a_product_that_nobody_has_is_404(app: App) -> None:
    assert_problem(timeline(app, product_id="NONE"), 404, "UNKNOWN_PRODUCT")
    assert_problem(diff(app, product_id="NONE", after="live"), 404, "UNKNOWN_PRODUCT")
