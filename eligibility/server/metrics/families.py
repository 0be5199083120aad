"""The metrics: names, kinds, labels, what they mean, and how those of several processes are added up."""

from collections.abc import Callable, Iterable
from typing import Literal, NamedTuple

MetricKind = Literal["counter", "gauge", "histogram"]


class MetricFamily(NamedTuple):
    """A metric. name: without the `_total` of counters. together: one number of several processes'."""

    name: str
    kind: MetricKind
    labels: tuple[str, ...]
    tells: str
    together: Callable[[Iterable[float]], float] = sum


FAMILIES = (
    MetricFamily(
        "requests", "counter", ("route", "status"), "Requests answered; 499: the client left."
    ),
    MetricFamily("request_seconds", "histogram", ("api",), "How long requests took to answer."),
    MetricFamily(
        "refusals",
        "counter",
        ("code",),
        "Requests answered with an error, by its code, as STORE_UNAVAILABLE or RATE_LIMITED.",
    ),
    MetricFamily(
        "decisions",
        "counter",
        ("outcome", "reason"),
        "Decisions of the present, by what they come to and the first reason of it.",
    ),
    MetricFamily("requests_under_way", "gauge", (), "Requests that are being answered."),
    MetricFamily(
        "upload_bytes_under_way", "gauge", (), "Bytes of large bodies that are being received."
    ),
    MetricFamily("store_up", "gauge", (), "Whether the store answers every process.", min),
    MetricFamily(
        "store_errors", "counter", (), "Queries for which the store was asked and was away."
    ),
    MetricFamily("stale_answers", "counter", (), "Of these, answered from memory."),
    MetricFamily(
        "stale_seconds",
        "gauge",
        (),
        "How old memory is while the store is away, of the process where it is oldest; else 0.",
        max,
    ),
    MetricFamily(
        "revision",
        "gauge",
        ("publisher", "of"),
        "The newest revision in memory, of groups or catalog; of publishers asked about.",
        max,
    ),
    MetricFamily(
        "propagation_seconds",
        "histogram",
        (),
        "From a write to groups until a query first saw it; none where no query came for a minute.",
    ),
    MetricFamily("products_held", "gauge", (), "Products in memory, added up over processes."),
    MetricFamily("members_held", "gauge", (), "Members of their groups in memory, likewise."),
    MetricFamily(
        "members_held_bytes", "gauge", (), "Bytes of memory that the members take, likewise."
    ),
    MetricFamily("answers_held", "gauge", (), "Decisions and answers remembered, likewise."),
    MetricFamily(
        "activity_dropped", "counter", (), "Decisions that could not be noted in activity."
    ),
    MetricFamily("workers", "gauge", (), "Server processes."),
)
"""All of them have the prefix `eligibility_`."""
