"""How values read on a page: moments, numbers, names. Filters of the templates."""

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
    """The same of seconds since the epoch."""
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
    words = f"{number} {name}{'' if number == 1 else 's'}"
    return f"in {words}" if moment > now else f"{words} ago"


def when(moment: datetime | float | None, now: datetime) -> Markup:
    """A moment relative, with the exact one to hover over; a dash for none."""
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
    """`87 %`; never 0 or 100 where it is not all or nothing."""
    if not whole:
        return "-"
    percent = round(100 * part / whole)
    if percent == 100 and part < whole:
        return "> 99 %"
    return "< 1 %" if percent == 0 and part else f"{percent} %"


def clock(seconds: float) -> str:
    """`2026-11-26 14:00`, of seconds since the epoch."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M}"


def run_class(run: ReleaseRun) -> str:
    """The style of what somebody gets: the flight's, the submission's, or one of the two of a no."""
    mark = run.mark
    if mark is None:
        return ""
    if mark.kind == "denied":
        return "lost" if run.lost else "no"
    return "pub" if mark.flight is None else f"f{mark.flight % 6}"


def sentence(text: str) -> str:
    """The same with a capital letter at the beginning; the rest stays as it is, `OS` included."""
    return text[:1].upper() + text[1:]


def quoted(text: str) -> str:
    """What is between grave accents in quotation marks, for those who read no Markdown."""
    return re.sub(r"`([^`]*)`", r"“\1”", text)
