"""The Evaluator: keeps products and their members in memory, current, and applies the rules.

HTTP, command line, dashboard and standards all decide on stored data through it. A warm query needs
no I/O. `warm` returns None if the store is needed, so that an event loop can use a thread.
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
    """Answers access queries from memory, as fresh as the store. Thread-safe.

    clock: returns seconds since the epoch. max_staleness_seconds: how long memory may answer while
    the store is unavailable. After that a query raises StoreUnavailable rather than deny access.
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
        self._products: dict[str, HeldProduct] = {}
        # A product always uses the same lock, so that two threads never load it at once.
        self._locks = tuple(threading.Lock() for _ in range(_LOCKS))
        self._loader = Loader(groups, requirements)
        self.propagation = self._loader.propagation
        self.store_errors = self.stale_answers = 0
        """Number of queries while the store was unavailable, and how many of them memory answered."""

    def decide(self, query: AccessQuery, *, explain: bool = False) -> Decision:
        """Decide a query on the current data, or on the data as of `at`, which always asks the store.

        Args: explain = decide without the cache and include the trace.
        Raises: UnknownProduct; StoreUnavailable if the store is unavailable and memory cannot
        answer; RevisionNotReached if the store is behind the query's `at_least`.
        """
        return self.find(query, explain=explain).decision

    def find(self, query: AccessQuery, *, explain: bool = False) -> PastDecision:
        """Decide a query, and return the product with the decision. Raises: as `decide`."""
        if query.at is not None:
            past, _ = self._as_of(query, query.at)
            plain = replace(past.decision, trace=UNSET)
            return past if explain else past._replace(decision=plain)
        cached, now, stale_seconds = self._fresh(query)
        answer = cached.explain if explain else cached.answer
        return PastDecision(cached.publisher, cached.product, answer(query, now, stale_seconds))

    def find_or_hide(
        self, query: AccessQuery, publishers: Set[str] | None, hides: Callable[[PastDecision], bool]
    ) -> PastDecision:
        """As `find`, for a caller who must not learn which products exist.

        Products that `hides` matches, and those of other publishers, raise UnknownProduct. They
        cause as many store calls as a missing product, so that response times reveal nothing.
        Raises: as `find`; StoreUnavailable instead of UnknownProduct if the store is unavailable.
        """

        def shown(past: PastDecision) -> bool:
            return (publishers is None or past.publisher in publishers) and not hides(past)

        now, before = self.clock(), self._products.get(query.product_id)
        fresh = query.at is None and self.warm(query.product_id) is not None
        try:
            decided = self.find(query)
        except UnknownProduct:
            if query.at is None:
                self._catalog.get(query.product_id)
                self._loader.load_nothing(now)
            raise
        if shown(decided):
            return decided
        if fresh:
            self._catalog.owner(query.product_id)
            self._catalog.get(query.product_id)
            self._loader.load_nothing(now)
        elif before is not None and query.at is None:
            self._catalog.owner(query.product_id)  # `find` made only one call of two
        raise UnknownProduct(query.product_id, query.at)

    def explain(self, query: AccessQuery) -> tuple[Decision, Case]:
        """Decide without the cache, with trace; return also the inputs. Raises: as `decide`."""
        if query.at is not None:
            past, case = self._as_of(query, query.at)
            return past.decision, case
        cached, now, stale_seconds = self._fresh(query)
        return cached.explain(query, now, stale_seconds), cached.snapshot.case_to_explain(
            query, datetime.fromtimestamp(now, UTC)
        )

    def _as_of(self, query: AccessQuery, at: datetime) -> tuple[PastDecision, Case]:
        return decide_as_of(query, at, self._groups, self._catalog, self.requirements)

    def warm(self, product_id: str, publishers: Set[str] | None = None) -> HeldProduct | None:
        """The product, if memory may answer now. None if the store must be read first.

        Never waits for the store, so that an event loop may call it.
        Args: publishers = return only their products, None = all. Others take the same time
        as missing products.
        """
        cached = self._products.get(product_id)
        if cached is None or not (publishers is None or cached.publisher in publishers):
            return None
        try:
            token = self._groups.change_token(cached.publisher)
        except StoreUnavailable:
            return None
        return cached if cached.token == token else None

    def check_publisher(self, product_id: str, publishers: Set[str]) -> None:
        """Raise UnknownProduct unless one of these owns the product; also StoreUnavailable."""
        cached = self._products.get(product_id)
        if cached is not None and cached.publisher in publishers:
            return
        if self._catalog.owner(product_id) not in publishers:
            raise UnknownProduct(product_id)

    def in_memory(self, product_id: str) -> HeldProduct | None:
        """The product as it is in memory, however old. None if it is not in memory."""
        return self._products.get(product_id)

    def everything(self) -> list[HeldProduct]:
        """All products in memory, however old."""
        return list(self._products.values())

    def current(self, product_id: str) -> HeldProduct:
        """The product, refreshed if the store answers. Raises: as `decide`."""
        return self._fresh(AccessQuery(product_id, _NO_DEVICE))[0]

    def digester(self) -> Digester:
        """Return the digester of this deployment's addresses. Raises StoreUnavailable."""
        return self._loader.digester()

    def check_ready(self) -> None:
        """Read from the store. Raises StoreUnavailable if it does not answer."""
        self._groups.digest_key()

    def _fresh(self, query: AccessQuery) -> tuple[HeldProduct, float, int]:
        """Return the product, now, and how many seconds old it is (0 if the store answers)."""
        now = self.clock()
        cached = self._products.get(query.product_id)
        try:
            cached = self._up_to_date(query, cached, now)
        except StoreUnavailable:
            self.store_errors += 1
            if cached is None or query.strong or not _reaches(cached, query):
                raise
            stale_seconds = self._staleness(cached, now)
            self.stale_answers += 1
            return cached, now, stale_seconds
        if not _reaches(cached, query):
            raise RevisionNotReached(cached.publisher, query.at_least, cached.revision)
        return cached, now, 0

    def _up_to_date(
        self, query: AccessQuery, cached: HeldProduct | None, now: float
    ) -> HeldProduct:
        if cached is None:
            return self._refresh(query.product_id, now)
        if query.strong or not _reaches(cached, query):
            self._groups.catch_up(cached.publisher)
        if cached.token != self._groups.change_token(cached.publisher):
            return self._refresh(query.product_id, now)
        cached.verified_at = now
        return cached

    def _staleness(self, cached: HeldProduct, now: float) -> int:
        """Seconds since the product was last known to be current. StoreUnavailable above the limit."""
        token, seen_at = self._groups.last_look(cached.publisher)
        verified_at = cached.verified_at
        if cached.token == token:
            verified_at = max(verified_at, seen_at.timestamp())
        stale_seconds = max(1, round(now - verified_at))
        if stale_seconds > self._max_staleness:
            raise StoreUnavailable(
                f"the store is unavailable, and the data in memory is {stale_seconds} s old,"
                f" past max_staleness_seconds {self._max_staleness}"
            )
        return stale_seconds

    def _refresh(self, product_id: str, now: float) -> HeldProduct:
        """Load a product from the store. Only one thread at a time loads the same product."""
        with self._locks[hash(product_id) % _LOCKS]:
            publisher = self._catalog.owner(product_id)
            # Read the token before the data, so that a change in between leaves the token outdated.
            token = self._groups.change_token(publisher) if publisher else 0
            cached = self._products.get(product_id)
            if cached is not None and cached.token == token:
                return cached
            stored = self._catalog.get(product_id) if publisher else None
            if stored is None or stored[0].publisher != publisher:
                self._products.pop(product_id, None)
                raise UnknownProduct(product_id)
            entry, catalog_revision = stored
            renewed = self._loader.load(entry, catalog_revision, cached, token, now)
            self._products[product_id] = renewed
            return renewed


def _reaches(cached: HeldProduct, query: AccessQuery) -> bool:
    return query.at_least is None or cached.revision.reaches(query.at_least)
