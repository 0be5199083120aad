"""Add up the metrics of worker processes: the scraped worker asks each other worker over its socket.

The parent process creates and removes a directory, in which each worker has its socket and its last
snapshot. The snapshot of a worker that ended still counts, because counters must never fall; only its
gauges are ignored.
"""

import logging
import os
import socket
import threading
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from socketserver import BaseRequestHandler, UnixStreamServer

import msgspec

from eligibility.server.metrics.families import FAMILIES
from eligibility.server.metrics.snapshot import LabelValues, Metrics, ProcessMetrics

_WAIT_S = 2.0
"""How long to wait for another worker. If it takes longer, its last snapshot is used."""
_SOCKET, _SNAPSHOT = ".sock", ".snapshot"
_FAMILIES = {family.name: family for family in FAMILIES}
_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(ProcessMetrics).decode
_log = logging.getLogger("eligibility.metrics")


class Sharing:
    """Collects snapshots of all workers. directory: shared by the workers; None without workers."""

    def __init__(self, metrics: Metrics, directory: Path | None) -> None:
        self._metrics, self._directory = metrics, directory
        # The random part is needed because an earlier worker may have had the same pid.
        self._name = f"{os.getpid()}-{os.urandom(3).hex()}"
        self._server: UnixStreamServer | None = None

    def start(self) -> None:
        """Start a thread that sends snapshots to other workers."""
        if self._directory is None:
            return
        metrics = self._metrics

        class SnapshotHandler(BaseRequestHandler):
            def handle(self) -> None:
                self.request.sendall(_pack(metrics.snapshot()))

        path = self._directory / f"{self._name}{_SOCKET}"
        try:
            self._server = UnixStreamServer(str(path), SnapshotHandler)
        except OSError as error:  # e.g. the path is too long
            _log.warning("/metrics of other workers will not count this one: %s", error)
            return
        threading.Thread(target=self._server.serve_forever, name="metrics", daemon=True).start()

    def close(self) -> None:
        """Store the last snapshot and stop. Call this after everything that counts has stopped."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None
        if self._directory is not None:
            _keep(self._directory / self._name, _pack(self._metrics.snapshot()))

    def all(self) -> list[ProcessMetrics]:
        """Return the snapshots of all workers: the last known snapshot if a worker does not answer."""
        own = self._metrics.snapshot()
        if self._directory is None:
            return [own]
        _keep(self._directory / self._name, _pack(own))
        for path in self._directory.glob(f"*{_SOCKET}"):
            if path.stem != self._name:
                _fetch(path)
        paths = self._directory.glob(f"*{_SNAPSHOT}")
        others = sorted(path for path in paths if path.stem != self._name)
        return [own, *(_unpack(path.read_bytes()) for path in others)]


def _fetch(path: Path) -> None:
    """Fetch another worker's snapshot, and store it in a file, where all workers can read it later."""
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(_WAIT_S)
            connection.connect(str(path))
            parts = iter(lambda: connection.recv(65_536), b"")
            snapshot = b"".join(parts)
        _unpack(snapshot)  # fails if the worker ended while it was sending
    except ConnectionError:  # the worker has ended
        path.unlink(missing_ok=True)
    except (OSError, msgspec.DecodeError) as error:
        _log.warning("a worker did not send its metrics: %s", error)
    else:
        _keep(path, snapshot)


def _keep(path: Path, snapshot: bytes) -> None:
    """Store a snapshot; replace its file atomically, because other workers may be reading it."""
    unfinished = path.with_suffix(f".{threading.get_ident()}-{os.getpid()}")
    unfinished.write_bytes(snapshot)
    unfinished.replace(path.with_suffix(_SNAPSHOT))


def together(
    snapshots: Sequence[ProcessMetrics],
) -> tuple[dict[LabelValues, float], dict[LabelValues, list[float]]]:
    """Add up numbers and histograms of several processes; ignore gauges of processes that ended."""
    numbers: defaultdict[LabelValues, list[float]] = defaultdict(list)
    histograms: defaultdict[LabelValues, list[list[float]]] = defaultdict(list)
    for snapshot in snapshots:
        runs = is_running(snapshot.pid)
        for key, number in snapshot.numbers.items():
            if runs or _FAMILIES[key[0]].kind == "counter":
                numbers[key].append(number)
        for key, buckets in snapshot.histograms.items():
            histograms[key].append(buckets)
    return (
        {key: _FAMILIES[key[0]].together(values) for key, values in numbers.items()},
        {key: [*map(sum, zip(*rows, strict=True))] for key, rows in histograms.items()},
    )


def is_running(pid: int) -> bool:
    """Return whether a process with this pid is running."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # it runs, as another user
        pass
    return True
