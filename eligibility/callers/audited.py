"""KeyAdmin: API keys made, rotated and revoked, each deed noted in the audit log. Edges use nothing else."""

from collections.abc import Callable, Collection
from datetime import datetime

from eligibility.audit.log import AuditLog
from eligibility.audit.notes import note_key
from eligibility.callers import key_admin
from eligibility.callers.key_admin import DEFAULT_OVERLAP, Issued
from eligibility.callers.store import KeyStore, StoredKey


class KeyAdmin:
    """What can be done with the keys of a deployment. who: who does it, and from where.

    The deed comes first and its note right after: should the process die between the two, the key
    itself still says who made it, and when.
    """

    def __init__(self, keys: KeyStore, log: AuditLog, now: Callable[[], datetime]) -> None:
        self._keys, self._log, self._now = keys, log, now

    def create(
        self,
        who: str,
        *,
        name: str,
        scopes: Collection[str],
        publishers: Collection[str] | None,
        expires: str | None = None,
        rate_limit: int | None = None,
    ) -> Issued:
        """See key_admin.create."""
        issued = key_admin.create(
            self._keys,
            self._now(),
            name=name,
            scopes=scopes,
            publishers=publishers,
            created_by=who,
            expires=expires,
            rate_limit=rate_limit,
        )
        note_key(self._log, "created", who, issued.key)
        return issued

    def rotate(
        self,
        who: str,
        key_id: str,
        *,
        overlap: str = DEFAULT_OVERLAP,
        expires: str | None = None,
    ) -> Issued:
        """See key_admin.rotate."""
        issued = key_admin.rotate(
            self._keys, self._now(), key_id, created_by=who, overlap=overlap, expires=expires
        )
        note_key(self._log, "rotated", who, issued.key, replaces=issued.replaced)
        return issued

    def revoke(self, who: str, key_id: str) -> StoredKey:
        """See key_admin.revoke; one that was revoked before is not noted again."""
        now = self._now()
        key = key_admin.revoke(self._keys, now, key_id)
        if key.revoked_at == now:
            note_key(self._log, "revoked", who, key)
        return key

    def listed(self, every: bool = False) -> tuple[StoredKey, ...]:
        """The keys that work, the oldest first; with `every` those too that have ended."""
        return self._keys.all()[1] if every else key_admin.in_force(self._keys, self._now())
