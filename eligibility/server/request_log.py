"""One line of log a request: id, caller, route, outcome, duration. Never an address.

Access queries that were answered are left out unless the settings want them, for there are thousands
a second; metrics count them.
"""

import time
from collections.abc import Collection

import structlog

from eligibility.server.exchange import Exchange

_QUIET = frozenset({"/healthz", "/readyz"})


class RequestLog:
    """Writes the lines.

    access_too: also of access queries that were answered. endpoints: paths that the gate answers.
    families: what other such paths begin with.
    """

    def __init__(
        self, access_too: bool, endpoints: Collection[str] = (), families: Collection[str] = ()
    ) -> None:
        self.access_too = access_too
        self._endpoints, self._families = endpoints, families
        self._log = structlog.get_logger("eligibility.requests")

    def note(self, exchange: Exchange) -> None:
        """Log a request that was answered, or whose sender went away (no status)."""
        scope = exchange.scope
        path = scope["path"]
        if exchange.status == 200 and path in _QUIET:
            return
        told = {
            "request_id": exchange.logged_id,
            "caller": exchange.admitted.caller.name if exchange.admitted else None,
            "method": scope["method"],
            "route": getattr(scope.get("route"), "path", None) or self._endpoint(path),
            "status": exchange.status,
            "code": getattr(exchange.error, "code", None),
            "ms": round((time.perf_counter() - exchange.began) * 1e3, 2),
        }
        if (exchange.status or 500) >= 500:
            self._log.warning("request", **told, error=str(exchange.error or "the client left"))
        else:
            self._log.info("request", **told)

    def _endpoint(self, path: str) -> str | None:
        """The gate's path. One may hold anything that somebody sent; what is logged is one of ours."""
        for one in (path, f"/*{path[path.find('/', 1) :]}"):
            if one in self._endpoints:
                return one
        return next((one for one in self._families if path.startswith(one)), None)
