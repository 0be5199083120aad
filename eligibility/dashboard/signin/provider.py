"""Signing in through an OpenID provider: where to send a person, and who came back.

Authorization code with PKCE, state and nonce (OpenID Connect Core 1.0, 3.1; RFC 7636; RFC 9207). The
protocol is Authlib's; the ID token is verified as other tokens are, by callers/tokens.py.
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

FRESH_SECONDS = 3_600
"""How long it is believed what the provider says of itself."""
RETRY_SECONDS = 10
"""How long it is not asked again after it could not be."""
_TIMEOUT_SECONDS = 5
_MOST_UNDER_WAY = 16
"""Codes exchanged at a time: nobody has to be known here to have one tried."""


class PendingSignIn(msgspec.Struct, frozen=True):
    """What the browser keeps, encrypted, while its person is at the provider. to: where to go then."""

    state: str
    nonce: str
    verifier: str
    to: str


class _Metadata(msgspec.Struct, frozen=True):
    """What a provider says of itself (OpenID Connect Discovery 1.0, 3)."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    token_endpoint_auth_methods_supported: list[str] = msgspec.field(
        default_factory=lambda: ["client_secret_basic"]
    )
    code_challenge_methods_supported: list[str] = msgspec.field(default_factory=lambda: ["S256"])
    authorization_response_iss_parameter_supported: bool = False


class _Known(msgspec.Struct, frozen=True):
    says: _Metadata
    tokens: Verifier
    asked_at: float


