"""Every route of the API, the scope that it needs, and a body that does something."""

from typing import Any

from eligibility.callers.model import Scope
from tests.helpers.catalog.products import DESKTOP

Place = dict[str, str]

PUBLIC = None

GROUP = "/v1/publishers/{publisher}/groups/{group_id}"

PRODUCT = "/v1/publishers/{publisher}/products/{product_id}"

DOCS = (
    "/docs",
    "/docs/start.js",
    "/docs/swagger-ui-bundle.js",
    "/docs/swagger-ui.css",
    "/docs/favicon-32x32.png",
    "/openapi.json",
)

KEYS = (
    "GET /v1/keys",
    "POST /v1/keys",
    "POST /v1/keys/{key_id}/rotate",
    "DELETE /v1/keys/{key_id}",
)

METRICS = "GET /metrics"

WIDE = (*KEYS, METRICS)
"""Routes that are for the whole deployment, so for no caller of some publishers."""

OFREP = ("POST /ofrep/v1/evaluate/flags", "POST /ofrep/v1/evaluate/flags/{key}")

AUTHZEN = ("evaluation", "evaluations", "search/subject", "search/resource", "search/action")

BASES = ("", "/{publisher}")

ROUTES: dict[str, Scope | None] = {
    "POST /v1/access": Scope.QUERY,
    "POST /v1/access/batch": Scope.QUERY,
    "POST /v1/access/search": Scope.QUERY,
    "POST /v1/access/timeline": Scope.QUERY,
    "POST /v1/simulations/diff": Scope.QUERY,
    "GET /v1/publishers/{publisher}/groups": Scope.READ_GROUPS,
    "POST /v1/publishers/{publisher}/groups": Scope.WRITE_GROUPS,
    f"GET {GROUP}": Scope.READ_GROUPS,
    f"DELETE {GROUP}": Scope.WRITE_GROUPS,
    f"PUT {GROUP}": Scope.WRITE_GROUPS,
    f"PATCH {GROUP}": Scope.WRITE_GROUPS,
    f"GET {GROUP}/members": Scope.READ_GROUPS,
    f"POST {GROUP}/members/search": Scope.READ_GROUPS,
    f"PATCH {GROUP}/members": Scope.WRITE_GROUPS,
    f"PUT {GROUP}/members": Scope.WRITE_GROUPS,
    f"GET {GROUP}/members.csv": Scope.READ_GROUPS,
    f"GET {GROUP}/history": Scope.READ_GROUPS,
    f"POST {GROUP}/history/search": Scope.READ_GROUPS,
    f"PUT {GROUP}/consent": Scope.WRITE_GROUPS,
    "POST /v1/publishers/{publisher}/history/search": Scope.READ_GROUPS,
    "POST /v1/publishers/{publisher}/forget": Scope.WRITE_GROUPS,
    "GET /v1/publishers/{publisher}/products": Scope.READ_CATALOG,
    f"GET {PRODUCT}": Scope.READ_CATALOG,
    f"PUT {PRODUCT}": Scope.WRITE_CATALOG,
    f"DELETE {PRODUCT}": Scope.WRITE_CATALOG,
    f"GET {PRODUCT}/history": Scope.READ_CATALOG,
    f"GET {PRODUCT}/coverage": Scope.READ_GROUPS,
    "POST /v1/simulations": Scope.QUERY,
    **dict.fromkeys(KEYS, Scope.ADMIN),
    METRICS: Scope.METRICS,
    **{f"POST {base}/access/v1/{path}": Scope.QUERY for base in BASES for path in AUTHZEN},
    **dict.fromkeys(OFREP, Scope.QUERY),
    **{f"GET /.well-known/authzen-configuration{base}": PUBLIC for base in BASES},
    "GET /healthz": PUBLIC,
    "GET /readyz": PUBLIC,
    **{f"{method} {path}": PUBLIC for path in DOCS for method in ("GET", "HEAD")},
}
"""Every route, and the scope that a caller needs for it."""

ALSO = {
    "POST /v1/access/timeline": [Scope.READ_GROUPS],
    "POST /v1/simulations/diff": [Scope.READ_GROUPS],
}
"""Routes that need another scope as well, whatever is asked."""

STANDARD = [route for route in ROUTES if "/access/v1/" in route or route in OFREP]
"""Routes of standards, which have errors of their own: see tests/server/authzen and tests/server/ofrep."""

GUARDED = [r for r, scope in ROUTES.items() if scope is not PUBLIC and r not in STANDARD]

OPEN = [route for route, scope in ROUTES.items() if scope is PUBLIC]

MINE = {"publisher": "contoso", "group_id": "beta", "product_id": "APP", "key_id": "0" * 12}

THEIRS = MINE | {"publisher": "fabrikam", "product_id": "THEIRS"}


def body(route: str, place: Place) -> Any:
    """A body that does something; of these routes none needs another."""
    address = {"address": "ada@example.com"}
    query = {"product_id": place["product_id"], "device": DESKTOP, "account": None}
    simulation = {"product_id": place["product_id"], "devices": [DESKTOP], "accounts": [None]}
    return {
        "POST /v1/access": query,
        "POST /v1/access/batch": {"queries": [query]},
        "POST /v1/access/search": {"device": DESKTOP, "account": None},
        "POST /v1/access/timeline": {"product_id": place["product_id"]},
        "POST /v1/simulations/diff": {"product_id": place["product_id"], "after": "live"},
        "POST /v1/publishers/{publisher}/groups": {"name": "New", "emails": ["ada@example.com"]},
        f"POST {GROUP}/members/search": {"prefix": "a"},
        f"PATCH {GROUP}/members": {"add": ["new@example.com"]},
        f"PUT {GROUP}/members": {"emails": ["new@example.com"]},
        f"POST {GROUP}/history/search": address,
        f"PUT {GROUP}/consent": {"confirmed_by": "Lin"},
        "POST /v1/publishers/{publisher}/history/search": address,
        "POST /v1/publishers/{publisher}/forget": address,
        "POST /v1/simulations": simulation,
        "POST /v1/keys": {"name": "new", "scopes": ["metrics"], "publishers": None},
        "POST /v1/keys/{key_id}/rotate": {},
        f"PUT {PRODUCT}": {"name": "App", "submission": {"packages": []}},
    }.get(route)
