"""The server as a process: start, demo, several workers, two processes on one file, a violent end."""

import json
import re
import signal
import socket
import subprocess
import time
from dataclasses import replace
from pathlib import Path

import httpx2
import pytest

from eligibility.cli.demo.demo import QUERIES, in_words
from eligibility.service.service import Service
from eligibility.service.settings import Settings
from tests.helpers.catalog.products import DESKTOP, flight, group, package, product, put
from tests.helpers.servers.process import Server, bearer, command, environment, make_key, running

NEWEST_WAIT = 2.0
"""Seconds until a change must show; far more than is promised, for machines are busy."""


@pytest.fixture
def stocked(store_url: str) -> str:
    """A store with APP and its flight for group beta."""
    with Service(Settings(store=store_url)) as service:
        group(service, "beta", "ada@example.com")
        put(service, "APP", product(flight("f", ["beta"], "2.0.0.0")))
    return store_url


def version(server: Server, email: str) -> str:
    query = {"product_id": "APP", "account": {"id": email}, "device": DESKTOP}
    found: str = server.access(query)["package"]["package"]["version"]
    return found


def eventually(server: Server, email: str, expected: str) -> bool:
    deadline = time.monotonic() + NEWEST_WAIT
    while time.monotonic() < deadline:
        if version(server, email) == expected:
            return True
    return False


def test_health_and_readiness(server: Server) -> None:
    assert server.http.get("/healthz").json() == {"status": "ok"}
    assert server.http.get("/readyz").json() == {"status": "ready"}


def test_what_is_stored_survives_a_restart(stocked: str) -> None:
    with running(stocked) as first:
        assert version(first, "ada@example.com") == "2.0.0.0"
    with running(stocked) as second:
        assert version(second, "ada@example.com") == "2.0.0.0"


def test_an_edit_in_one_process_is_in_force_in_another(stocked: str) -> None:
    with running(stocked) as one, running(stocked) as other:
        assert version(other, "new@example.com") == "1.0.0.0"
        for edit, expected in (("add", "2.0.0.0"), ("remove", "1.0.0.0")):
            answer = one.http.patch(
                "/v1/publishers/contoso/groups/beta/members", json={edit: ["new@example.com"]}
            )
            assert answer.status_code == 200
            assert version(one, "new@example.com") == expected
            assert eventually(other, "new@example.com", expected)


def test_several_workers_share_the_port_and_see_each_others_edits(stocked: str) -> None:
    with running(stocked, "--workers", "2") as server:
        edit = {"add": ["new@example.com"]}
        path = "/v1/publishers/contoso/groups/beta/members"
        assert server.http.patch(path, json=edit).status_code == 200
        time.sleep(0.1)
        for _ in range(20):  # a connection each, so that both workers are asked
            with httpx2.Client(base_url=server.url, headers=bearer(server.key)) as client:
                asked = replace(server, http=client)
                assert version(asked, "new@example.com") == "2.0.0.0"


def test_no_acknowledged_edit_is_lost_when_the_process_is_killed(stocked: str) -> None:
    """kill -9 in the middle of writes; what was answered must be there, in one piece."""
    key = make_key(stocked)
    process = subprocess.Popen(
        command("serve", "--port", "0", "--store", stocked),
        stdout=subprocess.PIPE,
        text=True,
        env=environment(),
    )
    assert process.stdout is not None
    url = process.stdout.readline().split()[2]
    acknowledged: list[str] = []
    with httpx2.Client(base_url=url, headers=bearer(key)) as client:
        started = time.monotonic()
        try:
            for number in range(10_000):
                emails = [f"t{number}.{part}@example.com" for part in "ab"]
                path = "/v1/publishers/contoso/groups/beta/members"
                if client.patch(path, json={"add": emails}).status_code == 200:
                    acknowledged += emails
                if number == 50:
                    process.send_signal(signal.SIGKILL)
                assert time.monotonic() - started < 60
        except httpx2.HTTPError:
            pass
    process.communicate()
    assert len(acknowledged) >= 100
    with Service(Settings(store=stocked)) as service:
        members = set(service.groups.members("contoso", "beta", limit=100_000).items)
    assert members >= set(acknowledged)
    halves = [sum(f"t{n}.{part}@example.com" in members for part in "ab") for n in range(200)]
    assert 1 not in halves


