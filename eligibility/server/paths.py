"""Which of the gate's endpoints has a path."""

from collections.abc import Mapping
from typing import Any

from eligibility.server.endpoint import Endpoint

ANY_PART = "/*"
"""In a path of an endpoint: whatever the first part is."""


class Paths:
    """The gate's endpoints.

    endpoints: by path. families: by what the paths of one endpoint begin with; the first that fits.
    Both may begin with ANY_PART.
    """

    def __init__(
        self, endpoints: Mapping[str, Endpoint[Any]], families: Mapping[str, Endpoint[Any]]
    ) -> None:
        self._endpoints, self._families = endpoints, families
        self._all = {**families, **endpoints}

    def endpoint(self, path: str) -> Endpoint[Any] | None:
        """The endpoint of a path, if it has one."""
        found = self._endpoints.get(path)
        if found is None:
            name = self.name(path)
            found = None if name is None else self._all[name]
        return found

    def name(self, path: str) -> str | None:
        """How the endpoint of a path is called here: for a log, as a path may hold anything."""
        if path in self._endpoints:
            return path
        anybodys = ANY_PART + path[path.find("/", 1) :]
        if anybodys in self._endpoints:
            return anybodys
        return next(
            (one for one in self._families if path.startswith(one) or anybodys.startswith(one)),
            None,
        )
