"""The wheel works outside of the checkout, in an environment where nothing else is installed."""

import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.helpers.pages import blocks
from tests.helpers.repository import ROOT
from tests.helpers.servers.process import environment


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    run(
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--wheel-dir",
        str(out),
        str(ROOT),
    )
    (made,) = out.glob("*.whl")
    return made


def run(*args: str, cwd: Path | None = None) -> str:
    ran = subprocess.run(
        args, cwd=cwd, env=environment(), capture_output=True, text=True, timeout=900
    )
    assert ran.returncode in (0, 3), f"{args}\n{ran.stdout}\n{ran.stderr}"
    return ran.stdout


def test_rules_releases_settings_and_sample_travel_in_the_wheel(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    sample = ("sample/contoso.yaml", "sample/scenarios/flights.yaml", "scenario.schema.json")
    for name in ("requirements.toml", "releases.toml", "settings.toml", *sample):
        assert f"eligibility/_config/{name}" in names
    assert "groups/_config/list_headers.toml" in names
    for name in ("simulation.html.j2", "simulation.css", "simulation.js"):
        assert f"eligibility/simulation/reports/templates/{name}" in names
    assert not [name for name in names if name.startswith(("tests/", "benchmarks/", "docs/"))]


def test_each_dependency_is_named_once() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    for named in (project["dependencies"], *project["optional-dependencies"].values()):
        names = [canonicalize_name(Requirement(line).name) for line in named]
        assert len(names) == len(set(names))


def test_an_installed_wheel_answers_a_query(wheel: Path, tmp_path: Path) -> None:
    place = tmp_path / "elsewhere"
    place.mkdir()
    run(sys.executable, "-m", "venv", str(tmp_path / "empty"))
    tools = tmp_path / "empty" / "bin"
    constraints = str(ROOT / "constraints.txt")
    run(str(tools / "pip"), "install", "--quiet", "--constraint", constraints, str(wheel))
    script = (
        "from eligibility.resources import config_dir; import eligibility;"
        "print(eligibility.__file__); print(config_dir())"
    )
    package, config = run(str(tools / "python"), "-c", script, cwd=place).split()
    assert str(tmp_path) in package
    assert str(tmp_path) in config
    store = f"sqlite:///{place / 'store.db'}"
    tool = str(tools / "eligibility")
    run(tool, "catalog", "apply", f"{config}/sample", "--yes", "--store", store, cwd=place)
    answer = run(
        *(tool, "check", "--store", store, "--product", "9NCONTOSORDR", "--family", "Desktop"),
        *("--os", "24H2", "--account", "ada@contoso.example", "--json"),
        cwd=place,
    )
    assert '"flight_id": "canary"' in answer
    page = place / "report.html"
    asked = ("--product", "9NCONTOSORDR", "--store", store)
    run(tool, "simulate", *asked, "--output", str(page), cwd=place)
    assert "Canary, rank 3" in page.read_text("utf-8")
    refused = subprocess.run(
        [tool, "simulate", *asked, "--format", "parquet"], cwd=place, capture_output=True, text=True
    )
    assert refused.returncode == 1
    assert "pip install 'flight-eligibility[parquet]'" in refused.stderr


def test_the_client_needs_three_packages_and_none_of_the_servers(
    wheel: Path, tmp_path: Path
) -> None:
    """By the commands of docs/client.md, the wheel in the place of the name in a package index."""
    (_, commands) = blocks(ROOT / "docs" / "client.md", "console")
    run(sys.executable, "-m", "venv", str(tmp_path / "lean"))
    tools = tmp_path / "lean" / "bin"
    constraints = ("--quiet", "--constraint", str(ROOT / "constraints.txt"))
    for line in commands.splitlines():
        words = line.removeprefix("$ ").replace("flight-eligibility", str(wheel)).split()
        assert words[:2] == ["pip", "install"]
        run(str(tools / "pip"), "install", *constraints, *words[2:])
    script = """
import importlib.util
from eligibility.client import Client, Device, Query

with Client("http://127.0.0.1:9", unreachable="deny", retries=0) as client:
    print(client.access(Query("APP", Device("Desktop", "24H2"))).from_service)
print(*[name for name in SERVERS if importlib.util.find_spec(name)])
"""
    servers = (
        *("fastapi", "starlette", "uvicorn", "pydantic", "redis", "typer", "rich"),
        *("yaml", "jwt", "structlog", "platformdirs"),
    )
    code = script.replace("SERVERS", repr(servers))
    assert run(str(tools / "python"), "-c", code, cwd=tmp_path) == "False\n\n"
