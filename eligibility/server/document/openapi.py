"""The OpenAPI document: what FastAPI knows, the access routes it does not know, and true errors."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from eligibility.access.model import Decision
from eligibility.access.wire import LONGEST_BATCH, DeviceFields, QueryFields
from eligibility.server.authzen import openapi as authzen
from eligibility.server.document import openapi
from eligibility.server.http import problems
from eligibility.server.http.strict_route import StrictRoute
from eligibility.server.ofrep import openapi as ofrep
from eligibility.simulation.coverage import Coverage
from eligibility.simulation.inputs.json_body import SimulationFields
from eligibility.simulation.responses import (
    AccountLine,
    ClassLine,
    EndLine,
    HeadLine,
    SimulationResponse,
)
from eligibility.windows.releases import facts

_SCHEMAS = "#/components/schemas/"
_EXAMPLE_QUERY = {
    "product_id": "9NBLGGH4R315",
    "account": {"id": "ada@contoso.example", "kind": "microsoft"},
    "device": {"family": "Windows.Desktop", "os_version": "10.0.22631.3007", "architecture": "x64"},
    "installed_version": "1.0.0.0",
}
_EXAMPLE_QUERIES = {
    "signed in": _EXAMPLE_QUERY,
    "not signed in, on Xbox": {
        "product_id": "9NBLGGH4R315",
        "account": None,
        "device": {"family": "Xbox One", "os_version": "10.0.22621.3446", "architecture": "x64"},
    },
}
_EXAMPLE_DECISION = {
    "product_id": "9NBLGGH4R315",
    "granted": True,
    "submission": {
        "granted": True,
        "audience": "private",
        "listing": "searchable",
        "reasons": ["AUDIENCE_MEMBER"],
    },
    "package": {
        "granted": True,
        "source": {"kind": "flight", "flight_id": "canary", "name": "Canary", "rank": 3},
        "package": {
            "file_name": "Reader_2.0.0.0.msixbundle",
            "version": "2.0.0.0",
            "architecture": "x64",
        },
        "action": "update",
        "delivery": "automatic",
        "reasons": ["FLIGHT_MEMBER"],
    },
    "remedies": [],
    "settling": None,
    "revision": {"groups": 81, "catalog": 12},
    "stale_seconds": 0,
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
_SECURITY = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "An API key (`eligibility keys create`), an access token of a configured"
        " issuer, or the ID token of an account that asks for itself. `x-scope` of an operation names"
        " the scope it needs.",
    },
    "apiKey": {
        "type": "apiKey",
        "in": "header",
        "name": "X-API-Key",
        "description": "The same key or token, where there is no `Authorization` header.",
    },
}
_STATUSES = {
    "400": "The request cannot be read; `errors` names every fault.",
    "401": "The caller is not known: credentials are missing, wrong or expired.",
    "403": "The caller has not the scope.",
    "404": "Unknown publisher, product, group or key.",
    "409": "Taken already, a group would be empty, or the store is not at `at_least_revision`.",
    "412": "Changed since the revision of If-Match.",
    "413": "The body is too large.",
    "415": "The body is not application/json.",
    "429": "More than the caller may ask in a second.",
    "503": "The store is away and memory cannot answer; try again.",
}


def document(app: FastAPI) -> dict[str, Any]:
    """The whole document; made once."""
    if app.openapi_schema is None:
        made = get_openapi(
            title=app.title, version=app.version, description=app.description, routes=app.routes
        )
        schemas = made.setdefault("components", {}).setdefault("schemas", {})
        product = "Product-Input" if "Product-Input" in schemas else "Product"
        for more in (_access_schemas(), openapi.schemas(product)):
            _add(schemas, more)
        # What most people come for is first.
        made["paths"] = _access_paths() | made["paths"]
        for standard in (authzen, ofrep):
            _add(schemas, standard.SCHEMAS)
            made["paths"].update(standard.paths())
        made["components"]["securitySchemes"] = _SECURITY
        needed = _scopes(app)
        for path, methods in made["paths"].items():
            for method, operation in methods.items():
                _secured(operation, needed.get((path, method)))
                if not (authzen.is_one(path) or ofrep.is_one(path)):
                    _true_errors(path, method, operation)
        for unused in ("HTTPValidationError", "ValidationError"):
            schemas.pop(unused, None)
        app.openapi_schema = made
    return app.openapi_schema


def _scopes(app: FastAPI) -> dict[tuple[str, str], str]:
    """The scope that each operation needs; public ones are left out."""
    answered = ("/v1/access", "/v1/access/batch", *authzen.paths(), *ofrep.paths())
    access = {(path, "post"): "access:query" for path in answered}
    routes = [route for route in app.routes if isinstance(route, StrictRoute)]
    return access | {
        (route.path_format, method.lower()): str(route.needs.scope)
        for route in routes
        for method in route.methods or ()
    }


def _secured(operation: dict[str, Any], scope: str | None) -> None:
    if scope is not None:
        operation["security"] = [{"bearer": [scope]}, {"apiKey": [scope]}]
        operation["x-scope"] = scope


def _true_errors(path: str, method: str, operation: dict[str, Any]) -> None:
    """Replace FastAPI's 422 by what is really sent."""
    operation["responses"].pop("422", None)
    for status in _error_statuses(path, method, operation):
        operation["responses"][status] = {
            "description": _STATUSES[status],
            "content": {problems.MEDIA_TYPE: {"schema": {"$ref": f"{_SCHEMAS}Problem"}}},
        }


