"""The log: one line an event, as JSON or for a terminal, on standard error. It never shows an address.

Other libraries log into the same stream. Our own code logs no address; `_masked` hides one that is part
of somebody else's error. A thread writes the lines: if the reader of the log stalls, lines are lost and
counted, and requests go on.
"""

import atexit
import logging
import re
import sys
import time
from logging.handlers import QueueHandler, QueueListener
from queue import Full, Queue
from typing import Any, Literal

import structlog
from structlog.types import EventDict, Processor

from eligibility.server.http.endpoint import EndpointPaths
from eligibility.server.http.exchange import HttpExchange

_ADDRESS = re.compile(r"[^\s\"'<>(),;:=`]+(?:@|%40)[^\s\"'<>(),;:=`@]+")
MASK = "<address>"
_MOST_WAITING = 10_000
_LAST_LINES_S = 2.0


def configure(form: Literal["auto", "json", "text"]) -> None:
    """Set up logging of this process."""
    text = form == "text" or (form == "auto" and sys.stderr.isatty())
    before: list[Processor] = [
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    ends: list[Processor] = [
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        structlog.processors.format_exc_info,
        _masked,
        structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
        if text
        else structlog.processors.JSONRenderer(),
    ]
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(foreign_pre_chain=before, processors=ends)
    )
    queue: Queue[Any] = Queue(_MOST_WAITING)
    listener = _Listener(queue, handler)
    listener.start()
    atexit.register(listener.end)
    root = logging.getLogger()
    root.handlers[:] = [_Lossy(queue)]
    root.setLevel(logging.WARNING)
    logging.getLogger("eligibility").setLevel(logging.INFO)
    structlog.configure(
        processors=[*before, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


class _Lossy(QueueHandler):
    """Hands records to the thread that writes them, and never waits."""

    lost = 0

    def prepare(self, record: logging.LogRecord) -> logging.LogRecord:
        """Leave formatting to that thread."""
        return record

    def enqueue(self, record: logging.LogRecord) -> None:
        """Hand a record over, or lose it; the next one that gets through is followed by the number lost."""
        try:
            self.queue.put_nowait(record)
        except Full:
            self.lost += 1
            return
        if self.lost:
            lost, self.lost = self.lost, 0
            logging.getLogger("eligibility.log").warning("%d lines of log were lost", lost)


class _Listener(QueueListener):
    def end(self) -> None:
        """Write what is left, but only for a while: a full pipe must not keep the process alive."""
        try:
            self.enqueue_sentinel()
        except Full:
            return
        if self._thread is not None:
            self._thread.join(_LAST_LINES_S)


def _masked(_: Any, __: str, event: EventDict) -> EventDict:
    return {name: _mask(value) for name, value in event.items()}


def _mask(value: Any) -> Any:
    return _ADDRESS.sub(MASK, value) if isinstance(value, str) else value


_QUIET = frozenset({"/healthz", "/readyz"})


class RequestLog:
    """Writes a line for each request.

    logs_all: also for access queries that were answered. paths: those of the gate's endpoints.
    """

    def __init__(self, logs_all: bool, paths: EndpointPaths) -> None:
        self.logs_all = logs_all
        self._paths = paths
        self._log = structlog.get_logger("eligibility.requests")

    def note(self, exchange: HttpExchange) -> None:
        """Log a request that was answered, or whose sender went away (no status)."""
        scope = exchange.scope
        path = scope["path"]
        if exchange.status == 200 and path in _QUIET:
            return
        fields = {
            "request_id": exchange.logged_id,
            "caller": exchange.authenticated.caller.name if exchange.authenticated else None,
            "method": scope["method"],
            "route": getattr(scope.get("route"), "path", None) or self._paths.name(path),
            "status": exchange.status,
            "code": getattr(exchange.error, "code", None),
            "ms": round((time.perf_counter() - exchange.began) * 1e3, 2),
        }
        if (exchange.status or 500) >= 500:
            self._log.warning("request", **fields, error=str(exchange.error or "the client left"))
        else:
            self._log.info("request", **fields)
