"""KeyUses: when keys were last used, to the minute, written to the store once a minute at most."""

import logging
from datetime import UTC, datetime
from math import inf

from eligibility.callers.store import KeyStore
from groups.errors import StoreUnavailable

_MINUTE = 60.0
_log = logging.getLogger("eligibility.keys")


class KeyUses:
    """Last uses of one server process. `last`: key id -> seconds since the epoch; anybody adds to it."""

    def __init__(self, store: KeyStore) -> None:
        self._store = store
        self.last: dict[str, float] = {}
        self._written: dict[str, float] = {}
        self._due = -inf

    def write_once_a_minute(self, now: float) -> None:
        """Write what is new, unless that was done in the same minute; now = seconds since the epoch."""
        if now >= self._due and self.write():
            self._due = _minute(now) + _MINUTE

    def write(self) -> bool:
        """Write what is new, and say whether anything was; a store that is away is left in peace."""
        minutes = {key_id: _minute(at) for key_id, at in self.last.copy().items()}
        news = {one: at for one, at in minutes.items() if at > self._written.get(one, -inf)}
        if not news:
            return False
        try:
            used = {key_id: datetime.fromtimestamp(at, UTC) for key_id, at in news.items()}
            self._store.note_use(used)
        except StoreUnavailable as error:
            _log.warning("when API keys were last used was not noted: %s", error)
        else:
            self._written |= news
        return True


def _minute(seconds: float) -> float:
    return seconds - seconds % _MINUTE
