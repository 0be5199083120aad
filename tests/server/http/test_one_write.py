"""An answer in one write is, byte for byte, what uvicorn sends in two; what is not plain is uvicorn's."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import uvicorn.protocols.http.httptools_impl as uvicorns

from eligibility.cli.demo.demo import load_sample
from eligibility.server.http.exchange import sent_at_once
from eligibility.service.service import Service
from eligibility.service.settings import Settings
from tests.helpers.servers.process import Server, running
from tests.helpers.servers.raw_http import answer, connection, head

QUERY = json.dumps(
    {
        "product_id": "9NCONTOSORDR",
        "account": {"id": "ada@contoso.example"},
        "device": {"family": "Windows.Desktop", "os_version": "22631", "architecture": "x64"},
    }
).encode()


def request(key: str, *headers: str, http: str = "1.1") -> bytes:
    """An access query as it goes over the wire."""
    length = f"content-length: {len(QUERY)}"
    asked = head("POST", "/v1/access", "content-type: application/json", length, *headers, key=key)
    return asked.replace(b"HTTP/1.1", f"HTTP/{http}".encode(), 1) + QUERY


def steady(received: bytes) -> bytes:
    """An answer without its date."""
    return re.sub(rb"date: [^\r]+", b"date: D", received)


def told(server: Server, *headers: str, http: str = "1.1", times: int = 1) -> list[bytes]:
    """The answers on one connection."""
    with connection(server) as connected:
        found = []
        for _ in range(times):
            connected.sendall(request(server.key, *headers, http=http))
            found.append(steady(answer(connected)))
        return found


@pytest.fixture(scope="module")
def demo_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    url = f"sqlite:///{tmp_path_factory.mktemp('one-write') / 'store.db'}"
    with Service(Settings(store=url)) as service:
        load_sample(service)
    with running(url) as server:
        yield server


@pytest.fixture(scope="module")
def plain(demo_server: Server) -> bytes:
    told(demo_server)  # from then on memory answers
    (found,) = told(demo_server)
    return found


def test_head_and_body_are_as_uvicorn_sends_them(plain: bytes) -> None:
    begin, _, body = plain.partition(b"\r\n\r\n")
    assert begin.split(b"\r\n") == [
        b"HTTP/1.1 200 OK",
        b"date: D",
        b"content-type: application/json",
        b"content-length: %d" % len(body),
    ]
    assert json.loads(body)["granted"] is True


def test_a_connection_goes_on_and_so_do_requests_sent_ahead(
    demo_server: Server, plain: bytes
) -> None:
    assert told(demo_server, times=3) == [plain] * 3
    with connection(demo_server) as connected:
        connected.sendall(request(demo_server.key) * 3)
        received = b""
        while received.count(b"HTTP/1.1 200 OK") < 3 or len(steady(received)) < 3 * len(plain):
            received += connected.recv(65_536)
        assert steady(received) == plain * 3


def test_a_clients_id_comes_back(demo_server: Server, plain: bytes) -> None:
    (found,) = told(demo_server, "x-request-id: my id; \xe9=1")
    assert b"\r\nx-request-id: my id; \xc3\xa9=1\r\n" in found
    assert found.endswith(plain.partition(b"\r\n\r\n")[2])


@pytest.mark.parametrize(("headers", "http"), [(("connection: close",), "1.1"), ((), "1.0")])
def test_a_client_that_closes_is_answered_by_uvicorn(
    demo_server: Server, plain: bytes, headers: tuple[str, ...], http: str
) -> None:
    with connection(demo_server) as connected:
        connected.sendall(request(demo_server.key, *headers, http=http))
        received = b""
        while part := connected.recv(65_536):  # until the server closes
            received += part
    assert b"connection: close\r\n" in received
    assert received.endswith(plain.partition(b"\r\n\r\n")[2])


def test_a_request_that_waits_to_be_told_to_go_on(demo_server: Server, plain: bytes) -> None:
    asked = request(demo_server.key, "expect: 100-continue")
    begin, _, body = asked.partition(b"\r\n\r\n")
    with connection(demo_server) as connected:
        connected.sendall(begin + b"\r\n\r\n")
        assert connected.recv(65_536).startswith(b"HTTP/1.1 100 Continue\r\n")
        connected.sendall(body)
        assert steady(answer(connected)) == plain


class Flow:
    write_paused = False


class Transport:
    """Takes what is written."""

    def __init__(self) -> None:
        self.written: list[bytes] = []

    def write(self, data: bytes) -> None:
        self.written.append(data)


def cycle(**changed: Any) -> Any:
    """A request under way, as uvicorn makes one, with a transport that keeps what is written."""
    made: Any = uvicorns.RequestResponseCycle.__new__(uvicorns.RequestResponseCycle)
    made.scope, made.flow, made.transport = {"method": "POST"}, Flow(), Transport()
    made.response_started = made.disconnected = made.access_log = False
    made.keep_alive, made.default_headers = True, [(b"date", b"D")]
    made.message_event = type("Event", (), {"set": lambda _: None})()
    made.on_response = lambda: None
    for name, value in changed.items():
        setattr(made, name, value)
    return made


def test_it_is_one_write() -> None:
    made = cycle()
    assert sent_at_once(made.send, [(b"content-length", b"2")], b"{}")
    assert made.transport.written == [b"HTTP/1.1 200 OK\r\ndate: D\r\ncontent-length: 2\r\n\r\n{}"]
    assert made.response_complete


class Paused:
    write_paused = True


@pytest.mark.parametrize(
    "changed",
    [
        {"response_started": True},
        {"disconnected": True},
        {"flow": Paused()},
        {"keep_alive": False},
        {"access_log": True},
        {"scope": {"method": "HEAD"}},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_what_is_not_plain_is_left_to_uvicorn(changed: dict[str, Any]) -> None:
    made = cycle(**changed)
    assert not sent_at_once(made.send, [(b"content-length", b"2")], b"{}")
    assert made.transport.written == []


def test_a_large_body_is_not_copied() -> None:
    made, body = cycle(), b"x" * 65_537
    assert not sent_at_once(made.send, [(b"content-length", b"65537")], body)
    assert sent_at_once(made.send, [(b"content-length", b"65536")], body[1:])


def test_no_header_ends_before_its_time() -> None:
    made = cycle()
    evil = [(b"x-request-id", b"a\r\nset-cookie: b=c")]
    assert not sent_at_once(made.send, evil, b"{}")
    assert made.transport.written == []


def test_another_servers_send_is_not_touched() -> None:
    async def send(_: Any) -> None:
        raise AssertionError

    assert not sent_at_once(send, [], b"{}")
