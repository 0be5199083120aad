"""Builds the writes of RedisGroupStore: commands in a CommandBatch, for RedisChain.save."""

import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from groups import delta as rules
from groups.chain import ChainDigester
from groups.delta import Delta, new_group
from groups.errors import NotEmpty
from groups.model import Consent, EditResult, Group, GroupChange, name_key
from groups.moments import from_us, to_us
from groups.redis import packed
from groups.storage.redis_chain import HeadField
from groups.storage.redis_keys import Keys
from groups.storage.redis_server import Command


@dataclass(frozen=True, slots=True)
class GroupState:
    """A group and its members, read at the same time."""

    group: Group
    members: Collection[str]


@dataclass(slots=True)
class CommandBatch:
    """The commands of one or more writes, to be saved in one step.

    before: the publisher's last write when the groups were read. clock: the present time.
    digester: computes the digests of the audit trail. changes, groups: the writes and groups that the
    commands save. head: the publisher's last write after the commands.
    """

    keys: Keys
    publisher: str
    before: HeadField
    clock: datetime
    digester: ChainDigester
    commands: list[Command] = field(default_factory=list)
    changes: list[GroupChange] = field(default_factory=list)
    groups: dict[str, Group] = field(default_factory=dict)
    head: HeadField = field(init=False)

    def __post_init__(self) -> None:
        self.head = self.before

    @property
    def at(self) -> datetime:
        """The time of the write: now, or the time of the publisher's last write if that is later."""
        return from_us(max(to_us(self.clock), self.before.at_us))

    def create(self, group_id: str, name: str, delta: Delta, actor: str) -> EditResult:
        """Create a group. Raises: GroupSizeOutOfRange."""
        group = new_group(self.publisher, group_id, name, self.at)
        edited = self.edit(GroupState(group, []), delta, actor)
        self._name(group_id, name)
        return edited

    def edit(self, stored: GroupState, delta: Delta, actor: str) -> EditResult:
        """Change the members of a group. Raises: GroupSizeOutOfRange."""
        edited = rules.result(stored.group, delta)
        if not delta:
            return edited
        change = self._next(edited.group_id, actor, added=edited.joined, removed=edited.left)
        group = replace(stored.group, revision=change.revision, member_count=edited.member_count)
        self._save(group, _after(stored.members, change), change)
        return replace(edited, revision=change.revision)

    def note_consent(self, stored: GroupState, consent: Consent, actor: str) -> Group:
        """Store a consent note; do nothing if the group already has the same note."""
        if stored.group.consent == consent:
            return stored.group
        change = self._next(stored.group.group_id, actor, consent=consent)
        noted = replace(stored.group, revision=change.revision, consent=consent)
        self._save(noted, None, change)
        return noted

    def record(
        self, known: dict[str, GroupState], names: Mapping[str, str], change: GroupChange
    ) -> None:
        """Copy a write of another store. Raises: NotEmpty unless it has the next revision."""
        NotEmpty.unless_next(f"publisher `{self.publisher}`", self.head.revision, change.revision)
        stored = known.get(change.group_id)
        if stored is None:
            name = names[change.group_id]
            stored = GroupState(new_group(self.publisher, change.group_id, name, change.at), [])
            self._name(change.group_id, name)
        taken = replace(change, publisher=self.publisher, write_id=secrets.token_hex(4))
        members = _after(stored.members, taken)
        group = replace(
            stored.group,
            revision=taken.revision,
            member_count=len(members),
            consent=taken.consent or stored.group.consent,
        )
        self.head = _head(taken)
        self._save(group, members, taken)
        known[change.group_id] = GroupState(group, members)

    def rewrite(self, change: GroupChange) -> None:
        """Store a write in history; replace any write with the same revision."""
        key = self.keys.edits(self.publisher)
        self.commands.append(("HSET", key, str(change.revision), packed.packed_change(change)))

    def put_group(self, group: Group) -> None:
        """Store a group, without its members."""
        key = self.keys.groups(self.publisher)
        self.groups[group.group_id] = group
        self.commands.append(("HSET", key, group.group_id, packed.packed_group(group)))

    def _next(
        self,
        group_id: str,
        actor: str,
        added: Sequence[str] = (),
        removed: Sequence[str] = (),
        consent: Consent | None = None,
    ) -> GroupChange:
        change = GroupChange(
            publisher=self.publisher,
            revision=self.head.revision + 1,
            group_id=group_id,
            at=self.at,
            actor=actor,
            added=tuple(added),
            removed=tuple(removed),
            consent=consent,
            write_id=secrets.token_hex(4),
        )
        change = replace(change, chain=self.digester.of_change(self.head.chain.hex(), change))
        self.head = _head(change)
        return change

    def _name(self, group_id: str, name: str) -> None:
        self.commands += [
            ("ZADD", self.keys.group_ids(self.publisher), "0", group_id),
            ("HSET", self.keys.group_names(self.publisher), name_key(name), group_id),
        ]

    def _save(self, group: Group, members: Collection[str] | None, change: GroupChange) -> None:
        keys, publisher, group_id = self.keys, self.publisher, group.group_id
        self.put_group(group)
        self.rewrite(change)
        self.changes.append(change)
        self.commands.append(("RPUSH", keys.edits_of(publisher, group_id), str(change.revision)))
        if members is not None:
            saved = packed.addresses(members)
            self.commands.append(("SET", keys.members(publisher, group_id), saved))


def _head(change: GroupChange) -> HeadField:
    return HeadField.of(change.revision, change.at, change.chain, change.write_id)


def _after(members: Collection[str], change: GroupChange) -> Collection[str]:
    return set(members).union(change.added).difference(change.removed)
