"""The operations of the OpenAPI document, and what is checked of each answer."""

import schemathesis
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

CHECKS = [
    schemathesis.checks.not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]

OPERATIONS = (
    "POST /v1/access",
    "POST /v1/access/batch",
    "POST /v1/access/search",
    "POST /v1/access/timeline",
    "POST /v1/simulations/diff",
    "GET /v1/publishers/{publisher}/groups",
    "POST /v1/publishers/{publisher}/groups",
    "GET /v1/publishers/{publisher}/groups/{group_id}",
    "GET /v1/publishers/{publisher}/groups/{group_id}/members",
    "POST /v1/publishers/{publisher}/groups/{group_id}/members/search",
    "PATCH /v1/publishers/{publisher}/groups/{group_id}/members",
    "PUT /v1/publishers/{publisher}/groups/{group_id}/members",
    "GET /v1/publishers/{publisher}/groups/{group_id}/members.csv",
    "GET /v1/publishers/{publisher}/groups/{group_id}/history",
    "POST /v1/publishers/{publisher}/groups/{group_id}/history/search",
    "PUT /v1/publishers/{publisher}/groups/{group_id}/consent",
    "POST /v1/publishers/{publisher}/history/search",
    "POST /v1/publishers/{publisher}/forget",
    "GET /v1/publishers/{publisher}/products",
    "GET /v1/publishers/{publisher}/products/{product_id}",
    "PUT /v1/publishers/{publisher}/products/{product_id}",
    "DELETE /v1/publishers/{publisher}/products/{product_id}",
    "GET /v1/publishers/{publisher}/products/{product_id}/history",
    "GET /v1/publishers/{publisher}/products/{product_id}/coverage",
    "POST /v1/simulations",
    "GET /v1/keys",
    "POST /v1/keys",
    "POST /v1/keys/{key_id}/rotate",
    "DELETE /v1/keys/{key_id}",
    "GET /metrics",
    *(
        f"POST {base}/access/v1/{path}"
        for base in ("", "/{publisher}")
        for path in (
            "evaluation",
            "evaluations",
            "search/subject",
            "search/resource",
            "search/action",
        )
    ),
    "POST /ofrep/v1/evaluate/flags",
    "POST /ofrep/v1/evaluate/flags/{key}",
    "GET /.well-known/authzen-configuration",
    "GET /.well-known/authzen-configuration/{publisher}",
    "GET /healthz",
    "GET /readyz",
)
