"""Adds up the metrics of worker processes: the scraped one asks the others, each over its own socket.

The parent process makes a directory and removes it. Each worker keeps its socket there, and its last
snapshot. The snapshot outlives its worker, because a counter must never fall; gauges of a worker that
ended do not count.
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
"""How long we wait for another worker; for one that is busy longer, its last scrape counts."""
_SOCKET, _SNAPSHOT = ".sock", ".snapshot"
_FAMILIES = {family.name: family for family in FAMILIES}
_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(ProcessMetrics).decode
_log = logging.getLogger("eligibility.metrics")


class Sharing:
    """Collects snapshots of all workers. directory: theirs; None where this process is the only one."""

    def __init__(self, metrics: Metrics, directory: Path | None) -> None:
        self._metrics, self._directory = metrics, directory
        # Another worker may have had this pid before.
        self._name = f"{os.getpid()}-{os.urandom(3).hex()}"
        self._server: UnixStreamServer | None = None

    def start(self) -> None:
        """Start a thread that answers other workers."""
        if self._directory is None:
            return
        metrics = self._metrics

        class SnapshotHandler(BaseRequestHandler):
            def handle(self) -> None:
                self.request.sendall(_pack(metrics.snapshot()))

        path = self._directory / f"{self._name}{_SOCKET}"
        try:
            self._server = UnixStreamServer(str(path), SnapshotHandler)
        except OSError as error:  # the path may be too long
            _log.warning("/metrics of other workers will not count this one: %s", error)
            return
        threading.Thread(target=self._server.serve_forever, name="metrics", daemon=True).start()

    def close(self) -> None:
        """Leave the last snapshot behind, and end. Whatever counts must have ended before."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None
        if self._directory is not None:
            _keep(self._directory / self._name, _pack(self._metrics.snapshot()))

    def all(self) -> list[ProcessMetrics]:
        """Return the snapshots of all workers; of one that does not answer, its last."""
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
    """Fetch another worker's snapshot and keep it, so that the next worker to be scraped has it too."""
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(_WAIT_S)
            connection.connect(str(path))
            parts = iter(lambda: connection.recv(65_536), b"")
            snapshot = b"".join(parts)
        _unpack(snapshot)  # the worker may have ended halfway
    except ConnectionError:  # the worker has ended
        path.unlink(missing_ok=True)
    except (OSError, msgspec.DecodeError) as error:
        _log.warning("a worker did not send its metrics: %s", error)
    else:
        _keep(path, snapshot)


def _keep(path: Path, snapshot: bytes) -> None:
    """Keep a snapshot in its file, which is replaced whole because others may be reading it."""
    unfinished = path.with_suffix(f".{threading.get_ident()}-{os.getpid()}")
    unfinished.write_bytes(snapshot)
    unfinished.replace(path.with_suffix(_SNAPSHOT))


def together(
    snapshots: Sequence[ProcessMetrics],
) -> tuple[dict[LabelValues, float], dict[LabelValues, list[float]]]:
    """Add up the numbers and histograms of several processes; gauges only of those that run."""
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
    """Return whether a process runs."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # of another user
        pass
    return True
