"""Keeps decisions with their JSON; each is found by what the rules see of a query."""

from msgspec import UNSET, structs

from eligibility.access import wire
from eligibility.access.model import Decision
from eligibility.access.redaction import unnamed
from eligibility.formats.lru_cache import LruCache


class DecisionBody(bytes):
    """The bytes of an answer, with the decision that they carry.

    decision: without its stamp, the same object for all answers that are alike. member: whether the account
    is in a group of the product.
    """

    decision: Decision
    member: bool

    # Two that are the same bytes may tell of different decisions; as keys they are not the same.
    __hash__ = object.__hash__

    @classmethod
    def of(cls, body: bytes, decision: Decision, member: bool) -> "DecisionBody":
        """The body of an answer that tells a decision."""
        made = cls(body)
        made.decision, made.member = decision, member
        return made


MOST_DECISIONS = 65_536

CacheKey = tuple[object, ...]


class CachedDecision:
    """A decision without trace and stamp, and its JSON, with the names of groups and without.

    member: whether it is about an account that is in a group of the product.
    """

    __slots__ = ("_sealed", "_unnamed", "_verdict", "decision", "member")

    def __init__(self, decision: Decision, member: bool) -> None:
        self.decision, self.member = structs.replace(decision, trace=UNSET), member
        self._verdict = wire.encoded_verdict(self.decision)
        self._unnamed = b""  # made when first wanted
        # The last stamp, and what it made; never seen by halves.
        self._sealed = b"", self.answer(b"")

    def json(self, stamp: bytes) -> DecisionBody:
        """The JSON with that stamp at its end."""
        last, sealed = self._sealed
        if last is not stamp:
            sealed = self.answer(self._verdict + stamp)
            self._sealed = stamp, sealed
        return sealed

    def unnamed_json(self, stamp: bytes) -> DecisionBody:
        """The same for callers who may not read groups."""
        if not self._unnamed:
            self._unnamed = wire.encoded_verdict(unnamed(self.decision))
        return self.answer(self._unnamed + stamp)

    def answer(self, body: bytes) -> DecisionBody:
        """A body that tells this decision."""
        return DecisionBody.of(body, self.decision, self.member)


class DecisionCache:
    """Decisions of one product for moments in [holds_from, holds_until), in seconds."""

    __slots__ = ("holds_from", "holds_until", "known")

    def __init__(self, holds_from: float = 0.0, holds_until: float = 0.0) -> None:
        self.holds_from = holds_from
        self.holds_until = holds_until
        self.known: LruCache[CacheKey, CachedDecision] = LruCache(MOST_DECISIONS)
