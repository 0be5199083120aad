"""Forgetting a person in a Redis store: one write takes the address out of groups and history."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from groups.chain import ChainDigester
from groups.delta import Delta, forgetting
from groups.errors import WouldBeEmpty
from groups.member_set import Digester
from groups.model import Consent, ForgetResult, GroupChange
from groups.redis import history as past
from groups.redis import packed
from groups.redis import reads as reads
from groups.redis.packed import HeadField
from groups.redis.writes import CommandBatch, GroupState
from groups.storage.redis_server import RedisServer

_GROUPS_AT_ONCE = 50


@dataclass(frozen=True, slots=True)
class ForgetRequestData:
    """Whom to forget: `gone`, in history from then on `digest`; `instead` has a place left empty."""

    publisher: str
    gone: str
    instead: tuple[str, ...]
    digest: str

    @classmethod
    def read(
        cls, publisher: str, address: str, replacement: str | None, digester: Digester
    ) -> "ForgetRequestData":
        """Read what was asked. Raises: InvalidEmails."""
        gone, instead = forgetting(address, replacement)
        return cls(publisher, gone, instead, digester.forgotten(gone))


@dataclass(frozen=True, slots=True)
class AddressUses:
    """Where the address stands, as of `head` and of the `erased` count of the publisher's head."""

    head: HeadField
    erased: bytes | None
    groups: Sequence[GroupState]
    noted: Sequence[GroupState]
    history: Sequence[GroupChange]
    told: ForgetResult


def find(server: RedisServer, asked: ForgetRequestData) -> AddressUses:
    """Look for the address in every group and in all of history."""
    publisher, gone = asked.publisher, asked.gone
    head, erased = server.call("HMGET", server.keys.head(publisher), "groups", "erased")
    last = packed.head(head)
    every = list(_every_group(server, publisher))
    listed = [one for one in every if gone in one.members]
    changes = past.changes(server, publisher, range(1, last.revision + 1))
    history = [one for one in changes if _names(one, gone)]
    told = ForgetResult(
        publisher=publisher,
        groups=tuple(one.group.group_id for one in listed),
        emptied=tuple(one.group.group_id for one in listed if one.group.member_count == 1),
        history=sum(gone in one.added or gone in one.removed for one in history),
    )
    noted = [one for one in every if _noted(one.group.consent, gone)]
    return AddressUses(last, erased, listed, noted, history, told)


def write(
    server: RedisServer,
    asked: ForgetRequestData,
    found: AddressUses,
    actor: str,
    links: ChainDigester,
) -> CommandBatch:
    """Make the write that forgets. Raises: WouldBeEmpty."""
    publisher = asked.publisher
    if found.told.emptied and not asked.instead:
        raise WouldBeEmpty([f"{publisher}/{one}" for one in found.told.emptied])
    made = CommandBatch(server.keys, publisher, found.head, server.clock(), links)
    for stored in found.groups:
        emptied = stored.group.group_id in found.told.emptied
        made.edit(stored, Delta(asked.instead if emptied else (), (asked.gone,)), actor)
    for stored in found.noted:
        group = made.groups.get(stored.group.group_id, stored.group)
        consent = _scrubbed(group.consent, asked)
        made.put_group(replace(group, consent=consent))
    for change in (*found.history, *made.changes):
        made.rewrite(_forgotten(change, asked))
    return made


def commit(server: RedisServer, found: AddressUses, made: CommandBatch) -> bool:
    """Save the write; False when another write, or another forgetting, came first."""
    before = packed.packed_head(found.head) if found.head.revision else None
    erased = b"%d" % (int(found.erased or b"0") + 1)
    saved = server.commit(
        made.publisher,
        {"erased": found.erased, "groups": before},
        {"erased": erased, "groups": packed.packed_head(made.head)},
        made.commands,
    )
    return saved or (bool(made.changes) and reads.was_saved(server, made))


def done(asked: ForgetRequestData, found: AddressUses, made: CommandBatch) -> ForgetResult:
    """Say what the write did; the groups left are in history too."""
    left = sum(asked.gone in one.removed for one in made.changes)
    return replace(found.told, history=found.told.history + left)


def _every_group(server: RedisServer, publisher: str) -> Sequence[GroupState]:
    ids = reads.group_ids(server, publisher)
    return [
        stored
        for begin in range(0, len(ids), _GROUPS_AT_ONCE)
        for stored in reads.stored_of(
            server, publisher, ids[begin : begin + _GROUPS_AT_ONCE]
        ).values()
    ]


def _names(change: GroupChange, address: str) -> bool:
    return address in change.added or address in change.removed or _noted(change.consent, address)


def _noted(note: Consent | None, address: str) -> bool:
    return note is not None and (address in note.confirmed_by or address in note.text)


def _forgotten(change: GroupChange, asked: ForgetRequestData) -> GroupChange:
    def other(some: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(asked.digest if one == asked.gone else one for one in some)

    return replace(
        change,
        added=other(change.added),
        removed=other(change.removed),
        consent=_scrubbed(change.consent, asked),
    )


def _scrubbed(note: Consent | None, asked: ForgetRequestData) -> Consent | None:
    if note is None:
        return None
    by = note.confirmed_by.replace(asked.gone, asked.digest)
    return replace(note, confirmed_by=by, text=note.text.replace(asked.gone, asked.digest))
