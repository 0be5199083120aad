"""Functions that all key stores share: end a key, sort keys, and convert keys to and from bytes."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from enum import StrEnum

import msgspec

from eligibility.callers.store import StoredKey
from groups.moments import from_us


class KeyState(StrEnum):
    """Whether a key still works. ENDING: it works until its expiry, and a new key replaces it."""

    ACTIVE = "active"
    ENDING = "ending"
    EXPIRED = "expired"
    REVOKED = "revoked"


_encoder = msgspec.json.Encoder(order="deterministic")
_decoder = msgspec.json.Decoder(StoredKey)


def state_of(key: StoredKey, now: datetime) -> KeyState:
    """Return the state of a key at `now`. At exactly `expires_at` the key has expired already."""
    if key.revoked_at is not None:
        return KeyState.REVOKED
    if key.expires_at is not None and key.expires_at <= now:
        return KeyState.EXPIRED
    return KeyState.ACTIVE if key.replaced_by is None else KeyState.ENDING


def ended(
    key: StoredKey, *, revoked_at: datetime | None = None, expires_at: datetime | None = None
) -> StoredKey:
    """Return the key with these end dates and times; an earlier end that it has already stays."""
    return replace(
        key,
        revoked_at=_earlier(key.revoked_at, revoked_at),
        expires_at=_earlier(key.expires_at, expires_at),
    )


def oldest_first(keys: Iterable[StoredKey]) -> tuple[StoredKey, ...]:
    """Sort keys by the date and time of their creation, then by id."""
    return tuple(sorted(keys, key=lambda key: (key.created_at, key.key_id)))


def packed(key: StoredKey) -> bytes:
    """Convert a key to JSON without `last_used_at`, which the stores save separately."""
    return _encoder.encode(replace(key, last_used_at=None))


def unpacked(body: bytes | str, last_used_us: int | None) -> StoredKey:
    """Convert JSON to a key. Args: last_used_us = its last use in microseconds since 1970."""
    key = _decoder.decode(body)
    return key if last_used_us is None else replace(key, last_used_at=from_us(last_used_us))


def _earlier(first: datetime | None, second: datetime | None) -> datetime | None:
    moments = [moment for moment in (first, second) if moment is not None]
    return min(moments, default=None)
