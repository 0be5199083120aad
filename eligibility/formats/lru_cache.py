"""A cache of bounded size that keeps what was used lately."""

from typing import Generic, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


class LruCache(Generic[Key, Value]):
    """Keep at most `most` entries; what was not used for long goes first. None is no value.

    Entries are in two generations. When the recent one is full it becomes the older one, and what
    was the older one until then goes. So whatever was among the last `most / 2` different keys
    used is kept. A hit in `recent` costs one look into a dict and writes nothing
    (docs/decisions.md 0029). Safe to use from many threads: at worst an entry is lost.
    """

    __slots__ = ("_half", "_older", "recent")

    def __init__(self, most: int) -> None:
        self._half = max(1, most // 2)
        self._older: dict[Key, Value] = {}
        self.recent: dict[Key, Value] = {}
        """The recent generation, for a hot path: look here first, and then in `get`.

        It stays the same dict for ever, so that its methods may be bound once.
        """

    def get(self, key: Key) -> Value | None:
        """Give what is kept under a key; None where there is nothing."""
        value = self.recent.get(key)
        if value is None:
            value = self._older.get(key)
            if value is not None:
                self.put(key, value)
        return value

    def put(self, key: Key, value: Value) -> None:
        """Keep a value, as the one used last."""
        self._make_room(key)
        self.recent[key] = value

    def _make_room(self, key: Key) -> None:
        if len(self.recent) >= self._half and key not in self.recent:
            self._older = self.recent.copy()
            self.recent.clear()

    def __len__(self) -> int:
        """How many entries are kept; one that is in both generations counts twice."""
        return len(self.recent) + len(self._older)

    def setdefault(self, key: Key, value: Value) -> Value:
        """Keep a value unless there is one; give the one that is kept, the same to every thread."""
        kept = self.get(key)
        if kept is None:
            self._make_room(key)
            kept = self.recent.setdefault(key, value)
        return kept

    def clear(self) -> None:
        """Forget everything."""
        self._older = {}
        self.recent.clear()