def _error_statuses(path: str, method: str, operation: dict[str, Any]) -> Iterator[str]:
    """The statuses of problems that an operation can answer with."""
    access, well_known = path.startswith("/v1/access"), path.startswith("/.well-known/")
    simulates = path.startswith("/v1/simulations")
    creates = (method, path.rpartition("/")[2]) in (("post", "groups"), ("put", "{product_id}"))
    parameters = {parameter["name"] for parameter in operation.get("parameters", ())}
    yield from (
        status
        for status, possible in (
            ("400", path.startswith("/v1/") or "publisher" in parameters),
            ("401", "security" in operation),
            ("403", "security" in operation),
            ("404", access or simulates or well_known or parameters & {"publisher", "key_id"}),
            ("409", creates or simulates or path == "/v1/access" or path.endswith("/forget")),
            ("412", "if-match" in parameters),
            ("413", "requestBody" in operation),
            ("415", "requestBody" in operation),
            ("429", "security" in operation),
            ("503", path != "/healthz"),
        )
        if possible
    )


def _add(schemas: dict[str, Any], more: Mapping[str, Any]) -> None:
    """Add schemas. Raises ValueError for two things of one name: each would be told as the other.

    One thing may be there already, by pydantic, which gives enums a `type` beside their values.
    """
    for name, schema in more.items():
        present = schemas.setdefault(name, schema)
        if present | {"type": None} != schema | {"type": None}:
            raise ValueError(f"two schemas are called `{name}`")


def _access_schemas() -> dict[str, Any]:
    _, schemas = msgspec.json.schema_components(
        (QueryFields, DeviceFields, Decision), ref_template=_SCHEMAS + "{name}"
    )
    schemas["QueryFields"]["properties"]["device"] = {"$ref": f"{_SCHEMAS}DeviceFields"}
    schemas["QueryFields"]["examples"] = list(_EXAMPLE_QUERIES.values())
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
        "/v1/access": {
            "post": _operation(
                "access", one, (query, _EXAMPLE_QUERIES), (decision, _EXAMPLE_DECISION)
            )
        },
        "/v1/access/batch": {
            "post": _operation(
                "access_batch",
                many,
                (batch, {"two queries": {"queries": list(_EXAMPLE_QUERIES.values())}}),
                (answers, {"decisions": [_EXAMPLE_DECISION]}),
            )
        },
    }


def _operation(
    name: str,
    summary: str,
    asked: tuple[dict[str, Any], dict[str, Any]],
    answered: tuple[dict[str, Any], dict[str, Any]],
) -> dict[str, Any]:
    """One of the two access routes; asked and answered are schemas, each with examples."""
    (body, examples), (answer, example) = asked, answered
    return {
        "tags": ["access"],
        "summary": summary,
        "operationId": name,
        "parameters": [
            {
                "name": "explain",
                "in": "query",
                "description": "Explain the decision: `trace`, each step with what was compared; `story`,"
                " the same in sentences; `nearest`, the least change that would grant it (not in a"
                " batch).",
                "schema": {"type": "boolean", "default": False},
            }
        ],
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "schema": body,
                    "examples": {title: {"value": value} for title, value in examples.items()},
                }
            },
        },
        "responses": {
            "200": {
                "description": 'A decision was made; "no" is one too.',
                "content": {"application/json": {"schema": answer, "example": example}},
            }
        },
    }


NDJSON = "application/x-ndjson"

EXAMPLES: dict[str, dict[str, Any]] = {
    "two accounts and nobody": {
        "product_id": "9NCONTOSORDR",
        "accounts": [
            "ada@contoso.example",
            {"id": "grace@contoso.example", "installed_version": "1.4.0.0"},
            None,
        ],
        "devices": ["windows-11", {"family": "Xbox One", "os_version": "22621"}],
    },
    "a group, as if two more people were in it": {
        "product_id": "9NCONTOSORDR",
        "accounts": {"groups": ["canary-testers"]},
        "devices": ["desktop"],
        "draft": {
            "groups": {"canary-testers": {"add": ["linus@contoso.example", "alan@contoso.example"]}}
        },
    },
}

EXTRA: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {"$ref": f"{_SCHEMAS}SimulationFields"},
                "examples": {title: {"value": value} for title, value in EXAMPLES.items()},
            }
        },
    }
}

RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "What every account gets on every device.",
        "content": {
            "application/json": {"schema": {"$ref": f"{_SCHEMAS}Simulation"}},
            NDJSON: {
                "schema": {
                    "type": "string",
                    "description": "The same in lines of JSON, which `line` tells apart: a `head`,"
                    " each `class`, each `account`, and an `end` with the counts. Without an `end`"
                    " the answer was cut. See HeadLine, ClassLine, AccountLine, EndLine.",
                }
            },
        },
    }
}

COVERED: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "How many members reach what.",
        "content": {"application/json": {"schema": {"$ref": f"{_SCHEMAS}Coverage"}}},
    }
}

_TOLD = (SimulationFields, SimulationResponse, HeadLine, ClassLine, AccountLine, EndLine, Coverage)


def schemas(product: str) -> dict[str, Any]:
    """The schemas of bodies and answers, by name; product = the name of that of a product's PUT."""
    _, made = msgspec.json.schema_components(_TOLD, ref_template=_SCHEMAS + "{name}")
    made["SimulationFields"]["examples"] = list(EXAMPLES.values())
    devices = made["SimulationFields"]["properties"]["devices"]
    devices["minItems"] = 1
    devices["description"] = f"Presets ({', '.join(facts().presets)}) and devices."
    made["DraftFields"]["properties"]["product"] = {
        "anyOf": [{"$ref": _SCHEMAS + product}, {"type": "null"}]
    }
    return made
