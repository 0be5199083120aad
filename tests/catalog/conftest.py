"""Fixtures of the tests of the Partner Center import."""

from pathlib import Path
from typing import Any

import pytest

from eligibility.catalog.partner_center import Import, read_files
from tests.helpers.catalog.partner_center import Files, Importer, sample, write


@pytest.fixture
def files() -> Files:
    """The sample: an app, three flights on two pages, their submissions."""
    return sample()


@pytest.fixture
def run(tmp_path: Path) -> Importer:
    """Imports files, after they are written to a directory of the test."""

    def run(files: Files, **options: Any) -> Import:
        return read_files(write(tmp_path / "import", files), **options)

    return run
