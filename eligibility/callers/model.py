"""Scope and Caller: who sent a request, and what it may do. Pure; see docs/security.md."""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from eligibility.access.model import Account
from eligibility.callers.errors import ScopeMissing


class Scope(StrEnum):
    """What a caller may do. `admin` includes all other scopes."""

    QUERY = "access:query"
    EXPLAIN = "access:explain"
    ASSERT = "access:assert"  # name an account without that account's token
    READ_GROUPS = "groups:read"
    WRITE_GROUPS = "groups:write"
    READ_CATALOG = "catalog:read"
    WRITE_CATALOG = "catalog:write"
    SIMULATE = "simulate"
    METRICS = "metrics"
    ADMIN = "admin"


ALL_SCOPES = frozenset(Scope)


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who sent a request.

    kind: how the caller proved who it is.
    name: for logs and history, as `key store-backend`; never an address.
    identity: tells callers of the same name apart: the id of the key, or a digest of issuer and
        subject; "" = the name is enough.
    publishers: ids of the publishers it may see; None = all, including future ones.
    account: the account that queries about itself with its own token; None for services.
    rate_limit: queries and requests a second to one server process; None = the setting's.
    """

    kind: Literal["key", "token", "account"]
    name: str
    scopes: frozenset[Scope]
    publishers: frozenset[str] | None
    identity: str = ""
    account: Account | None = None
    rate_limit: int | None = None

    def may(self, scope: Scope) -> bool:
        """Whether the caller has a scope."""
        return scope in self.scopes or Scope.ADMIN in self.scopes

    def sees(self, publisher: str) -> bool:
        """Whether the caller may see a publisher; others do not exist for it."""
        return self.publishers is None or publisher in self.publishers

    def check(self, scope: Scope) -> None:
        """Raise ScopeMissing unless the caller has a scope."""
        if not self.may(scope):
            raise ScopeMissing(scope, self.scopes)


def scopes_of(names: Collection[str]) -> frozenset[Scope]:
    """Read scopes by name. Raises ValueError naming the unknown ones."""
    unknown = sorted(set(names) - {str(scope) for scope in Scope})
    if unknown:
        listed = ", ".join(f"`{name}`" for name in unknown)
        raise ValueError(f"{listed} is not a scope; the scopes are {', '.join(Scope)}")
    return frozenset(map(Scope, names))
