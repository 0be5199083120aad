"""Write snapshots and metrics of processes in the formats of Prometheus, with its library."""

import itertools
from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import partial

from prometheus_client import CollectorRegistry, Metric, ProcessCollector
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
)
from prometheus_client.registry import Collector

from eligibility import __version__
from eligibility.engine.loader import PROPAGATION_SECONDS
from eligibility.server.http.tallies import SECONDS
from eligibility.server.metrics.families import FAMILIES, MetricFamily
from eligibility.server.metrics.sharing import is_running, together
from eligibility.server.metrics.snapshot import LabelValues, ProcessMetrics

_BOUNDS = {"request_seconds": SECONDS, "propagation_seconds": PROPAGATION_SECONDS}


def exposed(snapshots: Sequence[ProcessMetrics], accept: str) -> tuple[bytes, str]:
    """Return the body of a scrape and its media type, in the newest format that `accept` allows."""
    registry = CollectorRegistry()
    registry.register(_Snapshots(snapshots))
    encode, media_type = choose_encoder(accept)
    return encode(registry), media_type


class _Snapshots(Collector):
    """Passes the metrics to the Prometheus library."""

    def __init__(self, snapshots: Sequence[ProcessMetrics]) -> None:
        self._snapshots = snapshots

    def collect(self) -> Iterator[Metric]:
        numbers, histograms = together(self._snapshots)
        yield InfoMetricFamily("eligibility_build", "The program.", {"version": __version__})
        for family in FAMILIES:
            if family.kind == "histogram":
                yield _histogram(family, histograms)
            else:
                yield _plain(family, numbers)
        running = [snapshot.pid for snapshot in self._snapshots if is_running(snapshot.pid)]
        yield from _processes(running)


def _plain(family: MetricFamily, numbers: dict[LabelValues, float]) -> Metric:
    kind = CounterMetricFamily if family.kind == "counter" else GaugeMetricFamily
    metric = kind(f"eligibility_{family.name}", family.help, labels=family.labels)
    for (name, *labels), number in sorted(numbers.items()):
        if name == family.name:
            metric.add_metric(labels, number)
    return metric


def _histogram(family: MetricFamily, histograms: dict[LabelValues, list[float]]) -> Metric:
    bounds = [*map(str, _BOUNDS[family.name]), "+Inf"]
    metric = HistogramMetricFamily(f"eligibility_{family.name}", family.help, labels=family.labels)
    for (name, *labels), (*counts, total) in sorted(histograms.items()):
        if name == family.name:
            buckets = zip(bounds, itertools.accumulate(counts), strict=True)
            metric.add_metric(labels, list(buckets), total)
    return metric


def _processes(pids: Sequence[int]) -> Iterator[Metric]:
    """Yield the library's metrics of each process (CPU, memory etc.), with the label `pid`."""
    collected: defaultdict[str, list[tuple[int, Metric]]] = defaultdict(list)
    for pid in pids:
        for metric in ProcessCollector(pid=partial(int, pid), registry=None).collect():
            collected[metric.name].append((pid, metric))
    for metrics in collected.values():
        first = metrics[0][1]
        merged = Metric(first.name, first.documentation, first.type)
        for pid, metric in metrics:
            for sample in metric.samples:
                merged.add_sample(sample.name, {"pid": str(pid)}, sample.value)
        yield merged
