"""Who may ask what over AuthZEN, and that nobody learns of what it may not know."""

from collections.abc import Iterator
from typing import Any

import pytest

from eligibility.service.service import Service
from tests.helpers.catalog.products import group, product, put
from tests.helpers.clock import Clock
from tests.helpers.servers.application import Headers
from tests.helpers.servers.process import bearer
from tests.helpers.standards.authzen import (
    DESKTOP,
    EVALUATION,
    EVALUATIONS,
    SEARCH,
    Body,
    Pdp,
    ask,
    pdp,
    resource,
)
from tests.helpers.standards.authzen import account as subject
from tests.helpers.stores.calls import Calls
from tests.helpers.tokens.application import ADA, ALIAS, GRACE, TokenApp, token_app

PATHS = [
    EVALUATION,
    EVALUATIONS,
    *(f"{SEARCH}/{what}" for what in ("subject", "resource", "action")),
]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pdp]:
    store = f"sqlite:///{tmp_path_factory.mktemp('authzen') / 'store.db'}"
    with pdp(store, Clock(), authzen_subject_search=True) as made:
        yield made


# --- 10: credentials and scopes ---


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("base", ["", "/contoso"])
def test_must_10_without_or_with_wrong_credentials_it_is_401(
    world: Pdp, path: str, base: str
) -> None:
    for headers in ({}, bearer("wrong"), {"authorization": "Basic eDp5"}):
        answer = world.app.ask("POST", base + path, headers, json=ask())
        assert answer.status_code == 401
        assert answer.headers["content-type"] == "application/json"
        assert isinstance(answer.json(), str)
        assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize("path", PATHS)
def test_the_scope_for_access_queries_is_needed(world: Pdp, path: str) -> None:
    answer = world.send(path, ask(), world.app.key("access:assert", "groups:read"))
    assert answer.status_code == 403
    assert "access:query" in answer.json()


def test_saying_who_the_account_is_needs_its_scope(world: Pdp) -> None:
    plain = world.app.key("access:query")
    answer = world.send(EVALUATION, ask(), plain)
    assert answer.status_code == 401
    assert "access:assert" in answer.json()
    assert world.reason(ask("view", subject={"type": "anonymous", "id": "-"}), plain)[0]
    (item,) = world.evaluate({"evaluations": [ask()]}, plain, EVALUATIONS)["evaluations"]
    assert item["context"]["error"]["status"] == 401


@pytest.mark.parametrize("path", PATHS)
def test_another_publishers_base_path_is_404(world: Pdp, path: str) -> None:
    contoso = world.app.key("admin", publishers=["contoso"])
    assert world.send(f"/contoso{path}", ask(), contoso).status_code == 200
    answers = {
        world.send(f"/{name}{path}", ask(), contoso).status_code for name in ("fabrikam", "x")
    }
    assert answers == {404}


def test_a_base_path_sees_its_publishers_products_alone(world: Pdp) -> None:
    for path, reason in (("", "FLIGHT_MEMBER"), ("/contoso", "FLIGHT_MEMBER"), ("/fabrikam", None)):
        answer = world.evaluate(ask(), path=path + EVALUATION)
        assert answer["context"]["reason"] == (reason or "UNKNOWN_RESOURCE")
    # A publisher may be called like a part of the path.
    assert not world.evaluate(ask(), path=f"/access{EVALUATION}")["decision"]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("base", ["/", "//", "/contoso/", "//contoso", "/%2F", "/contoso%2F"])
def test_a_base_url_that_ends_in_a_slash_is_404_and_no_answer(
    world: Pdp, path: str, base: str
) -> None:
    every_publisher = world.app.key("admin")
    answer = world.app.ask("POST", f"http://test{base}{path}", every_publisher, json=ask())
    assert answer.status_code == 404
    assert "two slashes" in answer.text


@pytest.mark.parametrize("publisher", ["-", "a b", "a,b", "é", "a" * 101])
def test_a_base_path_that_is_no_publisher_id_is_404(world: Pdp, publisher: str) -> None:
    answer = world.send(f"/{publisher}{EVALUATION}", ask(), world.app.key("admin"))
    assert answer.status_code == 404
    assert answer.json().startswith("unknown publisher")


# --- accounts: by their tokens, and for themselves ---


