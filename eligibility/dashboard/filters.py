"""Filters of the templates: moments, numbers and names as a page shows them."""

import re
from datetime import UTC, datetime, timedelta

from markupsafe import Markup

from eligibility.dashboard.heat import ReleaseRun

_STEPS = (
    (timedelta(minutes=1), timedelta(seconds=1), "second"),
    (timedelta(hours=1), timedelta(minutes=1), "minute"),
    (timedelta(days=1), timedelta(hours=1), "hour"),
    (timedelta(days=31), timedelta(days=1), "day"),
    (timedelta(days=365), timedelta(days=30), "month"),
)
_YEAR = timedelta(days=365)


def exact(moment: datetime) -> str:
    """`2026-11-26 14:05:09 UTC`."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def exact_seconds(seconds: float) -> str:
    """As `exact`, for seconds since the epoch."""
    return exact(datetime.fromtimestamp(seconds, UTC))


def relative(moment: datetime, now: datetime) -> str:
    """`3 minutes ago`, `in 2 days`, `just now`."""
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
    """A moment relative to now, with the exact one as a tooltip; a dash for None."""
    if moment is None:
        return Markup('<span class="muted">-</span>')
    if not isinstance(moment, datetime):
        moment = datetime.fromtimestamp(moment, UTC)
    return Markup('<time datetime="{}" title="{}">{}</time>').format(
        moment.astimezone(UTC).isoformat(), exact(moment), relative(moment, now)
    )


def count(number: int, noun: str, plural: str = "") -> str:
    """`1 member`, `1,204 members`."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def share(part: int, whole: int) -> str:
    """`87 %`. It is 0 % only for none, and 100 % only for all."""
    if not whole:
        return "-"
    percent = round(100 * part / whole)
    if percent == 100 and part < whole:
        return "> 99 %"
    return "< 1 %" if percent == 0 and part else f"{percent} %"


def clock(seconds: float) -> str:
    """`2026-11-26 14:00`, for seconds since the epoch."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M}"


def run_class(run: ReleaseRun) -> str:
    """The CSS class for what somebody gets: a flight, the submission, or one of two kinds of no."""
    mark = run.mark
    if mark is None:
        return ""
    if mark.kind == "denied":
        return "lost" if run.lost else "no"
    return "pub" if mark.flight is None else f"f{mark.flight % 6}"


def sentence(text: str) -> str:
    """A text with its first letter as a capital; the others stay, as in `OS`."""
    return text[:1].upper() + text[1:]


def quoted(text: str) -> str:
    """A text with quotation marks in place of Markdown's grave accents."""
    return re.sub(r"`([^`]*)`", r"“\1”", text)
