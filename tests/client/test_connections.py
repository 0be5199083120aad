"""Both clients' connections, credentials and options, seen from a server that counts."""

import asyncio
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from eligibility.client import (
    Account,
    AsyncClient,
    Client,
    Device,
    NotFound,
    Query,
    Unreachable,
)
from eligibility.client.exchange import Attempt, Request
from eligibility.client.transport import failure_of, request_of
from tests.helpers.servers.clients import DECISION, EDITED, KINDS, PROBLEM, QUERY, either
from tests.helpers.servers.scripted import answer, hang, last, scripted

SECRET = "elk_secret-never-to-be-shown"


@pytest.fixture(params=KINDS, ids=lambda kind: kind.__name__)
def kind(request: pytest.FixtureRequest) -> type[Client | AsyncClient]:
    made: type[Client | AsyncClient] = request.param
    return made


@pytest.fixture
def refusing() -> str:
    """An address where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return f"http://127.0.0.1:{listening.getsockname()[1]}"


def test_connections_are_used_again(kind: type[Client | AsyncClient]) -> None:
    with scripted(answer(200, DECISION)) as server, either(kind, server.url) as client:
        for _ in range(50):
            client.access(QUERY)
        assert (len(server.received), server.connections) == (50, 1)


def test_threads_share_a_client() -> None:
    with scripted(answer(200, DECISION)) as server, Client(server.url) as client:
        granted: list[bool] = []

        def ask() -> None:
            granted.extend(client.access(QUERY).granted for _ in range(20))

        threads = [threading.Thread(target=ask) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert granted == [True] * 80
        assert server.connections <= 4


def test_a_connection_that_was_closed_meanwhile_is_not_used(
    kind: type[Client | AsyncClient],
) -> None:
    """Else a write would fail, which is not sent twice, on the first connection that got old."""
    with scripted(last(200, EDITED)) as server, either(kind, server.url) as client:
        for _ in range(3):
            assert client.create_group("contoso", "Beta", "ada@contoso.example").revision == 1
            time.sleep(0.1)
        assert (len(server.received), server.connections) == (3, 3)


def test_a_task_that_is_cancelled_leaves_the_client_as_it_was() -> None:
    async def ask() -> None:
        with scripted(hang, answer(200, DECISION)) as server:
            async with AsyncClient(server.url) as client:
                with pytest.raises(TimeoutError):
                    await asyncio.wait_for(client.access(QUERY), 0.2)
                answers = await asyncio.gather(*[client.access(QUERY) for _ in range(150)])
                assert all(one.granted for one in answers)
                assert len(server.received) == 151

    asyncio.run(ask())


def test_a_problem_keeps_the_connection(kind: type[Client | AsyncClient]) -> None:
    with scripted(answer(404, PROBLEM)) as server, either(kind, server.url) as client:
        for _ in range(3):
            with pytest.raises(NotFound):
                client.access(QUERY)
        assert server.connections == 1


@pytest.mark.parametrize(
    ("error", "perhaps_done"),
    [
        (httpx2.ConnectError, False),
        (httpx2.ConnectTimeout, False),
        (httpx2.PoolTimeout, False),
        (httpx2.ReadError, True),
        (httpx2.ReadTimeout, True),
        (httpx2.WriteTimeout, True),
        (httpx2.RemoteProtocolError, True),
        (TimeoutError, True),
    ],
)
def test_what_was_never_sent_cannot_have_been_done(
    error: type[Exception], perhaps_done: bool
) -> None:
    assert failure_of(error("why")).perhaps_done is perhaps_done


def test_a_connection_has_a_time_of_its_own() -> None:
    request = Request(method="GET", path="/", repeatable=True)
    timeout = request_of(Attempt(request, connect_seconds=2.0, seconds=5.0), None)["timeout"]
    assert timeout == httpx2.Timeout(connect=2.0, read=5.0, write=5.0, pool=5.0)


async def _later() -> str:
    return SECRET


@pytest.fixture
def tokens() -> Iterator[str]:
    return iter(["first", "second"])


def test_credentials_are_sent_as_bearer(
    kind: type[Client | AsyncClient], tokens: Iterator[str]
) -> None:
    options: list[dict[str, Any]] = [{"key": SECRET}, {"token": SECRET}, {"token": lambda: SECRET}]
    if kind is AsyncClient:
        options.append({"token": _later})
    with scripted(answer(200, DECISION)) as server:
        for option in options:
            with either(kind, server.url, **option) as client:
                client.access(QUERY)
            assert server.received[-1].headers["authorization"] == f"Bearer {SECRET}"
        with either(kind, server.url) as client:
            client.access(QUERY)
        assert "authorization" not in server.received[-1].headers
    with scripted(answer(503, PROBLEM), answer(200, DECISION)) as server:
        with either(kind, server.url, token=lambda: next(tokens)) as client:
            client.access(QUERY)  # a token is asked for at every try
        sent = [request.headers["authorization"] for request in server.received]
        assert sent == ["Bearer first", "Bearer second"]


def test_secrets_are_not_shown(kind: type[Client | AsyncClient], refusing: str) -> None:
    account = Account(token=SECRET)
    query = Query("APP", Device("Desktop", "22631"), account)
    for options in ({"key": SECRET}, {"token": SECRET}, {"token": lambda: SECRET + "\n"}):
        with either(kind, refusing, **options) as client:
            shown = [repr(client.client), repr(query), repr(account), repr(account.__rich_repr__())]
            try:
                client.access(query)
            except (Unreachable, ValueError) as error:
                shown += [str(error), repr(error), repr(error.__cause__)]
            assert len(shown) == 7
            assert SECRET not in "".join(shown)


@pytest.mark.parametrize(
    "wrong",
    [
        {"key": "two words"},
        {"key": "line\nbreak"},
        {"token": "ключ"},
        {"key": ""},
        {"key": "a", "token": "b"},
        {"base_url": "127.0.0.1:8080"},
        {"base_url": "ftp://127.0.0.1"},
        {"base_url": f"https://user:{SECRET}@eligibility.example"},
        {"timeout": 0},
        {"attempt_timeout": -1},
        {"retries": -1},
        {"unreachable": "allow"},
    ],
)
def test_what_cannot_be_meant_is_refused(
    kind: type[Client | AsyncClient], wrong: dict[str, Any]
) -> None:
    with pytest.raises(ValueError, match=r"key|base_url|time-outs|unreachable") as raised:
        kind(**{"base_url": "http://127.0.0.1", **wrong})
    assert SECRET not in str(raised.value)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A PEM file with a certificate of 127.0.0.1 that nobody signed, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "eligibility.example")])
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path: Path = tmp_path_factory.mktemp("tls") / "server.pem"
    path.write_bytes(
        made.public_bytes(Encoding.PEM)
        + key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    return path


def test_certificates_are_checked_by_what_is_told(
    kind: type[Client | AsyncClient], certificate: Path
) -> None:
    ours = ssl.create_default_context(cafile=certificate)
    with scripted(answer(200, DECISION), certificate=certificate) as server:
        assert server.url.startswith("https://")
        for verify in (certificate, str(certificate), ours, False):
            with either(kind, server.url, verify=verify) as client:
                assert client.access(QUERY).granted
        with (
            either(kind, server.url, retries=0) as client,
            pytest.raises(Unreachable, match="certificate"),
        ):
            client.access(QUERY)
        assert len(server.received) == 4
    with pytest.raises(FileNotFoundError):
        kind("https://127.0.0.1", verify=certificate.with_name("none.pem"))


@pytest.mark.parametrize("part", ["", ".", ".."])
def test_an_id_of_dots_is_no_path(kind: type[Client | AsyncClient], part: str) -> None:
    with scripted(answer(200, EDITED)) as server, either(kind, server.url) as client:
        with pytest.raises(ValueError, match="is not an id"):
            client.group(part, "beta")
        with pytest.raises(Unreachable):
            client.product("contoso", "../a b?x=ü#")
        assert (
            server.received[0].path == "/v1/publishers/contoso/products/..%2Fa%20b%3Fx%3D%C3%BC%23"
        )
        assert len(server.received) == 1
