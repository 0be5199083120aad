"""The page at /docs: it comes from here alone, and what is vendored is what the manifest says."""

import re
import tomllib
from hashlib import sha256
from importlib.resources import files

import httpx2
import pytest

from eligibility.server.document import docs_page
from tests.helpers.servers.process import Server

STATIC = files("eligibility.server.document") / "static"
MANIFEST = tomllib.loads((STATIC / "vendored.toml").read_text("utf-8"))


@pytest.mark.parametrize("package", MANIFEST)
def test_vendored_files_are_those_of_the_manifest(package: str) -> None:
    entry = MANIFEST[package]
    assert entry.keys() >= {"version", "source", "licence", "sha256"}
    for name, digest in entry["sha256"].items():
        assert sha256((STATIC / package / name).read_bytes()).hexdigest() == digest, name
    assert (STATIC / package / "LICENSE").is_file()


def test_the_page_loads_nothing_but_files_of_this_server(server: Server) -> None:
    page = httpx2.get(f"{server.url}/docs").text
    wanted = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert {f"/{one}" for one in wanted} <= docs_page.PATHS
    for path in docs_page.PATHS:
        answer = httpx2.get(f"{server.url}{path}")
        assert answer.status_code == 200
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert re.search(r"script-src 'self'(;|$)", policy)
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_no_script_stands_in_the_page_itself() -> None:
    page = (STATIC / "docs.html").read_text("utf-8")
    assert re.findall(r"<script[^>]*>([^<]+)</script>", page) == []
    assert " on" not in re.sub(r"content=\S+", "", page)  # no onclick and the like


def test_the_key_of_the_link_leaves_the_address_bar() -> None:
    script = (STATIC / "start.js").read_text("utf-8")
    assert 'history.replaceState(null, "", location.pathname)' in script
    assert "preauthorizeApiKey" in script
