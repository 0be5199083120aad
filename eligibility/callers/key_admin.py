"""Making, revoking and rotating API keys: what the command line and HTTP offer, by the same rules."""

import re
import unicodedata
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Literal

import msgspec

from eligibility.access import wire
from eligibility.audit.log import AuditLog, LogEntry
from eligibility.callers import api_keys
from eligibility.callers.errors import UnknownKey
from eligibility.callers.model import Scope, scopes_of
from eligibility.callers.store import KeyStore, StoredKey
from eligibility.callers.stored_key import KeyState, state_of
from eligibility.errors import Fault, InvalidInput
from eligibility.formats.strict_struct import shown
from groups.errors import InvalidGroup
from groups.model import check_publisher

LONGEST_NAME = 64
HIGHEST_RATE_LIMIT = 1_000_000
DEFAULT_OVERLAP = "24h"

_DURATION = re.compile(r"([0-9]{1,6})([mhd])")
_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
_ENDED = {
    KeyState.REVOKED: "was revoked",
    KeyState.EXPIRED: "has expired",
    KeyState.ENDING: "was rotated already",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedKey:
    """A new key. text: the key itself, had here and never again. replaced: the one it was made for."""

    text: str = field(repr=False)
    key: StoredKey
    replaced: StoredKey | None = None


def create(
    store: KeyStore,
    now: datetime,
    *,
    name: str,
    scopes: Collection[str],
    publishers: Collection[str] | None,
    created_by: str,
    expires: str | None = None,
    rate_limit: int | None = None,
) -> IssuedKey:
    """Make a key and keep it.

    Args: publishers = None for all of them, also those yet to come; expires = a duration from now
        (`90d`, `12h`, `30m`) or a moment, None = never; rate_limit = requests a second of one process.
    Raises: InvalidInput naming every fault; StoreUnavailable.
    """
    faults: list[Fault] = []
    text, key = api_keys.make(
        name=_name(name, faults),
        scopes=_scopes(scopes, faults),
        publishers=_publishers(publishers, faults),
        rate_limit=_rate_limit(rate_limit, faults),
        expires_at=_end(expires, now, faults),
        created_at=now,
        created_by=created_by,
    )
    _refuse(faults)
    store.add(key)
    return IssuedKey(text=text, key=key)


def rotate(
    store: KeyStore,
    now: datetime,
    key_id: str,
    *,
    created_by: str,
    overlap: str = DEFAULT_OVERLAP,
    expires: str | None = None,
) -> IssuedKey:
    """Make a key in place of another, for the same; the other ends after the overlap, or before.

    Args: overlap = a duration, `0` = ends at once; expires = as of `create`, None = the new key
        lives as long as the old one was to.
    Raises: UnknownKey; InvalidInput, also for a key that has ended or was rotated; StoreUnavailable.
    """
    old = _found(store, _id_in(key_id))
    faults: list[Fault] = []
    state = state_of(old, now)
    if state is not KeyState.ACTIVE:
        other = (
            f": rotate `{old.replaced_by}`" if state is KeyState.ENDING else ": create a new one"
        )
        faults.append(Fault("key_id", "KEY_ENDED", f"`{old.key_id}` {_ENDED[state]}{other}"))
    old_ends_at = now + _overlap(overlap, faults)
    ends_at = _end(expires, now, faults)
    if expires is None and old.expires_at is not None:
        ends_at = now + (old.expires_at - old.created_at)
    _refuse(faults)
    text, key = api_keys.make(
        name=old.name,
        scopes=old.scopes,
        publishers=old.publishers,
        rate_limit=old.rate_limit,
        expires_at=ends_at,
        created_at=now,
        created_by=created_by,
    )
    return IssuedKey(
        text=text, key=key, replaced=store.replace(old.key_id, key, expires_at=old_ends_at)
    )


def revoke(store: KeyStore, now: datetime, key_id: str) -> StoredKey:
    """End a key at once and for good; one revoked before stays so.

    Args: key_id = the id, or a key itself, as when one was found where it should not be.
    Raises: UnknownKey; StoreUnavailable.
    """
    return store.end(_id_in(key_id), revoked_at=now)


def in_force(store: KeyStore, now: datetime) -> tuple[StoredKey, ...]:
    """The keys that work now, the oldest first; `store.all()` gives the others too."""
    working = (KeyState.ACTIVE, KeyState.ENDING)
    return tuple(key for key in store.all()[1] if state_of(key, now) in working)


def told(key: StoredKey, now: datetime) -> dict[str, Any]:
    """What may be told of a key, to be printed as JSON: all but its digest, and its state at `now`."""
    facts = msgspec.to_builtins(replace(key, digest=b""), order="deterministic")
    del facts["digest"]
    return {"key_id": key.key_id, "name": key.name, "state": state_of(key, now), **facts}


def _id_in(text: str) -> str:
    """The id of a key named by id or by the key itself, whose secret no message must repeat."""
    return text[api_keys.ID_PART] if text.startswith(api_keys.PREFIX) else text


def _found(store: KeyStore, key_id: str) -> StoredKey:
    found = store.get(key_id)
    if found is None:
        raise UnknownKey(key_id)
    return found


def _refuse(faults: list[Fault]) -> None:
    if faults:
        raise InvalidInput(faults, "the key")


def _name(name: str, faults: list[Fault]) -> str:
    trimmed = unicodedata.normalize("NFC", name.strip())
    if not 1 <= len(trimmed) <= LONGEST_NAME or not trimmed.isprintable() or "@" in trimmed:
        detail = (
            f"`{shown(name)}` is no name of a key: 1 to {LONGEST_NAME} printable characters, as in"
            " store-backend; no address, for names stand in logs"
        )
        faults.append(Fault("name", "INVALID_NAME", detail))
    return trimmed


def _scopes(names: Collection[str], faults: list[Fault]) -> frozenset[Scope]:
    try:
        scopes = scopes_of(names)
    except ValueError as error:
        faults.append(Fault("scopes", "UNKNOWN_SCOPE", str(error)))
        return frozenset()
    if not scopes:
        detail = f"a key has at least one scope; there are {', '.join(Scope)}"
        faults.append(Fault("scopes", "NO_SCOPE", detail))
    return scopes


def _publishers(ids: Collection[str] | None, faults: list[Fault]) -> frozenset[str] | None:
    if ids is None:
        return None
    if not ids:
        detail = "a key is for at least one publisher, by id, or for all"
        faults.append(Fault("publishers", "NO_PUBLISHER", detail))
    for publisher in ids:
        try:
            check_publisher(publisher)
        except InvalidGroup as error:
            faults += [Fault("publishers", one.code, one.detail) for one in error.faults]
    return frozenset(ids)


def _rate_limit(limit: int | None, faults: list[Fault]) -> int | None:
    if limit is not None and not 1 <= limit <= HIGHEST_RATE_LIMIT:
        detail = f"`{limit}` is no rate limit: 1 to {HIGHEST_RATE_LIMIT:,} a second"
        faults.append(Fault("rate_limit", "INVALID_RATE_LIMIT", detail))
    return limit


def _end(expires: str | None, now: datetime, faults: list[Fault]) -> datetime | None:
    if expires is None:
        return None
    length = _duration(expires)
    try:
        end = wire.moment_of(expires, "expires") if length is None else now + length
    except InvalidInput:
        detail = (
            f"`{shown(expires)}` is neither a duration, as in 90d, 12h or 30m, nor a moment, as in"
            " 2027-01-31T00:00:00Z"
        )
        faults.append(Fault("expires", "UNREADABLE_EXPIRY", detail))
        return None
    if end <= now:
        detail = f"`{shown(expires)}` is not after now, {now:%Y-%m-%dT%H:%M:%SZ}"
        faults.append(Fault("expires", "EXPIRY_PAST", detail))
    return end


def _overlap(overlap: str, faults: list[Fault]) -> timedelta:
    length = timedelta() if overlap == "0" else _duration(overlap)
    if length is None:
        detail = f"`{shown(overlap)}` is no duration: as in 24h, 30m or 7d; 0 = at once"
        faults.append(Fault("overlap", "UNREADABLE_DURATION", detail))
        return timedelta()
    return length


def _duration(text: str) -> timedelta | None:
    """`90d`, `12h`, `30m` as a duration; None for anything else."""
    found = _DURATION.fullmatch(text)
    return None if found is None else int(found[1]) * _UNITS[found[2]]


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
    ) -> IssuedKey:
        """See create."""
        issued = create(
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
    ) -> IssuedKey:
        """See rotate."""
        issued = rotate(
            self._keys, self._now(), key_id, created_by=who, overlap=overlap, expires=expires
        )
        note_key(self._log, "rotated", who, issued.key, replaces=issued.replaced)
        return issued

    def revoke(self, who: str, key_id: str) -> StoredKey:
        """See revoke; one that was revoked before is not noted again."""
        now = self._now()
        key = revoke(self._keys, now, key_id)
        if key.revoked_at == now:
            note_key(self._log, "revoked", who, key)
        return key

    def listed(self, every: bool = False) -> tuple[StoredKey, ...]:
        """The keys that work, the oldest first; with `every` those too that have ended."""
        return self._keys.all()[1] if every else in_force(self._keys, self._now())


def note_key(
    log: AuditLog,
    deed: Literal["created", "rotated", "revoked", "ended"],
    who: str,
    key: StoredKey,
    *,
    replaces: StoredKey | None = None,
) -> LogEntry:
    """Note what was done with an API key, as `key.created`; nothing of its secret.

    Args: key = as it is then; replaces = the one that a rotation made it for.
    """
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
