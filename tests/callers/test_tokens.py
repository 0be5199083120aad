"""Tokens: whose are believed, with which keys, and how long they are remembered."""

from collections.abc import Callable, Iterator

import pytest

from eligibility.access.codes import AccountKind
from eligibility.access.model import Account
from eligibility.callers.errors import IssuerUnavailable, Unauthenticated
from eligibility.callers.issuers import MICROSOFT_ACCOUNTS, AccountIssuer, CallerIssuer
from eligibility.callers.model import Caller, Scope
from eligibility.callers.token_cache import TokenCache
from eligibility.callers.tokens import Verifier
from tests.helpers.clock import Clock
from tests.helpers.tokens.issuers import (
    APP,
    CURVES,
    ED,
    ISSUER,
    KEY,
    MANY,
    NAMELESS,
    OTHER,
    P256,
    TENANT,
    Bench,
    named,
    token_bench,
)
from tests.helpers.tokens.jwks_server import Signer, jwks_server


@pytest.fixture
def bench(clock: Clock) -> Iterator[Bench]:
    with token_bench(clock) as made:
        yield made


# --- believed ---


def test_a_service_is_known_by_its_token(bench: Bench) -> None:
    assert bench.verifier.caller_of(bench.service(publishers=["contoso"])) == Caller(
        kind="token",
        name="token backend",
        identity=named(f"{ISSUER} backend"),
        scopes=frozenset({Scope.QUERY}),
        publishers=frozenset({"contoso"}),
    )


def test_an_account_is_known_by_its_token(bench: Bench) -> None:
    token = bench.account(aliases=["Ada.L@example.com"])
    assert bench.verifier.account_of(token) == Account(
        "ada@example.com", AccountKind.MICROSOFT, ("ada.l@example.com",)
    )


def test_an_account_may_ask_for_itself(bench: Bench) -> None:
    assert bench.verifier.caller_of(bench.account()) == Caller(
        kind="account",
        name="account digest-15",
        scopes=frozenset({Scope.QUERY}),
        publishers=None,
        account=Account("ada@example.com"),
    )


Make = Callable[[Bench], str]

BELIEVED: dict[str, Make] = {
    "one audience of several": lambda b: b.service(aud=["api://elsewhere", "api://other"]),
    "ES256": lambda b: b.service(P256, iss=CURVES),
    "EdDSA": lambda b: b.service(ED, iss=CURVES),
    "ends when clocks differ most": lambda b: b.service(exp=b.clock() - 59.5),
    "begins when clocks differ most": lambda b: b.service(nbf=b.clock() + 60, iat=b.clock() + 60),
    "a tenant of many": lambda b: b.account(iss=MANY.replace("{tenant}", TENANT), tid=TENANT),
    "no iat": lambda b: b.service(iat=None),
}


@pytest.mark.parametrize("case", BELIEVED)
def test_a_token_is_believed(bench: Bench, case: str) -> None:
    assert bench.verifier.caller_of(BELIEVED[case](bench))


def test_verify_tells_issuer_and_claims(bench: Bench) -> None:
    issuer, claims = bench.verifier.verify(bench.service(jti="one"))
    assert (issuer.issuer, claims["jti"]) == (ISSUER, "one")
    assert isinstance(issuer, CallerIssuer)


def test_a_token_without_a_key_name_is_believed_where_one_key_suits(bench: Bench) -> None:
    bench.server.keys = [NAMELESS.jwk(), P256.jwk()]
    assert bench.verifier.caller_of(bench.service(NAMELESS))


def test_a_service_is_no_account(bench: Bench) -> None:
    with pytest.raises(Unauthenticated) as caught:
        bench.verifier.account_of(bench.service())
    assert (caught.value.code, caught.value.loc) == ("TOKEN_AUDIENCE", "account.token")


def test_a_key_of_one_tenant_signs_for_no_other(bench: Bench) -> None:
    """Microsoft's key sets say of each key whose it is."""
    own, every = (
        MANY.replace("{tenant}", MICROSOFT_ACCOUNTS),
        MANY.replace("{tenant}", "{tenantid}"),
    )
    bench.server.keys = [KEY.jwk(issuer=own), OTHER.jwk(issuer=every)]
    for signer, tenant, believed in (
        (KEY, MICROSOFT_ACCOUNTS, True),
        (KEY, TENANT, False),
        (OTHER, TENANT, True),
    ):
        token = bench.account(signer, iss=MANY.replace("{tenant}", tenant), tid=tenant)
        if believed:
            assert bench.verifier.account_of(token)
        else:
            with pytest.raises(Unauthenticated, match="does not match any key of its issuer"):
                bench.verifier.account_of(token)


