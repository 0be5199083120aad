"""Sign-in through an OpenID provider: the URL to open, and the check of the person who returns.

Authorization code with PKCE, state and nonce (OpenID Connect Core 1.0, 3.1; RFC 7636; RFC 9207).
Authlib implements the protocol; callers/tokens.py verifies the ID token, as all other tokens.
"""

import asyncio
import hmac
import secrets
import time
from collections.abc import Callable, Mapping
from typing import Any

import httpx2
import msgspec
from authlib.integrations.base_client import OAuthError
from authlib.integrations.httpx_client import AsyncOAuth2Client
from starlette.concurrency import run_in_threadpool

from eligibility.callers.claims import AddressPseudonym, TokenRefusal, service_caller
from eligibility.callers.errors import IssuerUnavailable, Unauthenticated
from eligibility.callers.fetching import FetchFailed, fetched_json
from eligibility.callers.issuers import fetched_safely
from eligibility.callers.model import Caller
from eligibility.callers.provider import SignInProvider
from eligibility.callers.tokens import Verifier
from eligibility.dashboard.signin.errors import SignInRefused
from eligibility.server.http.limits import Overloaded

METADATA_SECONDS = 3_600
"""Seconds for which the provider's configuration is used before it is fetched again."""
RETRY_SECONDS = 10
"""Seconds between a failed fetch and the next one."""
_TIMEOUT_SECONDS = 5
_MOST_SIGN_INS = 16
"""Limit of simultaneous code exchanges, which anybody can start, even without an account."""


class PendingSignIn(msgspec.Struct, frozen=True):
    """What the browser keeps, encrypted, during a sign-in. to: the page to open afterwards."""

    state: str
    nonce: str
    verifier: str
    to: str


