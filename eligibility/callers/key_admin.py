"""Create, rotate and revoke API keys, for command line and HTTP. Log each change for audits."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal

import msgspec

from eligibility.audit.log import AuditLog, LogEntry
from eligibility.callers import api_key_fields, api_keys
from eligibility.callers.errors import UnknownKey
from eligibility.callers.store import KeyStore, StoredKey
from eligibility.callers.stored_key import KeyState, state_of
from eligibility.errors import Fault, InvalidInput

DEFAULT_OVERLAP = "24h"

_WORKING = (KeyState.ACTIVE, KeyState.ENDING)
_NOT_ROTATED = {
    KeyState.REVOKED: "was revoked: create a new one",
    KeyState.EXPIRED: "has expired: create a new one",
    KeyState.ENDING: "was rotated already: rotate `{key.replaced_by}`",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedKey:
    """A new key. text: the secret key, never stored. replaced: the old key after a rotation."""

    text: str = field(repr=False)
    key: StoredKey
    replaced: StoredKey | None = None


class KeyAdmin:
    """Creates, rotates, revokes and lists the keys of a deployment.

    who (in all methods): who makes the change and from where. It is stored in the key, then in the
    audit log. If the process dies in between, `created_by` of the key still says who created it.
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
    ) -> IssuedKey:
        """Create and store a key.

        Args: publishers = ids, None = all, including future ones; expires = a duration from now
            (`90d`, `12h`, `30m`) or a date and time, None = never; rate_limit = requests a second
            to one server process, None = the limit of the settings.
        Raises: InvalidInput naming every fault; StoreUnavailable.
        """
        now = self._now()
        faults: list[Fault] = []
        text = api_keys.new_text()
        key = StoredKey(
            key_id=text[api_keys.ID_PART],
            digest=api_keys.digest(text),
            name=api_key_fields.read_name(name, faults),
            scopes=api_key_fields.read_scopes(scopes, faults),
            publishers=api_key_fields.read_publishers(publishers, faults),
            rate_limit=api_key_fields.read_rate_limit(rate_limit, faults),
            expires_at=api_key_fields.read_expiry(expires, now, faults),
            created_at=now,
            created_by=who,
        )
        _raise_if(faults)
        self._keys.add(key)
        note_key(self._log, "created", who, key)
        return IssuedKey(text=text, key=key)

    def rotate(
        self, who: str, key_id: str, *, overlap: str = DEFAULT_OVERLAP, expires: str | None = None
    ) -> IssuedKey:
        """Create a key with the rights of an old key, which ends after the overlap or earlier.

        Args: key_id = see `revoke`; overlap = a duration, `0` = the old key ends at once; expires =
            see `create`, None = the new key has the same lifetime as the old key had.
        Raises: UnknownKey; InvalidInput, also if the old key has ended or was rotated already;
            StoreUnavailable.
        """
        now = self._now()
        old_id = _id_in(key_id)
        old = self._keys.get(old_id)
        if old is None:
            raise UnknownKey(old_id)
        faults: list[Fault] = []
        reason = _NOT_ROTATED.get(state_of(old, now))
        if reason is not None:
            detail = f"`{old.key_id}` {reason.format(key=old)}"
            faults.append(Fault("key_id", "KEY_ENDED", detail))
        old_ends_at = now + api_key_fields.read_overlap(overlap, faults)
        ends_at = api_key_fields.read_expiry(expires, now, faults)
        if expires is None and old.expires_at is not None:
            ends_at = now + (old.expires_at - old.created_at)
        _raise_if(faults)
        text = api_keys.new_text()
        key = replace(
            old,
            key_id=text[api_keys.ID_PART],
            digest=api_keys.digest(text),
            expires_at=ends_at,
            created_at=now,
            created_by=who,
            last_used_at=None,
        )
        replaced = self._keys.replace(old.key_id, key, expires_at=old_ends_at)
        note_key(self._log, "rotated", who, key, replaces=replaced)
        return IssuedKey(text=text, key=key, replaced=replaced)

    def revoke(self, who: str, key_id: str) -> StoredKey:
        """End a key at once and permanently. If it is revoked already, change and log nothing.

        Args: key_id = the id, or the whole key (useful for a key that leaked).
        Raises: UnknownKey; StoreUnavailable.
        """
        now = self._now()
        key = self._keys.end(_id_in(key_id), revoked_at=now)
        if key.revoked_at == now:
            note_key(self._log, "revoked", who, key)
        return key

    def listed(self, every: bool = False) -> tuple[StoredKey, ...]:
        """List the keys that work now, oldest first. every: whether to include ended keys."""
        now = self._now()
        return tuple(k for k in self._keys.all()[1] if every or state_of(k, now) in _WORKING)


def key_body(key: StoredKey, now: datetime) -> dict[str, Any]:
    """Convert a key to JSON values: its state at `now`, and every field except the digest."""
    fields = msgspec.to_builtins(replace(key, digest=b""), order="deterministic")
    del fields["digest"]
    return {"key_id": key.key_id, "name": key.name, "state": state_of(key, now), **fields}


def note_key(
    log: AuditLog,
    deed: Literal["created", "rotated", "revoked"],
    who: str,
    key: StoredKey,
    *,
    replaces: StoredKey | None = None,
) -> LogEntry:
    """Log a change such as `key.created`, without secrets. replaces: the old key of a rotation."""
    what = {
        "key_id": key.key_id,
        "name": key.name,
        "scopes": ", ".join(sorted(key.scopes)),
        "publishers": "all" if key.publishers is None else ", ".join(sorted(key.publishers)),
    }
    if key.rate_limit is not None:
        what["rate_limit"] = str(key.rate_limit)
    if key.expires_at is not None:
        what["expires_at"] = key.expires_at.isoformat()
    if key.revoked_at is not None:
        what["revoked_at"] = key.revoked_at.isoformat()
    if replaces is not None:
        what["replaces"] = replaces.key_id
        if replaces.expires_at is not None:
            what["replaced_ends_at"] = replaces.expires_at.isoformat()
    return log.append(f"key.{deed}", who, what)


def _id_in(text: str) -> str:
    """Return the id in a whole key (no message may repeat its secret); return an id unchanged."""
    return text[api_keys.ID_PART] if text.startswith(api_keys.PREFIX) else text


def _raise_if(faults: list[Fault]) -> None:
    if faults:
        raise InvalidInput(faults, "the key")