class Provider:
    """The provider of the settings. secret: this server's, if it has one there."""

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
        self._known: _Known | None = None
        self._retry_at = float("-inf")
        self._failure = ""
        self._asking = asyncio.Lock()
        self._under_way = 0

    async def begin(self, redirect_uri: str, to: str) -> tuple[str, PendingSignIn]:
        """Where to send a person, and what its browser has to keep. Raises: SignInRefused."""
        known = await self._metadata()
        begun = PendingSignIn(
            secrets.token_urlsafe(32), secrets.token_urlsafe(32), secrets.token_urlsafe(48), to
        )
        async with self._client(known.says, redirect_uri) as client:
            url, _ = client.create_authorization_url(
                known.says.authorization_endpoint,
                state=begun.state,
                nonce=begun.nonce,
                code_verifier=begun.verifier,
            )
        return url, begun

    async def finish(
        self, redirect_uri: str, begun: PendingSignIn, said: Mapping[str, str]
    ) -> Caller:
        """Who came back. said: the parameters of the address that the provider sent the person to.

        Raises: SignInRefused, Overloaded.
        """
        if not _same(said.get("state", ""), begun.state):
            raise SignInRefused("STATE_MISMATCH")
        known = await self._metadata()
        self._check_answer(known.says, said)
        if self._under_way >= _MOST_UNDER_WAY:
            raise Overloaded(f"{_MOST_UNDER_WAY} sign-ins")
        self._under_way += 1
        try:
            token = await self._id_token(known.says, redirect_uri, begun, said["code"])
        finally:
            self._under_way -= 1
        return await run_in_threadpool(self._caller, known.tokens, token, begun.nonce)

    def _check_answer(self, says: _Metadata, said: Mapping[str, str]) -> None:
        """Whether it is the provider that answered, and with a code (RFC 9207, 2.4)."""
        named = said.get("iss")
        missing = named is None and says.authorization_response_iss_parameter_supported
        if missing or (named is not None and named != self.declared.issuer):
            raise SignInRefused("OTHER_PROVIDER")
        if "error" in said or not said.get("code"):
            declined = said.get("error") == "access_denied"
            raise SignInRefused("DECLINED" if declined else "PROVIDER_REFUSED")

    async def _id_token(
        self, says: _Metadata, redirect_uri: str, begun: PendingSignIn, code: str
    ) -> str:
        """The ID token that a code stands for."""
        try:
            async with (
                asyncio.timeout(_TIMEOUT_SECONDS),
                self._client(says, redirect_uri) as client,
            ):
                answer: Mapping[str, Any] = await client.fetch_token(
                    says.token_endpoint, code=code, code_verifier=begun.verifier
                )
        except OAuthError as error:
            if error.error == "invalid_grant":
                raise SignInRefused("CODE_REFUSED") from None
            raise SignInRefused("CLIENT_REFUSED", _plain(error.error)) from None
        except (httpx2.HTTPError, ValueError, TimeoutError) as error:
            raise SignInRefused("PROVIDER_UNAVAILABLE", type(error).__name__) from None
        token = answer.get("id_token")
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
            raise SignInRefused("TOKEN_REFUSED", "it answers another sign-in: its nonce is another")
        several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
        if claims.get("azp", None if several else declared.client_id) != declared.client_id:
            raise SignInRefused("TOKEN_REFUSED", "it was made for another client: `azp`")
        if not caller.scopes:
            raise SignInRefused("NO_SCOPE", ", ".join(declared.scope_claims))
        if caller.publishers is not None and not caller.publishers:
            raise SignInRefused("NO_PUBLISHER", declared.publishers_claim)
        return caller

    async def _metadata(self) -> _Known:
        """What the provider says of itself; what it said before, while it cannot be asked."""
        async with self._asking:
            now = self._monotonic()
            known = self._known
            if known is None or now - known.asked_at >= FRESH_SECONDS:
                if now >= self._retry_at:
                    known = await self._asked(now)
                if known is None:
                    raise SignInRefused("PROVIDER_UNAVAILABLE", self._failure)
            return known

    async def _asked(self, now: float) -> _Known | None:
        try:
            document = await run_in_threadpool(fetched_json, self.declared.configuration_url)
            says = _checked(document, self.declared.issuer)
        except FetchFailed as error:
            self._failure, self._retry_at = str(error), now + RETRY_SECONDS
            return self._known
        tokens = self._known.tokens if self._known else None
        if tokens is None or self._known is None or says.jwks_uri != self._known.says.jwks_uri:
            issuer = self.declared.tokens_of(says.jwks_uri)
            tokens = Verifier((issuer,), (), name_of=self._name_of, clock=self._clock)
        self._known = _Known(says, tokens, now)
        return self._known

    def _client(self, says: _Metadata, redirect_uri: str) -> AsyncOAuth2Client:
        offered = says.token_endpoint_auth_methods_supported
        basic = "client_secret_basic" in offered or "client_secret_post" not in offered
        way = "client_secret_basic" if basic else "client_secret_post"
        return AsyncOAuth2Client(
            self.declared.client_id,
            self._secret,
            token_endpoint_auth_method=way if self._secret else "none",
            scope=" ".join(self.declared.ask_for),
            redirect_uri=redirect_uri,
            code_challenge_method="S256",
            timeout=_TIMEOUT_SECONDS,
            trust_env=says.token_endpoint.startswith("https:"),  # no proxy on the way to loopback
        )


def _checked(document: object, issuer: str) -> _Metadata:
    """What a provider says of itself, if it is this provider, and does what is needed.

    Raises: Unreadable.
    """
    try:
        says = msgspec.convert(document, _Metadata)
        for url in (says.authorization_endpoint, says.token_endpoint, says.jwks_uri):
            fetched_safely(url)
    except (msgspec.ValidationError, ValueError) as error:
        raise FetchFailed(f"its configuration is none: {error}") from None
    if says.issuer != issuer:
        raise FetchFailed("its configuration is of another issuer")
    if "S256" not in says.code_challenge_methods_supported:
        raise FetchFailed("it does no PKCE with S256")
    return says


def _plain(code: object) -> str:
    """An error code of OAuth as it may stand in a log."""
    text = str(code)
    return text if text.isascii() and text.replace("_", "").isalpha() else "an unknown error"


def _same(sent: object, kept: str) -> bool:
    return isinstance(sent, str) and hmac.compare_digest(sent.encode(), kept.encode())
