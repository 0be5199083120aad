"""What browsers are told so that no other site can use a page, and what they are asked about a form."""

from urllib.parse import urlsplit

from fastapi import Request

from eligibility.server.http.problems import RequestProblem

HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src"
    " 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
}


def check_from_here(request: Request) -> None:
    """Refuse a form that another site's page sent; what is no browser's says nothing, and passes.

    Beside the token of forms, and for those without one: signing in as somebody else, and out.
    Raises: RequestProblem.
    """
    site = request.headers.get("sec-fetch-site")
    if site is None:  # an older browser, or no TLS
        origin = request.headers.get("origin")
        here = origin is None or urlsplit(origin).netloc == request.headers.get("host")
    else:
        here = site in ("same-origin", "none")
    if not here:
        raise RequestProblem(403, "OTHER_SITE", "the form was sent from a page of another site")
