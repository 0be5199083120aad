"""Worker processes add up: the one that is scraped asks the others, each over a socket of its own.

Sockets are in a directory that the parent makes and removes, and so is what each worker told last. Of
workers that ended it stays, for a counter never falls; of what such a worker held nothing is told.
"""

import logging
import os
import socket
import threading
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from socketserver import BaseRequestHandler, UnixStreamServer

import msgspec

from eligibility.server.metrics.families import FAMILIES
from eligibility.server.metrics.snapshot import LabelValues, Metrics, ProcessMetrics

_WAIT_S = 2.0
"""How long we wait for another worker; for one that is busy longer, its last scrape counts."""
_SOCKET, _TOLD = ".sock", ".told"
_KINDS = {family.name: family for family in FAMILIES}
_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(ProcessMetrics).decode
_log = logging.getLogger("eligibility.metrics")


class Sharing:
    """The snapshots of all workers. directory: theirs; None where this process is the only one."""

    def __init__(self, metrics: Metrics, directory: Path | None) -> None:
        self._metrics, self._directory = metrics, directory
        # Another worker may have had this pid before.
        self._name = f"{os.getpid()}-{os.urandom(3).hex()}"
        self._server: UnixStreamServer | None = None

    def start(self) -> None:
        """Begin to answer other workers, in a thread."""
        if self._directory is None:
            return
        metrics = self._metrics

        class Told(BaseRequestHandler):
            def handle(self) -> None:
                self.request.sendall(_pack(metrics.snapshot()))

        place = self._directory / f"{self._name}{_SOCKET}"
        try:
            self._server = UnixStreamServer(str(place), Told)
        except OSError as error:  # the path may be too long
            _log.warning("/metrics of other workers will not count this one: %s", error)
            return
        threading.Thread(target=self._server.serve_forever, name="metrics", daemon=True).start()

    def close(self) -> None:
        """Leave behind what was counted, and end. Whatever counts has to have ended before."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None
        if self._directory is not None:
            _keep(self._directory / self._name, _pack(self._metrics.snapshot()))

    def all(self) -> list[ProcessMetrics]:
        """This process and the others as they are now; as they told last where they do not answer."""
        own = self._metrics.snapshot()
        if self._directory is None:
            return [own]
        _keep(self._directory / self._name, _pack(own))
        for place in self._directory.glob(f"*{_SOCKET}"):
            if place.stem != self._name:
                _ask(place)
        told = self._directory.glob(f"*{_TOLD}")
        others = sorted(one for one in told if one.stem != self._name)
        return [own, *(_unpack(one.read_bytes()) for one in others)]


def _ask(place: Path) -> None:
    """Keep what another worker tells, so that whoever is scraped next tells no less."""
    try:
        with socket.socket(socket.AF_UNIX) as asking:
            asking.settimeout(_WAIT_S)
            asking.connect(str(place))
            parts = iter(lambda: asking.recv(65_536), b"")
            told = b"".join(parts)
        _unpack(told)  # it may have ended halfway
    except ConnectionError:  # it has ended
        place.unlink(missing_ok=True)
    except (OSError, msgspec.DecodeError) as error:
        _log.warning("a worker did not tell its metrics: %s", error)
    else:
        _keep(place, told)


def _keep(place: Path, told: bytes) -> None:
    """Put it in place at once: others may be reading."""
    unfinished = place.with_suffix(f".{threading.get_ident()}-{os.getpid()}")
    unfinished.write_bytes(told)
    unfinished.replace(place.with_suffix(_TOLD))


def together(
    snapshots: Sequence[ProcessMetrics],
) -> tuple[dict[LabelValues, float], dict[LabelValues, list[float]]]:
    """Add up the numbers and histograms of several processes; gauges only of those that run."""
    numbers: defaultdict[LabelValues, list[float]] = defaultdict(list)
    histograms: defaultdict[LabelValues, list[list[float]]] = defaultdict(list)
    for one in snapshots:
        runs = is_running(one.pid)
        for key, number in one.numbers.items():
            if runs or _KINDS[key[0]].kind == "counter":
                numbers[key].append(number)
        for key, found in one.histograms.items():
            histograms[key].append(found)
    return (
        {key: _KINDS[key[0]].together(found) for key, found in numbers.items()},
        {key: _added(found) for key, found in histograms.items()},
    )


def _added(histograms: Iterable[list[float]]) -> list[float]:
    return [sum(column) for column in zip(*histograms, strict=True)]


def is_running(pid: int) -> bool:
    """Whether a process runs."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
