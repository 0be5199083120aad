"""What RedisGroupStore reads of the present."""

from collections.abc import Sequence

from groups.errors import RevisionMismatch, UnknownGroup
from groups.model import Group, name_key, storable
from groups.redis import packed
from groups.redis.packed import HeadField
from groups.redis.writes import CommandBatch, GroupState
from groups.storage.redis_server import Command, RedisServer


def group(server: RedisServer, publisher: str, group_id: str) -> Group:
    """Give one group. Raises: UnknownGroup."""
    found = server.call("HGET", server.keys.groups(publisher), storable(group_id))
    if found is None:
        raise UnknownGroup(publisher, group_id)
    return packed.group(publisher, group_id, found)


def groups_after(server: RedisServer, publisher: str, cursor: str, count: int) -> list[Group]:
    """Give up to that many groups whose ids come after the cursor."""
    begin = f"({storable(cursor)}" if cursor else "-"
    key = server.keys.group_ids(publisher)
    ids = server.call("ZRANGEBYLEX", key, begin, "+", "LIMIT", "0", str(count))
    found = server.call("HMGET", server.keys.groups(publisher), *ids) if ids else []
    return [
        packed.group(publisher, one.decode(), saved) for one, saved in zip(ids, found, strict=True)
    ]


def group_ids(server: RedisServer, publisher: str) -> list[str]:
    """Give all group ids of a publisher, in order."""
    key = server.keys.group_ids(publisher)
    return [one.decode() for one in server.call("ZRANGE", key, "0", "-1")]


def publishers(server: RedisServer) -> tuple[str, ...]:
    """Give every publisher with a group, in order."""
    known = ever_written(server)
    asked: list[Command] = [("HGET", server.keys.head(one), "groups") for one in known]
    heads = server.read_apart(asked)
    return tuple(one for one, head in zip(known, heads, strict=True) if head is not None)


def ever_written(server: RedisServer) -> tuple[str, ...]:
    """Give every publisher that ever began to write, in order."""
    return tuple(sorted(one.decode() for one in server.call("SMEMBERS", server.keys.publishers)))


def taken(server: RedisServer, publisher: str, group_id: str, name: str) -> str | None:
    """Give the id, or else the name, that a group has already; None when both are free."""
    groups, names = server.keys.groups(publisher), server.keys.group_names(publisher)
    same_id, same_name = server.read([("HGET", groups, group_id), ("HGET", names, name_key(name))])
    if same_id is not None:
        return group_id
    return None if same_name is None else group(server, publisher, same_name.decode()).name


def stored(
    server: RedisServer, publisher: str, group_id: str, if_revision: int | None = None
) -> tuple[HeadField, GroupState]:
    """Give a group with its members. Raises: UnknownGroup; RevisionMismatch if it is at another."""
    head, found = _stored(server, publisher, [group_id])
    if group_id not in found:
        raise UnknownGroup(publisher, group_id)
    revision = found[group_id].group.revision
    if if_revision is not None and if_revision != revision:
        raise RevisionMismatch(if_revision, revision)
    return head, found[group_id]


def stored_of(
    server: RedisServer, publisher: str, group_ids: Sequence[str]
) -> dict[str, GroupState]:
    """Give those of some groups that exist, with their members."""
    return _stored(server, publisher, group_ids)[1]


def members_of(
    server: RedisServer, publisher: str, group_ids: Sequence[str]
) -> tuple[HeadField, dict[str, list[str]]]:
    """Give the members of groups as of one moment, and the last write then. Raises: UnknownGroup."""
    head, found = _stored(server, publisher, group_ids)
    for group_id in group_ids:
        if group_id not in found:
            raise UnknownGroup(publisher, group_id)
    return head, {one: list(found[one].members) for one in group_ids}


def saved(server: RedisServer, write: CommandBatch) -> bool:
    """Save a write; False when another came first. Raises: StoreUnavailable."""
    publisher = write.publisher
    if write.before.revision == 0:  # known first, so that nobody's groups are overlooked
        server.call("SADD", server.keys.publishers, publisher)
    before = packed.packed_head(write.before) if write.before.revision else None
    after = packed.packed_head(write.head)
    if server.commit(publisher, {"groups": before}, {"groups": after}, write.commands):
        return True
    return was_saved(server, write)


def was_saved(server: RedisServer, write: CommandBatch) -> bool:
    """Tell whether history has the write: saved, its answer lost, and others written since."""
    revision = write.head.revision
    found = server.call("HGET", server.keys.edits(write.publisher), str(revision))
    if found is None:
        return False
    return packed.change(write.publisher, revision, found).write_id == write.head.write_id


def _stored(
    server: RedisServer, publisher: str, group_ids: Sequence[str]
) -> tuple[HeadField, dict[str, GroupState]]:
    keys, asked = server.keys, [storable(one) for one in group_ids]
    commands: list[Command] = [("HGET", keys.head(publisher), "groups")]
    commands += [("HGET", keys.groups(publisher), one) for one in asked]
    commands += [("GET", keys.members(publisher, one)) for one in asked]
    head, *rest = server.read(commands)
    groups, members = rest[: len(asked)], rest[len(asked) :]
    found: dict[str, GroupState] = {}
    for group_id, known, addresses in zip(group_ids, groups, members, strict=True):
        if known is None:
            continue
        if addresses is None:
            raise packed.missing(f"members of group `{group_id}` of `{publisher}`")
        made = packed.group(publisher, group_id, known)
        found[group_id] = GroupState(made, packed.unpacked(addresses))
    return packed.head(head), found
