"""Reads the present groups and members for RedisGroupStore."""

from collections.abc import Sequence

from groups.delta import check_revision
from groups.errors import StoreUnavailable, UnknownGroup
from groups.model import Group, name_key, storable
from groups.redis import packed
from groups.redis.writes import GroupState
from groups.storage.redis_chain import HeadField, head_of
from groups.storage.redis_server import Command, RedisServer


def group(server: RedisServer, publisher: str, group_id: str) -> Group:
    """Read one group. Raises: UnknownGroup."""
    saved = server.call("HGET", server.keys.groups(publisher), storable(group_id))
    if saved is None:
        raise UnknownGroup(publisher, group_id)
    return packed.group(publisher, group_id, saved)


def groups_after(server: RedisServer, publisher: str, cursor: str, count: int) -> list[Group]:
    """Read at most `count` groups whose ids come after the cursor."""
    ids = server.ids_after(server.keys.group_ids(publisher), cursor, count)
    saved = server.call("HMGET", server.keys.groups(publisher), *ids) if ids else []
    return [
        packed.group(publisher, group_id, body) for group_id, body in zip(ids, saved, strict=True)
    ]


def group_ids(server: RedisServer, publisher: str) -> list[str]:
    """List all group ids of a publisher, sorted."""
    key = server.keys.group_ids(publisher)
    return [group_id.decode() for group_id in server.call("ZRANGE", key, "0", "-1")]


def taken(server: RedisServer, publisher: str, group_id: str, name: str) -> str | None:
    """Return the id or name that an existing group already has, preferably the id; else None."""
    groups, names = server.keys.groups(publisher), server.keys.group_names(publisher)
    same_id, same_name = server.read([("HGET", groups, group_id), ("HGET", names, name_key(name))])
    if same_id is not None:
        return group_id
    return None if same_name is None else group(server, publisher, same_name.decode()).name


def state(
    server: RedisServer, publisher: str, group_id: str, if_revision: int | None = None
) -> tuple[HeadField, GroupState]:
    """Read the last write and a group, at the same time. Raises: UnknownGroup, RevisionMismatch."""
    head, known = existing(server, publisher, [group_id])
    check_revision(known[group_id].group, if_revision)
    return head, known[group_id]


def existing(
    server: RedisServer, publisher: str, group_ids: Sequence[str]
) -> tuple[HeadField, dict[str, GroupState]]:
    """Read groups like `states`. Raises: UnknownGroup if one of them does not exist."""
    head, known = states(server, publisher, group_ids)
    for group_id in group_ids:
        if group_id not in known:
            raise UnknownGroup(publisher, group_id)
    return head, known


def states(
    server: RedisServer, publisher: str, group_ids: Sequence[str]
) -> tuple[HeadField, dict[str, GroupState]]:
    """Read the last write, and those of the groups that exist with their members, at the same time."""
    keys, encoded_ids = server.keys, [storable(group_id) for group_id in group_ids]
    commands: list[Command] = [("HGET", keys.head(publisher), "groups")]
    commands += [("HGET", keys.groups(publisher), group_id) for group_id in encoded_ids]
    commands += [("GET", keys.members(publisher, group_id)) for group_id in encoded_ids]
    head, *rest = server.read(commands)
    groups, members = rest[: len(encoded_ids)], rest[len(encoded_ids) :]
    known: dict[str, GroupState] = {}
    for group_id, body, addresses in zip(group_ids, groups, members, strict=True):
        if body is None:
            continue
        if addresses is None:
            raise StoreUnavailable.lost(f"members of group `{group_id}` of `{publisher}`")
        group = packed.group(publisher, group_id, body)
        known[group_id] = GroupState(group, packed.unpacked(addresses))
    return head_of(head), known
