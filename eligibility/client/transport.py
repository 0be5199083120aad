"""What both clients share of HTTP: their options, checked once, headers, time-outs, failures."""

import re
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import httpx2

from eligibility import __version__
from eligibility.client.exchange import Attempt, CallRules, Failure, HttpResponse

WhenUnreachable = Literal["raise", "deny"]
Verify = bool | str | Path | ssl.SSLContext
Credential = str | Callable[[], str | Awaitable[str]] | None

CONNECTIONS = 100
KEEP_SECONDS = 4.0  # the service closes an idle connection after five; it must not be in use then

_BEARER = re.compile(r"[\x21-\x7e]+")
_NOTHING_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientOptions:
    """What a client is made with. Raises: ValueError, whose message holds no secret."""

    base_url: str
    key: str | None
    token: Credential
    timeout: float
    attempt_timeout: float
    retries: int
    unreachable: WhenUnreachable
    verify: Verify

    def __post_init__(self) -> None:
        url = httpx2.URL(self.base_url)
        if url.scheme not in ("http", "https") or not url.host:
            raise ValueError("base_url has to be like https://eligibility.example")
        if url.userinfo:
            raise ValueError("base_url holds a password: give `key` or `token` in its place")
        if self.key is not None and self.token is not None:
            raise ValueError("give `key` or `token`, not both")
        if isinstance(self.credential, str):
            bearer(self.credential)
        if self.timeout <= 0 or self.attempt_timeout <= 0 or self.retries < 0:
            raise ValueError("time-outs are seconds above 0, retries 0 or more")
        if self.unreachable not in ("raise", "deny"):
            raise ValueError("unreachable is `raise` or `deny`")

    def __repr__(self) -> str:
        signed = "key=..." if self.key else "token=..." if self.token else "key=None"
        return f"{self.base_url!r}, {signed}"

    @property
    def credential(self) -> Credential:
        """The key, or the token or what gives one."""
        return self.token if self.key is None else self.key

    def exchange(self) -> CallRules:
        """How calls are carried out."""
        return CallRules(
            timeout=self.timeout,
            attempt_timeout=self.attempt_timeout,
            retries=self.retries,
            deny=self.unreachable == "deny",
        )

    def for_httpx(self) -> dict[str, Any]:
        """The arguments of httpx2.Client and of httpx2.AsyncClient."""
        verify = self.verify
        if isinstance(verify, str | Path):
            verify = ssl.create_default_context(cafile=verify)
        return {
            "base_url": self.base_url,
            "verify": verify,
            "headers": {
                "user-agent": f"flight-eligibility/{__version__}",
                "accept": "application/json",
            },
            "limits": httpx2.Limits(
                max_connections=CONNECTIONS,
                max_keepalive_connections=CONNECTIONS,
                keepalive_expiry=KEEP_SECONDS,
            ),
        }


def bearer(credential: str) -> str:
    """The Authorization header for a key or token. Raises: ValueError, which does not tell it.

    Anything else the HTTP library would refuse, too, but with the whole header in its message.
    """
    if not _BEARER.fullmatch(credential):
        raise ValueError("a key or token is of visible ASCII characters, without any blank")
    return f"Bearer {credential}"


def request_of(attempt: Attempt, credential: str | None) -> dict[str, Any]:
    """The arguments of `stream` of either of httpx2's clients."""
    request = attempt.request
    headers = {}
    if request.body is not None:
        headers["content-type"] = "application/json"
    if request.if_revision is not None:
        headers["if-match"] = f'"{request.if_revision}"'
    if credential is not None:
        headers["authorization"] = bearer(credential)
    return {
        "method": request.method,
        "url": request.path,
        "content": request.body,
        "headers": headers,
        "timeout": httpx2.Timeout(attempt.seconds, connect=attempt.connect_seconds),
    }


def answer_of(response: httpx2.Response, body: bytes) -> HttpResponse:
    """A response and its whole body."""
    return HttpResponse(response.status_code, response.headers, body)


def failure_of(error: Exception) -> Failure:
    """What went wrong, and whether the service may have got the request nevertheless."""
    return Failure(error, perhaps_done=not isinstance(error, _NOTHING_SENT))
