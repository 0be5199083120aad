"""Settings: what wins over what, where each comes from, and every fault named at once."""

from pathlib import Path

import pytest

from eligibility.errors import InvalidSettings
from eligibility.settings import load_settings


def test_without_anything_the_packaged_defaults_hold() -> None:
    loaded = load_settings({})
    assert loaded.settings.host == "127.0.0.1"
    assert loaded.settings.port == 8080
    assert loaded.settings.max_staleness_seconds == 1_800
    assert loaded.origins["port"] == "packaged default"
    assert loaded.settings.store.startswith("sqlite:///")
    assert loaded.settings.store.endswith("eligibility.db")


def test_command_line_over_environment_over_file_over_default(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text("port = 1\nworkers = 2\nmax_body_bytes = 2000\n")
    environ = {
        "ELIGIBILITY_SETTINGS": str(file),
        "ELIGIBILITY_PORT": "3",
        "ELIGIBILITY_WORKERS": "4",
        "HOME": "/elsewhere",
    }
    loaded = load_settings(environ, {"port": 5, "host": None})
    settings, origins = loaded.settings, loaded.origins
    assert (settings.port, settings.workers, settings.max_body_bytes) == (5, 4, 2000)
    assert (origins["port"], origins["workers"]) == ("command line", "environment")
    assert origins["max_body_bytes"] == f"file {file}"
    assert origins["host"] == "packaged default"


@pytest.mark.parametrize(
    ("environ", "loc", "code"),
    [
        ({"ELIGIBILITY_PORT": "http"}, "port", "WRONG_VALUE"),
        ({"ELIGIBILITY_PORT": "65536"}, "port", "WRONG_VALUE"),
        ({"ELIGIBILITY_WORKERS": "0"}, "workers", "WRONG_VALUE"),
        ({"ELIGIBILITY_COLOUR": "red"}, "colour", "UNKNOWN_SETTING"),
        ({"ELIGIBILITY_STORE": "eligibility.db"}, "store", "WRONG_VALUE"),
    ],
)
def test_a_fault_is_named_with_its_setting(environ: dict[str, str], loc: str, code: str) -> None:
    with pytest.raises(InvalidSettings) as caught:
        load_settings(environ)
    (fault,) = caught.value.faults
    assert (fault.loc, fault.code) == (loc, code)
    assert "environment" in fault.detail


def test_all_faults_are_named_at_once() -> None:
    with pytest.raises(InvalidSettings) as caught:
        load_settings({"ELIGIBILITY_PORT": "x", "ELIGIBILITY_WORKERS": "y"})
    assert [fault.loc for fault in caught.value.faults] == ["port", "workers"]


@pytest.mark.parametrize("content", ["port = ", None])
def test_a_settings_file_that_cannot_be_read_is_refused(
    tmp_path: Path, content: str | None
) -> None:
    file = tmp_path / "settings.toml"
    if content is not None:
        file.write_text(content)
    with pytest.raises(InvalidSettings, match="settings"):
        load_settings({"ELIGIBILITY_SETTINGS": str(file)})
