"""A thread-safe cache of bounded size that keeps the entries used most recently."""

from threading import Lock
from typing import Generic, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


class LruCache(Generic[Key, Value]):
    """Keeps at most `most` entries and drops the least recently used. A value must not be None.

    There are two generations of `most / 2` entries. When the recent generation is full, it becomes
    the older generation, and the entries of the former older generation are dropped. So the last
    `most / 2` different keys used are always in the cache. A hit in `recent` costs one dict lookup
    without writing or locking (docs/decisions.md 0029). Safe to use from many threads.
    """

    __slots__ = ("_half", "_older", "_writing", "recent")

    def __init__(self, most: int) -> None:
        self._half = max(1, most // 2)
        self._writing = Lock()
        self._older: dict[Key, Value] = {}
        self.recent: dict[Key, Value] = {}
        """The recent generation. Code that must be fast looks here first, then calls `get`.

        The attribute is never assigned another dict, so callers may store `recent.get`.
        """

    def get(self, key: Key) -> Value | None:
        """Return the value of a key; None if the cache does not contain the key."""
        value = self.recent.get(key)
        if value is None:
            value = self._older.get(key)
            if value is not None:
                value = self.setdefault(key, value)
        return value

    def put(self, key: Key, value: Value) -> None:
        """Store a value as the most recently used."""
        with self._writing:
            self._make_room(key)
            self.recent[key] = value

    def _make_room(self, key: Key) -> None:
        if len(self.recent) >= self._half and key not in self.recent:
            self._older = self.recent.copy()
            self.recent.clear()

    def __len__(self) -> int:
        """Return the number of entries. An entry in both generations counts twice."""
        return len(self.recent) + len(self._older)

    def setdefault(self, key: Key, value: Value) -> Value:
        """Store a value if the key has none; return the stored value, the same to every thread."""
        with self._writing:
            older = self._older.get(key)
            self._make_room(key)
            return self.recent.setdefault(key, value if older is None else older)

    def clear(self) -> None:
        """Delete all entries."""
        with self._writing:
            self._older = {}
            self.recent.clear()
