"""The log: one line an event, as JSON or for a terminal, on standard error. No address ever gets in.

What other libraries log goes the same way. Nothing of ours logs an address; `_masked` is the last
line of defence against one inside an error of somebody else's.
"""

import logging
import re
import sys
from typing import Any, Literal

import structlog
from structlog.types import EventDict, Processor

_ADDRESS = re.compile(r"[^\s\"'<>(),;:=`]+@[^\s\"'<>(),;:=`@]+")
MASK = "<address>"


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
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("eligibility").setLevel(logging.INFO)
    structlog.configure(
        processors=[*before, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def _masked(_: Any, __: str, event: EventDict) -> EventDict:
    return {name: _mask(value) for name, value in event.items()}


def _mask(value: Any) -> Any:
    return _ADDRESS.sub(MASK, value) if isinstance(value, str) else value
