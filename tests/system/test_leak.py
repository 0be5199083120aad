"""Addresses are personal data: one run of everything, and none of them where it does not belong.

Not in what the server prints, not in a URL it makes, not in an error to somebody who did not send it.
"""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import httpx2
import pytest

from eligibility.server.http.logs import MASK
from tests.helpers.catalog.products import DESKTOP
from tests.helpers.repository import ROOT
from tests.helpers.servers.process import Server, bearer, make_key, running
from tests.helpers.servers.raw_http import connection, head
from tests.helpers.servers.routes import GUARDED, MINE, body
from tests.helpers.standards.leaks import ask_over_the_standards, put_into_paths
from tests.helpers.stores import redis_servers as servers

ADA, GRACE, LINUS, ALAN = (f"{name}@contoso.example" for name in ("ada", "grace", "linus", "alan"))
SAMPLE = (ADA, GRACE, LINUS, ALAN)
BASE = "/v1/publishers/contoso"
GROUP = f"{BASE}/groups/insiders"

FAULTS = '''
"""What nobody foresaw: two functions that fail with an address in what they say."""
import sys
if "serve" in sys.orig_argv:
    from eligibility.engine.evaluator import Evaluator
    from groups import csv_file

    def write(members):
        raise RuntimeError("cannot write " + ", ".join(members))

    find = Evaluator.find

    def found(self, query, **more):
        if query.product_id == "BROKEN":
            said = repr(query), query.account.id.replace("@", "%40"), f"<{query.account.id}>"
            raise RuntimeError(*said)
        return find(self, query, **more)

    csv_file.write, Evaluator.find = write, found
'''


def found(text: str) -> set[str]:
    """The sample's addresses in a text, however they are written there."""
    plain = unquote(text).lower().replace("\\u0040", "@")
    return {address for address in SAMPLE if address in plain}


@dataclass
class Run:
    """A run under way: every answer, and the addresses that were sent for it."""

    server: Server
    answers: list[tuple[httpx2.Response, set[str]]] = field(default_factory=list)

    def ask(self, method: str, path: str, sent: Any = None, **more: Any) -> httpx2.Response:
        if sent is not None:
            more["json"] = sent
        request = self.server.http.build_request(method, path, **more)
        answer = self.server.http.send(request)
        words = [str(request.url), *request.headers.values(), request.content.decode("latin-1")]
        self.answers.append((answer, found("\n".join(words))))
        return answer


def query(address: str, **more: Any) -> dict[str, Any]:
    account = {"id": address}
    return {"product_id": "9NCONTOSORDR", "account": account, "device": DESKTOP, **more}


def ask_about_accounts(run: Run) -> None:
    """Access queries of every kind: answered, denied, and unreadable."""
    for address in (*SAMPLE, ADA.upper(), f"{ADA}@", f"x {GRACE}", f"{LINUS}\u00e5"):
        for path in ("/v1/access", "/v1/access?explain=true"):
            run.ask("POST", path, query(address))
        run.ask("POST", "/v1/access", query(address, at="2026-01-01T00:00:00Z"))
        run.ask("POST", "/v1/access", query(address, consistency="strong"))
        run.ask("POST", "/v1/access", query("x@contoso.example", product_id=address))
        aliases = {"id": "x@contoso.example", "aliases": [address]}
        run.ask("POST", "/v1/access", query(address, account=aliases))
        batch = {"queries": [query(address), {**query(address), "market": address}, {address: 1}]}
        run.ask("POST", "/v1/access/batch", batch)
        for page in ({"limit": 1}, {"market": address}, {"cursor": address}, {address: 1}):
            search = {"account": {"id": address}, "device": DESKTOP, **page}
            run.ask("POST", "/v1/access/search", search)
        run.ask("POST", "/v1/access", query(address, product_id="BROKEN"))
        run.ask("POST", "/v1/access", query(address, account={"token": address}))
        run.ask("POST", "/v1/access", query(address, device={"family": address}))
        for more in ({}, {"market": address}, {"devices": [address]}, {address: 1}):
            asked = {"product_id": "9NCONTOSORDR", "accounts": [address], "devices": ["xbox"]}
            run.ask("POST", "/v1/simulations", {**asked, **more})
        groups = {"insiders": {"add": [address], "remove": f"{address}@"}}
        draft = {"product_id": "9NCONTOSORDR", "devices": ["xbox"], "draft": {"groups": groups}}
        run.ask("POST", "/v1/simulations", draft)


