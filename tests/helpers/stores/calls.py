"""Which methods of the stores are called."""

from collections.abc import Callable
from inspect import getmembers, isfunction
from typing import Any

import pytest

from eligibility.catalog.sqlite_store import SqliteCatalogStore
from groups.sqlite.store import SqliteGroupStore


class Calls:
    """Counts the calls of the stores, by name."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.made: list[str] = []
        for store in (SqliteCatalogStore, SqliteGroupStore):
            for name, method in getmembers(store, isfunction):
                # The change token is a look at memory, save for one look at the file in 2 ms.
                if not name.startswith("_") and name != "change_token":
                    monkeypatch.setattr(store, name, self._counted(name, method))

    def _counted(self, name: str, method: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*args: Any, **kwargs: Any) -> Any:
            self.made.append(name)
            return method(*args, **kwargs)

        return counted

    def of(self, work: Callable[[], Any]) -> tuple[Any, list[str]]:
        """What work gives, and the calls it made."""
        self.made.clear()
        return work(), list(self.made)
