"""KeyStore: where API keys are kept. The docstrings are the contract of every backend."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from eligibility.callers.model import Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredKey:
    """An API key as it is kept: everything but the key itself.

    key_id: public, part of the key. digest: SHA-256 of the whole key (32 bytes); a key holds 256
    random bits, so that a slow hash would add nothing. publishers: None = all. created_by: who made
    it. replaced_by: id of the key that a rotation made in its place; this one then ends by itself at
    `expires_at`. last_used_at: to the minute, by whichever server process saw it.
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
    """API keys of a deployment, kept where the groups are.

    Every method may raise groups.errors.StoreUnavailable, and no error of the backend's own.
    """

    def revision(self) -> int:
        """Return a number that grows with every write except `note_use`; 0 before the first."""

    def all(self) -> tuple[int, tuple[StoredKey, ...]]:
        """List every key ever made, the oldest first, and the revision when they were read."""

    def get(self, key_id: str) -> StoredKey | None:
        """Return one key; None if no key has that id."""

    def add(self, key: StoredKey) -> None:
        """Save a new key together with the next revision; a key that is there already is not changed."""

    def end(
        self, key_id: str, *, revoked_at: datetime | None = None, expires_at: datetime | None = None
    ) -> StoredKey:
        """Revoke a key, or bring its end forward; an earlier end stays.

        Raises: UnknownKey.
        """

    def replace(self, key_id: str, new: StoredKey, *, expires_at: datetime) -> StoredKey:
        """Save a new key and let the old one end at `expires_at`, in one step; give the old one then.

        Raises: UnknownKey.
        """

    def note_use(self, used: Mapping[str, datetime]) -> None:
        """Note when keys were last used; unknown keys, and moments before the one kept, are ignored."""
