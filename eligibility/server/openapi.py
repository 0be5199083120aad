"""The OpenAPI document: what FastAPI knows, the access routes it does not know, and true errors."""

from typing import Any

import msgspec
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from eligibility.model import Decision
from eligibility.server import problems
from eligibility.wire import LONGEST_BATCH, DeviceFields, QueryFields

_SCHEMAS = "#/components/schemas/"
_EXAMPLE_QUERY = {
    "product_id": "9NBLGGH4R315",
    "account": {"id": "ada@contoso.example", "kind": "microsoft"},
    "device": {"family": "Windows.Desktop", "os_version": "10.0.22631.3007", "architecture": "x64"},
    "installed_version": "1.0.0.0",
}
_PROBLEM = {
    "title": "Problem",
    "description": "RFC 9457: why no decision or change was made. `code` is stable; `errors` names each fault.",
    "type": "object",
    "required": ["type", "title", "status", "code", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string"},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["loc", "code", "detail"],
                "properties": {name: {"type": "string"} for name in ("loc", "code", "detail")},
            },
        },
    },
}
_STATUSES = {
    "400": "The request cannot be read; `errors` names every fault.",
    "404": "Unknown product or group.",
    "409": "The group or the product id is taken.",
    "412": "Changed since the revision of If-Match.",
    "413": "The body is too large.",
    "415": "The body is not application/json.",
    "501": "`at` is not supported yet.",
    "503": "The store is away and memory cannot answer; try again.",
}


def document(app: FastAPI) -> dict[str, Any]:
    """The whole document; made once."""
    if app.openapi_schema is None:
        made = get_openapi(
            title=app.title, version=app.version, description=app.description, routes=app.routes
        )
        schemas = made.setdefault("components", {}).setdefault("schemas", {})
        schemas.update(_access_schemas())
        made["paths"].update(_access_paths())
        for path in made["paths"].values():
            for operation in path.values():
                _true_errors(operation)
        for unused in ("HTTPValidationError", "ValidationError"):
            schemas.pop(unused, None)
        app.openapi_schema = made
    return app.openapi_schema


def _true_errors(operation: dict[str, Any]) -> None:
    """Replace FastAPI's 422 by what is really sent."""
    operation["responses"].pop("422", None)
    for status, description in _STATUSES.items():
        operation["responses"].setdefault(
            status,
            {
                "description": description,
                "content": {problems.MEDIA_TYPE: {"schema": {"$ref": f"{_SCHEMAS}Problem"}}},
            },
        )


def _access_schemas() -> dict[str, Any]:
    _, schemas = msgspec.json.schema_components(
        (QueryFields, DeviceFields, Decision), ref_template=_SCHEMAS + "{name}"
    )
    schemas["QueryFields"]["properties"]["device"] = {"$ref": f"{_SCHEMAS}DeviceFields"}
    schemas["QueryFields"]["examples"] = [_EXAMPLE_QUERY]
    return {**schemas, "Problem": _PROBLEM}


def _access_paths() -> dict[str, Any]:
    query, decision = {"$ref": f"{_SCHEMAS}QueryFields"}, {"$ref": f"{_SCHEMAS}Decision"}
    batch = {
        "type": "object",
        "required": ["queries"],
        "additionalProperties": False,
        "properties": {
            "queries": {
                "type": "array",
                "minItems": 1,
                "maxItems": LONGEST_BATCH,
                # A query that cannot be read is a problem in its place: the batch takes any value.
                "items": {"anyOf": [query, {}]},
            }
        },
        "examples": [{"queries": [_EXAMPLE_QUERY]}],
    }
    answers = {
        "type": "object",
        "required": ["decisions"],
        "properties": {
            "decisions": {
                "type": "array",
                "items": {"anyOf": [decision, {"$ref": f"{_SCHEMAS}Problem"}]},
            }
        },
    }
    one = "May this account, on this device, have this package and see this submission, and why?"
    many = f"Up to {LONGEST_BATCH} access queries, answered in order; a bad one is a problem in its place."
    return {
        "/v1/access": {"post": _operation("access", one, query, decision)},
        "/v1/access/batch": {"post": _operation("access_batch", many, batch, answers)},
    }


def _operation(
    name: str, summary: str, body: dict[str, Any], answer: dict[str, Any]
) -> dict[str, Any]:
    return {
        "tags": ["access"],
        "summary": summary,
        "operationId": name,
        "parameters": [
            {
                "name": "explain",
                "in": "query",
                "description": "Carry the trace: each step with what was compared.",
                "schema": {"type": "boolean", "default": False},
            }
        ],
        "requestBody": {"required": True, "content": {"application/json": {"schema": body}}},
        "responses": {
            "200": {
                "description": 'A decision was made; "no" is one too.',
                "content": {"application/json": {"schema": answer}},
            }
        },
    }
