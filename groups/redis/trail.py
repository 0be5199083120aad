"""The audit trail of a publisher's groups in a Redis server."""

from collections.abc import Callable, Iterator

from groups.chain import UNREADABLE, ChainDigester, ChainExtent, Damage
from groups.model import GroupChange
from groups.redis import packed
from groups.storage.redis_chain import RedisChain


class RedisTrail:
    """See Trail for what the methods promise."""

    def __init__(
        self, chain: RedisChain, publisher: str, digester: Callable[[], ChainDigester]
    ) -> None:
        self._chain, self._publisher, self._digester = chain, publisher, digester

    def kept(self) -> ChainExtent:
        """See Trail."""
        return self._chain.extent()

    def entries(self, first: int, last: int) -> Iterator[GroupChange | Damage]:
        """See Trail."""
        for revision, saved in self._chain.entries(range(first, last + 1)):
            try:
                yield packed.change(self._publisher, revision, saved) if saved else "missing"
            except UNREADABLE:
                yield "unreadable"

    def expected(self, before: str, entry: GroupChange) -> str:
        """See Trail."""
        return self._digester().of_recorded(before, entry)
