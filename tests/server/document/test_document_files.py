"""The files of the OpenAPI document say what the code says: limits, actions, semantics and codes."""

from typing import Any, get_args

from eligibility.access.wire import LONGEST_BATCH
from eligibility.server.authzen import endpoints as authzen
from eligibility.server.authzen.entities import SEMANTICS
from eligibility.server.document.openapi import read_file
from eligibility.server.ofrep.endpoints import BULK, SINGLE
from eligibility.standards.flags import FlagEvaluation
from eligibility.standards.ofrep import ErrorCode
from eligibility.standards.questions import ACTIONS


def body(file: dict[str, Any], path: str) -> dict[str, Any]:
    """The properties of a request's body."""
    content = file["paths"][path]["post"]["requestBody"]["content"]
    properties: dict[str, Any] = content["application/json"]["schema"]["properties"]
    return properties


def test_batches_are_as_long_as_the_code_takes() -> None:
    api, standard = read_file("api"), read_file("authzen")
    assert body(api, "/v1/access/batch")["queries"]["maxItems"] == LONGEST_BATCH
    assert body(standard, authzen.EVALUATIONS)["evaluations"]["maxItems"] == LONGEST_BATCH
    for file, path in ((api, "/v1/access/batch"), (standard, authzen.EVALUATIONS)):
        assert f"Up to {LONGEST_BATCH} " in file["paths"][path]["post"]["summary"]


def test_authzen_names_its_paths_actions_and_semantics() -> None:
    file = read_file("authzen")
    paths = {
        authzen.EVALUATION,
        authzen.EVALUATIONS,
        authzen.SEARCH_ACTION,
        authzen.SEARCH_RESOURCE,
        authzen.SEARCH_SUBJECT,
    }
    assert set(file["paths"]) == paths | {f"/{{publisher}}{path}" for path in paths}
    action = file["schemas"]["AuthZenAction"]["properties"]["name"]
    assert action["examples"] == sorted({name for actions in ACTIONS.values() for name in actions})
    assert file["schemas"]["AuthZenResource"]["properties"]["type"]["examples"] == list(ACTIONS)
    options = body(file, authzen.EVALUATIONS)["options"]
    assert options["properties"]["evaluations_semantic"]["enum"] == list(SEMANTICS)


def test_ofrep_names_its_paths_values_and_codes() -> None:
    file = read_file("ofrep")
    assert set(file["paths"]) == {BULK, f"{SINGLE}{{key}}"}
    evaluation = file["schemas"]["OfrepEvaluation"]["properties"]
    for field in ("reason", "variant"):
        literals = get_args(FlagEvaluation.__annotations__[field])
        assert evaluation[field]["enum"] == list(literals)
    codes = {*get_args(ErrorCode)} - {"FLAG_NOT_FOUND"}
    for name in ("OfrepFailure", "OfrepBulkFailure"):
        assert {*file["schemas"][name]["properties"]["errorCode"]["enum"]} == codes
