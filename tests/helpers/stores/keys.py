"""API keys to store."""

from datetime import UTC, datetime

from eligibility.callers.model import Scope
from eligibility.callers.store import StoredKey

NOW = datetime(2026, 6, 1, 12, 0, 0, 123456, tzinfo=UTC)


def key(key_id: str = "a", *, name: str = "store-backend", at: datetime = NOW) -> StoredKey:
    return StoredKey(
        key_id=key_id,
        name=name,
        digest=bytes(range(32)),
        scopes=frozenset({Scope.QUERY, Scope.ASSERT}),
        publishers=frozenset({"contoso", "fabrikam"}),
        rate_limit=None,
        created_at=at,
        created_by="tests",
    )
