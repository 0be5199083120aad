"""Fetching what an issuer publishes: within seconds and bytes, without being sent elsewhere."""

import json
import time
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError
from urllib.request import HTTPRedirectHandler, ProxyHandler, build_opener

TIMEOUT_SECONDS = 3
MAX_BYTES = 1_048_576


class FetchFailed(Exception):
    """What an issuer publishes cannot be had; the message says why."""


class _NoRedirect(HTTPRedirectHandler):
    """The address is what the operator wrote; an answer cannot send us elsewhere."""

    def redirect_request(self, *_: Any) -> None:
        return None


def fetched_json(url: str) -> Any:
    """The JSON document at a URL; blocks for seconds at most. Raises: Unreadable."""
    try:
        return json.loads(_body(url))
    except HTTPError as error:
        error.close()
        raise FetchFailed(f"it answers {error.code}") from None
    except (OSError, HTTPException) as error:
        raise FetchFailed(f"it cannot be reached ({type(error).__name__})") from None
    except (ValueError, RecursionError):
        raise FetchFailed("its answer is not JSON") from None


def _body(url: str) -> bytes:
    # http is loopback (issuers.py), where a proxy of the environment has no place
    proxies = ProxyHandler({}) if url.startswith("http:") else ProxyHandler()
    ends_at = time.monotonic() + TIMEOUT_SECONDS
    body = bytearray()
    with build_opener(proxies, _NoRedirect).open(url, timeout=TIMEOUT_SECONDS) as answer:
        while part := answer.read1(65_536):
            body += part
            if len(body) > MAX_BYTES:
                raise FetchFailed(f"its answer has more than {MAX_BYTES} bytes")
            if time.monotonic() > ends_at:  # the time-out of a socket starts anew with each byte
                raise FetchFailed(f"its answer takes longer than {TIMEOUT_SECONDS} s")
    return bytes(body)
