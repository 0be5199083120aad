"""One line of log a request: id, caller, route, outcome, duration. Never an address.

Access queries that were answered are left out unless the settings want them, for there are thousands
a second; metrics count them.
"""

import time

import structlog

from eligibility.server.exchange import Exchange
from eligibility.server.paths import Paths

_QUIET = frozenset({"/healthz", "/readyz"})


class RequestLog:
    """Writes the lines.

    access_too: also of access queries that were answered. paths: those that the gate answers.
    """

    def __init__(self, access_too: bool, paths: Paths) -> None:
        self.access_too = access_too
        self._paths = paths
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
            "route": getattr(scope.get("route"), "path", None) or self._paths.name(path),
            "status": exchange.status,
            "code": getattr(exchange.error, "code", None),
            "ms": round((time.perf_counter() - exchange.began) * 1e3, 2),
        }
        if (exchange.status or 500) >= 500:
            self._log.warning("request", **told, error=str(exchange.error or "the client left"))
        else:
            self._log.info("request", **told)
