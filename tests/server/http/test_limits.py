"""What a server takes on at a time, and how long it waits for slow clients."""

import json
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from eligibility.server.authzen.endpoints import EVALUATION
from eligibility.server.ofrep.endpoints import BULK as FLAGS
from eligibility.service.service import Service
from eligibility.service.settings import Settings
from tests.helpers.catalog.products import DESKTOP, group, product, put
from tests.helpers.servers.problem import assert_problem
from tests.helpers.servers.process import Server, running
from tests.helpers.servers.raw_http import answer, connection, head, seconds_until_cut_off
from tests.helpers.stores.redis_servers import until

QUERY = {"product_id": "APP", "device": DESKTOP}
BODY = json.dumps(QUERY).encode()
MEMBERS = "/v1/publishers/contoso/groups/beta/members"
JSON = "content-type: application/json"
MIB = 1 << 20


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> str:
    url = f"sqlite:///{tmp_path_factory.mktemp('limits') / 'store.db'}"
    with Service(Settings(store=url)) as service:
        group(service, "beta", "ada@example.com", "grace@example.com")
        put(service, "APP", product())
    return url


@pytest.fixture(scope="module")
def small(store: str) -> Iterator[Server]:
    """A server that takes on four requests at a time, and 1 MiB of large bodies."""
    limits = {
        "ELIGIBILITY_MAX_REQUESTS_UNDER_WAY": "4",
        "ELIGIBILITY_MAX_UPLOAD_BYTES_UNDER_WAY": str(MIB),
    }
    with running(store, **limits) as started:
        yield started


@pytest.fixture(scope="module")
def hasty(store: str) -> Iterator[Server]:
    """A server that waits a second for its clients."""
    with running(store, ELIGIBILITY_REQUEST_TIMEOUT_SECONDS="1") as started:
        yield started


def assert_served(server: Server) -> None:
    assert server.access(QUERY)["granted"]
    assert server.http.get("/healthz").status_code == 200


def served(server: Server) -> bool:
    return server.http.post("/v1/access", json=QUERY).status_code == 200


def begun(opened: ExitStack, server: Server) -> socket.socket:
    """An access query of which the server has the head and awaits the body."""
    length = f"content-length: {len(BODY)}"
    made = opened.enter_context(connection(server))
    made.sendall(head("POST", "/v1/access", JSON, length, "expect: 100-continue", key=server.key))
    assert made.recv(100).startswith(b"HTTP/1.1 100")
    return made


# --- how much at a time ---


def test_beyond_the_most_requests_the_answer_is_503_at_once(small: Server) -> None:
    with ExitStack() as opened:
        held = [begun(opened, small) for _ in range(4)]
        refused = small.http.post("/v1/access", json=QUERY)
        assert_problem(refused, 503, "OVERLOADED")
        assert int(refused.headers["retry-after"]) > 0
        assert refused.headers["x-request-id"]
        groups = small.http.get("/v1/publishers/contoso/groups")
        assert_problem(groups, 503, "OVERLOADED")
        assert small.http.get("/healthz").status_code == 200  # busy is not dead
        for one in held:  # what was begun is not harmed
            one.sendall(BODY)
            assert answer(one).startswith(b"HTTP/1.1 200")
    assert_served(small)


def test_a_request_refused_for_overload_is_counted_on_its_route(small: Server) -> None:
    requests = {
        ("POST", "/v1/access"): "POST /v1/access",
        ("POST", f"/contoso{EVALUATION}"): f"POST {EVALUATION}",
        ("POST", f"{FLAGS}/product:APP"): f"POST {FLAGS}/{{key}}",
        ("GET", MEMBERS): "GET /v1/publishers/{publisher}/groups/{group_id}/members",
        ("DELETE", MEMBERS): "unmatched",
        ("GET", "/v1/nothing"): "unmatched",
    }
    before = overloaded(small)
    with ExitStack() as opened:
        held = [begun(opened, small) for _ in range(4)]
        for method, path in requests:
            assert small.http.request(method, path).status_code == 503
        for one in held:
            one.sendall(BODY)
            answer(one)
    assert overloaded(small) - before == Counter(requests.values())


def overloaded(server: Server) -> Counter[str]:
    """Requests that were answered by 503, by route."""
    until(lambda: server.http.get("/metrics").status_code == 200, "the metrics")
    begins, status = "eligibility_requests_total", {"status": "503"}
    return Counter(
        {
            sample.labels["route"]: int(sample.value)
            for family in text_string_to_metric_families(server.http.get("/metrics").text)
            for sample in family.samples
            if sample.name == begins and sample.labels.items() >= status.items()
        }
    )


def test_requests_whose_clients_went_away_are_under_way_no_longer(small: Server) -> None:
    for _ in range(3):
        with ExitStack() as opened:
            for _ in range(4):
                begun(opened, small).sendall(BODY[:9])
            assert not served(small)
        until(lambda: served(small), "the four to be given up")


