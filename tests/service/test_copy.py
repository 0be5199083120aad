"""Moving everything from one store to another, cut off or not, and telling when it is not the same."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from eligibility.callers import api_keys
from eligibility.callers.model import Scope
from eligibility.callers.store import StoredKey
from eligibility.service.copy import CopyDiffers, contents, copy, publishers_of
from eligibility.service.stores import Stores, open_stores
from groups.errors import NotEmpty
from groups.model import Consent, MembershipEdit
from groups.moments import from_us
from tests.helpers.catalog.products import flight, product
from tests.helpers.servers.process import command, environment
from tests.helpers.stores import redis_servers as servers

P = "contoso"
AT = from_us(1_790_000_000_000_000)
ADA, BOB, EVE = "ada@x.com", "bob@x.com", "eve@x.com"


def url_of(kind: str, path: Path) -> str:
    if kind == "sqlite":
        return f"sqlite:///{path / os.urandom(4).hex()}.db"
    return f"{servers.url(kind)}?prefix=c{os.urandom(6).hex()}"


def api_key(name: str) -> StoredKey:
    text = api_keys.new_text()
    return StoredKey(
        key_id=text[api_keys.ID_PART],
        digest=api_keys.digest(text),
        name=name,
        scopes=frozenset({Scope.QUERY}),
        publishers=frozenset({P}),
        rate_limit=None,
        created_at=AT,
        created_by="t",
    )


def filled(stores: Stores) -> Stores:
    """Two publishers with everything that a store holds, and somebody who was forgotten."""
    groups, catalog = stores.groups, stores.catalog
    groups.create(P, "Beta", [ADA, BOB], actor="t")
    groups.edit(P, "beta", MembershipEdit(add=(EVE,), remove=(BOB,)), actor="t")
    note = Consent(confirmed_by="Lin", at=AT, text="signed")
    groups.set_consent(P, "beta", note, actor="t")
    groups.forget(P, EVE, actor="t")
    groups.create("fabrikam", "Crowd", [f"user{n}@x.com" for n in range(500)], actor="t")
    catalog.apply(P, {"APP": product(), "GONE": product()}, actor="t")
    catalog.apply(P, {"APP": product(flight("f", ["beta"], "2.0.0.0"))}, ["GONE"], actor="t")
    return stores


@pytest.fixture(params=["sqlite", "valkey", "valkey-cluster"])
def source(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stores]:
    with closing(open_stores(url_of(request.param, tmp_path))) as opened:
        yield filled(opened)


@pytest.fixture(params=["sqlite", "valkey", "redis"])
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stores]:
    with closing(open_stores(url_of(request.param, tmp_path))) as opened:
        yield opened


def test_everything_is_copied_and_a_second_time_nothing(source: Stores, target: Stores) -> None:
    copied = copy(source, target)
    assert list(copied.publishers) == publishers_of(target) == [P, "fabrikam"]
    for publisher, held in copied.publishers.items():
        assert contents(target, publisher) == held
    held = copied.publishers[P]
    assert (held.groups, held.memberships, held.writes, held.products) == (1, 1, 4, 1)
    assert (held.versions, copied.taken_over) == (4, 7)
    assert target.groups.digest_key() == source.groups.digest_key()
    assert list(target.groups.member_set(P, "beta")[1].digests) == list(
        source.groups.member_set(P, "beta")[1].digests
    )
    assert copy(source, target).taken_over == 0


def test_api_keys_are_copied_and_what_became_of_them_since(source: Stores, target: Stores) -> None:
    plain, revoked, old, new = map(api_key, ("plain", "revoked", "old", "new"))
    for key in (plain, revoked, old):
        source.keys.add(key)
    source.keys.note_use({plain.key_id: AT})
    assert copy(source, target).keys == 3
    assert target.keys.all()[1] == source.keys.all()[1]
    source.keys.end(revoked.key_id, revoked_at=AT)
    source.keys.replace(old.key_id, new, expires_at=AT)
    source.keys.end(new.key_id, expires_at=AT)
    assert copy(source, target).keys == 4
    revision, copied = target.keys.all()
    assert copied == source.keys.all()[1]
    copy(source, target)
    assert target.keys.revision() == revision


def test_it_goes_on_where_it_was_and_takes_over_what_came_since(
    source: Stores, target: Stores
) -> None:
    class CutOff(Exception):
        pass

    def cut_off(_: str, number: int) -> None:
        if number:
            raise CutOff

    with pytest.raises(CutOff):
        copy(source, target, cut_off)
    source.groups.edit(P, "beta", MembershipEdit(add=(BOB,)), actor="t")
    assert copy(source, target).publishers[P].writes == 5


def test_a_store_with_writes_of_its_own_is_not_written_to(source: Stores, target: Stores) -> None:
    target.groups.adopt_digest_key(source.groups.digest_key())
    target.groups.create(P, "Theirs", [ADA], actor="t")
    source.keys.add(api_key("ours"))
    with pytest.raises(NotEmpty, match="contoso"):
        copy(source, target)
    assert target.groups.group_ids(P) == {"theirs"}
    assert target.keys.revision() == 0


def test_a_store_with_another_secret_is_not_written_to(source: Stores, target: Stores) -> None:
    target.groups.digest_key()  # whoever evaluates asks for it first
    with pytest.raises(NotEmpty, match="secret"):
        copy(source, target)


def test_what_differs_although_all_was_copied_is_told(source: Stores, target: Stores) -> None:
    """A person forgotten in the source since, who is in no group, changes history alone."""
    copy(source, target)
    source.groups.forget(P, BOB, actor="t")
    with pytest.raises(CopyDiffers, match="forgotten in the source"):
        copy(source, target)


def test_a_copy_that_was_killed_is_finished_by_the_next(tmp_path: Path) -> None:
    from_url, to_url = url_of("sqlite", tmp_path), url_of("valkey", tmp_path)
    with closing(open_stores(from_url)) as source:
        for number in range(60):
            crowd = [f"user{number}-{one}@x.com" for one in range(300)]
            source.groups.create(P, f"Group {number}", crowd, actor="t")
            for one in range(5):
                edit = MembershipEdit(add=(f"more{one}@x.com",))
                source.groups.edit(P, f"group-{number}", edit, actor="t")
        with closing(open_stores(to_url)) as target:
            process = subprocess.Popen(
                command("store", "copy", from_url, to_url), env=environment(), text=True
            )
            servers.until(lambda: target.groups.revision(P) > 0, "the copy to begin")
            process.send_signal(signal.SIGKILL)
            process.wait()
            assert 0 < target.groups.revision(P) < 360
        done = subprocess.run(
            command("store", "copy", from_url, to_url, "--json"),
            env=environment(),
            capture_output=True,
            text=True,
            check=True,
        )
        assert '"writes": 360' in done.stdout
