"""The audit trail of a publisher's groups in a Redis server."""

from collections.abc import Callable, Iterator

from groups.chain import UNREADABLE, ChainDigester, ChainExtent, ChainHead, Damage
from groups.model import GroupChange
from groups.redis import packed
from groups.storage.redis_server import RedisServer

_AT_ONCE = 200


class RedisTrail:
    """See Trail for what the methods promise."""

    def __init__(
        self, server: RedisServer, publisher: str, links: Callable[[], ChainDigester]
    ) -> None:
        self._server, self._publisher, self._links = server, publisher, links

    def kept(self) -> ChainExtent:
        """See Trail."""
        keys, publisher = self._server.keys, self._publisher
        return kept(self._server, keys.head(publisher), "groups", keys.edits(publisher))

    def entries(self, first: int, last: int) -> Iterator[GroupChange | Damage]:
        """See Trail."""
        key = self._server.keys.edits(self._publisher)
        for revision, saved in saved_entries(self._server, key, first, last):
            try:
                yield packed.change(self._publisher, revision, saved) if saved else "missing"
            except UNREADABLE:
                yield "unreadable"

    def expected(self, before: str, entry: GroupChange) -> str:
        """See Trail."""
        return self._links().of_recorded(before, entry)


def kept(server: RedisServer, head: str, field: str, entries: str) -> ChainExtent:
    """Give where a chain ends by a field of a head, and how many entries a hash of one slot has."""
    last, number = server.read([("HGET", head, field), ("HLEN", entries)])
    try:
        read = packed.head(last)
    except UNREADABLE:
        return ChainExtent(ChainHead(), number)
    return ChainExtent(ChainHead(read.revision, read.chain.hex()), number)


def saved_entries(
    server: RedisServer, key: str, first: int, last: int
) -> Iterator[tuple[int, bytes | None]]:
    """Give what a hash has under the revisions from `first` to `last`; None for nothing."""
    for begin in range(first, last + 1, _AT_ONCE):
        revisions = range(begin, min(begin + _AT_ONCE, last + 1))
        yield from zip(revisions, server.call("HMGET", key, *map(str, revisions)), strict=True)
