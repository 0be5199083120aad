"""The endpoints of AuthZEN as the OpenAPI document describes them; schemas from the standard's text."""

from typing import Any

from eligibility.access.wire import LONGEST_BATCH
from eligibility.server.authzen.endpoints import (
    EVALUATION,
    EVALUATIONS,
    SEARCH_ACTION,
    SEARCH_RESOURCE,
    SEARCH_SUBJECT,
)
from eligibility.server.authzen.entities import SEMANTICS
from eligibility.standards.questions import ACTIONS

_SCHEMAS = "#/components/schemas/"
_PUBLISHER = "/{publisher}"
_EXAMPLE = {
    "subject": {"type": "account", "id": "ada@contoso.example"},
    "action": {"name": "install"},
    "resource": {"type": "product", "id": "9NCONTOSORDR"},
    "context": {"device_family": "desktop", "os_version": "10.0.22631.3007"},
}
_ERRORS = {
    "400": "The request cannot be read, or is no JSON.",
    "401": "The caller is not known: credentials are missing, wrong or expired.",
    "403": "The caller has not the scope, or is an account that asks for another.",
    "404": "Unknown publisher, or a search that the settings do not want.",
    "405": "Another method than POST.",
    "413": "The body is too large.",
    "429": "More than the caller may ask in a second.",
    "500": "The server failed.",
    "503": "The store is away and memory cannot answer; try again.",
}


def _object(required: tuple[str, ...] = (), /, **properties: Any) -> dict[str, Any]:
    made: dict[str, Any] = {"type": "object", "properties": properties}
    return made | ({"required": list(required)} if required else {})


def _ref(name: str) -> dict[str, Any]:
    return {"$ref": f"{_SCHEMAS}AuthZen{name}"}


_TEXT, _FREE = {"type": "string"}, {"type": ["object", "null"]}
_REASON = {"type": "object", "required": ["403"], "properties": {"403": _TEXT}}
_SUBJECT_PROPERTIES = {
    **_object(
        kind={"enum": ["microsoft", "work_or_school", None]},
        aliases={"type": ["array", "null"], "items": {"type": "string", "format": "email"}},
        token={"type": ["string", "null"], "description": "The account's own ID token."},
    ),
    "type": ["object", "null"],
}
_SEARCHED = _object(("type",), type=_TEXT, properties=_FREE)
_PAGE = {
    **_object(
        token={"type": ["string", "null"]},
        limit={"type": ["integer", "null"], "minimum": 0, "maximum": 1_000_000},
    ),
    "type": ["object", "null"],
}

SCHEMAS: dict[str, Any] = {
    "AuthZenSubject": _object(("type", "id"), type=_TEXT, id=_TEXT, properties=_SUBJECT_PROPERTIES),
    "AuthZenAction": _object(
        ("name",), name={**_TEXT, "examples": sorted({a for one in ACTIONS.values() for a in one})}
    ),
    "AuthZenResource": _object(
        ("type", "id"), type={**_TEXT, "examples": list(ACTIONS)}, id=_TEXT, properties=_FREE
    ),
    "AuthZenContext": {
        **_object(
            device_family=_TEXT,
            os_version=_TEXT,
            architecture=_TEXT,
            installed_version=_TEXT,
            owned={"type": "boolean"},
            market={**_TEXT, "pattern": "^[A-Z]{2}$"},
            promotional_code={"type": "boolean"},
            manual_check={"type": "boolean"},
            time={**_TEXT, "format": "date-time"},
        ),
        "description": "Other keys are ignored; null is as absent.",
    },
    "AuthZenDecision": _object(
        ("decision",),
        decision={"type": "boolean"},
        context=_object(
            reason=_TEXT,
            reasons={"type": "array", "items": _TEXT},
            selected=_object(
                ("type", "id", "rank"), type=_TEXT, id=_TEXT, rank={"type": "integer"}
            ),
            reason_admin=_REASON,
            reason_user=_REASON,
            error=_object(("status", "message"), status={"type": "integer"}, message=_TEXT),
        ),
    ),
    "AuthZenResults": _object(
        ("results",),
        page=_object(("next_token",), next_token=_TEXT, count={"type": "integer"}),
        results={
            "type": "array",
            "items": {
                "anyOf": [
                    _object(("type", "id"), type=_TEXT, id=_TEXT),
                    _object(("name",), name=_TEXT),
                ]
            },
        },
    ),
}
_ENTITIES = {name: _ref(name.capitalize()) for name in ("subject", "action", "resource", "context")}
_EVALUATION = {**_object(**_ENTITIES), "required": ["subject", "action", "resource"]}
_EVALUATIONS = _object(
    **_ENTITIES,
    evaluations={
        "type": "array",
        "maxItems": LONGEST_BATCH,
        # What an item lacks the defaults give; one that cannot be read is an error in its place.
        "items": {"anyOf": [_object(**_ENTITIES), {}]},
    },
    options=_object(evaluations_semantic={"enum": list(SEMANTICS)}),
)


