"""How `serve` starts: the first key, shown once; nothing beyond loopback without keys and encryption."""

import json
import re
import signal
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest

from eligibility.callers.model import Scope
from eligibility.callers.store import StoredKey
from eligibility.cli.demo.first_start import is_loopback
from eligibility.service.service import Service
from eligibility.service.settings import Settings
from tests.helpers.catalog.products import DESKTOP
from tests.helpers.repository import ROOT
from tests.helpers.servers.certificates import Certificate, make_certificate
from tests.helpers.servers.process import bearer, command, environment, make_key
from tests.helpers.stores.redis_servers import until

LINK = re.compile(r"(\S+)/docs#key=(\S+)")


@dataclass(frozen=True)
class Started:
    """A server that answers: what it printed until then, and the port it listens on."""

    printed: str
    port: int

    @property
    def key(self) -> str:
        """The key in the printed link."""
        found = LINK.search(self.printed)
        assert found is not None, self.printed
        return found[2]

    def client(self, key: str = "", verify: ssl.SSLContext | None = None) -> httpx2.Client:
        """Of 127.0.0.1; with TLS that trusts what `verify` does."""
        url = f"{'https' if verify else 'http'}://127.0.0.1:{self.port}"
        headers = bearer(key) if key else {}
        return httpx2.Client(base_url=url, headers=headers, verify=verify or True, timeout=20)


@contextmanager
def started(
    output: Path, store_url: str, *args: str, verify: ssl.SSLContext | None = None, **env: str
) -> Iterator[Started]:
    """Run `serve`, until the block ends. output: the file that takes what it prints."""
    with output.open("w") as log:
        process = subprocess.Popen(
            command("serve", "--port", "0", "--store", store_url, *args),
            stdout=log,
            stderr=log,
            env=environment(**env),
        )
    try:
        until(lambda: _listens(process, output), "the server to listen", 60)
        port = re.search(r":(\d+) +API:", output.read_text("utf-8"))
        assert port is not None
        server = Started("", int(port[1]))
        with server.client(verify=verify) as client:
            until(lambda: _answers(process, client, output), "the server to answer", 60)
        yield Started(output.read_text("utf-8"), server.port)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)
    assert process.returncode == 0
    assert "Traceback" not in output.read_text("utf-8")


def _listens(process: "subprocess.Popen[bytes]", output: Path) -> bool:
    text = output.read_text("utf-8")
    assert process.poll() is None, text
    return text.startswith("listening on ") and "\n" in text


def _answers(process: "subprocess.Popen[bytes]", client: httpx2.Client, output: Path) -> bool:
    assert process.poll() is None, output.read_text("utf-8")
    try:
        return client.get("/healthz").status_code == 200
    except httpx2.TransportError:
        return False


def refused(store_url: str, *args: str, **env: str) -> str:
    """What `serve` says when it does not start; it must say it in words, before it listens."""
    ran = subprocess.run(
        command("serve", "--port", "0", "--store", store_url, *args),
        capture_output=True,
        stdin=subprocess.DEVNULL,
        text=True,
        timeout=30,
        env=environment(**env),
    )
    assert (ran.returncode, ran.stdout) == (1, ""), ran.stderr
    assert "Traceback" not in ran.stderr
    return ran.stderr


def keys_of(store_url: str) -> tuple[StoredKey, ...]:
    with Service(Settings(store=store_url)) as service:
        return service.key_admin.listed()


# --- the first key ---


def test_the_first_start_prints_a_key_once_and_the_second_none(
    tmp_path: Path, store_url: str
) -> None:
    output = tmp_path / "output"
    with started(output, store_url) as first:
        assert first.printed.count(first.key) == 3  # by itself, and in the links
        assert LINK.search(first.printed)[1] == f"http://127.0.0.1:{first.port}"  # type: ignore[index]
        with first.client() as stranger:
            assert stranger.get("/v1/publishers/contoso/groups").status_code == 401
    (kept,) = keys_of(store_url)
    assert kept.name == "first admin"
    assert kept.scopes == {Scope.ADMIN}
    assert kept.publishers is None
    assert first.key.startswith(f"elg_{kept.key_id}")
    with started(output, store_url) as second:
        assert len(second.printed.splitlines()) == 1
        assert "elg_" not in second.printed
        with second.client(first.key) as client:  # which works on
            assert client.get("/v1/publishers/contoso/groups").status_code == 200
    assert keys_of(store_url)[0].key_id == kept.key_id