def upload(length: int) -> bytes:
    emails = ",".join(f'"t{number:07}@example.com"' for number in range(length // 24))
    return f'{{"emails": [{emails}]}}'.encode()


@pytest.mark.parametrize("chunked", [False, True])
def test_beyond_the_most_bytes_of_uploads_further_ones_are_503(
    small: Server, chunked: bool
) -> None:
    """Large bodies are counted as they come; small requests are served all the while."""
    first, second = upload(200_000), upload(130_000)
    filler = b" " * 800_000
    length = "transfer-encoding: chunked" if chunked else f"content-length: {len(filler) + 200_000}"
    begun = b"%x\r\n%b\r\n" % (len(filler), filler) if chunked else filler

    def refused() -> Any:
        path = f"{MEMBERS}?dry_run=true"
        more = {"headers": {"content-type": "application/json"}}
        return small.http.put(path, content=second + b" " * 200_000, **more)  # type: ignore[arg-type]

    for attempt in range(10):  # where ours comes while the other still arrives, that one is refused
        with connection(small) as held:
            held.sendall(head("PUT", MEMBERS, JSON, length, key=small.key) + begun)
            time.sleep(0.2 * (attempt + 1))
            answered = refused()
            if answered.status_code != 503:
                continue
            assert_problem(answered, 503, "OVERLOADED")
            assert int(answered.headers["retry-after"]) > 0
            assert_served(small)
            break
    else:
        raise AssertionError("the upload was never counted")
    until(lambda: refused().status_code == 200, "the upload to be given up")
    assert small.http.get(MEMBERS).json()["items"] == ["ada@example.com", "grace@example.com"]
    assert len(first) < MIB


def test_half_an_upload_is_none(small: Server) -> None:
    """Half of a CSV file reads like a whole one: whose sender goes away changes nothing."""
    lines = b"email\n" + b"".join(b"t%d@example.com\n" % number for number in range(500))
    length = f"content-length: {len(lines) + 1_000}"
    with connection(small) as gone:
        gone.sendall(head("PUT", MEMBERS, "content-type: text/csv", length, key=small.key) + lines)
    until(lambda: "BODY_INCOMPLETE" in "".join(small.printed), "its end in the log")
    assert small.http.get(MEMBERS).json()["items"] == ["ada@example.com", "grace@example.com"]


# --- slow clients ---

Say = Callable[[Server], tuple[bytes, bytes]]
SLOW: dict[str, Say] = {
    "says nothing": lambda _: (b"", b""),
    "a head that stands still": lambda _: (b"GET /healthz HTTP/1.1\r\nho", b""),
    "a head bit by bit": lambda _: (b"GET /healthz HTTP/1.1\r\nx: ", b"a"),
    "a body that stands still": lambda s: (
        head("POST", "/v1/access", JSON, "content-length: 1000", key=s.key) + BODY,
        b"",
    ),
    "a body bit by bit": lambda s: (
        head("POST", "/v1/access", JSON, "content-length: 1000", key=s.key),
        b" ",
    ),
    "chunks bit by bit": lambda s: (
        head("PUT", MEMBERS, JSON, "transfer-encoding: chunked", key=s.key),
        b"1\r\n \r\n",
    ),
    "the body of a request that was refused": lambda _: (
        head("POST", "/v1/access", JSON, "content-length: 1000"),
        b" ",
    ),
    "a second head bit by bit": lambda s: (
        head("GET", "/healthz") + b"GET /healthz HTTP/1.1\r\nx: ",
        b"a",
    ),
}


@pytest.mark.parametrize("case", SLOW)
def test_a_client_that_is_too_slow_is_cut_off_and_others_are_served(
    hasty: Server, case: str
) -> None:
    begin, drip = SLOW[case](hasty)
    with connection(hasty) as slow:
        slow.sendall(begin)
        assert_served(hasty)
        assert seconds_until_cut_off(slow, drip) < 15
    assert_served(hasty)


def test_half_an_upload_of_a_client_that_is_cut_off_is_none(hasty: Server) -> None:
    lines = b"email\nt1@example.com\n"
    csv = "content-type: text/csv"
    with connection(hasty) as slow:
        slow.sendall(head("PUT", MEMBERS, csv, "content-length: 1000", key=hasty.key) + lines)
        seconds_until_cut_off(slow)
    assert hasty.http.get(MEMBERS).json()["items"] == ["ada@example.com", "grace@example.com"]


def test_a_client_that_takes_no_answers_is_cut_off(hasty: Server) -> None:
    asked = head("GET", "/docs/swagger-ui-bundle.js")
    with connection(hasty) as deaf:
        for _ in range(20):
            deaf.sendall(asked)
        assert_served(hasty)
        until(lambda: not _open(deaf), "the connection to be cut off", seconds=20)
    assert_served(hasty)


def _open(connected: Any) -> bool:
    """Whether the server still has a connection, told without taking anything from it."""
    try:
        connected.send(b"GET /healthz HTTP/1.1\r\nhost: test\r\n\r\n")
    except TimeoutError:
        return True
    except OSError:
        return False
    return True


def test_a_client_that_takes_its_time_within_the_limit_is_served(hasty: Server) -> None:
    with connection(hasty) as steady:
        sent = head("POST", "/v1/access", JSON, f"content-length: {len(BODY)}", key=hasty.key)
        for begin in range(0, len(sent), 40):
            steady.sendall(sent[begin : begin + 40])
        steady.sendall(BODY)
        assert answer(steady).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("line", [b"a" * 65_000, b"x: y\r\n" * 1_000])
def test_a_head_without_end_is_not_kept(small: Server, line: bytes) -> None:
    with connection(small) as endless:
        endless.sendall(b"GET /healthz HTTP/1.1\r\nx: ")
        with pytest.raises(OSError):  # noqa: PT011 - reset, or broken pipe
            endless.sendall(line * 2_000)
    assert_served(small)
