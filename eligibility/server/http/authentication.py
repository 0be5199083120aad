"""Find a request's caller, with scopes and allowance: in a dict, or else in a thread."""

import time
from collections.abc import Callable, Mapping

from eligibility.callers.api_keys import PREFIX
from eligibility.callers.errors import ScopeMissing, Unauthenticated
from eligibility.callers.key_ring import KeyRing
from eligibility.callers.model import Caller, Scope
from eligibility.callers.tokens import Verifier
from eligibility.formats.lru_cache import LruCache
from eligibility.server.http.limits import Allowance
from eligibility.server.http.problems import RequestProblem

_REMEMBERED_SECONDS = 20
"""How long a key is found in memory. At least once a minute, the key ring must learn of the key's use."""
_MOST_REMEMBERED = 10_000
_MOST_ALLOWANCES = 262_144
"""Large enough that an allowance is full again before it is dropped from memory."""


class AuthenticatedCaller:
    """A caller with its allowance; the scopes that queries need are precomputed.

    allowance: None if the caller has no rate limit. The object is valid until `until`, in seconds of the
    authenticator's clock, and only while the generation of the key ring is `generation`.
    """

    __slots__ = (
        "allowance",
        "caller",
        "generation",
        "may_assert",
        "may_query",
        "may_read_groups",
        "publishers",
        "until",
    )

    def __init__(
        self, caller: Caller, allowance: Allowance | None, until: float, generation: int
    ) -> None:
        self.caller = caller
        self.allowance = allowance
        self.until = until
        self.generation = generation
        self.publishers = caller.publishers
        self.may_query = caller.may(Scope.QUERY)
        self.may_assert = caller.may(Scope.ASSERT)
        self.may_read_groups = caller.may(Scope.READ_GROUPS)

    def check_query(self, method: str) -> None:
        """Raise RequestProblem 405 if the method is not POST; ScopeMissing if `access:query` is missing."""
        if method != "POST":
            raise RequestProblem(405, "METHOD_NOT_ALLOWED", "access queries are sent by POST")
        if not self.may_query:
            raise ScopeMissing(Scope.QUERY, self.caller.scopes)

    def check_explain(self) -> None:
        """Raise ScopeMissing unless the caller may see explanations, which contain names of groups."""
        self.caller.check(Scope.EXPLAIN)
        self.caller.check(Scope.READ_GROUPS)


def credentials(headers: Mapping[bytes, bytes]) -> bytes | None:
    """Return the `authorization` header, or `x-api-key` (OFREP) as `Bearer`; None if missing."""
    authorization = headers.get(b"authorization")
    if authorization is None and b"x-api-key" in headers:
        return b"Bearer " + headers[b"x-api-key"]
    return authorization


class Authenticator:
    """Finds the caller for a request's credentials.

    rate_limit: queries a second of one caller; 0 = no limit. account_rate_limit: the same for an account
    that asks for itself. Each server process counts separately. clock: the key ring's.
    """

    def __init__(
        self,
        keys: KeyRing,
        tokens: Verifier,
        *,
        rate_limit: int,
        account_rate_limit: int,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._keys = keys
        self._tokens = tokens
        self._rate_limit, self._account_rate_limit = rate_limit, account_rate_limit
        self._clock, self._now = clock, monotonic
        self._by_header: LruCache[bytes, AuthenticatedCaller] = LruCache(_MOST_REMEMBERED)
        self._allowances: LruCache[tuple[str, str], Allowance] = LruCache(_MOST_ALLOWANCES)

    def known(self, authorization: bytes | None) -> AuthenticatedCaller | None:
        """Return the caller with this header from memory; None if `authenticate` has to look it up."""
        if authorization is None:
            return None
        cached = self._by_header
        known = cached.recent.get(authorization) or cached.get(authorization)
        if known is not None:
            keys, now = self._keys, self._clock()
            generation = keys.generation if now < keys.due else keys.current_generation()
            return known if known.generation == generation and known.until > now else None
        if _is_key(authorization) or not _is_bearer(authorization):
            return None
        caller = self._tokens.known_caller(_credential(authorization))
        return None if caller is None else self.authenticated(caller)

    def authenticate(self, authorization: bytes | None) -> AuthenticatedCaller:
        """Look up the caller with this header. Not for an event loop: may ask the store or an issuer.

        Raises: Unauthenticated; IssuerUnavailable; groups.errors.StoreUnavailable.
        """
        if authorization is None:
            raise Unauthenticated(
                "CREDENTIALS_MISSING", "is missing: send `Bearer` and an API key or a token"
            )
        credential = _credential(authorization)
        if not _is_key(authorization):
            return self.authenticated(self._tokens.caller_of(credential))
        generation = self._keys.current_generation()  # before the look-up: a key may end meanwhile
        authenticated = self.authenticated(self._keys.caller(credential), generation)
        self._by_header.put(authorization, authenticated)
        return authenticated

    def authenticated(self, caller: Caller, generation: int = -1) -> AuthenticatedCaller:
        """Combine a caller with its allowance. Args: generation = that of the key ring; -1 for tokens."""
        until = self._clock() + _REMEMBERED_SECONDS
        return AuthenticatedCaller(caller, self._allowance(caller), until, generation)

    def _allowance(self, caller: Caller) -> Allowance | None:
        general = self._account_rate_limit if caller.kind == "account" else self._rate_limit
        rate = general if caller.rate_limit is None else caller.rate_limit
        if not rate:
            return None
        who = caller.kind, caller.identity or caller.name
        return self._allowances.get(who) or self._allowances.setdefault(
            who, Allowance(rate, self._now)
        )


def _credential(authorization: bytes) -> str:
    """Return the key or token in an `authorization` header. Raises: Unauthenticated."""
    if not _is_bearer(authorization):
        raise Unauthenticated(
            "CREDENTIALS_UNREADABLE", "must be `Bearer`, a space, and an API key or a token"
        )
    return authorization[7:].strip().decode("ascii", "replace")


def _is_bearer(authorization: bytes) -> bool:
    return authorization[:7].lower() == b"bearer " and bool(authorization[7:].strip())


def _is_key(authorization: bytes) -> bool:
    return authorization[7:].lstrip().startswith(PREFIX.encode())
