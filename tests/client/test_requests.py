"""Both clients against a real server: queries, groups, products, and an answer that gets lost."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import msgspec
import pytest

from eligibility.client import (
    Account,
    AccountKind,
    AsyncClient,
    Client,
    Consistency,
    Decision,
    Device,
    Forbidden,
    NotFound,
    Problem,
    Query,
    Reason,
    Revision,
    Unauthenticated,
    Unreachable,
)
from tests.helpers.catalog.products import DESKTOP, flight, package
from tests.helpers.servers.clients import KINDS, Either, either
from tests.helpers.servers.process import Server, make_key
from tests.helpers.servers.proxy import proxy_to

ON_DESKTOP = Device(**DESKTOP)


def as_json(value: object) -> Any:
    return msgspec.json.decode(msgspec.json.encode(value))


@pytest.fixture(params=KINDS, ids=lambda kind: kind.__name__)
def kind(request: pytest.FixtureRequest) -> type[Client | AsyncClient]:
    made: type[Client | AsyncClient] = request.param
    return made


def client_of(
    kind: type[Client | AsyncClient], server: Server, url: str | None = None, **options: Any
) -> AbstractContextManager[Either]:
    """A client of a server with its admin key, by another address where one is given."""
    return either(kind, url or server.url, key=server.key, **options)


@pytest.fixture
def client(kind: type[Client | AsyncClient], server: Server) -> Iterator[Either]:
    with client_of(kind, server, timeout=30.0, attempt_timeout=30.0) as made:
        yield made


@pytest.fixture
def publisher() -> str:
    return f"p{uuid4().hex[:12]}"


@pytest.fixture
def app(client: Either, publisher: str) -> str:
    """A product with a flight for group beta, in which ada is."""
    client.create_group(publisher, "Beta", "ada@contoso.example", group_id="beta")
    product_id = f"A{uuid4().hex[:12]}".upper()
    declared = {
        "name": "App",
        "submission": {"packages": [package("1.0.0.0")]},
        "flights": [flight("f", ["beta"], "2.0.0.0")],
    }
    assert client.put_product(publisher, product_id, declared) == 1
    return product_id


def test_an_access_query_is_answered_as_over_http(client: Either, server: Server, app: str) -> None:
    query = Query(app, ON_DESKTOP, Account("ada@contoso.example"), installed_version="1.0.0.0")
    decision = client.access(query)
    assert decision.from_service
    assert decision.package.action == "update"
    assert Reason.FLIGHT_MEMBER in decision.package.reasons
    assert decision.trace is msgspec.UNSET
    explained = client.access(query, explain=True)
    assert explained.trace
    for made, path in ((decision, "/v1/access"), (explained, "/v1/access?explain=true")):
        sent = as_json(query)
        assert as_json(made) == server.access(sent, path)


def test_every_field_of_a_query_is_understood(client: Either, publisher: str, app: str) -> None:
    query = Query(
        app,
        ON_DESKTOP,
        Account("x@contoso.example", AccountKind.MICROSOFT, ("ada@contoso.example",)),
        installed_version="1.0.0.0",
        owned=True,
        market="US",
        promotional_code=True,
        manual_check=True,
        at=datetime.now(UTC) + timedelta(hours=1),
        consistency=Consistency.STRONG,
        at_least_revision=Revision(1, 1),
    )
    assert set(msgspec.to_builtins(query)) == {
        field.name for field in msgspec.structs.fields(Query)
    }
    assert client.access(query).package.source.flight_id == "f"
    edited = client.remove_members(publisher, "beta", "stranger@contoso.example")
    assert client.access(Query(app, ON_DESKTOP, at_least_revision=edited.revision)).granted


def test_faults_of_a_query_are_told(client: Either, app: str) -> None:
    with pytest.raises(Problem) as raised:
        client.access(Query(app, Device("Toaster", "22H2")))
    assert raised.value.status == 400
    assert {fault.loc for fault in raised.value.errors} == {"device.family", "device.os_version"}
    with pytest.raises(NotFound, match="UNKNOWN_PRODUCT"):
        client.access(Query("NOSUCH", ON_DESKTOP))


def test_who_may_not_ask_is_told_so(
    kind: type[Client | AsyncClient], server: Server, client: Either, app: str
) -> None:
    query = Query(app, ON_DESKTOP)
    with pytest.raises(Unauthenticated, match="TOKEN_"):
        client.access(Query(app, ON_DESKTOP, Account(token="no.token.at-all")))
    with either(kind, server.url) as nobody, pytest.raises(Unauthenticated) as raised:
        nobody.access(query)
    assert raised.value.code == "CREDENTIALS_MISSING"
    assert raised.value.request_id
    key = make_key(server.store_url, "groups:read")
    with (
        either(kind, server.url, key=key) as other,
        pytest.raises(Forbidden, match="SCOPE_MISSING"),
    ):
        other.access(query)


def test_any_number_of_queries_is_answered_in_order(client: Either, app: str) -> None:
    members = {0, 999, 1_000, 2_000, 2_400}
    queries = [
        Query(app, ON_DESKTOP, Account("ada@contoso.example") if place in members else None)
        for place in range(2_401)
    ]
    queries[1_500] = Query("NOSUCH", ON_DESKTOP)
    answers = client.access_many(iter(queries))
    assert len(answers) == len(queries)
    assert isinstance(answers[1_500], NotFound)
    assert {
        place
        for place, answer in enumerate(answers)
        if isinstance(answer, Decision) and Reason.FLIGHT_MEMBER in answer.package.reasons
    } == members
    assert client.access_many([]) == []
    (explained,) = client.access_many([queries[0]], explain=True)
    assert explained.trace


def test_a_batch_is_never_larger_than_the_service_takes(client: Either) -> None:
    answers = client.access_many([Query("LONG" * 500, ON_DESKTOP)] * 1_000)
    assert [type(answer) for answer in answers] == [NotFound] * 1_000


def test_groups_and_members_are_read_to_the_last_page(client: Either, publisher: str) -> None:
    emails = [f"t{number:04}@contoso.example" for number in range(2_001)]
    client.create_group(publisher, "beta", emails)
    client.create_group(publisher, "alpha", ["ada@contoso.example"])
    assert [group.group_id for group in client.groups(publisher)] == ["alpha", "beta"]
    assert client.members(publisher, "beta") == emails
    assert client.members(publisher, "beta", prefix="t0") == emails[:1_000]
    assert client.members(publisher, "beta", prefix="t") == emails
    for prefix in ("", "t"):
        past = datetime(2020, 1, 1, tzinfo=UTC)
        assert client.members(publisher, "beta", prefix=prefix, at=past) == []
    group = client.group(publisher, "beta")
    assert (group.member_count, group.revision) == (2_001, 1)


def test_edits_of_members(client: Either, publisher: str, app: str) -> None:
    new = "new@contoso.example"
    planned = client.add_members(publisher, "beta", [new], dry_run=True)
    assert (planned.joined, planned.left) == ((new,), ())
    assert planned.effects["products"][0]["product_id"] == app
    added = client.add_members(publisher, "beta", f"{new}; ada@contoso.example")
    assert (added.added, added.unchanged, added.member_count, added.effects) == (1, 1, 2, None)
    assert added.revision > planned.revision
    removed = client.remove_members(publisher, "beta", [new, "who@contoso.example"])
    assert (removed.removed, removed.unknown) == (1, 1)
    based = {"if_revision": added.revision}
    for edit in (client.add_members, client.remove_members, client.replace_members):
        with pytest.raises(Problem) as raised:
            edit(publisher, "beta", [new], **based)
        assert (raised.value.status, raised.value.revision) == (412, removed.revision)
    client.replace_members(publisher, "beta", [new], if_revision=removed.revision)
    assert client.members(publisher, "beta") == [new]


def test_products_come_back_as_they_were_declared(client: Either, publisher: str, app: str) -> None:
    stored = client.product(publisher, app)
    assert (stored.publisher, stored.product_id, stored.revision) == (publisher, app, 1)
    assert client.put_product(publisher, app, {**stored.product, "name": "B"}, if_revision=1) == 2
    assert client.product(publisher, app).product["name"] == "B"
    with pytest.raises(Problem) as raised:
        client.put_product(publisher, app, stored.product, if_revision=1)
    assert (raised.value.status, raised.value.revision) == (412, 2)
    with pytest.raises(NotFound):
        client.product("another", app)


def test_simulations_and_coverage(client: Either, publisher: str, app: str) -> None:
    devices = [Device("Desktop", "22631"), "xbox"]
    accounts = [Account("ada@example.com"), "grace@example.com", None]
    found = client.simulate(app, devices, accounts=accounts)
    assert [one["account"] for one in found["accounts"]] == ["ada@example.com", accounts[1], None]
    assert found["counts"]["cells"] == 3 * len(found["devices"])
    whole = client.simulate(app, ["all"], accounts=["ada@example.com"] * 60)
    assert whole["counts"]["accounts"] == 60  # one object, however long
    covered = client.coverage(publisher, app, devices="xbox")
    assert covered["members"] == len(client.simulate(app, ["xbox"])["accounts"])


def test_an_edit_whose_answer_was_lost_is_done_and_told(
    kind: type[Client | AsyncClient], server: Server, client: Either, publisher: str, app: str
) -> None:
    new = "new@contoso.example"
    with (
        proxy_to(int(server.url.rpartition(":")[2])) as proxy,
        client_of(kind, server, f"http://127.0.0.1:{proxy.port}") as cut_off,
    ):
        proxy.lose_answer_to = b"PATCH"
        again = cut_off.add_members(publisher, "beta", [new])
        assert (proxy.cuts, again.added, again.unchanged) == (1, 0, 1)
        proxy.lose_answer_to = b"PUT"
        with pytest.raises(Unreachable):
            cut_off.replace_members(publisher, "beta", [new])
        proxy.lose_answer_to = b"POST"
        assert cut_off.access(Query(app, ON_DESKTOP, Account(new))).granted
        assert proxy.cuts == 3
    assert client.members(publisher, "beta") == [new]
