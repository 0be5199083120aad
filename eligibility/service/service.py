"""Service: opens everything that the command line and the server use, according to the settings."""

import time
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime, timedelta

from eligibility.access.asker import Asker
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
from eligibility.changes.timeline import Timeline
from eligibility.engine.evaluator import Evaluator
from eligibility.engine.product_list import ProductList
from eligibility.rules.requirements import load_requirements
from eligibility.service import forgetting
from eligibility.service.settings import Settings
from eligibility.service.stores import open_stores
from eligibility.simulation.inputs.devices import NamedDevice
from eligibility.simulation.states import States
from groups.member_set import digest
from groups.model import EditResult, ForgetResult


class Service:
    """Everything that one process needs. Use it as a context manager, or call close().

    Args: clock = returns seconds since the epoch; every part of the service uses it.
    """

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.time) -> None:
        def now() -> datetime:
            return datetime.fromtimestamp(clock(), UTC)

        self.now = now
        self.settings = settings
        requirements = load_requirements(settings.requirements)
        self.header_ranks = settings.header_ranks()
        self._stores = open_stores(settings.store, password=settings.store_password(), clock=clock)
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
        """Read the history of a product and of addresses' memberships. Raises: UnknownProduct."""
        return read_past(self.groups, self._stores.catalog, product_id, addresses)

    def timeline(self, product_id: str, asker: Asker, devices: Sequence[NamedDevice]) -> Timeline:
        """Read when the answers of an account can change. Raises: UnknownProduct."""
        past = self.past(product_id, asker.addresses)
        return Timeline(past, asker, devices, self.evaluator.requirements)

    def effects(self, result: EditResult) -> Effects:
        """Compute how an edit changes access. Args: result = of the edit or of its dry run."""
        return preview.of_edit(result, self.groups, self._stores.catalog, self.now())

    def effects_of_plan(self, plan: Plan, declaration: Declaration) -> Effects:
        """Compute how applying a plan would change access."""
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
        """Forget a person at one publisher, or at all of them (None); see forgetting.forget."""
        self.recorder.flush()  # creates the activity file if it is missing
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
        """Return the pseudonym of an address for logs: 12 hex digits. Raises: StoreUnavailable."""
        return f"{digest(address, self.groups.digest_key()):016x}"[:12]

    def close(self) -> None:
        """Store recorded activity and key uses that are still in memory, then close the stores."""
        self.key_ring.close()
        self.recorder.close()
        self._stores.close()

    def __enter__(self) -> "Service":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
