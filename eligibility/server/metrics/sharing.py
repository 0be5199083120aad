"""Worker processes share what they counted: each writes its own file, and a scrape of any reads all.

The files are in a directory that the parent makes and removes. Those of workers that ended stay, for a
counter never falls; of what such a worker holds nothing is told any more.
"""

import logging
import os
import threading
from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path

import msgspec

from eligibility.server.metrics.families import FAMILIES
from eligibility.server.metrics.snapshot import Key, Metrics, Snapshot

WRITE_S = 1.0
"""How old a worker's file is at most, where it is well."""
_ENDING = ".snapshot"
_KINDS = {family.name: family for family in FAMILIES}
_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(Snapshot).decode
_log = logging.getLogger("eligibility.metrics")


class Sharing:
    """The snapshots of all workers. directory: theirs; None where this process is the only one."""

    def __init__(self, metrics: Metrics, directory: Path | None) -> None:
        self._metrics, self._directory = metrics, directory
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        # Another worker may have had this pid before.
        self._name = f"{os.getpid()}-{os.urandom(4).hex()}{_ENDING}"

    def start(self) -> None:
        """Begin to write this worker's file, in a thread of its own."""
        if self._directory is not None:
            run = partial(self._run, self._directory / self._name)
            self._thread = threading.Thread(target=run, name="metrics", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Write for the last time, and end. Whatever is counted has to be counted by now."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def all(self) -> list[Snapshot]:
        """This process as it is now, and the others as of their last file."""
        own = self._metrics.snapshot()
        if self._directory is None:
            return [own]
        files = [one for one in self._directory.glob(f"*{_ENDING}") if one.name != self._name]
        return [own, *(_unpack(one.read_bytes()) for one in sorted(files))]

    def _run(self, place: Path) -> None:
        while not self._stop.wait(WRITE_S):
            self._write(place)
        self._write(place)

    def _write(self, place: Path) -> None:
        try:
            unfinished = place.with_suffix(".unfinished")
            unfinished.write_bytes(_pack(self._metrics.snapshot()))
            unfinished.replace(place)
        except Exception:  # noqa: BLE001 - the next one may be written
            _log.exception("metrics of this worker were not shared")


def together(snapshots: Sequence[Snapshot]) -> tuple[dict[Key, float], dict[Key, list[float]]]:
    """The numbers and histograms of several processes as one; gauges of those that run."""
    numbers: defaultdict[Key, list[float]] = defaultdict(list)
    histograms: defaultdict[Key, list[list[float]]] = defaultdict(list)
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
    """Whether a process of ours is there."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
