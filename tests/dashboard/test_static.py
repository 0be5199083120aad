"""What the dashboard serves of others is byte for byte what its manifest says."""

import tomllib
from hashlib import sha256
from importlib.resources import files

import pytest

STATIC = files("eligibility.dashboard") / "static"
MANIFEST = tomllib.loads((STATIC / "vendored.toml").read_text("utf-8"))


@pytest.mark.parametrize("package", MANIFEST)
def test_vendored_files_are_those_of_the_manifest(package: str) -> None:
    entry = MANIFEST[package]
    assert entry.keys() >= {"version", "source", "licence", "sha256"}
    present = {one.name for one in (STATIC / package).iterdir()} - {"LICENSE"}
    assert present == entry["sha256"].keys()
    for name, digest in entry["sha256"].items():
        assert sha256((STATIC / package / name).read_bytes()).hexdigest() == digest, name
    assert (STATIC / package / "LICENSE").is_file()


def test_every_directory_of_others_is_in_the_manifest() -> None:
    assert {one.name for one in STATIC.iterdir() if one.is_dir()} == MANIFEST.keys()
