"""The Evaluator: keeps products and their members in memory, fresh, and asks the rules.

Everything that wants a verdict on stored data enters here: HTTP, command line, dashboard,
standards. A warm query costs no I/O; one that needs the store is told apart beforehand (`warm`
answers None), so that an event loop can hand it to a thread.
"""

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Set
from datetime import UTC, datetime

from eligibility.as_of import decide_as_of
from eligibility.catalog.model import Product
from eligibility.catalog.store import CatalogStore, Entry
from eligibility.errors import RevisionNotReached, UnknownProduct
from eligibility.held import HeldProduct
from eligibility.histogram import Histogram
from eligibility.model import AccessQuery, Decision, Device, Revision
from eligibility.requirements import Requirements
from eligibility.settling import SETTLING_TIME, recent_of
from groups.errors import HistoryLost, StoreUnavailable
from groups.member_set import Digester, MemberIndex
from groups.model import Change, Head
from groups.store import GroupStore

_NO_DEVICE = Device("Windows.Unknown", "0.0.0.0")  # noqa: S104 - no address
PROPAGATION_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
_LONGEST_PROPAGATION_S = 60.0
_LARGEST_PATCH = 2_000
"""Changed addresses up to which a held index is patched; beyond, it is loaded anew."""


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
        self._locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
        self._digester: Digester | None = None
        self.store_errors = self.stale_answers = 0
        """Queries for which the store was away, and those of them that memory answered."""
        self.propagation = Histogram(PROPAGATION_SECONDS)
        """From a write to groups until the query that first saw it."""

    def decide(self, query: AccessQuery, *, explain: bool = False) -> Decision:
        """Decide a query on what the store holds now.

        Args: explain = decide afresh and carry the trace.
        A query with `at` is decided on what the store held then, and always asks the store.
        Raises: UnknownProduct; StoreUnavailable when the store is away and memory cannot answer;
        RevisionNotReached when the store itself is not as far as the query wants.
        """
        if query.at is not None:
            return decide_as_of(
                query, query.at, self._groups, self._catalog, self.requirements, explain=explain
            )
        held, now, stale_seconds = self._fresh(query)
        if explain:
            return held.explain(query, now, stale_seconds)
        return held.answer(query, now, stale_seconds)

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

    def look_up(self, product_id: str, publishers: Set[str] | None) -> None:
        """As `check_publisher`, but the store is always asked, so that the price tells nothing.

        For callers who may not know which products there are.
        """
        owner = self._catalog.owner(product_id)
        if owner is None or not (publishers is None or owner in publishers):
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

    def product(self, query: AccessQuery) -> Product:
        """The product that `decide` decides a query on. Raises: as `decide`."""
        if query.at is None:
            return self._fresh(query)[0].product
        then = self._catalog.as_of(query.product_id, query.at)
        if then is None or then[0].product is None:
            raise UnknownProduct(query.product_id, query.at)
        return then[0].product

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
        with self._locks[product_id]:
            publisher = self._catalog.owner(product_id)
            # The token is read before the data: what changes meanwhile shows as a newer token.
            token = self._groups.change_token(publisher) if publisher else 0
            held = self._held.get(product_id)
            if held is not None and held.token == token:
                return held
            found = self._catalog.get(product_id) if publisher else None
            if found is None or found[0].publisher != publisher:
                self._held.pop(product_id, None)
                self._locks.pop(product_id, None)
                raise UnknownProduct(product_id)
            entry, catalog_revision = found
            renewed = self._load(entry, catalog_revision, held, token, now)
            self._held[product_id] = renewed
            return renewed

    def _load(
        self, entry: Entry, catalog_revision: int, held: HeldProduct | None, token: int, now: float
    ) -> HeldProduct:
        """Build what to hold; from the held one where nothing, or only a few members, changed."""
        since = datetime.fromtimestamp(now, UTC) - SETTLING_TIME
        changes = self._changes_to(held, entry)
        digester = self.digester()
        digest = digester.of_recorded
        if held is None or changes is None:
            head, sets = self._groups.member_sets(entry.publisher, entry.product.groups)
            index, before = MemberIndex.build(sets), None
            recent_changes = self._groups.recent_changes(entry.publisher, since)
            recent = recent_of(recent_changes, entry.product.groups, digest)
        else:
            before = held if held.product == entry.product else None
            if before and not changes and held.revision.catalog == catalog_revision:
                held.token, held.verified_at = token, now
                return held
            # A patched index keeps its combination numbers, so decisions made before still hold.
            head = changes[-1].head if changes else Head(held.revision.groups, held.write_id)
            patch = _patch(changes, entry.product.groups, digest)
            index = held.index.with_changes(patch) if patch else held.index
            recent = recent_of(changes, entry.product.groups, digest, held.recent, since)
            self._note_propagation(changes, now)
        return HeldProduct(
            entry,
            index,
            digester,
            recent,
            self.requirements,
            Revision(head.revision, catalog_revision),
            head.write_id,
            token,
            now,
            before,
        )

    def _note_propagation(self, changes: tuple[Change, ...], now: float) -> None:
        """Note how long ago the last write was; beyond a minute it was a query that was waited for."""
        if changes:
            delay = max(0.0, now - changes[-1].at.timestamp())
            if delay <= _LONGEST_PROPAGATION_S:
                self.propagation.add(delay)

    def _changes_to(self, held: HeldProduct | None, entry: Entry) -> tuple[Change, ...] | None:
        """What changed since the held product, where it can be patched; None where it must be built."""
        groups = entry.product.groups
        if held is None or held.product.groups != groups or held.publisher != entry.publisher:
            return None
        try:
            changes = self._groups.changes_since(
                entry.publisher, held.revision.groups, held.write_id
            )
        except HistoryLost:
            return None
        size = sum(len(c.added) + len(c.removed) for c in changes if c.group_id in groups)
        return changes if size <= _LARGEST_PATCH else None

    def digester(self) -> Digester:
        """Makes the digests that this deployment knows addresses by. Raises: StoreUnavailable."""
        if self._digester is None:
            self._digester = Digester(self._groups.digest_key())
        return self._digester


def _reaches(held: HeldProduct, query: AccessQuery) -> bool:
    return query.at_least is None or held.revision.reaches(query.at_least)


def _patch(
    changes: tuple[Change, ...], groups: frozenset[str], digest: Callable[[str], int]
) -> list[tuple[str, list[int], list[int]]]:
    """The changes of the groups as an index takes them: group, digests added, digests removed."""
    return [
        (c.group_id, [digest(a) for a in c.added], [digest(a) for a in c.removed])
        for c in changes
        if c.group_id in groups
    ]