class _ProviderMetadata(msgspec.Struct, frozen=True):
    """A provider's configuration (OpenID Connect Discovery 1.0, 3)."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    token_endpoint_auth_methods_supported: list[str] = msgspec.field(
        default_factory=lambda: ["client_secret_basic"]
    )
    code_challenge_methods_supported: list[str] = msgspec.field(default_factory=lambda: ["S256"])
    authorization_response_iss_parameter_supported: bool = False


class _Fetched(msgspec.Struct, frozen=True):
    metadata: _ProviderMetadata
    tokens: Verifier
    fetched_at: float


class Provider:
    """The provider that the settings declare. secret: our client secret there, if we have one."""

    def __init__(
        self,
        declared: SignInProvider,
        secret: str | None,
        *,
        name_of: AddressPseudonym,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.declared = declared
        self._secret, self._name_of = secret, name_of
        self._clock, self._monotonic = clock, monotonic
        self._fetched: _Fetched | None = None
        self._retry_at = float("-inf")
        self._failure = ""
        self._fetching = asyncio.Lock()
        self._sign_ins = 0

    async def begin(self, redirect_uri: str, to: str) -> tuple[str, PendingSignIn]:
        """Return the provider's URL and what the browser must keep. Raises: SignInRefused."""
        fetched = await self._configuration()
        pending = PendingSignIn(
            secrets.token_urlsafe(32), secrets.token_urlsafe(32), secrets.token_urlsafe(48), to
        )
        async with self._client(fetched.metadata, redirect_uri) as client:
            url, _ = client.create_authorization_url(
                fetched.metadata.authorization_endpoint,
                state=pending.state,
                nonce=pending.nonce,
                code_verifier=pending.verifier,
            )
        return url, pending

    async def finish(
        self, redirect_uri: str, pending: PendingSignIn, parameters: Mapping[str, str]
    ) -> Caller:
        """Return who comes back with these query parameters. Raises: SignInRefused, Overloaded."""
        if not _same(parameters.get("state", ""), pending.state):
            raise SignInRefused("STATE_MISMATCH")
        fetched = await self._configuration()
        self._check_response(fetched.metadata, parameters)
        if self._sign_ins >= _MOST_SIGN_INS:
            raise Overloaded(f"{_MOST_SIGN_INS} sign-ins")
        self._sign_ins += 1
        try:
            token = await self._id_token(
                fetched.metadata, redirect_uri, pending, parameters["code"]
            )
        finally:
            self._sign_ins -= 1
        return await run_in_threadpool(self._caller, fetched.tokens, token, pending.nonce)

    def _check_response(self, metadata: _ProviderMetadata, parameters: Mapping[str, str]) -> None:
        """Check that the declared provider answered, and sent a code (RFC 9207, 2.4)."""
        issuer = parameters.get("iss")
        missing = issuer is None and metadata.authorization_response_iss_parameter_supported
        if missing or (issuer is not None and issuer != self.declared.issuer):
            raise SignInRefused("OTHER_PROVIDER")
        if "error" in parameters or not parameters.get("code"):
            declined = parameters.get("error") == "access_denied"
            raise SignInRefused("DECLINED" if declined else "PROVIDER_REFUSED")

    async def _id_token(
        self, metadata: _ProviderMetadata, redirect_uri: str, pending: PendingSignIn, code: str
    ) -> str:
        """Exchange a code for the ID token."""
        try:
            async with (
                asyncio.timeout(_TIMEOUT_SECONDS),
                self._client(metadata, redirect_uri) as client,
            ):
                response: Mapping[str, Any] = await client.fetch_token(
                    metadata.token_endpoint, code=code, code_verifier=pending.verifier
                )
        except OAuthError as error:
            if error.error == "invalid_grant":
                raise SignInRefused("CODE_REFUSED") from None
            raise SignInRefused("CLIENT_REFUSED", _plain(error.error)) from None
        except (httpx2.HTTPError, ValueError, TimeoutError) as error:
            raise SignInRefused("PROVIDER_UNAVAILABLE", type(error).__name__) from None
        token = response.get("id_token")
        if not isinstance(token, str):
            raise SignInRefused("TOKEN_REFUSED", "there is no ID token")
        return token

    def _caller(self, tokens: Verifier, token: str, nonce: str) -> Caller:
        declared = self.declared
        try:
            _, claims = tokens.verify(token, "id_token")
            caller = service_caller(claims, declared, self._name_of, "person")
        except IssuerUnavailable as error:
            raise SignInRefused("PROVIDER_UNAVAILABLE", str(error)) from None
        except (Unauthenticated, TokenRefusal) as error:
            raise SignInRefused("TOKEN_REFUSED", str(error)) from None
        if not _same(claims.get("nonce", ""), nonce):
            raise SignInRefused("TOKEN_REFUSED", "it belongs to another sign-in: its nonce differs")
        several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
        if claims.get("azp", None if several else declared.client_id) != declared.client_id:
            raise SignInRefused("TOKEN_REFUSED", "it was issued to another client: `azp`")
        if not caller.scopes:
            raise SignInRefused("NO_SCOPE", ", ".join(declared.scope_claims))
        if caller.publishers is not None and not caller.publishers:
            raise SignInRefused("NO_PUBLISHER", declared.publishers_claim)
        return caller

    async def _configuration(self) -> _Fetched:
        """Return the provider's configuration; if it cannot be fetched, the previous one."""
        async with self._fetching:
            now = self._monotonic()
            fetched = self._fetched
            if fetched is None or now - fetched.fetched_at >= METADATA_SECONDS:
                if now >= self._retry_at:
                    fetched = await self._fetch(now)
                if fetched is None:
                    raise SignInRefused("PROVIDER_UNAVAILABLE", self._failure)
            return fetched

    async def _fetch(self, now: float) -> _Fetched | None:
        try:
            document = await run_in_threadpool(fetched_json, self.declared.configuration_url)
            metadata = _checked(document, self.declared.issuer)
        except FetchFailed as error:
            self._failure, self._retry_at = str(error), now + RETRY_SECONDS
            return self._fetched
        before = self._fetched
        if before is not None and metadata.jwks_uri == before.metadata.jwks_uri:
            tokens = before.tokens
        else:
            issuer = self.declared.tokens_of(metadata.jwks_uri)
            tokens = Verifier((issuer,), (), name_of=self._name_of, clock=self._clock)
        self._fetched = _Fetched(metadata, tokens, now)
        return self._fetched

    def _client(self, metadata: _ProviderMetadata, redirect_uri: str) -> AsyncOAuth2Client:
        offered = metadata.token_endpoint_auth_methods_supported
        basic = "client_secret_basic" in offered or "client_secret_post" not in offered
        method = "client_secret_basic" if basic else "client_secret_post"
        return AsyncOAuth2Client(
            self.declared.client_id,
            self._secret,
            token_endpoint_auth_method=method if self._secret else "none",
            scope=" ".join(self.declared.ask_for),
            redirect_uri=redirect_uri,
            code_challenge_method="S256",
            timeout=_TIMEOUT_SECONDS,
            trust_env=metadata.token_endpoint.startswith("https:"),  # http is loopback: no proxy
        )


def _checked(document: object, issuer: str) -> _ProviderMetadata:
    """Read a provider's configuration; check issuer, URLs and PKCE. Raises: FetchFailed."""
    try:
        metadata = msgspec.convert(document, _ProviderMetadata)
        for url in (metadata.authorization_endpoint, metadata.token_endpoint, metadata.jwks_uri):
            fetched_safely(url)
    except (msgspec.ValidationError, ValueError) as error:
        raise FetchFailed(f"its configuration cannot be read: {error}") from None
    if metadata.issuer != issuer:
        raise FetchFailed("its configuration belongs to another issuer")
    if "S256" not in metadata.code_challenge_methods_supported:
        raise FetchFailed("it does not support PKCE with S256")
    return metadata


def _plain(code: object) -> str:
    """Return an OAuth error code if it is safe to log, else a fixed text."""
    text = str(code)
    return text if text.isascii() and text.replace("_", "").isalpha() else "an unknown error"


def _same(sent: object, kept: str) -> bool:
    return isinstance(sent, str) and hmac.compare_digest(sent.encode(), kept.encode())
