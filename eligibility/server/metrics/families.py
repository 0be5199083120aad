"""The table of metrics: names, kinds, labels, meanings, and how to combine several processes."""

from collections.abc import Callable, Iterable
from typing import Literal, NamedTuple

MetricKind = Literal["counter", "gauge", "histogram"]


class MetricFamily(NamedTuple):
    """A metric. name: without the suffix `_total` of counters. together: combines several processes."""

    name: str
    kind: MetricKind
    labels: tuple[str, ...]
    help: str
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
        "Decisions about now, by outcome and first reason.",
    ),
    MetricFamily("requests_under_way", "gauge", (), "Requests that are being answered."),
    MetricFamily(
        "upload_bytes_under_way", "gauge", (), "Bytes of large bodies that are being received."
    ),
    MetricFamily("store_up", "gauge", (), "1 if the store answers every process, else 0.", min),
    MetricFamily(
        "store_errors", "counter", (), "Queries that needed the store while it was unavailable."
    ),
    MetricFamily("stale_answers", "counter", (), "Those of these queries that memory answered."),
    MetricFamily(
        "stale_seconds",
        "gauge",
        (),
        "Age of the data in memory while the store is unavailable, of the process with the oldest; else 0.",
        max,
    ),
    MetricFamily(
        "revision",
        "gauge",
        ("publisher", "of"),
        "Newest revision of groups or catalog in memory, of publishers that were queried.",
        max,
    ),
    MetricFamily(
        "propagation_seconds",
        "histogram",
        (),
        "Time from a write to groups to the first query that saw it; not counted after a minute without a query.",
    ),
    MetricFamily("products_held", "gauge", (), "Products in memory, added up over processes."),
    MetricFamily(
        "members_held", "gauge", (), "Members of their groups in memory, added up over processes."
    ),
    MetricFamily(
        "members_held_bytes",
        "gauge",
        (),
        "Bytes of memory that the members take, added up over processes.",
    ),
    MetricFamily(
        "answers_held", "gauge", (), "Decisions and answers in memory, added up over processes."
    ),
    MetricFamily(
        "activity_dropped", "counter", (), "Decisions that could not be recorded in activity."
    ),
    MetricFamily("workers", "gauge", (), "Server processes."),
)
"""All metrics. In the output, the names have the prefix `eligibility_`."""
