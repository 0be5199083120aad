"""`eligibility serve` on a real server or cluster: the demo, edits everywhere, and the server away."""

import os
import time

from tests.helpers.servers.problem import assert_problem
from tests.helpers.servers.process import Server, running
from tests.helpers.stores import redis_servers as servers

READER = {
    "product_id": "9NCONTOSORDR",
    "account": {"id": "ada@contoso.example"},
    "device": {"family": "Windows.Desktop", "os_version": "22631", "architecture": "x64"},
}
MEMBERS = "/v1/publishers/contoso/groups/canary-testers/members"


def flight(server: Server) -> str | None:
    told = server.access(READER)["package"]["source"]["flight_id"]
    return None if told is None else str(told)


def test_the_demo_runs_on_a_cluster_and_an_edit_is_in_force_on_every_node() -> None:
    url = f"{servers.url('valkey-cluster')}?prefix=d{os.urandom(6).hex()}"
    with running(url, "--demo") as first, running(url, "--workers", "2") as second:
        servers.until(lambda: first.http.get(MEMBERS).status_code == 200, "the sample")
        assert flight(first) == flight(second) == "canary"
        body = {"emails": ["somebody@contoso.example"]}
        first.http.put(MEMBERS, json=body).raise_for_status()
        assert flight(first) == "insiders"
        servers.until(
            lambda: all(flight(second) == "insiders" for _ in range(8)), "both workers", seconds=3
        )


def test_while_the_server_is_away_memory_answers_and_the_rest_is_503() -> None:
    with servers.valkey("--appendonly", "yes") as valkey, running(valkey.url, "--demo") as server:
        servers.until(lambda: server.http.get(MEMBERS).status_code == 200, "the sample")
        assert server.access(READER)["stale_seconds"] == 0
        assert server.http.get("/readyz").status_code == 200
        valkey.kill()
        servers.until(
            lambda: server.access(READER)["stale_seconds"] > 0, "the loss to be noticed", seconds=8
        )
        assert flight(server) == "canary"
        assert_problem(server.http.get("/readyz"), 503, "STORE_UNAVAILABLE")
        began = time.monotonic()
        sketch = {**READER, "product_id": "9NCONTOSOMAP", "account": {"id": "new@x.com"}}
        answers = [server.http.post("/v1/access", json=sketch | {"at": "2026-01-01T00:00:00Z"})]
        answers.append(server.http.post("/v1/access", json=READER | {"consistency": "strong"}))
        answers.append(server.http.post("/v1/access", json=READER | {"product_id": "NOT-HELD"}))
        for answer in answers:
            assert_problem(answer, 503, "STORE_UNAVAILABLE")
        assert time.monotonic() - began < 2
        edit = server.http.patch(MEMBERS, json={"add": ["x@x.com"]})
        assert_problem(edit, 503, "STORE_UNAVAILABLE")
        valkey.start()
        servers.until(
            lambda: server.access(READER)["stale_seconds"] == 0, "the server to be back", seconds=8
        )
        assert server.http.get("/readyz").status_code == 200
