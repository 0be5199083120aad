"""Decisions made before: kept with their JSON, found by what the rules see of a query."""

from msgspec import UNSET, structs

from eligibility import wire
from eligibility.model import Decision

_LIMIT = 65_536

Key = tuple[object, ...]


class Known:
    """A decision without trace and stamp, and its JSON."""

    __slots__ = ("_verdict", "decision", "sealed")

    def __init__(self, decision: Decision) -> None:
        self.decision = structs.replace(decision, trace=UNSET)
        self._verdict = wire.encoded_verdict(self.decision)
        self.sealed = (b"", b"")
        """The last stamp and the JSON it made; one attribute, so that threads never see half."""

    def json(self, stamp: bytes) -> bytes:
        """The JSON with that stamp at its end; look at `sealed` first, for most stamps are the same."""
        sealed = self._verdict + stamp
        self.sealed = stamp, sealed
        return sealed


class Memo:
    """Decisions of one product for moments in [holds_from, holds_until), in seconds.

    read: by a query as it was read; sent: by a query as it was sent, which spares the reading.
    When there are too many of either, it begins anew.
    """

    __slots__ = ("holds_from", "holds_until", "read", "sent")

    def __init__(self, holds_from: float = 0.0, holds_until: float = 0.0) -> None:
        self.holds_from = holds_from
        self.holds_until = holds_until
        self.read: dict[Key, Known] = {}
        self.sent: dict[Key, Known] = {}

    def keep_read(self, key: Key, known: Known) -> None:
        """Remember the decision on a query as it was read."""
        if len(self.read) >= _LIMIT:
            self.read = {}
        self.read[key] = known

    def keep_sent(self, key: Key, known: Known) -> None:
        """Remember the decision on a query as it was sent."""
        if len(self.sent) >= _LIMIT:
            self.sent = {}
        self.sent[key] = known