class Tokens(Pdp):
    """The application with issuers; APP has flights for groups of Ada and Grace."""

    def __init__(self, made: TokenApp) -> None:
        super().__init__(made.app)
        self.made = made
        self.backend, self.plain, self.ada = made.asserting, made.plain, made.own()


@pytest.fixture
def tokens(store_url: str, clock: Clock) -> Iterator[Tokens]:
    with token_app(store_url, clock) as made:
        group(made.app.service, "hush", GRACE)
        secret = product(audience="private", audience_groups=["hush"])
        put(made.app.service, "SECRET", secret)
        clock.advance(3_600)
        yield Tokens(made)


def test_a_token_says_who_the_account_is(tokens: Tokens) -> None:
    sent = subject(ADA, token=tokens.made.bench.account(email=ADA.upper()))
    for by in (tokens.plain, tokens.backend):
        for _ in range(2):  # the second time the token is known
            assert tokens.evaluate(ask(subject=sent), by) == tokens.evaluate(ask(subject=subject()))
            assert tokens.batch({"evaluations": [ask(subject=sent)]}, by) == [True]


def test_a_tokens_subject_is_one_of_its_addresses(tokens: Tokens) -> None:
    token = tokens.made.bench.account(email=ALIAS, aliases=[GRACE])
    for named in (ALIAS, GRACE, GRACE.upper()):
        assert tokens.reason(ask(subject=subject(named, token=token)), tokens.plain)[0]
    for named in (ADA, "nobody", ""):
        for _ in range(2):
            body = ask(subject=subject(named, token=token))
            answer = tokens.send(EVALUATION, body, tokens.plain)
            assert answer.status_code == 403
            assert "itself" in answer.json()
            batch = {"evaluations": [ask(subject=subject(ALIAS, token=token)), body]}
            told = tokens.evaluate(batch, tokens.plain, EVALUATIONS)["evaluations"]
            assert told[0]["decision"]
            assert told[1]["context"]["error"]["status"] == 403


def test_a_bad_token_is_401_and_in_a_batch_its_items_alone(tokens: Tokens, clock: Clock) -> None:
    good = ask(subject=subject(ADA, token=tokens.made.bench.account()))
    bad = ask(subject=subject(ADA, token="x"))
    answer = tokens.send(EVALUATION, bad, tokens.plain)
    assert answer.status_code == 401
    body = {"evaluations": [good, bad, good]}
    told = tokens.evaluate(body, tokens.plain, EVALUATIONS)["evaluations"]
    assert [one["decision"] for one in told] == [True, False, True]
    assert told[1]["context"]["error"]["status"] == 401


def test_an_account_asks_about_itself(tokens: Tokens) -> None:
    told = tokens.evaluate(ask(), tokens.ada)
    assert told == tokens.evaluate(ask())
    assert tokens.evaluate({"evaluations": [ask()]}, tokens.ada, EVALUATIONS) == {
        "evaluations": [told]
    }
    found = {**ask(), "resource": {"type": "flight"}}
    assert tokens.search("resource", found, tokens.ada) == ["APP:good", "THEIRS:good"]
    assert tokens.search("action", ask(), tokens.ada) == ["install", "view"]


OTHERS: dict[str, Body] = {
    "another account": subject(GRACE),
    "another alias": subject(ADA, aliases=[GRACE]),
    "nobody": {"type": "anonymous", "id": "-"},
    "no address": subject("x"),
    "another type": {"type": "user", "id": ADA},
}


@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS)
@pytest.mark.parametrize("of", ["product:APP", "product:NOPE", "record:x", "product:a b"])
def test_an_account_that_asks_about_another_is_403(tokens: Tokens, other: Body, of: str) -> None:
    body = ask(of=of, subject=other)
    sent = {
        EVALUATION: body,
        EVALUATIONS: {"evaluations": [ask(), body]},
        f"{SEARCH}/action": body,
    }
    if not of.endswith("b"):
        sent[f"{SEARCH}/resource"] = {**body, "resource": {"type": "product"}}
    for path, one in sent.items():
        answer = tokens.send(path, one, tokens.ada)
        assert answer.status_code == 403, path
        assert "itself" in answer.json()


@pytest.mark.parametrize("time", [{}, {"time": "2026-06-01T12:30:00Z"}])
def test_that_is_so_also_where_a_batch_ends_before_the_item(
    tokens: Tokens, time: dict[str, str]
) -> None:
    no = ask(of="product:NOPE", context={**DESKTOP, **time})
    body = {
        "evaluations": [no, ask(subject=subject(GRACE))],
        "options": {"evaluations_semantic": "deny_on_first_deny"},
    }
    assert tokens.send(EVALUATIONS, body, tokens.ada).status_code == 403