def _search(*required: str, searched: str | None) -> dict[str, Any]:
    entities = {**_ENTITIES, "page": _PAGE}
    if searched is not None:
        entities[searched] = _SEARCHED
    return {**_object(**entities), "required": list(required)}


def _without(name: str, **instead: Any) -> dict[str, Any]:
    return {key: value for key, value in _EXAMPLE.items() if key != name} | instead


_OPERATIONS: dict[str, tuple[str, dict[str, Any], dict[str, Any], dict[str, Any]]] = {
    EVALUATION: (
        "May the subject do this with the resource?",
        _EVALUATION,
        _ref("Decision"),
        _EXAMPLE,
    ),
    EVALUATIONS: (
        f"Up to {LONGEST_BATCH} evaluations with defaults, answered in order; without any, the"
        " single evaluation of the defaults.",
        _EVALUATIONS,
        {
            "anyOf": [
                _object(("evaluations",), evaluations={"type": "array", "items": _ref("Decision")}),
                _ref("Decision"),
            ]
        },
        {**_EXAMPLE, "evaluations": [{}, {"action": {"name": "view"}}]},
    ),
    SEARCH_SUBJECT: (
        "Which accounts of the product's groups may do it. Needs the scope `groups:read` too, and"
        " the setting authzen_subject_search.",
        _search("subject", "action", "resource", searched="subject"),
        _ref("Results"),
        _without("subject", subject={"type": "account"}),
    ),
    SEARCH_RESOURCE: (
        "On which resources of a type the subject may do it.",
        _search("subject", "action", "resource", searched="resource"),
        _ref("Results"),
        _without("resource", resource={"type": "flight"}),
    ),
    SEARCH_ACTION: (
        "What the subject may do with the resource.",
        _search("subject", "resource", searched=None),
        _ref("Results"),
        _without("action"),
    ),
}


def paths() -> dict[str, Any]:
    """The paths, each for the whole server and for one publisher."""
    return {
        base + path: {"post": _operation(base, path)}
        for path in _OPERATIONS
        for base in ("", _PUBLISHER)
    }


def is_one(path: str) -> bool:
    """Whether a path of the document is one of these."""
    return path.removeprefix(_PUBLISHER) in _OPERATIONS


def _operation(base: str, path: str) -> dict[str, Any]:
    summary, asked, answered, example = _OPERATIONS[path]
    name = "authzen_" + path.removeprefix("/access/v1/").replace("/", "_")
    made: dict[str, Any] = {
        "tags": ["authzen"],
        "summary": summary,
        "operationId": name + ("_of_publisher" if base else ""),
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": asked, "example": example}},
        },
        "responses": {
            "200": {
                "description": 'Answered; "no" is an answer, too.',
                "content": {"application/json": {"schema": answered}},
            },
            **{
                status: {"description": why, "content": {"application/json": {"schema": _TEXT}}}
                for status, why in _ERRORS.items()
            },
        },
    }
    if base:
        made["parameters"] = [
            {
                "name": "publisher",
                "in": "path",
                "required": True,
                "description": "Id of the publisher whose products alone are asked about.",
                "schema": _TEXT,
                "example": "contoso",
            }
        ]
    return made
