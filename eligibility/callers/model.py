"""Scope and Caller: who a request comes from, and what it may do. Pure; see docs/security.md."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from eligibility.access.model import Account
from eligibility.callers.errors import ScopeMissing


class Scope(StrEnum):
    """What a caller may do. `admin` includes every other."""

    QUERY = "access:query"
    EXPLAIN = "access:explain"
    ASSERT = "access:assert"  # say who the account is, without a token of its own
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
    """Who a request comes from.

    kind: how it proved to be who it is. name: for logs and history, as `key store-backend`; never an
    address. identity: who it is among all that are called the same (the id of its key, a digest of issuer
    and subject); "" = its name is enough. publishers: ids of those it is for; None = all of them, also those
    that are yet to come.
    account: the account itself, where it asks for itself with its own token; None for services.
    rate_limit: queries and requests a second it may make of one server process; None = the setting's.
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
        """Whether the publisher is one of the caller's; others do not exist for it."""
        return self.publishers is None or publisher in self.publishers

    def check(self, scope: Scope) -> None:
        """Raise ScopeMissing unless the caller has a scope."""
        if not self.may(scope):
            raise ScopeMissing(scope, self.scopes)


def scopes_of(names: Iterable[str]) -> frozenset[Scope]:
    """Read scopes by name. Raises ValueError naming those that there are not."""
    wanted = set(names)
    unknown = sorted(wanted - {str(scope) for scope in Scope})
    if unknown:
        listed = ", ".join(f"`{one}`" for one in unknown)
        raise ValueError(f"{listed} is no scope; there are {', '.join(Scope)}")
    return frozenset(map(Scope, wanted))