def test_an_account_may_not_search_subjects(tokens: Tokens) -> None:
    assert tokens.send(f"{SEARCH}/subject", ask(), tokens.ada).status_code in (403, 404)


# --- what a caller may not know of is as if it were not there ---


def indistinguishable(
    pdp: Pdp, by: Headers, calls: Calls, kind: str, ids: list[str], who: Body, **more: Any
) -> None:
    """Single, batch and action search give the same bytes by the same steps for all the ids."""
    for action in ("view", "install", "update"):
        seen = []
        for one in ids:
            body = ask(action, f"{kind}:{one}", who, **more)
            batch = {"evaluations": [body, body]}
            sent = ((EVALUATION, body), (EVALUATIONS, batch), (f"{SEARCH}/action", body))
            for path, asked in sent:
                pdp.send(path, asked, by)  # what is in memory is there now

            def send(sent: Any = sent) -> list[bytes]:
                return [pdp.send(path, asked, by).content for path, asked in sent]

            seen.append(calls.of(send))
        assert seen[0][0][0].startswith(b'{"decision":false')
        assert all(one == seen[0] for one in seen), (action, seen)


@pytest.mark.parametrize("context", [DESKTOP, {}, {**DESKTOP, "time": "2026-06-01T12:30:00Z"}])
@pytest.mark.parametrize("scopes", [["access:query", "access:assert"], ["admin"]])
def test_a_foreign_publishers_resources_are_as_unknown_ones(
    world: Pdp, monkeypatch: pytest.MonkeyPatch, context: Any, scopes: list[str]
) -> None:
    by = world.app.key(*scopes, publishers=["contoso"])
    world.reason(ask("view", "product:THEIRS"))  # others have it in memory
    calls = Calls(monkeypatch)
    for who in (subject(), {"type": "anonymous", "id": "-"}):
        for kind, ids in (
            ("product", ["NOPE", "THEIRS", "n/o", ""]),
            ("submission", ["NOPE", "THEIRS"]),
            ("flight", ["NOPE:f", "THEIRS:theirs", "THEIRS:nope"]),
        ):
            known = [one for one in ids if "/" not in one and one]
            indistinguishable(world, by, calls, kind, known, who, context=context)


@pytest.mark.parametrize("context", [DESKTOP, {}])
def test_a_private_product_is_to_an_account_outside_as_an_unknown_one(
    tokens: Tokens, monkeypatch: pytest.MonkeyPatch, context: Any
) -> None:
    tokens.reason(ask("view", "product:SECRET"))  # in memory
    calls = Calls(monkeypatch)
    for kind, ids in (
        ("product", ["NOPE", "SECRET"]),
        ("submission", ["NOPE", "SECRET"]),
        ("flight", ["NOPE:f", "SECRET:f"]),
    ):
        indistinguishable(tokens, tokens.ada, calls, kind, ids, subject(), context=context)


def test_flights_of_others_are_to_an_account_as_unknown_ones(
    tokens: Tokens, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = Calls(monkeypatch)
    ids = ["NOPE:f", "APP:nope", "APP:best", "THEIRS:best", "THEIRS:nope"]
    indistinguishable(tokens, tokens.ada, calls, "flight", ids, subject())


def test_an_account_in_the_audience_is_told(tokens: Tokens) -> None:
    grace = tokens.made.own(email=GRACE)
    assert tokens.reason(ask("view", "product:SECRET", subject(GRACE)), grace) == (
        True,
        "AUDIENCE_MEMBER",
    )


def test_products_that_are_not_there_take_no_room_in_memory(world: Pdp) -> None:
    """Ids of flights are anybody's to make up; what is remembered for each would be without bound."""
    service: Service = world.service
    for number in range(50):
        world.reason(ask("install", f"flight:APP:made-up-{number}"))
    held = service.evaluator.warm("APP")
    assert held is not None
    forms = [form for form in held._memory[1] if not isinstance(form, bool)]
    assert len([form for form in forms if getattr(form, "flight_id", None) == ""]) == 1
    assert not [form for form in forms if "made-up" in str(getattr(form, "flight_id", ""))]
    assert resource("flight:x") == {"type": "flight", "id": "x"}
