"""Forget a person in a Redis store: one write removes the address from groups and history."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from groups.chain import ChainDigester
from groups.delta import Delta, Forgetting
from groups.model import Consent, ForgetResult, GroupChange
from groups.redis import history as past
from groups.redis import reads
from groups.redis.writes import CommandBatch, GroupState
from groups.storage.redis_chain import HeadField, head_of
from groups.storage.redis_server import RedisServer

_CHUNK = 50


@dataclass(frozen=True, slots=True)
class AddressUses:
    """Where an address occurs in a publisher's data.

    head, erased: values of the publisher's head when this was read; they detect later writes.
    groups: list the address. noted: groups whose consent note names it. history: writes that name it.
    """

    head: HeadField
    erased: bytes | None
    groups: Sequence[GroupState]
    noted: Sequence[GroupState]
    history: Sequence[GroupChange]
    result: ForgetResult


def find(server: RedisServer, request: Forgetting) -> AddressUses:
    """Find the address in every group and in all of history."""
    publisher, address = request.publisher, request.address
    head, erased = server.call("HMGET", server.keys.head(publisher), "groups", "erased")
    last = head_of(head)
    every = list(_every_group(server, publisher))
    listing = [state for state in every if address in state.members]
    changes = past.changes(server, publisher, range(1, last.revision + 1))
    history = [change for change in changes if _names(change, address)]
    result = ForgetResult(
        publisher=publisher,
        groups=tuple(state.group.group_id for state in listing),
        emptied=tuple(state.group.group_id for state in listing if state.group.member_count == 1),
        history=sum(address in change.added or address in change.removed for change in history),
    )
    noted = [state for state in every if _is_noted(state.group.consent, address)]
    return AddressUses(last, erased, listing, noted, history, result)


def forgotten(
    server: RedisServer,
    request: Forgetting,
    uses: AddressUses,
    actor: str,
    digester: ChainDigester,
) -> ForgetResult | None:
    """Save the write that forgets; None if another was saved first. Raises: WouldBeEmpty."""
    batch = CommandBatch(server.keys, request.publisher, uses.head, server.clock(), digester)
    for state in uses.groups:
        joining = request.joining(state.group.group_id, uses.result.emptied)
        batch.edit(state, Delta(joining, (request.address,)), actor)
    for state in uses.noted:
        group = batch.groups.get(state.group.group_id, state.group)
        batch.put_group(replace(group, consent=_scrubbed(group.consent, request)))
    for change in (*uses.history, *batch.changes):
        batch.rewrite(_forgotten(change, request))
    if batch.commands:
        erased = uses.erased, b"%d" % (int(uses.erased or b"0") + 1)
        chain = past.chain(server, request.publisher)
        if not chain.save(uses.head, batch.head, batch.commands, {"erased": erased}):
            return None
    left = len(uses.groups)  # the writes that removed the person from groups are in history too
    return replace(uses.result, history=uses.result.history + left)


def _every_group(server: RedisServer, publisher: str) -> Sequence[GroupState]:
    ids, states = reads.group_ids(server, publisher), list[GroupState]()
    for begin in range(0, len(ids), _CHUNK):
        _, known = reads.states(server, publisher, ids[begin : begin + _CHUNK])
        states += known.values()
    return states


def _names(change: GroupChange, address: str) -> bool:
    return (
        address in change.added or address in change.removed or _is_noted(change.consent, address)
    )


def _is_noted(note: Consent | None, address: str) -> bool:
    return note is not None and (address in note.confirmed_by or address in note.text)


def _forgotten(change: GroupChange, request: Forgetting) -> GroupChange:
    def replaced(addresses: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(
            request.digest if address == request.address else address for address in addresses
        )

    return replace(
        change,
        added=replaced(change.added),
        removed=replaced(change.removed),
        consent=_scrubbed(change.consent, request),
    )


def _scrubbed(note: Consent | None, request: Forgetting) -> Consent | None:
    if note is None:
        return None
    address, digest = request.address, request.digest
    confirmed_by = note.confirmed_by.replace(address, digest)
    return replace(note, confirmed_by=confirmed_by, text=note.text.replace(address, digest))
