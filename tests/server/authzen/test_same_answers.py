"""One engine: what AuthZEN decides is what an access query decides, in every world."""

import tempfile
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from eligibility.catalog.validation import read_product
from eligibility.service.service import Service
from eligibility.service.settings import Settings
from tests.helpers.catalog.strategies import GROUPS, NOW, memberships, products, queries
from tests.helpers.clock import Clock
from tests.helpers.examples import examples
from tests.helpers.servers.application import App, asking

RESIDENT = "resident@example.com"  # no group may be empty
ACTIONS = [
    ("product", "view"),
    ("product", "install"),
    ("product", "update"),
    ("submission", "view"),
    ("flight", "install"),
    ("flight", "update"),
]


class World:
    """A service with one product at a time, asked over both APIs."""

    def __init__(self, app: App, clock: Clock) -> None:
        self.app, self.clock, self.products = app, clock, 0
        self.key = app.key("access:query", "access:assert")
        for group in GROUPS:
            app.service.groups.create("contoso", group, [RESIDENT], group_id=group, actor="test")

    def put(self, declared: Any, members: dict[str, set[str]]) -> str:
        """Store a new product and who is in which group; its id."""
        self.products += 1
        product_id = f"APP{self.products}"
        self.app.service.catalog.put("contoso", product_id, declared, actor="test")
        for group in GROUPS:
            wanted = {address for address, groups in members.items() if group in groups}
            self.app.service.groups.replace("contoso", group, [*wanted, RESIDENT], actor="test")
        return product_id

    def post(self, path: str, body: Any) -> Any:
        """An answer's JSON."""
        answer = self.app.post(path, body, self.key)
        assert answer.status_code == 200, answer.text
        return answer.json()


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    clock = Clock(NOW.isoformat())
    with tempfile.TemporaryDirectory() as directory:
        made = Settings(store=f"sqlite:///{directory}/store.db")
        with Service(made, clock) as service, asking(service) as app:
            yield World(app, clock)


def evaluation(query: dict[str, Any], resource: dict[str, str], action: str) -> dict[str, Any]:
    """An access query as AuthZEN asks it; what is not told is left out."""
    account, device = query["account"], query["device"]
    subject: dict[str, Any] = {"type": "anonymous", "id": "-"}
    if account:
        properties = {"kind": account["kind"]}
        subject = {"type": "account", "id": account["id"], "properties": properties}
    context = {
        "device_family": device["family"],
        "os_version": device["os_version"],
        "architecture": device["architecture"],
        **{
            name: query[name]
            for name in ("installed_version", "owned", "market", "promotional_code", "manual_check")
        },
    }
    told = {name: value for name, value in context.items() if value is not None}
    return {"subject": subject, "action": {"name": action}, "resource": resource, "context": told}


def expected(decision: dict[str, Any], kind: str, action: str, flight_id: str) -> bool:
    """What the decision says to a question, in other words than the mapping's own."""
    package = decision["package"]
    if action == "view":
        return bool(decision["submission"]["granted"])
    if kind == "flight" and (package["source"] or {}).get("flight_id") != flight_id:
        return False
    return bool(decision["granted"]) and (action == "install" or package["action"] == "update")


@settings(
    max_examples=examples(60),
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(
    body=products(),
    asked=st.lists(st.tuples(queries, memberships), min_size=1, max_size=4),
    flight_id=st.sampled_from(["f0", "f1", "f2", "f9"]),
)
def test_authzen_decides_as_an_access_query_does(
    world: World, body: Any, asked: list[tuple[Any, set[str]]], flight_id: str
) -> None:
    declared = read_product(body)
    members = {
        query["account"]["id"]: groups for query, groups in asked if query["account"] is not None
    }
    product_id = world.put(declared, members)
    items, wanted = [], []
    for query, _ in asked:
        decision = world.post("/v1/access", {**query, "product_id": product_id})
        for kind, action in ACTIONS:
            resource_id = f"{product_id}:{flight_id}" if kind == "flight" else product_id
            item = evaluation(query, {"type": kind, "id": resource_id}, action)
            items.append(item)
            wanted.append(expected(decision, kind, action, flight_id))
    answers = world.post("/access/v1/evaluations", {"evaluations": items})["evaluations"]
    assert [one["decision"] for one in answers] == wanted
    for item, answer in zip(items, answers, strict=True):
        assert world.post("/access/v1/evaluation", item) == answer
