"""The format of groups in Redis: addresses compressed (5 bytes each, not 84), and MessagePack."""

import zlib
from collections.abc import Collection
from dataclasses import replace

import msgspec

from groups.errors import StoreUnavailable
from groups.model import Consent, Group, GroupChange, storable
from groups.moments import from_us, to_us

_PLAIN, _COMPRESSED = b"t", b"z"
_WORTH_IT = 200  # compressing fewer bytes saves nothing


class _Group(msgspec.Struct, array_like=True):
    name: str
    member_count: int
    revision: int
    created_us: int
    consent: Consent | None


class _Edit(msgspec.Struct, array_like=True):
    at_us: int
    write_id: str
    group_id: str
    actor: str
    added: bytes
    removed: bytes
    consent: Consent | None
    chain: bytes = b""  # an earlier release wrote no chain


_encode = msgspec.msgpack.Encoder().encode
_group = msgspec.msgpack.Decoder(_Group).decode
_edit = msgspec.msgpack.Decoder(_Edit).decode


def addresses(some: Collection[str]) -> bytes:
    """Pack addresses given in any order."""
    plain = "\n".join(sorted(some)).encode()
    if len(plain) < _WORTH_IT:
        return _PLAIN + plain
    return _COMPRESSED + zlib.compress(plain, 6)


def unpacked(packed: bytes) -> list[str]:
    """Unpack addresses. Return them sorted by code point."""
    kind, data = packed[:1], packed[1:]
    plain = zlib.decompress(data) if kind == _COMPRESSED else data
    return plain.decode().split("\n") if plain else []


def packed_group(group: Group) -> bytes:
    """Pack a group without its ids, because the Redis keys contain them."""
    body = _Group(
        group.name,
        group.member_count,
        group.revision,
        to_us(group.created_at),
        _storable(group.consent),
    )
    return _encode(body)


def group(publisher: str, group_id: str, packed: bytes) -> Group:
    """Unpack a group that `packed_group` packed."""
    read = _group(packed)
    return Group(
        publisher=publisher,
        group_id=group_id,
        name=read.name,
        member_count=read.member_count,
        revision=read.revision,
        created_at=from_us(read.created_us),
        consent=read.consent,
    )


def packed_change(change: GroupChange) -> bytes:
    """Pack a write without its publisher and revision, because the Redis keys contain them."""
    body = _Edit(
        to_us(change.at),
        change.write_id,
        change.group_id,
        storable(change.actor),
        addresses(change.added),
        addresses(change.removed),
        _storable(change.consent),
        bytes.fromhex(change.chain),
    )
    return _encode(body)


def change(publisher: str, revision: int, packed: bytes | None) -> GroupChange:
    """Unpack a write. Raises: StoreUnavailable if it is None, because no write may be missing."""
    if packed is None:
        raise StoreUnavailable.lost(f"revision {revision} of `{publisher}`")
    read = _edit(packed)
    return GroupChange(
        publisher=publisher,
        revision=revision,
        group_id=read.group_id,
        at=from_us(read.at_us),
        actor=read.actor,
        added=tuple(unpacked(read.added)),
        removed=tuple(unpacked(read.removed)),
        consent=read.consent,
        write_id=read.write_id,
        chain=read.chain.hex(),
    )


def _storable(note: Consent | None) -> Consent | None:
    if note is None:
        return None
    return replace(note, confirmed_by=storable(note.confirmed_by), text=storable(note.text))
