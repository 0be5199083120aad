"""Fetch JSON documents of an issuer. Limit time and size, and refuse redirects."""

import json
import time
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError
from urllib.request import HTTPRedirectHandler, ProxyHandler, build_opener

TIMEOUT_SECONDS = 3
MAX_BYTES = 1_048_576


class FetchFailed(Exception):
    """A document of an issuer could not be fetched. The message contains the reason."""


class _NoRedirect(HTTPRedirectHandler):
    """Refuses redirects, so that documents come only from the URL that the operator configured."""

    def redirect_request(self, *_: Any) -> None:
        return None


def fetched_json(url: str) -> Any:
    """Return the parsed JSON document at a URL, within a few seconds. Raises: FetchFailed."""
    try:
        return json.loads(_body(url))
    except HTTPError as error:
        error.close()
        raise FetchFailed(f"it responds with status {error.code}") from None
    except (OSError, HTTPException) as error:
        raise FetchFailed(f"it cannot be reached ({type(error).__name__})") from None
    except (ValueError, RecursionError):
        raise FetchFailed("its response is not JSON") from None


def _body(url: str) -> bytes:
    # No proxy for http: http is allowed on loopback only (issuers.py), which a proxy cannot reach.
    proxies = ProxyHandler({}) if url.startswith("http:") else ProxyHandler()
    ends_at = time.monotonic() + TIMEOUT_SECONDS
    body = bytearray()
    with build_opener(proxies, _NoRedirect).open(url, timeout=TIMEOUT_SECONDS) as response:
        while part := response.read1(65_536):
            body += part
            if len(body) > MAX_BYTES:
                raise FetchFailed(f"its response has more than {MAX_BYTES} bytes")
            if time.monotonic() > ends_at:  # the time-out of `open` restarts with each byte
                raise FetchFailed(f"its response takes longer than {TIMEOUT_SECONDS} s")
    return bytes(body)
