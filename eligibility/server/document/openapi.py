"""Build the OpenAPI document: FastAPI's own, completed from the models and the YAML files here.

The files describe what FastAPI cannot know: the routes that the gate answers itself, bodies that are
read without pydantic, and the errors that are really sent.
"""

from collections.abc import Iterator, Mapping
from importlib.resources import files
from typing import Any

import msgspec
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from eligibility.access.model import Decision
from eligibility.access.search import AccessSearchFields, AccessSearchResponse
from eligibility.access.wire import DeviceFields, QueryFields
from eligibility.formats import yaml_file
from eligibility.server.http import problems
from eligibility.server.http.strict_route import StrictRoute
from eligibility.simulation.coverage import Coverage
from eligibility.simulation.inputs.json_body import (
    ComparisonFields,
    SimulationFields,
    TimelineFields,
)
from eligibility.simulation.responses import (
    AccountLine,
    ClassLine,
    EndLine,
    HeadLine,
    SimulationResponse,
)
from eligibility.windows.releases import facts

_SCHEMAS = "#/components/schemas/"
_MODELS = (
    *(QueryFields, DeviceFields, Decision, AccessSearchFields, AccessSearchResponse),
    *(SimulationFields, ComparisonFields, TimelineFields, SimulationResponse),
    *(HeadLine, ClassLine, AccountLine, EndLine, Coverage),
)
"""Types of request and response bodies that are msgspec's, not pydantic's."""
_STANDARDS = ("authzen", "ofrep")
"""Files of the open standards, which have their own form of errors."""


def document(app: FastAPI) -> dict[str, Any]:
    """Return the complete document, which is built once and cached."""
    if app.openapi_schema is None:
        app.openapi_schema = _document(app)
    return app.openapi_schema


def read_file(name: str) -> dict[str, Any]:
    """Read a YAML file with `paths` and `schemas` in the form of OpenAPI, and other keys."""
    text = (files("eligibility.server.document") / f"{name}.yaml").read_text("utf-8")
    content: dict[str, Any] = yaml_file.load(text, f"{name}.yaml")[0]
    return content


def _document(app: FastAPI) -> dict[str, Any]:
    result = get_openapi(
        title=app.title, version=app.version, description=app.description, routes=app.routes
    )
    schemas = result.setdefault("components", {}).setdefault("schemas", {})
    _add(schemas, _model_schemas("Product-Input" if "Product-Input" in schemas else "Product"))
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    api, *standards = map(read_file, ("api", *_STANDARDS))
    result["components"]["securitySchemes"] = api["securitySchemes"]
    paths = result["paths"]
    access = [path for path in api["paths"] if path not in paths]
    for path in (*access, *(path for path in paths if path not in access)):
        paths[path] = paths.pop(path, {})  # access routes first: most readers look for them
    _merge(result, {"paths": api["paths"], "components": {"schemas": api["schemas"]}})
    scopes = _scopes(app)
    for path, methods in paths.items():
        for method, operation in methods.items():
            _secure(operation, scopes.get((path, method)))
            _set_errors(path, method, operation, api["statuses"])
    for standard in standards:
        _add(schemas, standard["schemas"])
        for path, methods in standard["paths"].items():
            paths[path] = methods
            for operation in methods.values():
                _secure(operation, None)
    return result


def _merge(into: dict[str, Any], more: Mapping[str, Any]) -> None:
    """Merge `more` into `into`: nested objects are merged, other values are replaced."""
    for name, value in more.items():
        if isinstance(value, dict) and isinstance(into.get(name), dict):
            _merge(into[name], value)
        else:
            into[name] = value


def _add(schemas: dict[str, Any], more: Mapping[str, Any]) -> None:
    """Add schemas.

    An enum may be there already from pydantic, which adds a `type` to its values.
    Raises: ValueError for two different schemas of the same name, because references use the name.
    """
    for name, schema in more.items():
        present = schemas.setdefault(name, schema)
        if present | {"type": None} != schema | {"type": None}:
            raise ValueError(f"two schemas are called `{name}`")


def _model_schemas(product: str) -> dict[str, Any]:
    """Return the schemas of msgspec's types. Args: product = the schema name of a product in a request."""
    _, schemas = msgspec.json.schema_components(_MODELS, ref_template=_SCHEMAS + "{name}")
    for body in (SimulationFields, ComparisonFields, TimelineFields):
        devices = schemas[body.__name__]["properties"]["devices"]
        devices["description"] = f"Presets ({', '.join(facts().presets)}) and devices."
        next(kind for kind in devices["anyOf"] if kind["type"] == "array")["minItems"] = 1
    drafted = {"$ref": _SCHEMAS + product}
    draft = schemas["DraftFields"]["properties"]
    draft["product"] = {"anyOf": [drafted, {"type": "null"}]}
    draft["products"]["additionalProperties"] = drafted
    return schemas


def _scopes(app: FastAPI) -> dict[tuple[str, str], str]:
    """Return the scope that each FastAPI operation needs; public operations are left out."""
    return {
        (route.path_format, method.lower()): str(route.needs.scope)
        for route in app.routes
        if isinstance(route, StrictRoute)
        for method in route.methods or ()
    }


def _secure(operation: dict[str, Any], scope: str | None) -> None:
    """Add to an operation the scope that it needs; None = use the YAML file's `x-scope`, if it is set."""
    scope = operation.get("x-scope", scope)
    if scope is not None:
        operation["security"] = [{"bearer": [scope]}, {"apiKey": [scope]}]
        operation["x-scope"] = scope


def _set_errors(
    path: str, method: str, operation: dict[str, Any], statuses: Mapping[str, str]
) -> None:
    """Replace FastAPI's response 422 by the problems that are really sent."""
    operation["responses"].pop("422", None)
    for status in _error_statuses(path, method, operation):
        operation["responses"][status] = {
            "description": statuses[status],
            "content": {problems.MEDIA_TYPE: {"schema": {"$ref": f"{_SCHEMAS}Problem"}}},
        }


def _error_statuses(path: str, method: str, operation: dict[str, Any]) -> Iterator[str]:
    """Yield the statuses of the problems that an operation can send."""
    access, well_known = path.startswith("/v1/access"), path.startswith("/.well-known/")
    simulates = path.startswith("/v1/simulations")
    creates = (method, path.rpartition("/")[2]) in (("post", "groups"), ("put", "{product_id}"))
    parameters = {parameter["name"] for parameter in operation.get("parameters", ())}
    possible = {
        "400": path.startswith("/v1/") or "publisher" in parameters,
        "401": "security" in operation,
        "403": "security" in operation,
        "404": access or simulates or well_known or parameters & {"publisher", "key_id"},
        "409": creates or simulates or path == "/v1/access" or path.endswith("/forget"),
        "412": "if-match" in parameters,
        "413": "requestBody" in operation,
        "415": "requestBody" in operation,
        "429": "security" in operation,
        "503": path != "/healthz",
    }
    yield from (status for status in possible if possible[status])
