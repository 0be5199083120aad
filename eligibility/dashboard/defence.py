"""Protection against other sites: the headers of every page, and the check of every form."""

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


def check_same_site(request: Request) -> None:
    """Refuse a form that was sent from a page of another site. Raises: RequestProblem.

    Only this check protects the forms without a CSRF token: sign-in and sign-out. A client that is
    not a browser sends neither of the two headers, and passes.
    """
    site = request.headers.get("sec-fetch-site")
    if site is None:  # an older browser, or a page without TLS
        origin = request.headers.get("origin")
        same = origin is None or urlsplit(origin).netloc == request.headers.get("host")
    else:
        same = site in ("same-origin", "none")
    if not same:
        raise RequestProblem(403, "OTHER_SITE", "the form was sent from a page of another site")
