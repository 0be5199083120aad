"""AuthZEN 1.0 as JSON Schema, written from its text: what every answer has to be."""

from typing import Any

import jsonschema

Schema = dict[str, Any]

TEXT = {"type": "string"}
DECISION: Schema = {
    "type": "object",
    "required": ["decision"],
    "properties": {"decision": {"type": "boolean"}, "context": {"type": "object"}},
}
OUR_DECISION: Schema = {
    **DECISION,
    "additionalProperties": False,
    "properties": {
        "decision": {"type": "boolean"},
        "context": {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "reason": {"type": "string", "pattern": "^[A-Z_]+$"},
                "reasons": {"type": "array", "minItems": 1, "items": TEXT, "uniqueItems": True},
                "selected": {
                    "type": "object",
                    "required": ["type", "id", "rank"],
                    "additionalProperties": False,
                    "properties": {
                        "type": {"enum": ["flight", "submission"]},
                        "id": TEXT,
                        "rank": {"type": "integer", "minimum": 1},
                    },
                },
                **{
                    name: {
                        "type": "object",
                        "required": ["403"],
                        "additionalProperties": False,
                        "properties": {"403": {"type": "string", "minLength": 1}},
                    }
                    for name in ("reason_admin", "reason_user")
                },
                "error": {
                    "type": "object",
                    "required": ["status", "message"],
                    "additionalProperties": False,
                    "properties": {"status": {"type": "integer", "minimum": 400}, "message": TEXT},
                },
            },
        },
    },
}
"""What we answer is a part of that; unknown members would be a mistake of ours."""

EVALUATIONS: Schema = {
    "type": "object",
    "required": ["evaluations"],
    "additionalProperties": False,
    "properties": {"evaluations": {"type": "array", "items": OUR_DECISION}},
}


def search(*members: str) -> Schema:
    """The answer of a search whose results have these members."""
    return {
        "type": "object",
        "required": ["results"],
        "additionalProperties": False,
        "properties": {
            "page": {
                "type": "object",
                "required": ["next_token"],
                "additionalProperties": False,
                "properties": {"next_token": TEXT, "count": {"type": "integer", "minimum": 0}},
            },
            "results": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": list(members),
                    "additionalProperties": False,
                    "properties": dict.fromkeys(members, TEXT),
                },
            },
        },
    }


HTTPS = {"type": "string", "pattern": "^https://[^?#]+$"}
METADATA: Schema = {
    "type": "object",
    "required": ["policy_decision_point", "access_evaluation_endpoint"],
    "additionalProperties": False,
    "properties": {
        "policy_decision_point": {"type": "string", "pattern": "^https://[^?#]+[^/?#]$"},
        **{
            f"{name}_endpoint": HTTPS
            for name in (
                "access_evaluation",
                "access_evaluations",
                "search_subject",
                "search_resource",
                "search_action",
            )
        },
    },
}
ERROR = TEXT
ANSWERS: dict[str, Schema] = {
    "/access/v1/evaluation": OUR_DECISION,
    "/access/v1/evaluations": {"anyOf": [EVALUATIONS, OUR_DECISION]},
    "/access/v1/search/subject": search("type", "id"),
    "/access/v1/search/resource": search("type", "id"),
    "/access/v1/search/action": search("name"),
}
"""By path: what is answered with status 200."""


def check(schema: Schema, value: Any) -> None:
    """Raise jsonschema.ValidationError where a value is not of a schema."""
    jsonschema.Draft202012Validator(schema).validate(value)
