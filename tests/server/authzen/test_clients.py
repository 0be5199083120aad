"""A client that others wrote, against a real server: apparitor, a general AuthZEN client."""

import asyncio
import re
import subprocess
import sys
import uuid
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest
from apparitor import (
    Action,
    BatchEvaluationRequest,
    EvaluationItem,
    EvaluationRequest,
    EvaluationsOptions,
    Resource,
    ScannerConfig,
    Subject,
)
from apparitor.client import AuthZENClient

from tests.helpers.catalog.products import flight, package
from tests.helpers.repository import ROOT
from tests.helpers.servers.process import Server, bearer, environment, make_key

ADA = "ada@contoso.example"
DEVICE = {"device_family": "desktop", "os_version": "10.0.22631.0"}
T = TypeVar("T")


@pytest.fixture
def product_id(server: Server) -> str:
    """A private product of a publisher of its own, with a flight for Ada."""
    publisher, product_id = f"p{uuid.uuid4().hex}", f"A{uuid.uuid4().hex}"
    body: dict[str, Any] = {"name": "beta", "group_id": "beta", "emails": [ADA]}
    groups = f"/v1/publishers/{publisher}/groups"
    assert server.http.post(groups, json=body).status_code == 201
    body = {
        "name": "App",
        "submission": {
            "audience": "private",
            "audience_groups": ["beta"],
            "packages": [package("1.0.0.0")],
        },
        "flights": [flight("canary", ["beta"], "2.0.0.0")],
    }
    stored = server.http.put(f"/v1/publishers/{publisher}/products/{product_id}", json=body)
    assert stored.status_code == 200, stored.text
    return product_id


def with_client(
    server: Server, work: Callable[[AuthZENClient], Awaitable[T]], key: str | None = None
) -> T:
    """What the client does, on a loop of its own."""
    config = ScannerConfig(
        pdp_url=server.url,
        allow_insecure_pdp=True,
        default_headers=bearer(key or server.key),
    )

    async def run() -> T:
        async with AuthZENClient(config) as client:
            return await work(client)

    return asyncio.run(run())


def request(who: str, resource: Resource, action: str = "install") -> EvaluationRequest:
    subject = Subject(type="account", id=who)
    return EvaluationRequest(
        subject=subject, action=Action(name=action), resource=resource, context=DEVICE
    )


@pytest.mark.parametrize(("who", "permitted"), [(ADA, True), ("x@contoso.example", False)])
@pytest.mark.parametrize("kind", ["product", "flight"])
def test_it_reads_single_decisions(
    server: Server, product_id: str, who: str, permitted: bool, kind: str
) -> None:
    resource_id = f"{product_id}:canary" if kind == "flight" else product_id
    asked = request(who, Resource(type=kind, id=resource_id))
    answer = with_client(server, lambda client: client.evaluate(asked))
    assert answer.decision is permitted


@pytest.mark.parametrize(
    ("semantic", "decisions"),
    [
        ("execute_all", [True, False, True]),
        ("deny_on_first_deny", [True, False]),
        ("permit_on_first_permit", [True]),
    ],
)
def test_it_reads_batches(
    server: Server, product_id: str, semantic: Any, decisions: list[bool]
) -> None:
    items = [
        EvaluationItem(resource=Resource(type="flight", id=f"{product_id}:{name}"))
        for name in ("canary", "nope", "canary")
    ]
    batch = BatchEvaluationRequest(
        subject=Subject(type="account", id=ADA),
        action=Action(name="install"),
        context=DEVICE,
        evaluations=items,
        options=EvaluationsOptions(evaluations_semantic=semantic),
    )
    answer = with_client(server, lambda client: client.evaluate_batch(batch))
    assert [one.decision for one in answer.evaluations] == decisions


def test_it_is_told_that_its_key_is_not_enough(server: Server, product_id: str) -> None:
    asked = request(ADA, Resource(type="product", id=product_id))
    for key in ("wrong", make_key(server.store_url, "metrics")):
        with pytest.raises(Exception, match=r"40[13]"):
            with_client(server, lambda client: client.evaluate(asked), key)


def test_the_example_of_the_documentation_runs(server: Server, tmp_path: Path) -> None:
    """It asks about the demo's product; whatever the answer, it has to be one."""
    page = (ROOT / "docs" / "authzen.md").read_text("utf-8")
    (script,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    ran = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        env=environment(PDP=server.url, KEY=server.key),
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.startswith("False") or "FLIGHT_MEMBER" in ran.stdout