def test_ctrl_c_stops_the_server_quietly(stocked: str) -> None:
    process = subprocess.Popen(
        command("serve", "--port", "0", "--store", stocked),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment(),
    )
    assert process.stdout is not None
    assert process.stdout.readline().startswith("listening on")
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "Traceback" not in output


@pytest.mark.parametrize("wait", [0, 0.02, 0.04, 0.06, 0.08, 0.1, 0.12, 0.14, 0.16, 0.18, 0.2])
def test_a_stop_while_it_is_starting_stops_it(stocked: str, wait: float) -> None:
    make_key(stocked)
    process = subprocess.Popen(
        command("serve", "--port", "0", "--store", stocked),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment(),
    )
    assert process.stdout is not None
    assert process.stdout.readline().startswith("listening on")
    time.sleep(wait)
    process.send_signal(signal.SIGTERM)
    output, _ = process.communicate(timeout=20)
    assert (process.returncode, output) == (0, "")


def test_a_request_under_way_is_answered_before_the_server_stops(stocked: str) -> None:
    """Half of an upload is there when the signal comes; the other half is waited for."""
    emails = [f"t{number}@example.com" for number in range(9_999)]
    body = json.dumps({"emails": emails}).encode()
    head = (
        "PUT /v1/publishers/contoso/groups/beta/members HTTP/1.1\r\nhost: test\r\n"
        f"content-type: application/json\r\ncontent-length: {len(body)}\r\n"
    )
    with running(stocked) as server:
        head += f"authorization: Bearer {server.key}\r\n\r\n"
        host, port = server.url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=20) as connection:
            connection.sendall(head.encode() + body[:1_000])
            time.sleep(0.5)
            server.process.send_signal(signal.SIGTERM)
            time.sleep(0.5)
            connection.sendall(body[1_000:])
            assert connection.recv(1_000).startswith(b"HTTP/1.1 200")
    with Service(Settings(store=stocked)) as service:
        assert service.groups.get("contoso", "beta").member_count == len(emails)


def test_the_demo_asks_its_queries_and_keeps_serving(tmp_path: Path) -> None:
    process = subprocess.Popen(
        command("serve", "--demo", "--port", "0"),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment(COLUMNS="100", TMPDIR=str(tmp_path)),
    )
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if "Still serving" in line:
            break
    output = "".join(lines)
    url = output.split()[2]
    for title, query in QUERIES:
        assert title in output
        assert in_words(query) in output
    for shown in (
        "FLIGHT_MEMBER",
        "Canary (rank 3)",
        "NO_PACKAGE_FOR_FAMILY",
        "NOT_SIGNED_IN",
        "sign in",
    ):
        assert shown in output
    body = json.dumps(QUERIES[0][1])
    (key,) = re.findall(r"docs#key=(\S+)", output)
    headers = {"content-type": "application/json", **bearer(key)}
    answer = httpx2.post(f"{url}/v1/access", content=body, headers=headers)
    assert answer.json()["package"]["source"]["flight_id"] == "canary"
    process.send_signal(signal.SIGTERM)
    rest, _ = process.communicate(timeout=20)
    assert process.returncode == 0, rest
    assert list(tmp_path.iterdir()) == []  # the demo's store goes with it


def test_a_demo_on_a_store_of_ones_own_stays(store_url: str, tmp_path: Path) -> None:
    with running(store_url, "--demo"):
        pass
    with Service(Settings(store=store_url)) as service:
        assert service.catalog.store.get("9NCONTOSORDR") is not None


def test_the_port_is_told_before_anything_else_and_requests_need_no_warming(stocked: str) -> None:
    with running(stocked) as server:
        assert server.url.startswith("http://127.0.0.1:")
        assert package("1.0.0.0")["version"] == version(server, "x@example.com")
