"""Filters of the templates: they format dates, numbers and names."""

import re
from datetime import UTC, datetime, timedelta

from markupsafe import Markup

from eligibility.dashboard.heat import ReleaseRun
from eligibility.errors import Fault

_STEPS = (
    (timedelta(minutes=1), timedelta(seconds=1), "second"),
    (timedelta(hours=1), timedelta(minutes=1), "minute"),
    (timedelta(days=1), timedelta(hours=1), "hour"),
    (timedelta(days=31), timedelta(days=1), "day"),
    (timedelta(days=365), timedelta(days=30), "month"),
)
_YEAR = timedelta(days=365)


def exact(moment: datetime) -> str:
    """Format a date and time as `2026-11-26 14:05:09 UTC`."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def exact_seconds(seconds: float) -> str:
    """Format seconds since the epoch as `exact` does."""
    return exact(datetime.fromtimestamp(seconds, UTC))


def relative(moment: datetime, now: datetime) -> str:
    """Describe a date and time relative to now: `3 minutes ago`, `in 2 days`, `just now`."""
    distance = abs(moment - now)
    if distance < timedelta(seconds=10):
        return "just now"
    unit, name = next(
        ((unit, name) for below, unit, name in _STEPS if distance < below), (_YEAR, "year")
    )
    number = int(distance / unit)
    text = f"{number} {name}{'' if number == 1 else 's'}"
    return f"in {text}" if moment > now else f"{text} ago"


def when(moment: datetime | float | None, now: datetime) -> Markup:
    """Format a date and time relative to now, with the exact one as a tooltip; `-` for None."""
    if moment is None:
        return Markup('<span class="muted">-</span>')
    if not isinstance(moment, datetime):
        moment = datetime.fromtimestamp(moment, UTC)
    return Markup('<time datetime="{}" title="{}">{}</time>').format(
        moment.astimezone(UTC).isoformat(), exact(moment), relative(moment, now)
    )


def count(number: int, noun: str, plural: str = "") -> str:
    """Format a number with its noun: `1 member`, `1,204 members`."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def share(part: int, whole: int) -> str:
    """Format a share as `87 %`. `0 %` means none, and `100 %` means all."""
    if not whole:
        return "-"
    percent = round(100 * part / whole)
    if percent == 100 and part < whole:
        return "> 99 %"
    return "< 1 %" if percent == 0 and part else f"{percent} %"


def clock(seconds: float) -> str:
    """Format seconds since the epoch as `2026-11-26 14:00`, in UTC."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M}"


def run_class(run: ReleaseRun) -> str:
    """Return the CSS class of an outcome: a flight, the submission, or a kind of denial."""
    mark = run.mark
    if mark is None:
        return ""
    if mark.kind == "denied":
        return "lost" if run.lost else "no"
    return "pub" if mark.flight is None else f"f{mark.flight % 6}"


def sentence(text: str) -> str:
    """Capitalize the first letter of a text, and keep the others, as in `OS`."""
    return text[:1].upper() + text[1:]


def located(fault: Fault) -> str:
    """Format a fault: in a file, the number of its line stands before it."""
    line = fault.loc.removeprefix("line.")
    return fault.detail if line == fault.loc else f"Line {line}: {fault.detail}"


def quoted(text: str) -> str:
    """Replace Markdown's grave accents by quotation marks."""
    return re.sub(r"`([^`]*)`", r"“\1”", text)
