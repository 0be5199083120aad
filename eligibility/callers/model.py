"""Scope and Caller: who sent a request, and what the sender may do. See docs/security.md."""

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
    ASSERT = "access:assert"  # send queries about an account without that account's token
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

    kind: what identified the caller: an API key, a service's token or an account's own token.
    name: the name in logs and history, such as `key store-backend`; never an e-mail address.
    identity: distinguishes callers that have the same name: the id of the key, or a digest of
        issuer and subject; "" = `name` is unique.
    publishers: ids of the publishers that the caller may see; None = all, including future ones.
    account: the account whose own token came with the request; None for services.
    rate_limit: allowed requests and queries a second to one server process; None = the setting.
    """

    kind: Literal["key", "token", "account"]
    name: str
    scopes: frozenset[Scope]
    publishers: frozenset[str] | None
    identity: str = ""
    account: Account | None = None
    rate_limit: int | None = None

    def may(self, scope: Scope) -> bool:
        """Return whether the caller has a scope, by itself or through `admin`."""
        return scope in self.scopes or Scope.ADMIN in self.scopes

    def sees(self, publisher: str) -> bool:
        """Return whether the caller may see a publisher. Others seem not to exist."""
        return self.publishers is None or publisher in self.publishers

    def check(self, scope: Scope) -> None:
        """Raise ScopeMissing unless the caller has the scope, by itself or through `admin`."""
        if not self.may(scope):
            raise ScopeMissing(scope, self.scopes)


def scopes_of(names: Collection[str]) -> frozenset[Scope]:
    """Convert names to scopes. Raises: ValueError listing the unknown names."""
    unknown = sorted(set(names) - {str(scope) for scope in Scope})
    if unknown:
        listed = ", ".join(f"`{name}`" for name in unknown)
        raise ValueError(f"{listed} is not a scope; the scopes are {', '.join(Scope)}")
    return frozenset(map(Scope, names))
