"""One engine: a flag's value, AuthZEN's decision and our own say the same to the same question."""

import itertools
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from eligibility.catalog.validation import read_product
from eligibility.service.service import Service
from eligibility.service.settings import Settings
from tests.helpers.catalog.products import group, put
from tests.helpers.catalog.strategies import ACCOUNTS, GROUPS, memberships, products, queries
from tests.helpers.clock import Clock
from tests.helpers.examples import examples
from tests.helpers.servers.application import App, asking

Body = dict[str, Any]
_NUMBERS = itertools.count()
NOBODY = "nobody@example.com"


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """A clock that stands, and groups that differ by example: each has publishers of its own."""
    store = f"sqlite:///{tmp_path_factory.mktemp('engine') / 'store.db'}"
    with Service(Settings(store=store), Clock()) as service, asking(service) as opened:
        yield opened


def context_of(query: Body) -> Body:
    """The same in the words of the standards."""
    device = query["device"]
    told = {key: query[key] for key in ("installed_version", "owned", "market", "promotional_code")}
    told |= {"manual_check": query["manual_check"], "device_family": device["family"]}
    return told | {"os_version": device["os_version"], "architecture": device["architecture"]}


def native(decision: Body, kind: str, flight_id: str) -> bool:
    """What our own answer says to a question: written out once more, for there is one mapping."""
    if kind == "submission":
        return bool(decision["submission"]["granted"])
    if kind == "product":
        return bool(decision["granted"])
    source = decision["package"]["source"]
    return bool(decision["granted"]) and source["flight_id"] == flight_id


@settings(max_examples=examples(80), suppress_health_check=list(HealthCheck))
@given(
    products(),
    st.fixed_dictionaries(dict.fromkeys(ACCOUNTS[:3], memberships)),
    st.lists(queries, min_size=1, max_size=3),
)
def test_the_three_say_the_same(
    app: App, body: Body, members: dict[str, set[str]], asked: list[Body]
) -> None:
    number = next(_NUMBERS)
    publisher, product_id = f"p{number}", f"P{number}"
    for name in GROUPS:
        listed = [one for one in members if name in members[one]]
        group(app.service, name, NOBODY, *listed, publisher=publisher)
    put(app.service, product_id, read_product(body), publisher)
    headers = app.key("admin")
    for query in asked:
        # Microsoft accounts alone: OFREP has no word for another kind.
        account = query["account"] and {"id": ACCOUNTS[ACCOUNTS.index(query["account"]["id"]) % 3]}
        query |= {"product_id": product_id, "account": account}
        decision = app.post("/v1/access", query, headers).json()
        subject_id = account["id"] if account else "-"
        context = context_of(query)
        ofrep = {"context": {"targetingKey": subject_id, "publisher": publisher, **context}}
        flags = app.post("/ofrep/v1/evaluate/flags", ofrep, headers).json()["flags"]
        assert {flag["key"].split(":")[0] for flag in flags} >= {"product", "submission"}
        for flag in flags:
            kind, _, resource_id = flag["key"].partition(":")
            flight_id = resource_id.partition(":")[2]
            expected = native(decision, kind, flight_id)
            event(f"{kind} {expected} {flag['reason']}")
            single = app.post(f"/ofrep/v1/evaluate/flags/{flag['key']}", ofrep, headers).json()
            authzen = {
                "subject": {"type": "account" if account else "anonymous", "id": subject_id},
                "action": {"name": "view" if kind == "submission" else "install"},
                "resource": {"type": kind, "id": resource_id},
                "context": context,
            }
            told = app.post("/access/v1/evaluation", authzen, headers).json()
            assert flag == single
            assert [flag["value"], told["decision"]] == [expected, expected]
            assert flag["metadata"]["reasons"].split(",") == told["context"]["reasons"]
            assert (flag["variant"] == "eligible") == expected
