"""The page /docs, to read and try the API. This server also serves the files of Swagger UI."""

from functools import partial
from importlib.resources import files

from fastapi import FastAPI, Request, Response

_STATIC = files("eligibility.server.document") / "static"
_FILES = {
    "/docs": ("docs.html", "text/html; charset=utf-8"),
    "/docs/start.js": ("start.js", "text/javascript; charset=utf-8"),
    "/docs/swagger-ui-bundle.js": (
        "swagger-ui/swagger-ui-bundle.js",
        "text/javascript; charset=utf-8",
    ),
    "/docs/swagger-ui.css": ("swagger-ui/swagger-ui.css", "text/css; charset=utf-8"),
    "/docs/favicon-32x32.png": ("swagger-ui/favicon-32x32.png", "image/png"),
}
PATHS = frozenset(_FILES)
_HEADERS = {
    # 'unsafe-inline': Swagger UI's script sets styles. Scripts may come only from this server.
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'"
    " 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; base-uri 'none';"
    " form-action 'none'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "cache-control": "no-cache",
}


def install(app: FastAPI) -> None:
    """Add the page and its files to the application."""
    for path, (name, media_type) in _FILES.items():
        page = Response((_STATIC / name).read_bytes(), headers=_HEADERS, media_type=media_type)
        app.add_route(path, partial(_serve, page), methods=["GET"], include_in_schema=False)


async def _serve(page: Response, _: Request) -> Response:
    return page
