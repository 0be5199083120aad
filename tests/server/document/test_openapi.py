"""The OpenAPI document says what happens: tried by a tool that only knows the document."""

import json
import re
from collections.abc import Iterator
from typing import Any

import jsonschema
import msgspec
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings

from eligibility.access.wire import encode, query_of
from eligibility.cli.demo.demo import QUERIES, load_sample
from eligibility.service.service import Service
from tests.helpers.examples import examples
from tests.helpers.servers.application import asking
from tests.helpers.servers.document import CHECKS, OPERATIONS
from tests.helpers.servers.process import Server, bearer


@pytest.fixture(scope="module")
def document(server: Server) -> dict[str, Any]:
    read: dict[str, Any] = server.http.get("/openapi.json").json()
    return read


@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_answer_is_one_that_the_document_describes(server: Server, operation: str) -> None:
    method, path = operation.split()
    schema = schemathesis.openapi.from_url(f"{server.url}/openapi.json")

    @settings(
        max_examples=examples(40),
        derandomize=True,
        deadline=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(schema[path][method].as_strategy())
    def run(case: "schemathesis.Case[Any]") -> None:
        case.call_and_validate(checks=CHECKS, headers=bearer(server.key))

    run()


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield method, path, operation


def test_every_route_is_there(document: dict[str, Any]) -> None:
    found = [f"{method.upper()} {path}" for method, path, _ in operations(document)]
    assert sorted(found) == sorted(OPERATIONS)


def test_every_reference_leads_to_a_schema(document: dict[str, Any]) -> None:
    named = set(re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(document)))
    assert named <= set(document["components"]["schemas"])


def test_every_route_says_what_it_does_and_how_it_fails(document: dict[str, Any]) -> None:
    for method, path, operation in operations(document):
        assert operation.get("description") or operation.get("summary"), f"{method} {path}"
        if path.startswith("/v1/"):
            failures = [s for s in operation["responses"] if s.startswith(("4", "5", "d"))]
            assert failures, f"{method} {path}"


@pytest.mark.parametrize("path", ["/v1/access", "/v1/access/batch", "/v1/simulations"])
def test_the_examples_are_true(document: dict[str, Any], server: Server, path: str) -> None:
    operation = document["paths"][path]["post"]
    for example in operation["requestBody"]["content"]["application/json"]["examples"].values():
        answer = server.http.post(path, json=example["value"])
        assert answer.status_code in (200, 404)  # read, though this server lacks the product
    answered = operation["responses"]["200"]["content"]["application/json"]
    if "example" not in answered:
        return
    reference = {**answered["schema"], "components": document["components"]}
    jsonschema.Draft202012Validator(reference).validate(answered["example"])


def test_a_decision_fits_its_schema(document: dict[str, Any], service: Service) -> None:
    load_sample(service)
    reference = {"$ref": "#/components/schemas/Decision", "components": document["components"]}
    validator = jsonschema.Draft202012Validator(reference)
    for _, query in QUERIES:
        for explain in (False, True):
            decision = service.evaluator.decide(query_of(**query), explain=explain)
            validator.validate(msgspec.json.decode(encode(decision)))


def test_simulations_and_coverage_fit_their_schemas(
    document: dict[str, Any], service: Service
) -> None:
    load_sample(service)
    asked = {"product_id": "9NCONTOSORDR", "accounts": ["ada@contoso.example", None]}
    with asking(service) as app:
        key = app.key("admin")
        whole = app.post("/v1/simulations", {**asked, "devices": ["all"]}, key)
        accept = {"accept": "application/x-ndjson"}
        lines = app.post("/v1/simulations", {**asked, "devices": ["all"]}, key | accept)
        path = "/v1/publishers/contoso/products/9NCONTOSORDR/coverage"
        covered = app.ask("GET", path, key)
    kinds = {"head": "HeadLine", "class": "ClassLine", "account": "AccountLine", "end": "EndLine"}
    told = [(kinds[one["line"]], one) for one in map(json.loads, lines.text.splitlines())]
    assert {kind for kind, _ in told} == set(kinds.values())
    for kind, value in (("SimulationResponse", whole.json()), ("Coverage", covered.json()), *told):
        reference = {"$ref": f"#/components/schemas/{kind}", "components": document["components"]}
        jsonschema.Draft202012Validator(reference).validate(value)


def test_the_documentation_page_is_served(server: Server) -> None:
    assert server.http.get("/openapi.json").json()["openapi"].startswith("3.")
    assert "swagger" in server.http.get("/docs").text.lower()