def edit_groups(run: Run) -> None:
    """Every route of groups, with addresses right and wrong, in JSON and CSV."""
    for sent in (
        {"add": [ALAN]},
        {"remove": [ALAN]},
        {"add": [f"{ADA}@"], "remove": f"; {GRACE}, {GRACE}"},
        {"add": [ADA], "remove": [ADA]},
        {ADA: [ADA]},
        {"remove": SAMPLE},
    ):
        run.ask("PATCH", f"{GROUP}/members?dry_run=true", sent)
        run.ask("PATCH", f"{GROUP}/members", sent)
    for file in (f"email\n{ADA}\n{GRACE}\n{LINUS}\n", f"email\n{ADA},{GRACE}\n{LINUS}@\n", ADA):
        csv = {"content-type": "text/csv"}
        run.ask("PUT", f"{GROUP}/members?dry_run=true", content=file, headers=csv)
        run.ask("PUT", f"{GROUP}/members", content=file, headers=csv)
        plain = {"content-type": f"text/{ADA}"}
        run.ask("PUT", f"{GROUP}/members", content=file, headers=plain)
    for name in ("Night owls", ADA, f"Friends of {GRACE}"):
        for group_id in (None, name):
            wanted = {"name": name, "emails": SAMPLE, "group_id": group_id}
            run.ask("POST", f"{BASE}/groups", wanted)
    run.ask("PUT", f"{GROUP}/members", {"emails": [ADA, GRACE, LINUS]})
    run.ask("PATCH", f"{BASE}/groups/canary-testers/members", {"remove": [ADA]})
    run.ask("POST", f"{BASE}/forget", {"address": ADA})
    run.ask("PUT", f"{GROUP}/consent", {"confirmed_by": "Lin", "text": f"said {ADA}"})
    for address in (ADA, f"{ADA}@"):
        run.ask("POST", f"{GROUP}/history/search", {"address": address})
        run.ask("POST", f"{BASE}/history/search", {"address": address})
        run.ask("POST", f"{BASE}/forget", {"address": address, "dry_run": True})
        run.ask("POST", f"{BASE}/forget", {"address": address, "replacement": "x"})
    cursor: str | None = ""
    while cursor is not None:
        more = f"&cursor={cursor}" if cursor else ""
        page = run.ask("GET", f"{GROUP}/members?limit=1{more}").json()
        cursor = page["next_cursor"]
        search = {"prefix": "g", "cursor": cursor, "limit": 1}
        run.ask("POST", f"{GROUP}/members/search", search)
    for path in ("members.csv", "history", "history?limit=1"):
        run.ask("GET", f"{GROUP}/{path}")


def put_addresses_where_they_do_not_belong(run: Run) -> None:
    """In paths, query strings, headers and bodies that are none."""
    for at in (ADA, ADA.replace("@", "%40")):
        for path in (f"/{at}", f"/v1/access/{at}", f"/v1/publishers/{at}/groups"):
            run.ask("GET", path)
        put_into_paths(run.ask, at)
        for path in (f"{BASE}/groups/{at}", f"{BASE}/groups/{at}/members.csv", f"/v1/keys/{at}"):
            run.ask("GET", path)
            run.ask("DELETE", path)
        for asked in (f"account={at}", f"{at}", f"cursor={at}", f"limit={at}", f"at={at}"):
            run.ask("GET", f"{GROUP}/members?{asked}")
            run.ask("POST", f"/v1/access?{asked}", query(ADA))
        for name in ("authorization", "x-request-id", "if-match", "user-agent", "x-forwarded-for"):
            run.ask("PATCH", f"{GROUP}/members", {"add": [ADA]}, headers={name: at})
        run.ask("GET", "/healthz", headers={"authorization": at, "x-request-id": f"x/{at}"})
        run.ask("GET", f"{GROUP}/", headers=bearer(at))
        run.ask("PUT", f"{BASE}/products/{at}", {"name": at, "flights": at})
        run.ask("POST", "/v1/keys", {"name": at, "scopes": [at], "publishers": [at]})
        for sent in (at, f'{{"{at}": ', f'"{at}"', f'{{"account": "{at}"}}'):
            for path in (
                *("/v1/access", "/v1/access/batch", "/v1/access/search", f"{BASE}/forget"),
                *("/access/v1/evaluation", "/access/v1/evaluations", "/access/v1/search/action"),
                *("/ofrep/v1/evaluate/flags", "/ofrep/v1/evaluate/flags/product:9NCONTOSORDR"),
            ):
                json_header = {"content-type": "application/json"}
                run.ask("POST", path, content=sent, headers=json_header)
    for broken in (f"{ADA}\r\n\r\n", f"GET /{ADA}\r\n\r\n", f"GET / HTTP/9\r\nx: {ADA}\r\n\r\n"):
        with connection(run.server) as connected:
            connected.sendall(broken.encode())
            assert b"@" not in connected.recv(1_000)
    with connection(run.server) as gone:
        half = head("POST", "/v1/access", "content-length: 999", key=run.server.key)
        gone.sendall(half + ADA.encode())


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """The whole run, the store's end included."""
    directory: Path = tmp_path_factory.mktemp("faults")
    (directory / "sitecustomize.py").write_text(FAULTS)
    paths = os.pathsep.join((str(directory), str(ROOT)))
    settings = {
        "ELIGIBILITY_LOG_ACCESS": "true",
        "ELIGIBILITY_LOG_FORMAT": "json",
        "ELIGIBILITY_AUTHZEN_SUBJECT_SEARCH": "true",
        "ELIGIBILITY_PUBLIC_URL": "https://pdp.contoso.example",
    }
    with (
        servers.valkey("--appendonly", "yes") as valkey,
        running(valkey.url, "--demo", PYTHONPATH=paths, **settings) as server,
    ):
        servers.until(lambda: "Still serving" in "".join(server.printed), "the demo")
        made = Run(server)
        for part in (
            ask_about_accounts,
            lambda run: ask_over_the_standards(run.ask, SAMPLE),
            edit_groups,
            put_addresses_where_they_do_not_belong,
        ):
            part(made)
        valkey.kill()
        ask_about_accounts(made)
        ask_over_the_standards(made.ask, SAMPLE)
        run_groups = [("PATCH", f"{GROUP}/members", {"add": [ADA]}), ("GET", GROUP, None)]
        for method, path, sent in run_groups:
            made.ask(method, path, sent)
        valkey.start()
        servers.until(lambda: server.http.get("/readyz").status_code == 200, "the store")
        yield made
        server.printed[:] = [line for line in server.printed if "nobody" in line]  # faults of ours


