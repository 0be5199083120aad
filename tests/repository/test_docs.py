"""What the documentation says is so: its commands run, its answers come, its pages are fresh."""

import json
import os
import re
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from docs.render import PAGES
from eligibility.callers.issuers import MICROSOFT_ACCOUNTS
from eligibility.catalog import files
from eligibility.catalog.plan import make_plan
from eligibility.service.service import Service
from tests.helpers.pages import blocks
from tests.helpers.repository import ROOT
from tests.helpers.servers.process import command, environment, running
from tests.helpers.tokens.jwks_server import Signer, jwks_server

DOCUMENTS = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
_PICTURE = re.compile(r"!\[[^\]]*\]\(([^)]+)\)")
_LINK = re.compile(r"\]\(([^)#]+)(?:#[^)]*)?\)")


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


@dataclass(frozen=True)
class Demo:
    """The demo that the documents are about, and what they call the caller's credentials."""

    url: str
    env: dict[str, str]


@pytest.fixture(scope="module")
def signer() -> Signer:
    return Signer("docs")


@pytest.fixture
def demo(store_url: str, signer: Signer) -> Iterator[Demo]:
    """Believes an issuer of access tokens and one of ID tokens."""
    with jwks_server(signer.jwk()) as keys:
        common = {"jwks_url": keys.url, "issuer": keys.origin}
        issuers = {
            "ELIGIBILITY_ISSUERS": json.dumps([{**common, "audience": "eligibility"}]),
            "ELIGIBILITY_ACCOUNT_ISSUERS": json.dumps([{**common, "audience": "store"}]),
        }
        said = {"iss": keys.origin, "exp": time.time() + 600, "iat": time.time()}
        service = said | {"aud": "eligibility", "client_id": "store-backend"}
        service |= {"scope": "access:query", "publishers": "*"}
        account = said | {"aud": "store", "sub": "1", "tid": MICROSOFT_ACCOUNTS}
        account |= {"email": "ada@contoso.example", "email_verified": True}
        with running(store_url, "--demo", **issuers) as server:
            tokens = {"ACCESS_TOKEN": signer.sign(service), "ID_TOKEN": signer.sign(account)}
            yield Demo(server.url, {"KEY": server.key, **tokens})


@pytest.fixture
def workplace(tmp_path: Path) -> Path:
    """A directory like a checkout, with `eligibility` on the path of commands."""
    place = tmp_path / "checkout"
    place.mkdir()
    (place / "config").symlink_to(ROOT / "config")
    tool = place / "bin" / "eligibility"
    tool.parent.mkdir()
    python, *rest = command()
    tool.write_text(f'#!/bin/sh\nexec {python} {rest[0]} "{rest[1]}" "$@"\n')
    tool.chmod(tool.stat().st_mode | stat.S_IXUSR)
    return place


def shell(script: str, place: Path, **env: str) -> str:
    """Run a block of commands; each must succeed. Statuses of HTTP errors count as failures."""
    ran = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script.replace("curl -s", "curl -sS --fail-with-body")],
        cwd=place,
        env=environment(PATH=f"{place / 'bin'}:{os.environ['PATH']}", **env),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert ran.returncode == 0, f"{script}\n{ran.stdout}\n{ran.stderr}"
    return ran.stdout


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_every_command_runs(document: Path, demo: Demo, workplace: Path) -> None:
    store = f"sqlite:///{workplace / 'eligibility.db'}"
    for script in blocks(document, "sh"):
        asked = script.replace("http://127.0.0.1:8080", demo.url)
        shell(asked, workplace, ELIGIBILITY_STORE=store, **demo.env)


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_every_picture_is_there(document: Path) -> None:
    for picture in _PICTURE.findall(document.read_text("utf-8")):
        assert (document.parent / picture).is_file(), picture


def test_the_readme_has_one_picture() -> None:
    pictures = _PICTURE.findall((ROOT / "README.md").read_text("utf-8"))
    assert pictures == ["docs/images/demo.svg"]


def test_pictures_stay_small() -> None:
    assert sum(one.stat().st_size for one in (ROOT / "docs" / "images").iterdir()) < 3_000_000


def test_the_readmes_answer_is_the_answer(demo: Demo, workplace: Path) -> None:
    asked = blocks(ROOT / "README.md", "sh")[0].replace("http://127.0.0.1:8080", demo.url)
    (told,) = blocks(ROOT / "README.md", "json")
    assert json.loads(shell(asked, workplace, **demo.env)) == json.loads(told)


def test_the_readmes_python_runs(workplace: Path) -> None:
    (applied,) = [one for one in blocks(ROOT / "README.md", "sh") if "eligibility check" in one]
    shell(applied.rpartition("eligibility check")[0], workplace)
    (script,) = blocks(ROOT / "README.md", "python")
    ran = subprocess.run(
        [sys.executable, "-c", script],
        cwd=workplace,
        env=environment(),
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr
    assert "FLIGHT_MEMBER" in ran.stdout


def test_the_catalogue_of_the_docs_is_one(service: Service, tmp_path: Path) -> None:
    (declared,) = blocks(ROOT / "docs" / "catalog.md", "yaml")
    (tmp_path / "catalog.yaml").write_text(declared, "utf-8")
    (declaration,) = files.read_directory(tmp_path)
    assert make_plan(declaration, service.groups, service.catalog).products[0].action == "create"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_rendered_pages_are_fresh(page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("COLUMNS", "NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(variable, raising=False)
    assert page.read_text("utf-8") == PAGES[page](), "run `make docs`"


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_links_lead_somewhere(document: Path) -> None:
    for target in _LINK.findall(document.read_text("utf-8")):
        if not target.startswith("http"):
            assert (document.parent / target).exists(), target


def test_make_demo_serves_and_answers() -> None:
    """The README's first command, on a free port."""
    process = subprocess.Popen(
        ["make", "demo"],
        cwd=ROOT,
        env=environment(ELIGIBILITY_PORT="0"),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if "Still serving" in line:
            break
    os.killpg(process.pid, signal.SIGINT)
    process.communicate(timeout=30)
    assert "FLIGHT_MEMBER" in "".join(lines)


def test_make_lists_its_targets() -> None:
    ran = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True)
    for target in ("demo", "test", "check", "docs", "bench"):
        assert re.search(rf"^{target} +\S", ran.stdout, re.MULTILINE)
