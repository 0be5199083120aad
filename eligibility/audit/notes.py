"""Write audit log entries about forgotten people and changed settings."""

from collections.abc import Mapping
from typing import Any

import msgspec

from eligibility.audit.log import AuditLog, LogEntry
from groups.model import ForgetResult

SETTINGS = "settings.changed"


def note_forgotten(log: AuditLog, who: str, done: ForgetResult) -> LogEntry:
    """Log that a person was forgotten. The entry does not name the person: nothing may any more."""
    what = {
        "publisher": done.publisher,
        "groups": ", ".join(done.groups),
        "history": str(done.history),
    }
    return log.append("person.forgotten", who, what)


def note_settings(log: AuditLog, shown: Mapping[str, Any], who: str) -> LogEntry | None:
    """Log the settings that have changed since they were logged last; return None if none has.

    A setting that no longer exists is logged with an empty text, which no JSON value is.
    Args: shown = setting -> JSON value, without secrets.
    """
    present = {name: msgspec.json.encode(value).decode() for name, value in shown.items()}
    noted = dict[str, str]()
    for entry in log.entries(1, log.head().revision):
        if isinstance(entry, LogEntry) and entry.kind == SETTINGS:
            noted.update(entry.what)
    gone = {name: "" for name, value in noted.items() if value and name not in present}
    differs = {name: value for name, value in present.items() if noted.get(name) != value} | gone
    return log.append(SETTINGS, who, differs) if differs else None