def test_the_printed_key_may_do_everything(tmp_path: Path, store_url: str) -> None:
    with started(tmp_path / "output", store_url) as server, server.client(server.key) as client:
        groups = "/v1/publishers/contoso/groups"
        body = {"name": "beta", "emails": ["ada@example.com"]}
        assert client.post(groups, json=body).status_code == 201
        app = {"name": "App", "submission": {"packages": []}, "flights": []}
        assert client.put("/v1/publishers/contoso/products/APP", json=app).status_code == 200
        query = {"product_id": "APP", "account": {"id": "ada@example.com"}, "device": DESKTOP}
        assert client.post("/v1/access?explain=true", json=query).status_code == 200
        assert client.get(f"{groups}/beta/members").json()["items"] == ["ada@example.com"]
        (entry, *_) = client.get(f"{groups}/beta/history").json()["items"]
        assert entry["actor"] == "key first admin from 127.0.0.1"


def test_a_store_whose_keys_have_all_ended_gets_a_new_one(tmp_path: Path, store_url: str) -> None:
    key = make_key(store_url)
    with Service(Settings(store=store_url)) as service:
        service.key_admin.revoke("tests", key)
    with started(tmp_path / "output", store_url) as server, server.client(server.key) as client:
        assert client.get("/v1/publishers/contoso/groups").status_code == 200


# --- beyond loopback ---


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True),
        ("127.8.0.1", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("10.0.0.1", False),
        ("localhost.example", False),
        ("127.0.0.1.example", False),
    ],
)
def test_what_loopback_is(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "evaluator.example"])
def test_without_encryption_nothing_but_loopback_is_listened_on(store_url: str, host: str) -> None:
    make_key(store_url)
    said = refused(store_url, "--host", host)
    assert said.startswith("CANNOT_LISTEN")
    for word in (f"`{host}`", "`tls_certificate`", "`tls_key`", "`trusted_proxies`"):
        assert word in said


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_without_a_key_nothing_but_loopback_is_listened_on(store_url: str, host: str) -> None:
    said = refused(store_url, "--host", host, ELIGIBILITY_TRUSTED_PROXIES="127.0.0.1")
    assert said.startswith("CANNOT_LISTEN")
    (told,) = re.findall(r"`eligibility (keys create .*?)`", said)
    assert keys_of(store_url) == ()
    ran = subprocess.run(
        command(*told.split(), "--store", store_url), capture_output=True, env=environment()
    )
    assert ran.returncode == 0, ran.stderr
    assert [key.scopes for key in keys_of(store_url)] == [{Scope.ADMIN}]


def test_behind_a_declared_proxy_it_listens_everywhere_and_shows_no_key(
    tmp_path: Path, store_url: str
) -> None:
    key = make_key(store_url)
    args = ("--host", "0.0.0.0")
    with started(
        tmp_path / "output", store_url, *args, ELIGIBILITY_TRUSTED_PROXIES="10.1.0.0/16,10.2.0.1"
    ) as server:
        assert "elg_" not in server.printed
        with server.client() as stranger, server.client(key) as client:
            assert stranger.get("/v1/publishers/contoso/groups").status_code == 401
            assert client.get("/v1/publishers/contoso/groups").status_code == 200


# --- TLS ---


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return make_certificate(tmp_path_factory.mktemp("certificate"))


def tls(certificate: Path, key: Path) -> dict[str, str]:
    return {"ELIGIBILITY_TLS_CERTIFICATE": str(certificate), "ELIGIBILITY_TLS_KEY": str(key)}


