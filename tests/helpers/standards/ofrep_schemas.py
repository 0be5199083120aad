"""What OFREP lets an answer be, as JSON Schemas; written from the protocol, not from our code.

Stricter where the protocol leaves a choice that clients need made: `value` is always there and
always boolean, `variant` and `errorDetails` are always there.
"""

from typing import Any

import jsonschema

REASONS = ["STATIC", "TARGETING_MATCH", "SPLIT", "DISABLED", "UNKNOWN"]
_FLAT = {"type": "object", "additionalProperties": {"type": ["boolean", "string", "number"]}}
_TEXT = {"type": "string", "minLength": 1}


def _object(required: dict[str, Any], optional: dict[str, Any] | None = None) -> dict[str, Any]:
    properties = required | (optional or {})
    return {
        "type": "object",
        "required": list(required),
        "properties": properties,
        "additionalProperties": False,
    }


SUCCESS = _object(
    {
        "key": {"type": "string"},
        "value": {"type": "boolean"},
        "reason": {"enum": REASONS},
        "variant": {"enum": ["eligible", "ineligible", "disabled"]},
    },
    {"metadata": _FLAT},
)
_BAD_REQUEST = {"enum": ["PARSE_ERROR", "TARGETING_KEY_MISSING", "INVALID_CONTEXT", "GENERAL"]}
FAILURE = _object({"key": {"type": "string"}, "errorCode": _BAD_REQUEST, "errorDetails": _TEXT})
NOT_FOUND = _object(
    {"key": {"type": "string"}, "errorCode": {"const": "FLAG_NOT_FOUND"}, "errorDetails": _TEXT}
)
BULK = _object(
    {"flags": {"type": "array", "items": {"oneOf": [SUCCESS, FAILURE, NOT_FOUND]}}},
    {"metadata": _FLAT},
)
BULK_FAILURE = _object({"errorCode": _BAD_REQUEST, "errorDetails": _TEXT})
OTHER = _object({"errorDetails": _TEXT})
"""Of every other status; the protocol defines it for 500."""

SINGLE_ANSWERS = {200: SUCCESS, 400: FAILURE, 404: NOT_FOUND}
BULK_ANSWERS = {200: BULK, 400: BULK_FAILURE}


def check(answer: Any) -> None:
    """Fail unless the answer of an OFREP path is one that the protocol knows."""
    if answer.status_code == 304:
        assert answer.content == b""
        assert "content-length" not in answer.headers
        return
    bulk = answer.request.url.path.endswith("/evaluate/flags")
    schema = (BULK_ANSWERS if bulk else SINGLE_ANSWERS).get(answer.status_code, OTHER)
    assert answer.headers["content-type"] == "application/json"
    jsonschema.Draft202012Validator(schema).validate(answer.json())
    if answer.status_code == 429:
        assert answer.headers["retry-after"].isdigit()
