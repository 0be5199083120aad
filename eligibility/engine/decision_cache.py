"""Cache of decisions and their JSON. The key contains what the rules use of a query."""

from msgspec import UNSET, structs

from eligibility.access import wire
from eligibility.access.model import Decision
from eligibility.access.redaction import unnamed
from eligibility.formats.lru_cache import LruCache


class DecisionBody(bytes):
    """Bytes of an answer. decision: without its stamp. member: whether the account is in a group."""

    decision: Decision
    member: bool

    # By identity, because equal bytes may encode different decisions.
    __hash__ = object.__hash__

    @classmethod
    def of(cls, body: bytes, decision: Decision, member: bool) -> "DecisionBody":
        """Attach the decision and the membership to the bytes of an answer."""
        answer = cls(body)
        answer.decision, answer.member = decision, member
        return answer


MOST_DECISIONS = 65_536

CacheKey = tuple[object, ...]


class CachedDecision:
    """A decision without trace and stamp, and its JSON with and without names of groups."""

    __slots__ = ("_sealed", "_unnamed", "_verdict", "decision", "member")

    def __init__(self, decision: Decision, member: bool) -> None:
        self.decision, self.member = structs.replace(decision, trace=UNSET), member
        self._verdict = wire.encoded_verdict(self.decision)
        self._unnamed = b""  # encoded at first use
        # The last stamp with its answer; one tuple, so that threads never see only half of it.
        self._sealed = b"", self.answer(b"")

    def json(self, stamp: bytes) -> DecisionBody:
        """Complete the JSON with a stamp. Cached for the last stamp."""
        last, sealed = self._sealed
        if last is not stamp:
            sealed = self.answer(self._verdict + stamp)
            self._sealed = stamp, sealed
        return sealed

    def unnamed_json(self, stamp: bytes) -> DecisionBody:
        """Complete the JSON without names of groups, for callers who may not read groups."""
        if not self._unnamed:
            self._unnamed = wire.encoded_verdict(unnamed(self.decision))
        return self.answer(self._unnamed + stamp)

    def answer(self, body: bytes) -> DecisionBody:
        """Attach this decision to the bytes of an answer."""
        return DecisionBody.of(body, self.decision, self.member)


class DecisionCache:
    """Decisions on one product, valid at times in [holds_from, holds_until), seconds since the epoch."""

    __slots__ = ("holds_from", "holds_until", "known")

    def __init__(self, holds_from: float = 0.0, holds_until: float = 0.0) -> None:
        self.holds_from = holds_from
        self.holds_until = holds_until
        self.known: LruCache[CacheKey, CachedDecision] = LruCache(MOST_DECISIONS)
