"""KeyStore in the Redis or Valkey server that also has the groups; keys.py lists the Redis keys.

A write reads an API key, changes it by the same rules as in SQLite, and saves it if nobody wrote
meanwhile. A write that is sent twice changes nothing the second time.
"""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from importlib import resources

from eligibility.callers.errors import UnknownKey
from eligibility.callers.redis_keys import CallerKeys
from eligibility.callers.store import KeyStore, StoredKey
from eligibility.callers.stored_key import ended, oldest_first, packed, unpacked
from groups.errors import StoreUnavailable
from groups.model import storable
from groups.moments import to_us
from groups.storage.redis_chain import until_saved
from groups.storage.redis_server import RedisServer

_scripts = resources.files("eligibility.callers") / "lua"
_SAVE = (_scripts / "save_keys.lua").read_text("utf-8")
_NOTE_USE = (_scripts / "note_use.lua").read_text("utf-8")


class RedisKeyStore(KeyStore):
    """Implements KeyStore, which documents the methods."""

    def __init__(self, server: RedisServer) -> None:
        self._server = server
        self._keys = CallerKeys(server.keys)

    def revision(self) -> int:
        return _revision(self._server.call("GET", self._keys.head))

    def all(self) -> tuple[int, tuple[StoredKey, ...]]:
        keys = self._keys
        head, bodies, uses = self._server.read(
            [("GET", keys.head), ("HGETALL", keys.api_keys), ("HGETALL", keys.used)]
        )
        _check_whole(head, len(bodies))
        used = dict(zip(uses[::2], map(int, uses[1::2]), strict=True))
        read = (
            unpacked(body, used.get(key_id))
            for key_id, body in zip(bodies[::2], bodies[1::2], strict=True)
        )
        return _revision(head), oldest_first(read)

    def get(self, key_id: str) -> StoredKey | None:
        return self._stored(key_id)[1]

    def add(self, key: StoredKey) -> None:
        self._write(key.key_id, lambda present: None if present else (key,))

    def end(
        self, key_id: str, *, revoked_at: datetime | None = None, expires_at: datetime | None = None
    ) -> StoredKey:
        def write(present: StoredKey | None) -> tuple[StoredKey, ...] | None:
            if present is None:
                raise UnknownKey(key_id)
            after = ended(present, revoked_at=revoked_at, expires_at=expires_at)
            return None if after == present else (after,)

        return self._write(key_id, write)

    def replace(self, key_id: str, new: StoredKey, *, expires_at: datetime) -> StoredKey:
        def write(present: StoredKey | None) -> tuple[StoredKey, ...] | None:
            if present is None:
                raise UnknownKey(key_id)
            after = replace(ended(present, expires_at=expires_at), replaced_by=new.key_id)
            return None if after == present else (after, new)

        return self._write(key_id, write)

    def note_use(self, used: Mapping[str, datetime]) -> None:
        arguments = [
            argument
            for key_id, at in used.items()
            for argument in (storable(key_id), str(to_us(at)))
        ]
        self._server.call("EVAL", _NOTE_USE, "2", self._keys.api_keys, self._keys.used, *arguments)

    def _write(
        self, key_id: str, write: Callable[[StoredKey | None], tuple[StoredKey, ...] | None]
    ) -> StoredKey:
        """Save what `write` returns: the changed key, then any new key; None = save nothing."""

        def attempt() -> StoredKey | None:
            head, present = self._stored(key_id)
            changed = write(present)
            if changed is None:
                return present  # never None: for a missing key, `write` returns keys or raises
            return changed[0] if self._save(head, changed) else None

        return until_saved(attempt, "the API keys")

    def _stored(self, key_id: str) -> tuple[bytes, StoredKey | None]:
        """Read the head and an API key, at the same time."""
        field = storable(key_id)
        head, count, body, used = self._server.read(
            [
                ("GET", self._keys.head),
                ("HLEN", self._keys.api_keys),
                ("HGET", self._keys.api_keys, field),
                ("HGET", self._keys.used, field),
            ]
        )
        _check_whole(head, count)
        last_used = None if used is None else int(used)
        return head or b"", None if body is None else unpacked(body, last_used)

    def _save(self, head: bytes, keys: tuple[StoredKey, ...]) -> bool:
        """Save changed keys and the next revision. Return False if another write was saved first."""
        after = f"{_revision(head) + 1} {secrets.token_hex(4)}"
        arguments = [argument for key in keys for argument in (key.key_id, packed(key))]
        saved = self._server.call(
            "EVAL", _SAVE, "2", self._keys.head, self._keys.api_keys, head, after, *arguments
        )
        return bool(saved)


def _revision(head: bytes | None) -> int:
    return int(head.split()[0]) if head else 0


def _check_whole(head: bytes | None, count: int) -> None:
    """Raise StoreUnavailable if the server lost the keys or the head, for example by eviction."""
    if bool(head) != bool(count):
        raise StoreUnavailable.lost("API keys" if head else "the revision of the API keys")
