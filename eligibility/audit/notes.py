"""Entries of the audit log about forgotten people and changed settings."""

from collections.abc import Mapping
from typing import Any

import msgspec

from eligibility.audit.log import AuditLog, LogEntry
from groups.model import ForgetResult

SETTINGS = "settings.changed"


def note_forgotten(log: AuditLog, who: str, done: ForgetResult) -> LogEntry:
    """Note that a person was forgotten, but not who, because nothing may name them any more."""
    what = {
        "publisher": done.publisher,
        "groups": ", ".join(done.groups),
        "history": str(done.history),
    }
    return log.append("person.forgotten", who, what)


def note_settings(log: AuditLog, shown: Mapping[str, Any], who: str) -> LogEntry | None:
    """Note the settings that have changed since the last note; None if none has.

    Args: shown = JSON values by name, without secrets. A setting that no longer exists is noted
        with an empty text, which is not a JSON value.
    """
    present = {name: msgspec.json.encode(value).decode() for name, value in shown.items()}
    noted = dict[str, str]()
    for entry in log.entries(1, log.head().revision):
        if isinstance(entry, LogEntry) and entry.kind == SETTINGS:
            noted.update(entry.what)
    gone = {name: "" for name, value in noted.items() if value and name not in present}
    differs = {name: value for name, value in present.items() if noted.get(name) != value} | gone
    return log.append(SETTINGS, who, differs) if differs else None