def test_the_entry_of_one_tenant_goes_before_that_of_all(clock: Clock) -> None:
    with jwks_server(KEY.jwk()) as server:
        every = AccountIssuer(issuer=MANY, audience=APP, jwks_url=server.url)
        own = every.model_copy(
            update={"issuer": MANY.replace("{tenant}", TENANT), "email_claim": "mail"}
        )
        verifier = Verifier([], [every, own], name_of=str, clock=clock)
        for tenant, claim in ((TENANT, "mail"), (MICROSOFT_ACCOUNTS, "email")):
            claims = {"iss": MANY.replace("{tenant}", tenant), "tid": tenant, "email": None}
            token = Bench(server, clock, verifier).account(**{**claims, claim: "a@b.test"})
            assert verifier.account_of(token).id == "a@b.test"


# --- keys that come and go ---


def test_keys_are_asked_for_once_for_both_kinds_of_token(bench: Bench) -> None:
    bench.verifier.caller_of(bench.service())
    bench.verifier.account_of(bench.account())
    assert bench.server.fetches == 1


def test_a_new_key_works_at_once(bench: Bench) -> None:
    bench.verifier.caller_of(bench.service())
    new = Signer("new")
    bench.server.keys = [new.jwk()]
    bench.clock.advance(1)
    assert bench.verifier.caller_of(bench.service(new))


def test_an_issuer_that_is_away_neither_lets_in_nor_turns_away(bench: Bench) -> None:
    bench.server.away = True
    with pytest.raises(IssuerUnavailable) as caught:
        bench.verifier.account_of(bench.account())
    assert caught.value.issuer == ISSUER
    assert "example.com" not in str(caught.value)
    bench.server.away = False
    bench.clock.advance(10)
    assert bench.verifier.account_of(bench.account())
    bench.server.away = True
    bench.clock.advance(3_000)
    assert bench.verifier.account_of(bench.account()), "with the keys that are held"


# --- remembered ---


def test_what_was_verified_is_known_for_five_minutes(bench: Bench) -> None:
    verifier, token, own = bench.verifier, bench.service(), bench.account()
    assert verifier.known_caller(token) is None
    assert verifier.known_account(own) is None
    caller, account = verifier.caller_of(token), verifier.account_of(own)
    bench.clock.advance(299)
    assert verifier.known_caller(token) is caller
    assert verifier.known_account(own) is account
    assert verifier.known_account(token) is None
    assert verifier.known_caller(own) is None
    bench.clock.advance(1)
    assert verifier.known_caller(token) is None
    assert verifier.known_account(own) is None


def test_what_has_expired_is_not_known(bench: Bench) -> None:
    token = bench.account(exp=bench.clock() + 10)
    assert bench.verifier.account_of(token)
    bench.clock.advance(69)
    assert bench.verifier.known_account(token)
    bench.clock.advance(1)
    assert bench.verifier.known_account(token) is None
    with pytest.raises(Unauthenticated) as caught:
        bench.verifier.account_of(token)
    assert caught.value.code == "TOKEN_EXPIRED"


def test_a_known_token_is_not_verified_again(bench: Bench) -> None:
    token, own = bench.service(), bench.account()
    caller, account = bench.verifier.caller_of(token), bench.verifier.account_of(own)
    assert bench.verifier.caller_of(token) is caller
    assert bench.verifier.account_of(own) is account


def test_what_was_turned_away_is_not_known(bench: Bench) -> None:
    token = bench.account(email_verified=False)
    for _ in range(2):
        with pytest.raises(Unauthenticated):
            bench.verifier.account_of(token)
        assert bench.verifier.known_account(token) is None


def test_of_too_many_tokens_those_unused_longest_go() -> None:
    known: TokenCache[int] = TokenCache(limit_characters=30)
    for number, token in enumerate(("a" * 10, "b" * 10, "c" * 10)):
        known.put(token, 100.0, number)
    known.put("b" * 10, 100.0, 3)  # kept again, it counts once
    assert known.get("a" * 10, 0.0) == 0
    known.put("d" * 10, 100.0, 4)
    assert [known.get(letter * 10, 0.0) for letter in "abcd"] == [0, 3, None, 4]
    known.put("e" * 31, 100.0, 5)
    assert known.get("e" * 31, 0.0) is None
