"""The keys of an issuer: fetched, kept, and fetched anew when a token names one that is not there.

PyJWT's own client fits only in part: it forgets the keys of an issuer that is away, reads bodies
of any size and lets the whole world wait while one thread fetches (docs/decisions.md 0018).
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

FRESH_SECONDS = 300  # a fetch each so often
KEPT_SECONDS = 86_400  # how long held keys go on verifying while the issuer is away
RETRY_SECONDS = 10  # between fetches beyond those: after a failed one, or for an unknown key id
MIN_RSA_BITS = 2_048  # RFC 7518, 3.3

_SUITABLE = {
    ("RSA", ""): frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}),
    ("EC", "P-256"): frozenset({"ES256"}),
    ("EC", "P-384"): frozenset({"ES384"}),
    ("OKP", "Ed25519"): frozenset({"EdDSA"}),
}


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A public key. kid: its name, where it has one. algorithms: what it may verify.

    issuer: the only one whose tokens it signs, `{tenantid}` in it as Microsoft's sets have it.
    """

    kid: str | None
    algorithms: frozenset[str]
    issuer: str | None
    public_key: AllowedPublicKeys


@dataclass(frozen=True, slots=True)
class _Held:
    keys: tuple[PublicKey, ...]
    asked_at: float

    def matching(self, kid: str | None, algorithm: str) -> tuple[PublicKey, ...]:
        return tuple(
            key
            for key in self.keys
            if algorithm in key.algorithms and (kid is None or kid == key.kid)
        )


class KeySet:
    """The keys of one issuer, for any number of threads, of which one at a time fetches."""

    def __init__(
        self, issuer: str, url: str, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._issuer, self._url, self._monotonic = issuer, url, monotonic
        self._lock = threading.Lock()  # held while fetching
        self._held: _Held | None = None
        self._failure = ""  # why the last fetch failed; "" = it did not
        self._retry_at = float("-inf")

    def matching(self, kid: str | None, algorithm: str) -> tuple[PublicKey, ...]:
        """Keys that may have signed: those of that name, or where a token names none, all that suit.

        A name that is not held is asked for once more, at most every 10 s. May block for a fetch.
        Raises: IssuerUnavailable where keys would have to be fetched and cannot be.
        """
        started = self._monotonic()
        held = self._current()
        found = held.matching(kid, algorithm)
        if found or kid is None or held.asked_at >= started:
            return found
        return self._newer_than(held).matching(kid, algorithm)

    def _current(self) -> _Held:
        held = self._held
        if held is not None and self._age(held) < FRESH_SECONDS:
            return held
        if held is None or self._age(held) >= KEPT_SECONDS:
            self._lock.acquire()
        elif not self._lock.acquire(blocking=False):
            return held  # with keys in hand nobody waits for the one who fetches
        try:
            if self._held is held and self._due():
                self._fetch()
            if self._held is None or self._age(self._held) >= KEPT_SECONDS:
                raise IssuerUnavailable(self._issuer, self._failure)
            return self._held
        finally:
            self._lock.release()

    def _newer_than(self, seen: _Held) -> _Held:
        """The keys after one more fetch, where one is due and nobody else made it meanwhile."""
        with self._lock:
            if self._held is seen and self._due():
                self._fetch()
                self._retry_at = self._monotonic() + RETRY_SECONDS
            if self._failure:
                raise IssuerUnavailable(self._issuer, self._failure)
            return self._held or seen

    def _fetch(self) -> None:
        asked_at = self._monotonic()
        try:
            self._held = _Held(_fetched(self._url), asked_at)
            self._failure = ""
        except FetchFailed as error:
            self._failure = str(error)
            self._retry_at = self._monotonic() + RETRY_SECONDS

    def _due(self) -> bool:
        return self._monotonic() >= self._retry_at

    def _age(self, held: _Held) -> float:
        return self._monotonic() - held.asked_at


def _fetched(url: str) -> tuple[PublicKey, ...]:
    document = fetched_json(url)
    keys = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(keys, list):
        raise FetchFailed("its answer is no key set")
    return tuple(key for key in map(_key, keys) if key)


def _key(jwk: Any) -> PublicKey | None:
    """Read one entry of a set; None where it cannot verify a token of ours."""
    if not isinstance(jwk, dict) or jwk.get("use", "sig") != "sig":
        return None
    operations = jwk.get("key_ops")
    if isinstance(operations, list) and "verify" not in operations:
        return None
    if "d" in jwk:
        return None  # a private key that was published is nobody's any more
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
