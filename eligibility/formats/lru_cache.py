"""A cache of bounded size that keeps what was used lately."""

from threading import Lock
from typing import Generic, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


class LruCache(Generic[Key, Value]):
    """Keep at most `most` entries; those not used for the longest time go first. None is no value.

    Entries are in two generations. When the recent one is full it becomes the older one, and the
    entries of the former older one go. So whatever was among the last `most / 2` different keys
    used is kept. A hit in `recent` costs one look into a dict, and neither writes nor locks
    (docs/decisions.md 0029). Safe to use from many threads: writers take turns.
    """

    __slots__ = ("_half", "_older", "_writing", "recent")

    def __init__(self, most: int) -> None:
        self._half = max(1, most // 2)
        self._writing = Lock()
        self._older: dict[Key, Value] = {}
        self.recent: dict[Key, Value] = {}
        """The recent generation, for a hot path: look here first, and then in `get`.

        It stays the same dict for ever, so that its methods may be bound once.
        """

    def get(self, key: Key) -> Value | None:
        """Give the value of a key; None where there is none."""
        value = self.recent.get(key)
        if value is None:
            value = self._older.get(key)
            if value is not None:
                value = self.setdefault(key, value)
        return value

    def put(self, key: Key, value: Value) -> None:
        """Keep a value, as the one used last."""
        with self._writing:
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
        with self._writing:
            older = self._older.get(key)
            self._make_room(key)
            return self.recent.setdefault(key, value if older is None else older)

    def clear(self) -> None:
        """Forget everything."""
        with self._writing:
            self._older = {}
            self.recent.clear()