def lines(run: Run) -> list[dict[str, Any]]:
    """The log so far; what the demo shows of its own queries is for whoever started it."""
    last = run.server.http.get("/v1/nothing", headers={"x-request-id": "the-last"})
    assert last.status_code == 404
    servers.until(lambda: "the-last" in "".join(run.server.printed), "the log")
    printed = "".join(run.server.printed)
    before, _, after = printed.partition("Still serving")
    shown = [line for line in before.splitlines() if line.startswith("{")]
    read = [json.loads(line) for line in (*shown, *after.splitlines()[1:]) if line]
    assert all(isinstance(line, dict) for line in read)
    return read


def test_everything_was_tried(run: Run) -> None:
    statuses = {answer.status_code for answer, _ in run.answers}
    assert statuses >= {200, 201, 400, 401, 404, 405, 409, 415, 500, 503}
    assert len(run.answers) > 250
    assert {address for _, sent in run.answers for address in sent} == set(SAMPLE)


def test_no_address_is_printed(run: Run) -> None:
    for line in lines(run):
        assert not found(json.dumps(line)), line
    assert any(MASK in line.get("exception", "") for line in lines(run))


def test_every_request_is_a_line_that_tells_who_what_and_how_it_ended(run: Run) -> None:
    requests = [line for line in lines(run) if line["event"] == "request"]
    assert len(requests) >= len(run.answers)
    for line in requests:
        told = {"request_id", "caller", "method", "route", "status", "code", "ms"}
        assert line.keys() - {"error"} == told | {"event", "logger", "level", "timestamp"}
        assert line["caller"] in ("key tests", "key demo", None)
        assert (line["status"] in (200, 201, 304, 307, None)) == (line["code"] is None)
        said = {name: value for name, value in line.items() if name != "error"}
        assert MASK not in json.dumps(said)  # nothing there has to be masked
        failed = (line["status"] or 500) >= 500
        assert (line["level"] == "warning") == ("error" in line) == failed
    ids = [line["request_id"] for line in requests]
    assert len(set(ids)) == len(ids) - ids.count("the-last") + 1


def test_an_error_tells_addresses_to_their_sender_only(run: Run) -> None:
    for answer, sent in run.answers:
        if answer.status_code >= 400:
            told = found(answer.text + str(answer.headers))
            assert told <= sent, f"{answer.request.method} {answer.request.url}: {answer.text}"


def test_no_url_or_header_that_the_server_makes_holds_an_address(run: Run) -> None:
    cursors: list[str | None] = []
    tokens: list[str] = []
    for answer, _ in run.answers:
        where = dict(answer.headers)
        if where["x-request-id"] == answer.request.headers.get("x-request-id"):
            del where["x-request-id"]  # the client's own
        if answer.status_code == 307:
            del where["location"]  # the client's own path
        assert not found(json.dumps(where)), where
        if answer.status_code == 200 and "next_cursor" in answer.text:
            cursors.append(answer.json().get("next_cursor"))
        if answer.status_code == 200 and "next_token" in answer.text:
            tokens.append(answer.json()["page"]["next_token"])
    assert len([one for one in cursors if one]) >= 3
    assert len([one for one in tokens if one]) >= 3
    cursors += tokens
    assert not found(json.dumps(cursors))
    assert "@" not in "".join(one or "" for one in cursors)


@pytest.mark.parametrize("publisher", ["contoso", "fabrikam"])
def test_nobody_else_is_told_an_address(run: Run, publisher: str) -> None:
    """A caller who may do everything but read groups, and one of another publisher."""
    scopes = ["access:query", "access:assert", "groups:write", "catalog:read", "catalog:write"]
    if publisher != "contoso":
        scopes.append("admin")
    key = make_key(run.server.store_url, *scopes, publishers=[publisher])
    place = {**MINE, "group_id": "insiders", "product_id": "9NCONTOSORDR"}
    with httpx2.Client(base_url=run.server.url, headers=bearer(key)) as other:
        for route in GUARDED:
            method, path = route.split()
            if method == "DELETE" or path.endswith("/members"):
                continue
            sent = body(route, place)
            more = {} if sent is None else {"json": sent}
            answer = other.request(method, path.format(**place), **more)
            assert not found(answer.text + str(answer.headers)), answer.text
