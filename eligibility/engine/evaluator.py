"""The Evaluator: keeps products and their members in memory, fresh, and asks the rules.

Everything that wants a verdict on stored data enters here: HTTP, command line, dashboard,
standards. A warm query costs no I/O; one that needs the store is told apart beforehand (`warm`
answers None), so that an event loop can hand it to a thread.
"""

import threading
import time
from collections.abc import Callable, Set
from datetime import UTC, datetime

from msgspec import UNSET
from msgspec.structs import replace

from eligibility.access.model import AccessQuery, Decision, Device
from eligibility.catalog.store import CatalogStore
from eligibility.engine.held_product import HeldProduct
from eligibility.engine.loader import Loader
from eligibility.engine.past import PastDecision, decide_as_of
from eligibility.errors import RevisionNotReached, UnknownProduct
from eligibility.rules.case import Case
from eligibility.rules.requirements import Requirements
from groups.errors import StoreUnavailable
from groups.member_set import Digester
from groups.store import GroupStore

_NO_DEVICE = Device("Windows.Unknown", "0.0.0.0")  # noqa: S104 - no address
_LOCKS = 256


class Evaluator:
    """Answers access queries from memory, as fresh as the store. Safe to use from many threads.

    clock: seconds since the epoch. max_staleness_seconds: how long answers may go on while the
    store is away; past it a query raises StoreUnavailable, for an error is never read as a "no".
    """

    def __init__(
        self,
        groups: GroupStore,
        catalog: CatalogStore,
        requirements: Requirements,
        *,
        clock: Callable[[], float] = time.time,
        max_staleness_seconds: int = 1_800,
    ) -> None:
        self._groups = groups
        self._catalog = catalog
        self.requirements = requirements
        self.clock = clock
        self._max_staleness = max_staleness_seconds
        self._held: dict[str, HeldProduct] = {}
        # A product always has the same lock, or a load could begin beside another; some share one.
        self._locks = tuple(threading.Lock() for _ in range(_LOCKS))
        self._loader = Loader(groups, requirements)
        self.propagation = self._loader.propagation
        self.store_errors = self.stale_answers = 0
        """Queries for which the store was away, and those of them that memory answered."""

    def decide(self, query: AccessQuery, *, explain: bool = False) -> Decision:
        """Decide a query on what the store holds now.

        Args: explain = decide afresh and carry the trace.
        A query with `at` is decided on what the store held then, and always asks the store.
        Raises: UnknownProduct; StoreUnavailable when the store is away and memory cannot answer;
        RevisionNotReached when the store itself is not as far as the query wants.
        """
        return self.find(query, explain=explain).decision

    def find(self, query: AccessQuery, *, explain: bool = False) -> PastDecision:
        """As `decide`, with the product that the decision is about."""
        if query.at is not None:
            found, _ = self._as_of(query, query.at)
            untold = replace(found.decision, trace=UNSET)
            return found if explain else found._replace(decision=untold)
        held, now, stale_seconds = self._fresh(query)
        answer = held.explain if explain else held.answer
        return PastDecision(held.publisher, held.product, answer(query, now, stale_seconds))

    def find_or_hide(
        self, query: AccessQuery, publishers: Set[str] | None, hides: Callable[[PastDecision], bool]
    ) -> PastDecision:
        """As `find`, for a caller who may not know which products there are.

        What `hides` says of, and products of other publishers, are unknown, and take as many calls
        of the store as a product that there is not, whatever memory holds: those of a first load.
        Raises: as `find`; while the store is away StoreUnavailable for all that would be unknown.
        """

        def shown(found: PastDecision) -> bool:
            return (publishers is None or found.publisher in publishers) and not hides(found)

        now, before = self.clock(), self._held.get(query.product_id)
        fresh = query.at is None and self.warm(query.product_id) is not None
        try:
            found = self.find(query)
        except UnknownProduct:
            if query.at is None:
                self._catalog.get(query.product_id)
                self._loader.load_nothing(now)
            raise
        if shown(found):
            return found
        if fresh:
            self._catalog.owner(query.product_id)
            self._catalog.get(query.product_id)
            self._loader.load_nothing(now)
        elif before is not None and query.at is None:
            self._catalog.owner(query.product_id)  # what changed was one call, all of it is two
        raise UnknownProduct(query.product_id, query.at)

    def explain(self, query: AccessQuery) -> tuple[Decision, Case]:
        """Decide a query afresh: the decision with its trace, and all that it was made from.

        Raises: as `decide`.
        """
        if query.at is not None:
            found, case = self._as_of(query, query.at)
            return found.decision, case
        held, now, stale_seconds = self._fresh(query)
        return held.explain(query, now, stale_seconds), held.snapshot.case(
            query, datetime.fromtimestamp(now, UTC)
        )

    def _as_of(self, query: AccessQuery, at: datetime) -> tuple[PastDecision, Case]:
        return decide_as_of(query, at, self._groups, self._catalog, self.requirements)

    def warm(self, product_id: str, publishers: Set[str] | None = None) -> HeldProduct | None:
        """The product, if memory may answer for it now; None where the store has to be asked first.

        Args: publishers = whose products count, None = everybody's; of others there is none, at no
        other price than of one that nobody has.
        Never waits for the store, so that an event loop may call it.
        """
        held = self._held.get(product_id)
        if held is None or not (publishers is None or held.publisher in publishers):
            return None
        try:
            token = self._groups.change_token(held.publisher)
        except StoreUnavailable:
            return None
        return held if held.token == token else None

    def check_publisher(self, product_id: str, publishers: Set[str]) -> None:
        """Raise UnknownProduct unless the product is of one of these publishers.

        A product id is its publisher's for ever, so memory may tell, also while the store is away.
        Raises also: StoreUnavailable where memory holds no product of theirs.
        """
        held = self._held.get(product_id)
        if held is not None and held.publisher in publishers:
            return
        if self._catalog.owner(product_id) not in publishers:
            raise UnknownProduct(product_id)

    def in_memory(self, product_id: str) -> HeldProduct | None:
        """The product as memory holds it, however old; None where it does not."""
        return self._held.get(product_id)

    def everything(self) -> list[HeldProduct]:
        """All products as memory holds them, however old."""
        return list(self._held.values())

    def held(self, product_id: str) -> HeldProduct:
        """The product as memory holds it, brought up to the store. Raises: as `decide`.

        While the store is away it is as it was last seen, up to max_staleness_seconds.
        """
        return self._fresh(AccessQuery(product_id, _NO_DEVICE))[0]

    def digester(self) -> Digester:
        """Makes the digests that this deployment knows addresses by. Raises: StoreUnavailable."""
        return self._loader.digester()

    def check_ready(self) -> None:
        """Raise StoreUnavailable unless the store answers."""
        self._groups.digest_key()

    def _fresh(self, query: AccessQuery) -> tuple[HeldProduct, float, int]:
        """The product as the store holds it now; or as held, and for how many seconds, if it is away."""
        now = self.clock()
        held = self._held.get(query.product_id)
        try:
            held = self._up_to_date(query, held, now)
        except StoreUnavailable:
            self.store_errors += 1
            if held is None or query.strong or not _reaches(held, query):
                raise
            stale_seconds = self._staleness(held, now)
            self.stale_answers += 1
            return held, now, stale_seconds
        if not _reaches(held, query):
            raise RevisionNotReached(held.publisher, query.at_least, held.revision)
        return held, now, 0

    def _up_to_date(self, query: AccessQuery, held: HeldProduct | None, now: float) -> HeldProduct:
        if held is None:
            return self._refresh(query.product_id, now)
        if query.strong or not _reaches(held, query):
            self._groups.catch_up(held.publisher)
        if held.token != self._groups.change_token(held.publisher):
            return self._refresh(query.product_id, now)
        held.verified_at = now
        return held

    def _staleness(self, held: HeldProduct, now: float) -> int:
        """Seconds since the held product was last known to be current. Raises past the limit."""
        token, seen_at = self._groups.last_look(held.publisher)
        verified_at = held.verified_at
        if held.token == token:
            verified_at = max(verified_at, seen_at.timestamp())
        stale_seconds = max(1, round(now - verified_at))
        if stale_seconds > self._max_staleness:
            raise StoreUnavailable(
                f"the store is away and what is in memory is {stale_seconds} s old,"
                f" past max_staleness_seconds {self._max_staleness}"
            )
        return stale_seconds

    def _refresh(self, product_id: str, now: float) -> HeldProduct:
        """Bring a product up to the store, one thread at a time a product."""
        with self._locks[hash(product_id) % _LOCKS]:
            publisher = self._catalog.owner(product_id)
            # The token is read before the data: what changes meanwhile shows as a newer token.
            token = self._groups.change_token(publisher) if publisher else 0
            held = self._held.get(product_id)
            if held is not None and held.token == token:
                return held
            found = self._catalog.get(product_id) if publisher else None
            if found is None or found[0].publisher != publisher:
                self._held.pop(product_id, None)
                raise UnknownProduct(product_id)
            entry, catalog_revision = found
            renewed = self._loader.load(entry, catalog_revision, held, token, now)
            self._held[product_id] = renewed
            return renewed


def _reaches(held: HeldProduct, query: AccessQuery) -> bool:
    return query.at_least is None or held.revision.reaches(query.at_least)
