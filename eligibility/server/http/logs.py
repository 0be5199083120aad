"""The log: one line on standard error for each event, as JSON or text. It never shows an address.

Our own code logs no addresses; `_masked` hides addresses in the errors of libraries, which use the same
log. A thread writes the lines. If the reader of the log stalls, requests are still answered, and lines
are dropped and counted.
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
    """Configure the log of this process. Args: form = auto: text on a terminal, JSON otherwise."""
    text = form == "text" or (form == "auto" and sys.stderr.isatty())
    before: list[Processor] = [
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    final_processors: list[Processor] = [
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        structlog.processors.format_exc_info,
        _masked,
        structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
        if text
        else structlog.processors.JSONRenderer(),
    ]
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(foreign_pre_chain=before, processors=final_processors)
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
    """Passes records to the writing thread without waiting."""

    lost = 0

    def prepare(self, record: logging.LogRecord) -> logging.LogRecord:
        """Return the record unformatted: the writing thread formats it."""
        return record

    def enqueue(self, record: logging.LogRecord) -> None:
        """Queue a record, or drop it if the queue is full; later, log how many were dropped."""
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
        """Write the remaining lines, with a time limit: a full pipe must not keep the process alive."""
        try:
            self.enqueue_sentinel()
        except Full:
            return
        if self._thread is not None:
            self._thread.join(_LAST_LINES_S)


def _masked(_: Any, __: str, event: EventDict) -> EventDict:
    texts = {name: value for name, value in event.items() if isinstance(value, str)}
    return {**event, **{name: _ADDRESS.sub(MASK, text) for name, text in texts.items()}}


_QUIET = frozenset({"/healthz", "/readyz"})


class RequestLog:
    """Logs requests. logs_all: also successful ones to the gate's endpoints. paths: of these."""

    def __init__(self, logs_all: bool, paths: EndpointPaths) -> None:
        self.logs_all = logs_all
        self._paths = paths
        self._log = structlog.get_logger("eligibility.requests")

    def note(self, exchange: HttpExchange) -> None:
        """Log a request that was answered, or whose sender disconnected (no status)."""
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
