"""Take snapshots: the state of one process at one moment in time, as numbers by name and labels."""

import operator
import os
from collections.abc import Iterator
from datetime import datetime

from msgspec import Struct

from eligibility.engine.evaluator import Evaluator
from eligibility.server.http.limits import ProcessLoad
from eligibility.server.http.tallies import RouteCounters
from eligibility.service.service import Service
from groups.errors import GroupsError, StoreUnavailable
from groups.store import GroupFeed

LabelValues = tuple[str, ...]
"""A metric's name, followed by the values of its labels."""


class ProcessMetrics(Struct, array_like=True):
    """The numbers of a process. histograms: values in the form of Histogram.numbers."""

    pid: int
    numbers: dict[LabelValues, float]
    histograms: dict[LabelValues, list[float]]


class Metrics:
    """Takes snapshots of this process."""

    def __init__(self, service: Service, tallies: RouteCounters, load: ProcessLoad) -> None:
        self._service, self._tallies, self._load = service, tallies, load

    def snapshot(self) -> ProcessMetrics:
        """Read all numbers now, and check whether the store is reachable."""
        self._service.recorder.take_up()
        evaluator = self._service.evaluator
        numbers = {
            **dict(self._requests()),
            **dict(_memory(evaluator)),
            **self._store(),
            ("workers",): 1,
            ("activity_dropped",): self._service.recorder.dropped,
        }
        histograms: dict[LabelValues, list[float]] = {
            ("request_seconds", api): took.numbers() for api, took in self._tallies.took.items()
        }
        histograms["propagation_seconds",] = evaluator.propagation.numbers()
        return ProcessMetrics(os.getpid(), numbers, histograms)

    def _requests(self) -> Iterator[tuple[LabelValues, float]]:
        yield ("requests_under_way",), self._load.requests
        yield ("upload_bytes_under_way",), self._load.bytes
        for route, tally in [*self._tallies.routes.items()]:
            for status, requests in tally.statuses.copy().items():
                yield ("requests", route, str(status)), requests
        for code, refused in self._tallies.refusals.copy().items():
            yield ("refusals", code), refused
        for (outcome, reason), decisions in self._service.recorder.totals.copy().items():
            yield ("decisions", outcome, reason), decisions

    def _store(self) -> dict[LabelValues, float]:
        evaluator, now = self._service.evaluator, self._service.now()
        try:
            evaluator.check_ready()
            up = True
        except GroupsError:
            up = False
        publishers = {product.publisher for product in evaluator.everything()}
        ages = [_staleness(self._service.groups, publisher, now) for publisher in publishers]
        return {
            ("store_up",): float(up),
            ("stale_seconds",): max(ages, default=0.0),
            ("store_errors",): evaluator.store_errors,
            ("stale_answers",): evaluator.stale_answers,
        }


def _memory(evaluator: Evaluator) -> Iterator[tuple[LabelValues, float]]:
    products = evaluator.everything()
    yield ("products_held",), len(products)
    yield ("members_held",), sum(len(product.snapshot.index) for product in products)
    yield ("members_held_bytes",), sum(product.snapshot.index.nbytes for product in products)
    yield ("answers_held",), sum(product.remembered for product in products)
    for kind in ("groups", "catalog"):  # sorted, so that a publisher's newest revision wins
        newest = operator.attrgetter(f"revision.{kind}")
        for product in sorted(products, key=newest):
            yield ("revision", product.publisher, kind), newest(product)


def _staleness(groups: GroupFeed, publisher: str, now: datetime) -> float:
    """Return the seconds since the store's last answer; 0 if it answers now."""
    try:
        groups.change_token(publisher)
    except StoreUnavailable:
        _, seen_at = groups.last_look(publisher)
        return max(0.0, (now - seen_at).total_seconds())
    return 0.0
