"""Making, revoking and rotating keys: the rules, and the commands that print them."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from unittest.mock import Mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eligibility.audit.log import AuditLog
from eligibility.callers import api_key_fields, api_keys
from eligibility.callers.errors import UnknownKey
from eligibility.callers.key_admin import IssuedKey, KeyAdmin, key_body
from eligibility.callers.model import ALL_SCOPES, Scope
from eligibility.callers.store import KeyStore
from eligibility.errors import InvalidInput
from eligibility.service.stores import open_stores
from tests.helpers.commands import Run
from tests.helpers.stores.backends import BACKENDS

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
PLAIN: dict[str, Any] = {
    "name": "store-backend",
    "scopes": ["access:query"],
    "publishers": ["contoso"],
}


@pytest.fixture
def store() -> Iterator[KeyStore]:
    with BACKENDS["sqlite"]() as deployment:
        yield deployment.open_both().keys


def admin(store: KeyStore, now: datetime = NOW) -> KeyAdmin:
    return KeyAdmin(store, Mock(spec=AuditLog), lambda: now)


def create(store: KeyStore, now: datetime = NOW, **changed: Any) -> IssuedKey:
    return admin(store, now).create("tests", **PLAIN | changed)


def rotate(store: KeyStore, key_id: str, now: datetime = NOW, **options: Any) -> IssuedKey:
    return admin(store, now).rotate("tests", key_id, **options)


def faults_of(error: InvalidInput) -> list[tuple[str, str]]:
    return [(fault.loc, fault.code) for fault in error.faults]


# Creating


def test_a_key_is_kept_and_its_text_is_not(store: KeyStore) -> None:
    issued = create(store, expires="90d", rate_limit=100)
    assert store.all() == (1, (issued.key,))
    assert issued.key.digest == api_keys.digest(issued.text)
    assert issued.text not in repr(issued)
    assert (issued.key.name, issued.key.created_by) == ("store-backend", "tests")
    assert (issued.key.created_at, issued.key.expires_at) == (NOW, NOW + 90 * DAY)
    assert (issued.key.scopes, issued.key.rate_limit) == (frozenset({Scope.QUERY}), 100)
    assert issued.key.publishers == frozenset({"contoso"})
    assert issued.replaced is None


def test_a_key_may_be_for_all_publishers_and_for_ever(store: KeyStore) -> None:
    key = create(store, publishers=None, scopes=list(Scope)).key
    assert (key.publishers, key.scopes, key.expires_at) == (None, ALL_SCOPES, None)


@pytest.mark.parametrize(
    ("expires", "ends_at"),
    [
        ("30m", NOW + DAY / 48),
        ("12h", NOW + DAY / 2),
        ("1d", NOW + DAY),
        ("999999d", NOW + 999_999 * DAY),
        ("2026-06-01T12:00:01Z", NOW + timedelta(seconds=1)),
        ("2027-01-31T01:00:00+01:00", datetime(2027, 1, 31, tzinfo=UTC)),
    ],
)
def test_a_key_ends_after_a_duration_or_at_a_moment(
    store: KeyStore, expires: str, ends_at: datetime
) -> None:
    assert create(store, expires=expires).key.expires_at == ends_at


@pytest.mark.parametrize(
    ("changed", "fault", "told"),
    [
        ({"name": ""}, ("name", "INVALID_NAME"), "1 to 64"),
        ({"name": " \t"}, ("name", "INVALID_NAME"), "1 to 64"),
        ({"name": "x" * 65}, ("name", "INVALID_NAME"), "xxx..."),
        ({"name": "a\nb"}, ("name", "INVALID_NAME"), "printable"),
        ({"name": "\ud800"}, ("name", "INVALID_NAME"), "printable"),
        ({"name": "ann@x.com"}, ("name", "INVALID_NAME"), "`ann@x.com`.*not an address"),
        ({"scopes": []}, ("scopes", "NO_SCOPE"), "access:query"),
        ({"scopes": ["admin", "root"]}, ("scopes", "UNKNOWN_SCOPE"), "`root`.*access:query"),
        ({"publishers": []}, ("publishers", "NO_PUBLISHER"), "for all publishers"),
        ({"publishers": ["Contoso"]}, ("publishers", "INVALID_ID"), "`Contoso`.*a-z"),
        ({"publishers": ["a", "*"]}, ("publishers", "INVALID_ID"), r"`\*`"),
        ({"rate_limit": 0}, ("rate_limit", "INVALID_RATE_LIMIT"), "`0`.*1 to 1,000,000"),
        ({"rate_limit": 1_000_001}, ("rate_limit", "INVALID_RATE_LIMIT"), "1 to 1,000,000"),
        ({"expires": "1y"}, ("expires", "UNREADABLE_EXPIRY"), "`1y`.*90d"),
        ({"expires": "-1d"}, ("expires", "UNREADABLE_EXPIRY"), "90d"),
        ({"expires": "1d "}, ("expires", "UNREADABLE_EXPIRY"), "90d"),
        ({"expires": "\u0661d"}, ("expires", "UNREADABLE_EXPIRY"), "90d"),
        ({"expires": "2027-01-31"}, ("expires", "UNREADABLE_EXPIRY"), "T00:00:00Z"),
        ({"expires": "0d"}, ("expires", "EXPIRY_PAST"), "`0d` must be a moment after now"),
        ({"expires": "2026-06-01T12:00:00Z"}, ("expires", "EXPIRY_PAST"), "2026-06-01T12:00:00Z"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_kept(
    store: KeyStore, changed: dict[str, Any], fault: tuple[str, str], told: str
) -> None:
    with pytest.raises(InvalidInput, match=told) as caught:
        create(store, **changed)
    assert faults_of(caught.value) == [fault]
    assert store.all() == (0, ())


def test_every_fault_is_named_at_once(store: KeyStore) -> None:
    with pytest.raises(InvalidInput) as caught:
        create(store, name="", scopes=[], publishers=["A", "B"], rate_limit=-1, expires="x")
    locs = [loc for loc, _ in faults_of(caught.value)]
    assert locs == ["name", "scopes", "publishers", "publishers", "rate_limit", "expires"]


@pytest.mark.parametrize("name", ["x", "x" * 64, "Büro 7", "  trimmed  ", "\U0001f511"])
def test_a_name_is_kept_trimmed(store: KeyStore, name: str) -> None:
    assert create(store, name=name).key.name == name.strip()


@given(st.text(max_size=20))
def test_any_text_is_a_duration_or_is_not(text: str) -> None:
    found = api_key_fields._duration(text)
    if found is not None:
        shown = int(text[:-1]) * {"m": 60, "h": 3_600, "d": 86_400}[text[-1]]
        assert (found.total_seconds(), text.isascii()) == (shown, True)


# Ending


def test_a_revoked_key_stays_revoked_at_its_first_moment(store: KeyStore) -> None:
    issued = create(store)
    assert admin(store, NOW).revoke("tests", issued.key.key_id).revoked_at == NOW
    assert admin(store, NOW + DAY).revoke("tests", issued.key.key_id).revoked_at == NOW


def test_a_key_that_leaked_can_be_revoked_by_its_text(store: KeyStore) -> None:
    issued = create(store)
    assert admin(store, NOW).revoke("tests", issued.text).key_id == issued.key.key_id


def test_an_unknown_key_is_told_without_its_secret(store: KeyStore) -> None:
    text = api_keys.new_text()
    for write in (
        lambda one: admin(store, NOW).revoke("tests", one),
        lambda one: rotate(store, one),
    ):
        for one in ("nobodys", text, "elg_"):
            with pytest.raises(UnknownKey) as caught:
                write(one)
            assert text[16:22] not in str(caught.value)


def test_a_rotated_key_works_on_for_the_overlap(store: KeyStore) -> None:
    old = create(store, scopes=["groups:read", "simulate"], rate_limit=7).key
    issued = rotate(store, old.key_id, NOW + DAY)
    assert issued.replaced == store.get(old.key_id)
    assert issued.replaced
    assert issued.replaced.replaced_by == issued.key.key_id
    assert issued.replaced.expires_at == NOW + 2 * DAY
    assert store.get(issued.key.key_id) == issued.key
    for name in ("name", "scopes", "publishers", "rate_limit", "expires_at"):
        assert getattr(issued.key, name) == getattr(old, name)
    assert (issued.key.created_at, issued.key.created_by) == (NOW + DAY, "tests")
    assert issued.key.digest == api_keys.digest(issued.text) != old.digest


@pytest.mark.parametrize(("overlap", "ends_at"), [("0", NOW), ("0m", NOW), ("7d", NOW + 7 * DAY)])
def test_the_overlap_is_chosen(store: KeyStore, overlap: str, ends_at: datetime) -> None:
    issued = rotate(store, create(store).key.key_id, overlap=overlap)
    assert issued.replaced
    assert issued.replaced.expires_at == ends_at


def test_a_new_key_lives_as_long_as_the_old_one_was_to(store: KeyStore) -> None:
    old = create(store, expires="90d").key
    later = NOW + 80 * DAY
    issued = rotate(store, old.key_id, later, overlap="30d")
    assert issued.key.expires_at == later + 90 * DAY
    assert issued.replaced
    assert issued.replaced.expires_at == old.expires_at  # an overlap lengthens nobody's life
    assert rotate(store, issued.key.key_id, later, expires="5d").key.expires_at == later + 5 * DAY


def test_only_a_key_in_force_is_rotated(store: KeyStore) -> None:
    revoked, expired, rotated = (
        create(store, expires=expires).key.key_id for expires in (None, "1d", None)
    )
    admin(store, NOW).revoke("tests", revoked)
    newer = rotate(store, rotated, overlap="9d").key.key_id
    before = store.all()
    for key_id, why in (
        (revoked, "was revoked: create"),
        (expired, "has expired: create"),
        (rotated, f"was rotated already: rotate `{newer}`"),
    ):
        with pytest.raises(InvalidInput, match=why) as caught:
            rotate(store, key_id, NOW + DAY)
        assert faults_of(caught.value) == [("key_id", "KEY_ENDED")]
    assert store.all() == before


def test_a_bad_overlap_and_a_bad_end_are_named_at_once(store: KeyStore) -> None:
    key_id = create(store).key.key_id
    with pytest.raises(InvalidInput, match=r"`soon`.*24h") as caught:
        rotate(store, key_id, overlap="soon", expires="0d")
    assert [loc for loc, _ in faults_of(caught.value)] == ["overlap", "expires"]
    assert store.revision() == 1


def test_keys_in_force_are_those_that_work(store: KeyStore) -> None:
    forever, day, gone, old = (create(store, expires=e).key for e in (None, "1d", None, None))
    admin(store, NOW).revoke("tests", gone.key_id)
    new = rotate(store, old.key_id, overlap="12h").key

    def ids(now: datetime) -> set[str]:
        return {key.key_id for key in admin(store, now).listed()}

    assert ids(NOW) == {forever.key_id, day.key_id, old.key_id, new.key_id}
    assert ids(NOW + DAY / 2) == {forever.key_id, day.key_id, new.key_id}
    assert ids(NOW + DAY) == {forever.key_id, new.key_id}


def test_what_is_told_of_a_key_is_json_and_holds_no_digest(store: KeyStore) -> None:
    issued = create(store, scopes=["simulate", "admin"], publishers=["b", "a"], expires="1d")
    assert key_body(issued.key, NOW + DAY) == {
        "key_id": issued.key.key_id,
        "name": "store-backend",
        "state": "expired",
        "scopes": ["admin", "simulate"],
        "publishers": ["a", "b"],
        "rate_limit": None,
        "created_at": "2026-06-01T12:00:00Z",
        "created_by": "tests",
        "expires_at": "2026-06-02T12:00:00Z",
        "revoked_at": None,
        "replaced_by": None,
        "last_used_at": None,
    }


def test_every_deed_is_noted_in_the_audit_log(store: KeyStore) -> None:
    log = Mock(spec=AuditLog)
    minutes = (NOW + timedelta(minutes=passed) for passed in count())
    keys = KeyAdmin(store, log, lambda: next(minutes))
    old = keys.create("ada", **PLAIN)
    new = keys.rotate("ben", old.key.key_id)
    for _ in range(2):  # revoked twice, noted once
        keys.revoke("cyd", new.key.key_id)
    deeds = [call.args for call in log.append.call_args_list]
    assert [(kind, who, what["key_id"]) for kind, who, what in deeds] == [
        ("key.created", "ada", old.key.key_id),
        ("key.rotated", "ben", new.key.key_id),
        ("key.revoked", "cyd", new.key.key_id),
    ]


# The command line


CREATE = ("keys", "create", "--name", "store-backend", "--scope", "access:query")


@pytest.fixture
def made(run: Run) -> dict[str, str]:
    found: dict[str, str] = run(*CREATE, "-P", "contoso", "--json").json
    return found


def listed(run: Run, *options: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = run("keys", "list", "--json", *options).json
    return found


def test_a_key_is_shown_once(run: Run, store_url: str) -> None:
    ran = run(*CREATE, "--scope", "simulate", "-P", "contoso", "-P", "fabrikam", "--expires", "90d")
    text = ran.out.splitlines()[0]
    assert ran.code == 0
    assert api_keys.is_key(text)
    assert "access:query, simulate; for contoso, fabrikam; until 20" in ran.out
    assert "authorization: Bearer" in ran.out
    assert ran.out.count(text[16:]) == 1
    for args in ((), ("--json",), ("--all",)):
        assert text[16:30] not in run("keys", "list", *args).out
    stores = open_stores(store_url)
    (kept,) = stores.keys.all()[1]
    stores.close()
    assert kept.digest == api_keys.digest(text)
    assert kept.created_by.startswith("cli")


def test_a_key_for_programs_is_key_and_id(made: dict[str, str]) -> None:
    assert set(made) == {"key", "key_id"}
    assert api_keys.key_id_of(made["key"]) == made["key_id"]


def test_a_key_for_all_publishers_is_asked_for_by_name(run: Run) -> None:
    assert "all publishers" in run(*CREATE, "--all-publishers").out
    both = run(*CREATE, "--all-publishers", "-P", "contoso")
    neither = run(*CREATE)
    assert (both.code, neither.code) == (2, 2)
    assert "not both" in both.err
    assert "publishers" in neither.err
    assert [key["publishers"] for key in listed(run)] == [None]


def test_faults_are_wrong_usage_and_all_named(run: Run) -> None:
    ran = run(*CREATE, "-P", "X", "--expires", "1y", "--rate-limit", "0")
    assert ran.code == 2
    for loc in ("publishers", "expires", "rate_limit"):
        assert f"\n  {loc}  " in ran.err
    assert listed(run, "--all") == []


def test_keys_are_listed_with_their_state(run: Run, made: dict[str, str]) -> None:
    key_id = made["key_id"]
    ran = run("keys", "list")
    for word in (key_id, "store-backend, contoso", "access:query", "active"):
        assert word in ran.out
    run("keys", "revoke", key_id)
    assert "no keys" in run("keys", "list").out
    assert "revoked 20" in run("keys", "list", "--all").out
    assert [(key["key_id"], key["state"]) for key in listed(run, "--all")] == [(key_id, "revoked")]


@pytest.mark.parametrize("columns", ["80", "200"])
def test_a_narrow_screen_cuts_no_id_and_no_date(
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
    columns: str,
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    text = run(*CREATE, "-P", "a-publisher-of-a-long-name", "--expires", "90d").out.split()[0]
    ran = run("keys", "list")
    assert text[4:16] in ran.out
    assert listed(run)[0]["expires_at"][:10] in ran.out
    assert "\u2026" not in ran.out


def test_a_key_is_revoked(run: Run, made: dict[str, str]) -> None:
    ran = run("keys", "revoke", made["key"])  # as it was found
    assert (ran.code, ran.out.count("revoked 20")) == (0, 1)
    assert run("keys", "revoke", made["key_id"], "--json").json["state"] == "revoked"
    unknown = run("keys", "revoke", "nobodys")
    assert (unknown.code, "UNKNOWN_KEY" in unknown.err) == (1, True)


def test_a_key_is_rotated(run: Run, made: dict[str, str]) -> None:
    ran = run("keys", "rotate", made["key_id"])
    assert api_keys.is_key(ran.out.splitlines()[0])
    assert f"It replaces {made['key_id']}, which ends 20" in ran.out
    old, new = listed(run)
    assert (old["state"], old["replaced_by"]) == ("ending", new["key_id"])
    length = datetime.fromisoformat(old["expires_at"]) - datetime.fromisoformat(new["created_at"])
    assert length == DAY
    again = run("keys", "rotate", new["key_id"], "--overlap", "0", "--json").json
    assert set(again) == {"key", "key_id", "replaced"}
    assert again["replaced"]["state"] == "expired"
    assert "digest" not in json.dumps(again)
    assert run("keys", "rotate", new["key_id"]).code == 2
