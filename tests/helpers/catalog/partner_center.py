"""Files of the Store submission API for tests of the import: the sample, changed and written anew."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from eligibility.catalog.partner_center import Import
from eligibility.errors import InvalidFile
from eligibility.resources import config_dir

SAMPLE = config_dir() / "sample" / "partner-center"
Files = dict[str, Any]
Importer = Callable[..., Import]
RING, DAILY, WEEKLY = "Company ring", "Daily", "Weekly"
RING_ID = "7bfc11d5-f710-47c5-8a98-e04bb5aad310"
APP = "9NCONTOSOMAIL"


def sample() -> Files:
    """The sample: an app, three flights on two pages, their submissions."""
    return {path.stem: json.loads(path.read_text()) for path in SAMPLE.glob("*.json")}


def write(directory: Path, files: Mapping[str, Any]) -> list[Path]:
    """Writes a response to each file: bytes and texts as they are, everything else as JSON."""
    directory.mkdir(exist_ok=True)
    paths = []
    for name, body in files.items():
        text = body if isinstance(body, str | bytes) else json.dumps(body)
        path = directory / (name if "." in name else f"{name}.json")
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        paths.append(path)
    return paths


def flight(files: Files, name: str) -> dict[str, Any]:
    pages = files["flights-1"]["value"] + files["flights-2"]["value"]
    found: dict[str, Any] = next(f for f in pages if f["friendlyName"] == name)
    return found


def rollout_of(files: Files, submission: str = "submission-company-ring-2") -> dict[str, Any]:
    found: dict[str, Any] = files[submission]["packageDeliveryOptions"]["packageRollout"]
    return found


def package_of(files: Files, submission: str = "submission-app", number: int = 0) -> dict[str, Any]:
    body = files[submission]
    packages = body.get("applicationPackages") or body.get("flightPackages")
    found: dict[str, Any] = packages[number]
    return found


def codes(read: Import) -> set[str]:
    return {note.code for note in read.notes}


def note_of(read: Import, code: str) -> str:
    """The detail of the only note with this code."""
    (detail,) = [note.detail for note in read.notes if note.code == code]
    return detail


def faults_of(run: Importer, files: Files, **options: Any) -> list[tuple[str, str]]:
    with pytest.raises(InvalidFile) as caught:
        run(files, **options)
    return [(fault.code, fault.detail) for fault in caught.value.faults]
