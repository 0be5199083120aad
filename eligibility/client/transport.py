"""HTTP code that both clients share: options, headers, time-outs, failures."""

import inspect
import re
import ssl
from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import update_wrapper
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar

import httpx2

from eligibility import __version__
from eligibility.client.exchange import Attempt, CallRules, Failure, HttpResponse

WhenUnreachable = Literal["raise", "deny"]
Verify = bool | str | Path | ssl.SSLContext
TokenT = TypeVar("TokenT")
MethodT = TypeVar("MethodT", bound=Callable[..., object])

CONNECTIONS = 100
KEEP_SECONDS = 4.0  # less than the 5 seconds after which the service closes an idle connection

_BEARER = re.compile(r"[\x21-\x7e]+")
_NOTHING_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout)


class BaseClient(ABC, Generic[TokenT]):
    """Base of Client and AsyncClient: checks the options (docs/client.md). Methods raise Problem.

    base_url: such as `https://eligibility.example`. key: an API key. token: a token from an issuer
    that the service trusts, or a function that returns one, called at every try. timeout: seconds
    for a call with all its tries. attempt_timeout: seconds for one try of a repeatable request.
    unreachable: if an access query gets no decision, `raise` raises Unreachable, and `deny` returns
    a denial with `from_service` False. retries: tries after the first. verify: True = check the
    service's certificate against the system's; a path = against those in this PEM file.

    Raises: ValueError for an invalid option; its message contains no secret.
    """

    def __init__(
        self,
        base_url: str,
        *,
        key: str | None = None,
        token: TokenT | None = None,
        timeout: float = 5.0,
        attempt_timeout: float = 2.0,
        unreachable: WhenUnreachable = "raise",
        retries: int = 2,
        verify: Verify = True,
    ) -> None:
        _check_url(base_url)
        if key is not None and token is not None:
            raise ValueError("pass either `key` or `token`, not both")
        if timeout <= 0 or attempt_timeout <= 0 or retries < 0:
            raise ValueError("time-outs must be above 0 seconds, and retries 0 or more")
        if unreachable not in ("raise", "deny"):
            raise ValueError("unreachable must be `raise` or `deny`")
        self._credential: str | TokenT | None = token if key is None else key
        if isinstance(self._credential, str):
            bearer(self._credential)
        secret = "key=..." if key else "token=..." if token else "key=None"
        self._shown = f"{base_url!r}, {secret}"
        self._rules = CallRules(
            timeout=timeout,
            attempt_timeout=attempt_timeout,
            retries=retries,
            deny=unreachable == "deny",
        )
        self._connect(**_http_options(base_url, verify))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._shown})"

    @abstractmethod
    def _connect(self, **options: Any) -> None:
        """Create the httpx2 client. Args: options = its arguments."""


def documented(method: MethodT, call: Callable[..., object]) -> MethodT:
    """Copy to a client method the name, docstring and parameters of its function in calls.py."""
    signature = inspect.signature(call)
    this = inspect.Parameter("self", inspect.Parameter.POSITIONAL_ONLY)
    update_wrapper(method, call)
    vars(method)["__signature__"] = signature.replace(
        parameters=[this, *signature.parameters.values()], return_annotation=signature.empty
    )
    return method


def _check_url(base_url: str) -> None:
    url = httpx2.URL(base_url)
    if url.scheme not in ("http", "https") or not url.host:
        raise ValueError("base_url must be like https://eligibility.example")
    if url.userinfo:
        raise ValueError("base_url contains a password: pass `key` or `token` instead")


def _http_options(base_url: str, verify: Verify) -> dict[str, Any]:
    """Build the arguments of httpx2.Client and httpx2.AsyncClient."""
    if isinstance(verify, str | Path):
        verify = ssl.create_default_context(cafile=verify)
    return {
        "base_url": base_url,
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
    """Build the Authorization header. Raises: ValueError for an invalid key or token, not shown.

    Checked here because the error of the HTTP library would show the whole header.
    """
    if not _BEARER.fullmatch(credential):
        raise ValueError("a key or token may only contain visible ASCII characters, and no blanks")
    return f"Bearer {credential}"


def request_of(attempt: Attempt, credential: str | None) -> dict[str, Any]:
    """Build the arguments for the `stream` method of an httpx2 client."""
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


def response_of(response: httpx2.Response, body: bytes) -> HttpResponse:
    """Convert an httpx2 response and its complete body."""
    return HttpResponse(response.status_code, response.headers, body)


def failure_of(error: Exception) -> Failure:
    """Convert an error of httpx2; record whether the service may have received the request."""
    return Failure(error, perhaps_done=not isinstance(error, _NOTHING_SENT))
