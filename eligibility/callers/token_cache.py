"""TokenCache: results of verified tokens, so that a repeated token needs no second verification."""

import threading
from collections import OrderedDict
from typing import Generic, TypeVar

LIMIT_CHARACTERS = 16_777_216  # in all cached tokens together: 16,000 tokens of the usual 1 KiB

TokenResult = TypeVar("TokenResult")


class TokenCache(Generic[TokenResult]):
    """Maps verified tokens to their results until these expire; drops the least recently used.

    The limit is in characters, because tokens have 1 to 16 KiB (LruCache limits entries). The dict
    keys are the whole tokens: hashing them first would take twice as long. `get` takes no lock, so
    an event loop never waits for a thread.
    """

    def __init__(self, limit_characters: int = LIMIT_CHARACTERS) -> None:
        self._limit = limit_characters
        self._characters = 0
        self._entries: OrderedDict[str, tuple[float, TokenResult]] = OrderedDict()
        self._lock = threading.Lock()  # taken by `put` only

    def get(self, token: str, now: float) -> TokenResult | None:
        """Return the result of a token; None if the token has to be verified."""
        entry = self._entries.get(token)
        if entry is None or now >= entry[0]:
            return None
        try:
            self._entries.move_to_end(token)
        except KeyError:  # another thread has just dropped the entry, which is still valid
            return entry[1]
        return entry[1]

    def put(self, token: str, until: float, result: TokenResult) -> None:
        """Store the result of a verified token. Args: until = its expiry in seconds since 1970."""
        with self._lock:
            if token not in self._entries:
                self._characters += len(token)
            self._entries[token] = until, result
            self._entries.move_to_end(token)
            while self._characters > self._limit:
                self._characters -= len(self._entries.popitem(last=False)[0])
