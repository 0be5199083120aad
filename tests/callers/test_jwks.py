"""The keys of an issuer: how often they are fetched, how long they are kept, which are taken."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from eligibility.callers import fetching
from eligibility.callers.errors import IssuerUnavailable
from eligibility.callers.jwks import KeySet
from tests.helpers.clock import Clock
from tests.helpers.tokens.jwks_server import JwksServer, Signer, jwks_server

OLD, NEW = Signer("old"), Signer("new")
ISSUER = "https://issuer.test"


@pytest.fixture
def server() -> Iterator[JwksServer]:
    with jwks_server(OLD.jwk()) as started:
        yield started


@pytest.fixture
def key_set(server: JwksServer, clock: Clock) -> KeySet:
    return KeySet(ISSUER, server.url, monotonic=clock)


def holds(key_set: KeySet, kid: str | None, algorithm: str = "RS256") -> bool:
    return len(key_set.matching(kid, algorithm)) == 1


# --- fetched, kept ---


def test_keys_are_fetched_once_in_five_minutes(
    server: JwksServer, key_set: KeySet, clock: Clock
) -> None:
    assert server.fetches == 0, "nothing before it is needed"
    for seconds, fetches in ((0, 1), (1, 1), (298, 1), (1, 2), (299, 2), (1, 3)):
        clock.advance(seconds)
        assert holds(key_set, "old")
        assert server.fetches == fetches


def test_a_key_that_was_taken_away_is_forgotten_within_five_minutes(
    server: JwksServer, key_set: KeySet, clock: Clock
) -> None:
    assert holds(key_set, "old")
    server.keys = [NEW.jwk()]
    clock.advance(299)
    assert holds(key_set, "old")
    clock.advance(1)
    assert not holds(key_set, "old")


def test_a_set_without_keys_is_believed(server: JwksServer, key_set: KeySet) -> None:
    server.keys = []
    assert not holds(key_set, "old")


def test_held_keys_go_on_while_the_issuer_is_away_for_a_day(
    server: JwksServer, key_set: KeySet, clock: Clock
) -> None:
    assert holds(key_set, "old")
    server.away = True
    clock.advance(86_399)
    assert holds(key_set, "old")
    clock.advance(1)
    with pytest.raises(IssuerUnavailable, match=ISSUER):
        key_set.matching("old", "RS256")
    server.away = False
    clock.advance(10)
    assert holds(key_set, "old")


def test_an_issuer_that_is_away_is_asked_every_ten_seconds(
    server: JwksServer, key_set: KeySet, clock: Clock
) -> None:
    server.away = True
    for seconds, fetches in ((0, 1), (0, 1), (9.9, 1), (0.1, 2)):
        clock.advance(seconds)
        with pytest.raises(IssuerUnavailable, match="cannot be reached"):
            key_set.matching("old", "RS256")
        assert server.fetches == fetches
    server.away = False
    clock.advance(10)
    assert holds(key_set, "old")


# --- names that are not held ---


def test_a_new_key_works_at_once(server: JwksServer, key_set: KeySet, clock: Clock) -> None:
    assert holds(key_set, "old")
    server.keys = [NEW.jwk()]
    clock.advance(1)
    assert holds(key_set, "new")
    assert server.fetches == 2


def test_made_up_names_cost_a_fetch_in_ten_seconds(
    server: JwksServer, key_set: KeySet, clock: Clock
) -> None:
    assert holds(key_set, "old")
    clock.advance(1)
    for step in range(80):
        clock.advance(0.125)
        for number in range(20):
            assert not holds(key_set, f"made-up-{step}-{number}")
    assert server.fetches == 2
    clock.advance(0.125)
    assert not holds(key_set, "made-up")
    assert server.fetches == 3


def test_a_name_that_a_fresh_set_lacks_is_not_asked_for_again(
    server: JwksServer, key_set: KeySet
) -> None:
    assert not holds(key_set, "made-up")
    assert server.fetches == 1


def test_an_unknown_name_cannot_be_judged_while_the_issuer_is_away(
    server: JwksServer, key_set: KeySet, clock: Clock
) -> None:
    assert holds(key_set, "old")
    server.away = True
    clock.advance(1)
    for _ in range(3):
        with pytest.raises(IssuerUnavailable):
            key_set.matching("new", "RS256")
        assert holds(key_set, "old")
    assert server.fetches == 2
    server.away, server.keys = False, [NEW.jwk()]
    clock.advance(10)
    assert holds(key_set, "new")


# --- threads ---


def test_threads_that_need_keys_share_one_fetch(server: JwksServer, key_set: KeySet) -> None:
    server.gate.clear()
    with ThreadPoolExecutor(8) as threads:
        asked = [threads.submit(holds, key_set, "old") for _ in range(8)]
        assert server.asked.wait(5)
        server.gate.set()
        assert all(one.result(5) for one in asked)
    assert server.fetches == 1


def test_nobody_waits_for_a_renewal_with_keys_in_hand(
    server: JwksServer, key_set: KeySet, clock: Clock
) -> None:
    assert holds(key_set, "old")
    clock.advance(300)
    server.gate.clear()
    server.asked.clear()
    renewing = threading.Thread(target=holds, args=(key_set, "old"))
    renewing.start()
    assert server.asked.wait(5)
    with ThreadPoolExecutor(1) as other:
        assert other.submit(holds, key_set, "old").result(1)
    assert renewing.is_alive(), "the fetch has to be under way meanwhile"
    server.gate.set()
    renewing.join(5)
    assert server.fetches == 2


# --- answers that are none ---


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"status": 500}, "responds with status 500"),
        ({"status": 404}, "responds with status 404"),
        ({"body": b'{"keys": ['}, "not JSON"),
        ({"body": b"\xff"}, "not JSON"),
        ({"body": b"[" * 100_000}, "not JSON"),
        ({"body": b"[]"}, "not a key set"),
        ({"body": b'{"keys": {}}'}, "not a key set"),
        ({"body": b'{"keys": []}' + b" " * fetching.MAX_BYTES}, "more than 1048576 bytes"),
        ({"status": 302, "location": "/elsewhere"}, "responds with status 302"),
        ({"status": 307, "location": "file:///etc/hostname"}, "responds with status 307"),
        ({"status": 301, "location": "ftp://127.0.0.1/keys"}, "responds with status 301"),
    ],
)
def test_an_answer_that_is_no_key_set_is_as_good_as_none(
    change: dict[str, Any], why: str, server: JwksServer, key_set: KeySet
) -> None:
    for name, value in change.items():
        setattr(server, name, value)
    with pytest.raises(IssuerUnavailable, match=why):
        key_set.matching("old", "RS256")
    assert server.fetches == 1


def test_the_largest_answer_is_read(server: JwksServer, key_set: KeySet) -> None:
    server.body = b'{"keys": []}'.ljust(fetching.MAX_BYTES)
    assert not holds(key_set, "old")


def test_nobody_listening_is_told(clock: Clock) -> None:
    with jwks_server() as gone:
        url = gone.url
    with pytest.raises(IssuerUnavailable, match="cannot be reached"):
        KeySet(ISSUER, url, monotonic=clock).matching("old", "RS256")


@pytest.mark.parametrize("how", ["silent", "dripping"])
def test_a_slow_answer_is_given_up(
    how: str, server: JwksServer, key_set: KeySet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "TIMEOUT_SECONDS", 0.2)
    if how == "silent":
        server.gate.clear()
    server.drip = 0.05 if how == "dripping" else 0.0
    with ThreadPoolExecutor(1) as thread, pytest.raises(IssuerUnavailable):
        thread.submit(key_set.matching, "old", "RS256").result(5)


# --- which keys are taken ---

PLAIN, SHORT = Signer("plain"), Signer("short", bits=1_024)
P256, P384, ED = Signer("p256", "ES256"), Signer("p384", "ES384"), Signer("ed", "EdDSA")
OCTETS = {"kty": "oct", "kid": "oct", "k": "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0"}


@pytest.mark.parametrize(
    ("jwk", "verifies"),
    [
        (PLAIN.jwk(), {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}),
        (PLAIN.jwk(use="sig"), {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}),
        (PLAIN.jwk(alg="PS256"), {"PS256"}),
        (P256.jwk(), {"ES256"}),
        (P384.jwk(), {"ES384"}),
        (ED.jwk(), {"EdDSA"}),
        (PLAIN.jwk(use="enc"), set()),
        (PLAIN.jwk(key_ops=["encrypt"]), set()),
        (PLAIN.jwk(alg="HS256"), set()),
        (PLAIN.jwk(alg="RSA-OAEP"), set()),
        (PLAIN.jwk(n="!"), set()),
        (PLAIN.jwk(kty=["RSA"]), set()),
        (PLAIN.private_jwk(), set()),
        (SHORT.jwk(), set()),
        (P256.jwk(crv="P-521"), set()),
        (OCTETS, set()),
        ({}, set()),
        ("key", set()),
    ],
)
def test_a_key_verifies_what_suits_it_and_nothing_else(
    jwk: Any, verifies: set[str], server: JwksServer, key_set: KeySet
) -> None:
    server.keys = [jwk, OLD.jwk(kid="other")]
    kid = jwk.get("kid") if isinstance(jwk, dict) else None
    every = ("HS256", "none", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512")
    found = {
        algorithm
        for algorithm in (*every, "ES256", "ES384", "ES512", "EdDSA")
        if kid and holds(key_set, kid, algorithm)
    }
    assert found == verifies
    assert holds(key_set, "other"), "one bad key spoils no other"
