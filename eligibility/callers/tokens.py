"""Verifier: check a token's signature, audience and times, and read its caller or account.

Source: RFC 7519 (claims), RFC 8725 (which header fields not to trust), RFC 9068, OpenID Connect
Core 3.1.3.7. PyJWT does the cryptography.
"""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, get_args

import jwt

from eligibility.access.model import Account
from eligibility.callers.claims import (
    AddressPseudonym,
    Claims,
    TokenRefusal,
    account_in,
    self_caller,
    service_caller,
    text_claim,
)
from eligibility.callers.errors import Unauthenticated
from eligibility.callers.issuers import TENANT, AccountIssuer, Algorithm, CallerIssuer, Issuer
from eligibility.callers.jwks import KeySet, PublicKey
from eligibility.callers.model import Caller
from eligibility.callers.token_cache import TokenCache

MAX_TOKEN_CHARACTERS = 16_384
KNOWN_SECONDS = 300
HEADER = "header.authorization"

_ALGORITHMS = {name: jwt.get_algorithm_by_name(name) for name in get_args(Algorithm)}


class Verifier:
    """Verifies tokens of the configured issuers: access tokens of services, ID tokens of accounts.

    Safe to use from many threads. `known_caller` and `known_account` never block, so an event loop
    may call them. The other methods may fetch keys for seconds: call them in a thread.
    """

    def __init__(
        self,
        callers: Sequence[CallerIssuer],
        accounts: Sequence[AccountIssuer],
        *,
        name_of: AddressPseudonym,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """name_of: returns a pseudonym for a text, its digest with the deployment's key."""
        # Sort an entry for one tenant before entries for all tenants: the first match is used.
        issuers: list[Issuer] = sorted((*callers, *accounts), key=lambda i: TENANT in i.issuer)
        self._issuers = [(issuer.pattern, issuer) for issuer in issuers]
        self._key_sets = {
            (i.issuer, i.jwks_url): KeySet(i.issuer, i.jwks_url, monotonic=monotonic)
            for i in issuers
        }
        self._name_of, self._clock = name_of, clock
        self._known_callers: TokenCache[Caller] = TokenCache()
        self._known_accounts: TokenCache[Account] = TokenCache()

    def known_caller(self, token: str) -> Caller | None:
        """Return the caller of a token verified in the last 5 minutes; None: call `caller_of`."""
        return self._known_callers.get(token, self._clock())

    def known_account(self, token: str) -> Account | None:
        """Return the account of a token verified in the last 5 minutes; None: call `account_of`."""
        return self._known_accounts.get(token, self._clock())

    def caller_of(self, token: str) -> Caller:
        """Verify a bearer token; return its caller. Raises: Unauthenticated, IssuerUnavailable."""
        known = self.known_caller(token)
        if known is not None:
            return known
        with _named(HEADER):
            issuer, claims = self._verified(token)
            if isinstance(issuer, CallerIssuer):
                caller = service_caller(claims, issuer, self._name_of)
            else:
                caller = self_caller(account_in(claims, issuer), self._name_of)
            self._known_callers.put(token, self._until(claims, issuer), caller)
        return caller

    def account_of(self, token: str, loc: str = "account.token") -> Account:
        """Verify an ID token in the field `loc`. Raises: Unauthenticated, IssuerUnavailable."""
        known = self.known_account(token)
        if known is not None:
            return known
        with _named(loc):
            issuer, claims = self._verified(token)
            if isinstance(issuer, CallerIssuer):
                raise TokenRefusal(
                    "TOKEN_AUDIENCE", "the token belongs to a service, not to an account"
                )
            account = account_in(claims, issuer)
            self._known_accounts.put(token, self._until(claims, issuer), account)
        return account

    def verify(self, token: str, loc: str = HEADER) -> tuple[Issuer, Claims]:
        """Check a token; return issuer and claims. Raises: Unauthenticated, IssuerUnavailable."""
        with _named(loc):
            return self._verified(token)

    def _verified(self, token: str) -> tuple[Issuer, Claims]:
        header, claims, signature = _unverified(token)
        issuer = self._issuer_of(claims)
        tenant = _tenant(claims, issuer)
        algorithm = header.get("alg")
        if algorithm not in issuer.algorithms:
            raise TokenRefusal("TOKEN_INVALID", "its issuer may not use this algorithm")
        keys = self._key_sets[issuer.issuer, issuer.jwks_url].matching(header.get("kid"), algorithm)
        if "kid" not in header and len(keys) > 1:
            raise TokenRefusal("TOKEN_INVALID", "it names no key, but its issuer has several")
        # Do not call jwt.decode: it parses the token again, which takes longer than RSA.
        signed, verify = token.rpartition(".")[0].encode(), _ALGORITHMS[algorithm].verify
        right = (key for key in keys if _signs_for(key, tenant, claims))
        if not any(verify(signed, key.public_key, signature) for key in right):
            raise TokenRefusal(
                "TOKEN_INVALID", "its signature does not match any key of its issuer"
            )
        _check_times(claims, issuer, self._clock())
        return issuer, claims

    def _issuer_of(self, claims: Claims) -> Issuer:
        """Return the issuer in the settings that `iss` and `aud` of an unverified token name."""
        url = text_claim(claims, "iss")
        audiences = _audiences(claims)
        matching = [issuer for pattern, issuer in self._issuers if pattern.fullmatch(url)]
        if not matching:
            raise TokenRefusal("TOKEN_ISSUER_UNKNOWN", "the settings do not list its issuer")
        named = [issuer for issuer in matching if audiences & set(issuer.audience)]
        if not named:
            raise TokenRefusal("TOKEN_AUDIENCE", "it is not for this service")
        if len({type(issuer) for issuer in named}) > 1:
            raise TokenRefusal("TOKEN_AUDIENCE", "it is for services and for accounts at once")
        return named[0]

    def _until(self, claims: Claims, issuer: Issuer) -> float:
        """Return until when the result of a token may be cached, in seconds since 1970."""
        ends_at = _moment(claims, "exp") + issuer.leeway_seconds
        return min(ends_at, self._clock() + KNOWN_SECONDS)


@contextmanager
def _named(loc: str) -> Iterator[None]:
    """Convert TokenRefusal to Unauthenticated, which names the field of the token."""
    try:
        yield
    except TokenRefusal as refusal:
        raise Unauthenticated(refusal.code, refusal.detail, loc) from None


def _unverified(token: str) -> tuple[dict[str, Any], dict[str, Any], bytes]:
    """Return header, claims and signature of an unverified token, to find the keys for it."""
    if len(token) > MAX_TOKEN_CHARACTERS:
        raise TokenRefusal("TOKEN_INVALID", f"it is longer than {MAX_TOKEN_CHARACTERS} characters")
    if not token.isascii():
        raise TokenRefusal("TOKEN_INVALID", "it is not a signed token")
    try:
        read = jwt.decode_complete(token, options={"verify_signature": False})
    except jwt.PyJWTError:
        raise TokenRefusal("TOKEN_INVALID", "it cannot be read") from None
    header = read["header"]
    if header.keys() & {"crit", "b64", "enc", "zip"} or "cty" in header:
        raise TokenRefusal("TOKEN_INVALID", "its header requires something that is not supported")
    return header, read["payload"], read["signature"]


def _tenant(claims: Claims, issuer: Issuer) -> str | None:
    """Return the tenant, which `tenant_claim` and `iss` must both name; None without tenants."""
    if isinstance(issuer, CallerIssuer) or TENANT not in issuer.issuer:
        return None
    tenant = text_claim(claims, issuer.tenant_claim)
    if issuer.issuer.replace(TENANT, tenant) != claims["iss"]:
        raise TokenRefusal("TOKEN_CLAIMS", f"`iss` and `{issuer.tenant_claim}` name two tenants")
    return tenant


def _signs_for(key: PublicKey, tenant: str | None, claims: Claims) -> bool:
    """Return whether a key may sign for the tenant. Microsoft limits some keys to one issuer."""
    if tenant is None or key.issuer is None:
        return True
    return bool(key.issuer.replace("{tenantid}", tenant) == claims["iss"])


def _check_times(claims: Claims, issuer: Issuer, now: float) -> None:
    if now >= _moment(claims, "exp") + issuer.leeway_seconds:
        raise TokenRefusal("TOKEN_EXPIRED", "it has expired")
    for claim in ("nbf", "iat"):
        if claim in claims and _moment(claims, claim) > now + issuer.leeway_seconds:
            raise TokenRefusal("TOKEN_NOT_YET_VALID", f"its `{claim}` is in the future")


def _moment(claims: Claims, claim: str) -> float:
    value = claims.get(claim)
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < math.inf:
        return value
    raise TokenRefusal("TOKEN_CLAIMS", f"the claim `{claim}` is missing or not a number of seconds")


def _audiences(claims: Claims) -> set[str]:
    value = claims.get("aud")
    audiences = [value] if isinstance(value, str) else value
    if not isinstance(audiences, list) or not all(isinstance(item, str) for item in audiences):
        raise TokenRefusal("TOKEN_CLAIMS", "the claim `aud` is missing, or neither text nor a list")
    return set(audiences)
