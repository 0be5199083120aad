"""Who sends a request: known from memory, or looked up; what it may do, and how often.

A key that is known costs one look into a dict. Whatever else there is to find out (a key just made,
a token not met before) is done in a thread.
"""

import time
from collections.abc import Callable, Mapping

from eligibility.callers.api_keys import PREFIX
from eligibility.callers.errors import ScopeMissing, Unauthenticated
from eligibility.callers.key_ring import KeyRing
from eligibility.callers.model import Caller, Scope
from eligibility.callers.tokens import Verifier
from eligibility.server.http.rate_limit import Allowance

_REMEMBERED_SECONDS = 20
"""How long a key is taken from memory here: its ring has to hear of its use once a minute."""
_MOST_REMEMBERED = 10_000


class AuthenticatedCaller:
    """A caller as the routes need it: what is asked of its scopes on every query, found out once.

    allowance: None where the caller has no limit. until: seconds of the admission's clock, and
    generation: that of the key ring, up to which this is known to be so.
    """

    __slots__ = (
        "allowance",
        "asserts",
        "caller",
        "explains",
        "generation",
        "named",
        "publishers",
        "queries",
        "until",
    )

    def __init__(self, caller: Caller, allowance: Allowance | None, until: float) -> None:
        self.caller = caller
        self.allowance = allowance
        self.until = until
        self.generation = -1
        self.publishers = caller.publishers
        self.queries = caller.may(Scope.QUERY)
        self.asserts = caller.may(Scope.ASSERT)
        self.explains = caller.may(Scope.EXPLAIN)
        self.named = caller.may(Scope.READ_GROUPS)

    def check_explain(self) -> None:
        """Raise ScopeMissing unless the caller may have traces, which name groups."""
        for scope, present in ((Scope.EXPLAIN, self.explains), (Scope.READ_GROUPS, self.named)):
            if not present:
                raise ScopeMissing(scope, self.caller.scopes)


def credentials(headers: Mapping[bytes, bytes]) -> bytes | None:
    """What a request proves with who sends it, as an `authorization` header has it; None without any.

    `x-api-key`, which clients of OFREP may send, stands for `Bearer` where there is no such header.
    """
    authorization = headers.get(b"authorization")
    if authorization is None and b"x-api-key" in headers:
        return b"Bearer " + headers[b"x-api-key"]
    return authorization


class Authenticator:
    """Turns the credentials of requests into callers.

    rate_limit, account_rate_limit: queries a second of one caller, and of an account that asks for
    itself; 0 = any number. Both count in each server process for itself.
    """

    def __init__(
        self,
        keys: KeyRing,
        tokens: Verifier,
        *,
        rate_limit: int,
        account_rate_limit: int,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._keys = keys
        self._tokens = tokens
        self._rate_limit, self._account_rate_limit = rate_limit, account_rate_limit
        self._now = monotonic
        self._by_header: dict[bytes, AuthenticatedCaller] = {}
        self._allowances: dict[tuple[str, int], Allowance] = {}

    def known(self, authorization: bytes | None) -> AuthenticatedCaller | None:
        """Who sends that header, from memory; None where that has to be found out."""
        if authorization is None:
            return None
        admitted = self._by_header.get(authorization)
        if admitted is not None:
            fresh = admitted.generation == self._keys.generation and admitted.until > self._now()
            return admitted if fresh else None
        if _is_key(authorization) or not _is_bearer(authorization):
            return None
        caller = self._tokens.known_caller(_text(authorization))
        return None if caller is None else self._admitted(caller)

    def admit(self, authorization: bytes | None) -> AuthenticatedCaller:
        """Find out who sends that header; may ask the store or an issuer, so not for an event loop.

        Raises: Unauthenticated; IssuerUnavailable; groups.errors.StoreUnavailable.
        """
        if authorization is None:
            raise Unauthenticated(
                "CREDENTIALS_MISSING", "is missing: send `Bearer` and an API key or a token"
            )
        text = _text(authorization)
        if not _is_key(authorization):
            return self._admitted(self._tokens.caller_of(text))
        generation = self._keys.generation
        admitted = self._admitted(self._keys.caller(text))
        admitted.generation = generation  # from before: a key may be ending right now
        if len(self._by_header) >= _MOST_REMEMBERED:
            self._by_header.clear()
        self._by_header[authorization] = admitted
        return admitted

    def admit_caller(self, caller: Caller) -> AuthenticatedCaller:
        """Take somebody in who is known by other means."""
        return self._admitted(caller)

    def _admitted(self, caller: Caller) -> AuthenticatedCaller:
        return AuthenticatedCaller(
            caller, self._allowance(caller), self._now() + _REMEMBERED_SECONDS
        )

    def _allowance(self, caller: Caller) -> Allowance | None:
        general = self._account_rate_limit if caller.kind == "account" else self._rate_limit
        rate = general if caller.rate_limit is None else caller.rate_limit
        if not rate:
            return None
        # Names are not unique: of two keys of one name each has its own limit, if they differ.
        allowance = self._allowances.get((caller.name, rate))
        if allowance is None:
            if len(self._allowances) >= _MOST_REMEMBERED:
                self._allowances.clear()
            allowance = self._allowances[caller.name, rate] = Allowance(rate, self._now)
        return allowance


def _text(authorization: bytes) -> str:
    """The key or token of a header. Raises Unauthenticated."""
    if not _is_bearer(authorization):
        raise Unauthenticated(
            "CREDENTIALS_UNREADABLE", "must be `Bearer`, a space, and an API key or a token"
        )
    return authorization[7:].strip().decode("ascii", "replace")


def _is_bearer(authorization: bytes) -> bool:
    return authorization[:7].lower() == b"bearer " and bool(authorization[7:].strip())


def _is_key(authorization: bytes) -> bool:
    return authorization[7:].lstrip().startswith(PREFIX.encode())
