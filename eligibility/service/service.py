"""Service: settings turned into the open store, catalogue, groups and evaluator that edges use."""

import time
from collections.abc import Callable, Collection
from datetime import UTC, datetime, timedelta

from eligibility.activity.recorder import Recorder
from eligibility.callers.key_admin import KeyAdmin
from eligibility.callers.key_ring import KeyRing
from eligibility.callers.tokens import Verifier
from eligibility.catalog.catalog import Catalog
from eligibility.catalog.files import Declaration
from eligibility.catalog.plan import Plan
from eligibility.changes import preview
from eligibility.changes.effects import Effects
from eligibility.changes.moments import ProductHistory, read_past
from eligibility.engine.evaluator import Evaluator
from eligibility.engine.product_list import ProductList
from eligibility.rules.requirements import load_requirements
from eligibility.service import forgetting
from eligibility.service.settings import Settings
from eligibility.service.stores import open_stores
from eligibility.simulation.states import States
from groups.member_set import digest
from groups.model import EditResult, ForgetResult


class Service:
    """Everything one process needs, opened once. Use as a context manager, or call close().

    clock: seconds since the epoch; the only clock of everything in the service.
    """

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.time) -> None:
        def now() -> datetime:
            return datetime.fromtimestamp(clock(), UTC)

        self.now = now
        self.settings = settings
        requirements = load_requirements(settings.requirements)
        self._stores = open_stores(settings.store, password=settings.store_password(), clock=now)
        self.groups = self._stores.groups
        self.keys = self._stores.keys
        self.audit = self._stores.audit
        self.key_admin = KeyAdmin(self.keys, self.audit, now)
        self.key_ring = KeyRing(
            self.keys, clock, max_staleness_seconds=settings.max_staleness_seconds
        )
        self.tokens = Verifier(
            settings.issuers, settings.account_issuers, name_of=self.name_of, clock=clock
        )
        self.catalog = Catalog(self._stores.catalog, self.groups, now)
        self.listing = ProductList(self.groups, self._stores.catalog)
        self.evaluator = Evaluator(
            self.groups,
            self._stores.catalog,
            requirements,
            clock=clock,
            max_staleness_seconds=settings.max_staleness_seconds,
        )
        self.activity = self._stores.activity
        self.recorder = Recorder(
            self.activity,
            self.evaluator.in_memory,
            timedelta(days=settings.activity_days),
            clock,
        )
        self.states = States(self.evaluator, self.groups, self._stores.catalog, now)

    def past(self, product_id: str, addresses: Collection[str]) -> ProductHistory:
        """All that was written of a product and of an account's canonical addresses.

        Raises: UnknownProduct.
        """
        return read_past(self.groups, self._stores.catalog, product_id, addresses)

    def effects(self, result: EditResult) -> Effects:
        """What an edit would do to access, or did; result = its dry run's or its own."""
        return preview.of_edit(result, self.groups, self._stores.catalog, self.now())

    def effects_of_plan(self, plan: Plan, declaration: Declaration) -> Effects:
        """What applying a plan would do to access."""
        return preview.of_plan(plan, declaration, self.groups, self._stores.catalog, self.now())

    def forget(
        self,
        publisher: str | None,
        address: str,
        *,
        actor: str,
        replacement: str | None = None,
        dry_run: bool = False,
    ) -> list[ForgetResult]:
        """Forget a person at one publisher, or with None at every one; see forgetting.forget."""
        self.recorder.flush()  # so that there is a file to forget in, where it is kept in one
        everywhere = forgetting.publishers_with_anything
        return forgetting.forget(
            self._stores,
            everywhere(self._stores) if publisher is None else (publisher,),
            address,
            actor=actor,
            replacement=replacement,
            dry_run=dry_run,
        )

    def name_of(self, address: str) -> str:
        """What stands for a canonical address in logs: 12 hexadecimal digits of its keyed digest.

        Raises: StoreUnavailable, before the store was ever asked for the key.
        """
        return f"{digest(address, self.groups.digest_key()):016x}"[:12]

    def close(self) -> None:
        """Write what is still to be written, and close the store."""
        self.key_ring.close()
        self.recorder.close()
        self._stores.close()

    def __enter__(self) -> "Service":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
