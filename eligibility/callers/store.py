"""KeyStore: stores API keys. The docstrings are the contract of every backend."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from eligibility.callers.model import Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredKey:
    """The stored data of an API key, which does not include the key itself.

    key_id: public part of the key. digest: SHA-256 of the whole key (32 bytes); a key has 256 random
    bits, so a slow hash would add no security. publishers: None = all. created_by: who created it.
    replaced_by: id of the key that replaces it after a rotation; this key then expires at `expires_at`.
    last_used_at: the last use in any server process, to the minute.
    """

    key_id: str
    name: str
    digest: bytes
    scopes: frozenset[Scope]
    publishers: frozenset[str] | None
    rate_limit: int | None
    created_at: datetime
    created_by: str
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    replaced_by: str | None = None
    last_used_at: datetime | None = None


class KeyStore(Protocol):
    """The API keys of a deployment, beside the groups. Every method may raise StoreUnavailable."""

    def revision(self) -> int:
        """Return a number that every write except `note_use` increases; 0 before the first write."""

    def all(self) -> tuple[int, tuple[StoredKey, ...]]:
        """Return the present revision and every key ever created, oldest first."""

    def get(self, key_id: str) -> StoredKey | None:
        """Return the key with this id; None if there is none."""

    def add(self, key: StoredKey) -> None:
        """Save a new key and the next revision. Do nothing if the key already exists."""

    def end(
        self, key_id: str, *, revoked_at: datetime | None = None, expires_at: datetime | None = None
    ) -> StoredKey:
        """Revoke a key, or make it end earlier, never later. Return it. Raises: UnknownKey."""

    def replace(self, key_id: str, new: StoredKey, *, expires_at: datetime) -> StoredKey:
        """Save a new key and the end of the old key, and return the old key. Raises: UnknownKey."""

    def note_use(self, used: Mapping[str, datetime]) -> None:
        """Store when keys were last used; ignore unknown keys, and times before the stored time."""
