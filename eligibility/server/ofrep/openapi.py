"""The endpoints of OFREP as the OpenAPI document describes them; schemas from the protocol's text."""

from typing import Any, get_args

from eligibility.server.ofrep.endpoints import BULK, ONE
from eligibility.standards.flags import FlagEvaluation
from eligibility.standards.ofrep import ErrorCode

_KEY = f"{ONE}{{key}}"
_SCHEMAS = "#/components/schemas/"
_TEXT = {"type": "string"}
_OPTIONAL_TEXT = {"type": ["string", "null"]}
_FLAG = "flight:9NCONTOSORDR:insiders"
_EXAMPLE = {
    "context": {
        "targetingKey": "grace@contoso.example",
        "device_family": "desktop",
        "os_version": "10.0.22631.3007",
    }
}
_ERRORS = {
    "401": "The caller is not known: credentials are missing, wrong or expired.",
    "403": "The caller has not the scope, or is an account that asks for another.",
    "405": "Another method than POST.",
    "413": "The body is too large.",
    "429": "More than the caller may ask in a second; Retry-After is in seconds.",
    "500": "The server failed.",
    "503": "The store is away and memory cannot answer; try again.",
}


def _object(required: dict[str, Any], optional: dict[str, Any] | None = None) -> dict[str, Any]:
    return {
        "type": "object",
        "required": list(required),
        "properties": required | (optional or {}),
    }


def _ref(name: str) -> dict[str, Any]:
    return {"$ref": f"{_SCHEMAS}{name}"}


def _literals(field: str) -> dict[str, Any]:
    return {"enum": list(get_args(FlagEvaluation.__annotations__[field]))}


_CONTEXT = {
    **_object(
        {
            "targetingKey": {
                "type": "string",
                "minLength": 1,
                "description": "The account's address; `-` where nobody is signed in.",
            }
        },
        {
            "accountToken": {
                **_OPTIONAL_TEXT,
                "description": "The account's ID token, from callers without `access:assert`.",
            },
            "publisher": {
                **_OPTIONAL_TEXT,
                "description": "Whose flags a bulk answer is limited to.",
            },
            "device_family": _OPTIONAL_TEXT,
            "os_version": _OPTIONAL_TEXT,
            "architecture": _OPTIONAL_TEXT,
            "installed_version": _OPTIONAL_TEXT,
            "owned": {"type": ["boolean", "null"]},
            "market": {**_OPTIONAL_TEXT, "pattern": "^[A-Z]{2}$"},
            "promotional_code": {"type": ["boolean", "null"]},
            "manual_check": {"type": ["boolean", "null"]},
            "time": {**_OPTIONAL_TEXT, "format": "date-time"},
        },
    ),
    "description": "Other attributes are ignored; null is as absent.",
}
_FAILED = {
    "errorCode": {"enum": [one for one in get_args(ErrorCode) if one != "FLAG_NOT_FOUND"]},
    "errorDetails": _TEXT,
}

SCHEMAS: dict[str, Any] = {
    "OfrepRequest": _object({"context": _CONTEXT}),
    "OfrepEvaluation": _object(
        {
            "key": _TEXT,
            "value": {"type": "boolean"},
            "reason": _literals("reason"),
            "variant": _literals("variant"),
            "metadata": {"type": "object", "additionalProperties": _TEXT},
        }
    ),
    "OfrepFailure": _object({"key": _TEXT, **_FAILED}),
    "OfrepNotFound": _object(
        {"key": _TEXT, "errorCode": {"const": "FLAG_NOT_FOUND"}, "errorDetails": _TEXT}
    ),
    "OfrepFlags": _object(
        {"flags": {"type": "array", "items": _ref("OfrepEvaluation")}},
        {"metadata": _object({}, {"truncated": {"const": True}})},
    ),
    "OfrepBulkFailure": _object(_FAILED),
    "OfrepError": _object({"errorDetails": _TEXT}),
}


def paths() -> dict[str, Any]:
    """The two paths."""
    key = {
        "name": "key",
        "in": "path",
        "required": True,
        "description": "`product:<product_id>` and `flight:<product_id>:<flight_id>` (may the account"
        " install it?), `submission:<product_id>` (may it see the listing?).",
        "schema": _TEXT,
        "example": _FLAG,
    }
    one = _operation(
        "ofrep_flag",
        "Evaluate a flag: is it on for the account, on this device?",
        {
            "200": _answer("The flag's evaluation.", "OfrepEvaluation"),
            "400": _answer("The request or its context cannot be read.", "OfrepFailure"),
            "404": _answer("No such flag, or none of which the caller may know.", "OfrepNotFound"),
        },
        [key],
    )
    tag = {"description": "Tag of the answer.", "schema": _TEXT}
    bulk = _operation(
        "ofrep_flags",
        "Evaluate all flags that the caller may have.",
        {
            "200": {
                **_answer("Evaluations, by product id; metadata tells of a cut.", "OfrepFlags"),
                "headers": {"ETag": tag},
            },
            "304": {"description": "The same as If-None-Match names.", "headers": {"ETag": tag}},
            "400": _answer("The request or its context cannot be read.", "OfrepBulkFailure"),
        },
        [
            _told("If-None-Match", "header", "Tags of answers that the client has."),
            _told("flagConfigEtag", "query", "Taken, and means nothing here."),
            _told("flagConfigLastModified", "query", "Taken, and means nothing here."),
        ],
    )
    return {_KEY: {"post": one}, BULK: {"post": bulk}}


def is_one(path: str) -> bool:
    """Whether a path of the document is one of these."""
    return path.startswith(BULK)


def _told(name: str, where: str, description: str) -> dict[str, Any]:
    return {"name": name, "in": where, "description": description, "schema": _TEXT}


def _answer(description: str, schema: str) -> dict[str, Any]:
    return {
        "description": description,
        "content": {"application/json": {"schema": _ref(schema)}},
    }


def _operation(
    name: str, summary: str, answers: dict[str, Any], parameters: list[dict[str, Any]]
) -> dict[str, Any]:
    asked = {"schema": _ref("OfrepRequest"), "example": _EXAMPLE}
    return {
        "tags": ["ofrep"],
        "summary": summary,
        "operationId": name,
        "parameters": parameters,
        "requestBody": {"required": True, "content": {"application/json": asked}},
        "responses": {
            **answers,
            **{status: _answer(why, "OfrepError") for status, why in _ERRORS.items()},
        },
    }
