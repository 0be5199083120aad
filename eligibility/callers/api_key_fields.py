"""Read the fields of a new API key; append all faults to `faults`, so that one error has all."""

import re
import unicodedata
from collections.abc import Collection
from datetime import datetime, timedelta

from eligibility.callers.model import Scope, scopes_of
from eligibility.errors import Fault, InvalidInput
from eligibility.formats.moments import parse_moment
from eligibility.formats.strict_struct import shown
from groups.errors import InvalidGroup
from groups.model import check_publisher

LONGEST_NAME = 64
HIGHEST_RATE_LIMIT = 1_000_000

_DURATION = re.compile(r"([0-9]{1,6})([mhd])")
_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}


def read_name(name: str, faults: list[Fault]) -> str:
    """Trim and check the name of a key. Addresses are refused, because names appear in logs."""
    trimmed = unicodedata.normalize("NFC", name.strip())
    if not 1 <= len(trimmed) <= LONGEST_NAME or not trimmed.isprintable() or "@" in trimmed:
        detail = (
            f"`{shown(name)}` cannot be the name of a key: use 1 to {LONGEST_NAME} printable"
            " characters, as in store-backend; not an address, because names appear in logs"
        )
        faults.append(Fault("name", "INVALID_NAME", detail))
    return trimmed


def read_scopes(names: Collection[str], faults: list[Fault]) -> frozenset[Scope]:
    """Read the scopes of a key. A key needs at least one scope."""
    try:
        scopes = scopes_of(names)
    except ValueError as error:
        faults.append(Fault("scopes", "UNKNOWN_SCOPE", str(error)))
        return frozenset()
    if not scopes:
        detail = f"a key needs at least one scope; the scopes are {', '.join(Scope)}"
        faults.append(Fault("scopes", "NO_SCOPE", detail))
    return scopes


def read_publishers(ids: Collection[str] | None, faults: list[Fault]) -> frozenset[str] | None:
    """Check the publisher ids of a key; None means all publishers."""
    if ids is None:
        return None
    if not ids:
        detail = "a key needs at least one publisher id, or has to be for all publishers"
        faults.append(Fault("publishers", "NO_PUBLISHER", detail))
    for publisher in ids:
        try:
            check_publisher(publisher)
        except InvalidGroup as error:
            faults += [Fault("publishers", fault.code, fault.detail) for fault in error.faults]
    return frozenset(ids)


def read_rate_limit(limit: int | None, faults: list[Fault]) -> int | None:
    """Check the rate limit of a key in requests a second; None means the limit of the settings."""
    if limit is not None and not 1 <= limit <= HIGHEST_RATE_LIMIT:
        detail = f"`{limit}` is not a rate limit: use 1 to {HIGHEST_RATE_LIMIT:,} a second"
        faults.append(Fault("rate_limit", "INVALID_RATE_LIMIT", detail))
    return limit


def read_expiry(expires: str | None, now: datetime, faults: list[Fault]) -> datetime | None:
    """Read a key's expiry: a duration from now (`90d`) or a date and time; None means never."""
    if expires is None:
        return None
    length = _duration(expires)
    try:
        end = parse_moment(expires, "expires") if length is None else now + length
    except InvalidInput:
        forms = "neither a duration (90d, 12h, 30m) nor a moment (2027-01-31T00:00:00Z)"
        detail = f"`{shown(expires)}` is {forms}"
        faults.append(Fault("expires", "UNREADABLE_EXPIRY", detail))
        return None
    if end <= now:
        detail = f"`{shown(expires)}` must be a moment after now, {now:%Y-%m-%dT%H:%M:%SZ}"
        faults.append(Fault("expires", "EXPIRY_PAST", detail))
    return end


def read_overlap(overlap: str, faults: list[Fault]) -> timedelta:
    """Read how long a rotated key continues to work, such as `24h`; `0` ends the key at once."""
    length = timedelta() if overlap == "0" else _duration(overlap)
    if length is None:
        detail = f"`{shown(overlap)}` is not a duration: write 24h, 30m or 7d; 0 ends it at once"
        faults.append(Fault("overlap", "UNREADABLE_DURATION", detail))
        return timedelta()
    return length


def _duration(text: str) -> timedelta | None:
    """Read a duration such as `90d`, `12h` or `30m`; return None for any other text."""
    match = _DURATION.fullmatch(text)
    return None if match is None else int(match[1]) * _UNITS[match[2]]
