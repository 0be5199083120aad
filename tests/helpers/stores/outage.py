"""Stores that can be taken away."""

from collections.abc import Callable
from typing import Any

from eligibility.engine.evaluator import Evaluator
from eligibility.service.service import Service
from groups.errors import StoreUnavailable
from tests.helpers.clock import Clock


class Away:
    """Stands before a store; raises StoreUnavailable while `away`."""

    def __init__(self, store: Any) -> None:
        self._store = store
        self.away = False

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._store, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            if self.away and name != "last_look":
                raise StoreUnavailable("gone")
            return method(*args, **kwargs)

        return call


class Outage:
    """An evaluator whose two stores can be taken away."""

    def __init__(self, service: Service, clock: Clock) -> None:
        self.groups, self.catalog = Away(service.groups), Away(service.catalog.store)
        self.evaluator = Evaluator(
            self.groups,
            self.catalog,
            service.evaluator.requirements,
            clock=clock,
            max_staleness_seconds=1_800,
        )

    def begin(self, away: bool = True) -> None:
        self.groups.away = self.catalog.away = away