@pytest.mark.parametrize("workers", ["1", "2"])
def test_with_a_certificate_it_listens_everywhere_and_clients_verify_it(
    tmp_path: Path, store_url: str, certificate: Certificate, workers: str
) -> None:
    key = make_key(store_url)
    trusting = ssl.create_default_context(cafile=certificate.certificate)
    args = ("--host", "0.0.0.0", "--workers", workers)
    env = tls(certificate.certificate, certificate.key)
    with started(tmp_path / "output", store_url, *args, verify=trusting, **env) as server:
        assert server.printed.startswith(f"listening on https://0.0.0.0:{server.port} ")
        with server.client(key, trusting) as client:
            assert client.get("/v1/publishers/contoso/groups").status_code == 200
        with (
            server.client(key, ssl.create_default_context()) as wary,
            pytest.raises(httpx2.ConnectError, match="CERTIFICATE_VERIFY_FAILED"),
        ):
            wary.get("/healthz")
        with server.client(key) as plain, pytest.raises(httpx2.TransportError):
            plain.get("/healthz")


def test_the_first_key_on_loopback_comes_with_a_link_to_https(
    tmp_path: Path, store_url: str, certificate: Certificate
) -> None:
    trusting = ssl.create_default_context(cafile=certificate.certificate)
    env = tls(certificate.certificate, certificate.key)
    with started(tmp_path / "output", store_url, verify=trusting, **env) as server:
        assert f"https://127.0.0.1:{server.port}/docs#key={server.key}" in server.printed
        with server.client(server.key, trusting) as client:
            assert client.get("/v1/publishers/contoso/groups").status_code == 200


@pytest.mark.parametrize(
    ("fault", "named"),
    [
        ("no certificate", "tls_certificate"),
        ("no key", "tls_key"),
        ("key of another", "tls_certificate"),
        ("key with a passphrase", "tls_certificate"),
        ("no PEM", "tls_certificate"),
    ],
)
def test_a_certificate_of_no_use_is_refused_before_anything_listens(
    tmp_path: Path, store_url: str, certificate: Certificate, fault: str, named: str
) -> None:
    missing, other = tmp_path / "missing", make_certificate(tmp_path, "other")
    files = {
        "no certificate": (missing, certificate.key),
        "no key": (certificate.certificate, missing),
        "key of another": (certificate.certificate, other.key),
        "key with a passphrase": (certificate.certificate, certificate.encrypted),
        "no PEM": (Path(__file__), certificate.key),
    }
    said = refused(store_url, **tls(*files[fault]))
    assert said.startswith("INVALID_SETTINGS  settings\n")
    assert f"\n  {named}  " in said
    assert keys_of(store_url) == ()  # nor is a first key made, which nobody would see


# --- the image's health check, of what was started ---


def healthcheck(port: int, **env: str) -> int:
    """Run the HEALTHCHECK of the Dockerfile against a port; its exit code."""
    joined = (ROOT / "Dockerfile").read_text("utf-8").replace("\\\n", "")
    (told,) = re.findall(r"^HEALTHCHECK .*? CMD (\[.*\])$", joined, re.MULTILINE)
    python, *args = json.loads(told)
    assert python == "python"
    assert "/healthz" in args[1]  # a store that is away is no reason to restart the process
    env |= {"ELIGIBILITY_PORT": str(port)}
    return subprocess.run(
        [*command()[:1], *args], env=environment(**env), capture_output=True, timeout=20
    ).returncode


def test_the_images_health_check_needs_no_key_and_knows_tls(
    tmp_path: Path, store_url: str, certificate: Certificate
) -> None:
    with started(tmp_path / "plain", store_url) as server:
        assert healthcheck(server.port) == 0
    assert healthcheck(server.port) == 1
    trusting = ssl.create_default_context(cafile=certificate.certificate)
    env = tls(certificate.certificate, certificate.key)
    with started(tmp_path / "tls", store_url, verify=trusting, **env) as server:
        assert healthcheck(server.port, **env) == 0
        assert healthcheck(server.port) == 1
