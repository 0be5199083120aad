"""Fetch and cache the public keys of an issuer; fetch them again if a token names an unknown key.

We do not use PyJWT's client: it drops the keys while the issuer is unreachable, reads responses of
any size, and makes all threads wait while one fetches (docs/decisions.md 0018).
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt import PyJWK, PyJWTError
from jwt.algorithms import AllowedPublicKeys

from eligibility.callers.errors import IssuerUnavailable
from eligibility.callers.fetching import FetchFailed, fetched_json

FRESH_SECONDS = 300  # cached keys older than this are fetched again
KEPT_SECONDS = 86_400  # how long cached keys stay valid while the issuer is unreachable
RETRY_SECONDS = 10  # the pause after a failed fetch or a fetch for an unknown key id
MIN_RSA_BITS = 2_048  # smaller keys are ignored (RFC 7518, section 3.3)

_SUITABLE = {
    ("RSA", ""): frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}),
    ("EC", "P-256"): frozenset({"ES256"}),
    ("EC", "P-384"): frozenset({"ES384"}),
    ("OKP", "Ed25519"): frozenset({"EdDSA"}),
}


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A public key. kid: its id or None. algorithms: names of the algorithms that it may verify.

    issuer: the only issuer whose tokens it may verify, None = any. Microsoft's key sets contain
        `{tenantid}` here, in the place of a tenant's id.
    """

    kid: str | None
    algorithms: frozenset[str]
    issuer: str | None
    public_key: AllowedPublicKeys


@dataclass(frozen=True, slots=True)
class _CachedKeys:
    keys: tuple[PublicKey, ...]
    fetched_at: float

    def matching(self, kid: str | None, algorithm: str) -> tuple[PublicKey, ...]:
        return tuple(
            key
            for key in self.keys
            if algorithm in key.algorithms and (kid is None or kid == key.kid)
        )


class KeySet:
    """The keys of one issuer. Safe to use from many threads; only one thread fetches at a time."""

    def __init__(
        self, issuer: str, url: str, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._issuer, self._url, self._monotonic = issuer, url, monotonic
        self._lock = threading.Lock()  # held by the thread that fetches
        self._cached: _CachedKeys | None = None
        self._failure = ""  # why the last fetch failed; "" = it did not fail
        self._retry_at = float("-inf")

    def matching(self, kid: str | None, algorithm: str) -> tuple[PublicKey, ...]:
        """Return the keys that may have signed a token. kid: None = all keys for the algorithm.

        If the kid is unknown, the keys are fetched again, at most every 10 s. This may block.
        Raises: IssuerUnavailable if the keys have to be fetched and the fetch fails.
        """
        started = self._monotonic()
        cached = self._current()
        keys = cached.matching(kid, algorithm)
        if keys or kid is None or cached.fetched_at >= started:
            return keys
        return self._newer_than(cached).matching(kid, algorithm)

    def _current(self) -> _CachedKeys:
        cached = self._cached
        if cached is not None and self._age(cached) < FRESH_SECONDS:
            return cached
        if cached is None or self._age(cached) >= KEPT_SECONDS:
            self._lock.acquire()
        elif not self._lock.acquire(blocking=False):
            return cached  # another thread is fetching; the cached keys are still valid
        try:
            if self._cached is cached and self._due():
                self._fetch()
            if self._cached is None or self._age(self._cached) >= KEPT_SECONDS:
                raise IssuerUnavailable(self._issuer, self._failure)
            return self._cached
        finally:
            self._lock.release()

    def _newer_than(self, seen: _CachedKeys) -> _CachedKeys:
        """Fetch the keys again unless another thread just did or the last fetch was too recent."""
        with self._lock:
            if self._cached is seen and self._due():
                self._fetch()
                self._retry_at = self._monotonic() + RETRY_SECONDS
            if self._failure:
                raise IssuerUnavailable(self._issuer, self._failure)
            return self._cached or seen

    def _fetch(self) -> None:
        fetched_at = self._monotonic()
        try:
            self._cached = _CachedKeys(_fetched(self._url), fetched_at)
            self._failure = ""
        except FetchFailed as error:
            self._failure = str(error)
            self._retry_at = self._monotonic() + RETRY_SECONDS

    def _due(self) -> bool:
        return self._monotonic() >= self._retry_at

    def _age(self, cached: _CachedKeys) -> float:
        return self._monotonic() - cached.fetched_at


def _fetched(url: str) -> tuple[PublicKey, ...]:
    document = fetched_json(url)
    keys = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(keys, list):
        raise FetchFailed("its response is not a key set")
    return tuple(key for key in map(_key, keys) if key)


def _key(jwk: Any) -> PublicKey | None:
    """Convert one entry of a key set; return None if we cannot or must not use the key."""
    if not isinstance(jwk, dict) or jwk.get("use", "sig") != "sig":
        return None
    operations = jwk.get("key_ops")
    if isinstance(operations, list) and "verify" not in operations:
        return None
    if "d" in jwk:
        return None  # a published private key: anybody can sign with it
    kty, crv, declared, kid = (jwk.get(name, "") for name in ("kty", "crv", "alg", "kid"))
    suitable = _SUITABLE.get((str(kty), str(crv)), frozenset())
    if declared:
        suitable &= {str(declared)}
    if not suitable:
        return None
    try:
        public_key = PyJWK(jwk, algorithm=min(suitable)).key
    except PyJWTError:
        return None
    if isinstance(public_key, RSAPublicKey) and public_key.key_size < MIN_RSA_BITS:
        return None
    issuer = jwk.get("issuer")
    return PublicKey(
        kid=kid if isinstance(kid, str) and kid else None,
        algorithms=suitable,
        issuer=issuer if isinstance(issuer, str) else None,
        public_key=public_key,
    )
