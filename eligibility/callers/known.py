"""Tokens verified before, and what they said: no signature is checked twice within minutes."""

import threading
from collections import OrderedDict
from typing import Generic, TypeVar

LIMIT_CHARACTERS = 16_777_216  # of tokens, together: some 16,000 of the usual 1 KiB

Claim = TypeVar("Claim")


class TokenCache(Generic[Claim]):
    """What tokens said, each until a moment; those unused longest go first.

    By the token itself, which Python compares to the last character: a digest would take twice the
    time. `get` takes no lock, so that an event loop never waits for a thread.
    """

    def __init__(self, limit_characters: int = LIMIT_CHARACTERS) -> None:
        self._limit = limit_characters
        self._characters = 0
        self._held: OrderedDict[str, tuple[float, Claim]] = OrderedDict()
        self._lock = threading.Lock()  # of writers

    def get(self, token: str, now: float) -> Claim | None:
        """What the token said; None where it has to be verified."""
        held = self._held.get(token)
        if held is None or now >= held[0]:
            return None
        try:
            self._held.move_to_end(token)
        except KeyError:  # a thread has just let go of it
            return held[1]
        return held[1]

    def keep(self, token: str, until: float, said: Claim) -> None:
        """Remember what a verified token said until a moment, in seconds since 1970."""
        with self._lock:
            if token not in self._held:
                self._characters += len(token)
            self._held[token] = until, said
            self._held.move_to_end(token)
            while self._characters > self._limit:
                self._characters -= len(self._held.popitem(last=False)[0])
