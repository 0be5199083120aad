"""LruCache: the entries used last, bounded by their number."""

import threading
from collections import OrderedDict
from typing import Generic, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


class LruCache(Generic[Key, Value]):
    """Keeps at most `limit` entries; those unused longest go first. For any number of threads.

    `get` takes no lock, so that an event loop never waits for a thread.
    """

    __slots__ = ("_entries", "_limit", "_lock")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._entries: OrderedDict[Key, Value] = OrderedDict()
        self._lock = threading.Lock()  # of writers

    def __len__(self) -> int:
        """Count the entries."""
        return len(self._entries)

    def get(self, key: Key) -> Value | None:
        """Give what is kept under a key, which counts as a use; None where there is nothing."""
        value = self._entries.get(key)
        if value is not None:
            try:
                self._entries.move_to_end(key)
            except KeyError:  # another thread has just let go of it
                return value
        return value

    def put(self, key: Key, value: Value) -> None:
        """Keep a value, in place of what was there."""
        with self._lock:
            self._entries[key] = value
            self._entries.move_to_end(key)
            if len(self._entries) > self._limit:
                self._entries.popitem(last=False)

    def setdefault(self, key: Key, value: Value) -> Value:
        """Keep a value unless there is one; give the one that is kept."""
        with self._lock:
            kept = self._entries.setdefault(key, value)
            self._entries.move_to_end(key)
            if len(self._entries) > self._limit:
                self._entries.popitem(last=False)
        return kept

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._entries.clear()
