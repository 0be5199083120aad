"""What every backend does alike with a stored key: how it ends, in which order keys come, as bytes."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from enum import StrEnum

import msgspec

from eligibility.callers.store import StoredKey
from groups.moments import from_us


class KeyState(StrEnum):
    """What a key is good for. `ending`: it works and has been replaced by another."""

    ACTIVE = "active"
    ENDING = "ending"
    EXPIRED = "expired"
    REVOKED = "revoked"


_encoder = msgspec.json.Encoder(order="deterministic")
_decoder = msgspec.json.Decoder(StoredKey)


def state_of(key: StoredKey, now: datetime) -> KeyState:
    """The state of a key at a moment; it has expired from the very instant `expires_at` on."""
    if key.revoked_at is not None:
        return KeyState.REVOKED
    if key.expires_at is not None and key.expires_at <= now:
        return KeyState.EXPIRED
    return KeyState.ACTIVE if key.replaced_by is None else KeyState.ENDING


def ended(
    key: StoredKey, *, revoked_at: datetime | None = None, expires_at: datetime | None = None
) -> StoredKey:
    """The key, ended at the moments given or, where it was, earlier."""
    return replace(
        key,
        revoked_at=_earlier(key.revoked_at, revoked_at),
        expires_at=_earlier(key.expires_at, expires_at),
    )


def oldest_first(keys: Iterable[StoredKey]) -> tuple[StoredKey, ...]:
    """Keys by when they were made; those of one instant by id."""
    return tuple(sorted(keys, key=lambda key: (key.created_at, key.key_id)))


def packed(key: StoredKey) -> bytes:
    """A key as JSON, without its last use, which is kept beside it and changes on its own."""
    return _encoder.encode(replace(key, last_used_at=None))


def unpacked(body: bytes | str, last_used_us: int | None) -> StoredKey:
    """Give what `packed` made, with the last use in microseconds since 1970, as groups.moments has it."""
    key = _decoder.decode(body)
    return key if last_used_us is None else replace(key, last_used_at=from_us(last_used_us))


def _earlier(one: datetime | None, other: datetime | None) -> datetime | None:
    given = [moment for moment in (one, other) if moment is not None]
    return min(given, default=None)
