"""Somebody who was forgotten is in no byte that is kept: the file with its log, the server's keys."""

import random
import zlib
from collections.abc import Iterable, Iterator
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from groups.model import Consent, MembershipEdit
from groups.redis import packed
from groups.sqlite.store import SqliteGroupStore
from groups.storage.redis_client import create_client
from groups.storage.redis_url import RedisUrl
from groups.storage.sqlite_database import Database
from groups.store import GroupStore
from tests.helpers.stores import redis_servers as servers
from tests.helpers.stores.backends import open_store
from tests.helpers.stores.groups import ADA, BOB, CAT, P, add, remove

NOTE = Consent(confirmed_by=ADA, at=datetime(2026, 3, 1, tzinfo=UTC), text=f"{ADA} agreed")


def lived(store: GroupStore) -> None:
    """Ada is everywhere that an address can be."""
    store.create(P, "Beta", [ADA, BOB], actor="tests")
    remove(store, "beta", ADA)
    add(store, "beta", ADA, CAT)
    store.create(P, "Solo", [ADA], actor="tests")
    store.set_consent(P, "solo", NOTE, actor="tests")
    store.replace(
        P, "beta", [ADA, *(f"user{number}@example.com" for number in range(900))], actor="t"
    )


# A file

MOVES_ROWS = (260, 265, 283, 300)


def kept(directory: Path) -> bytes:
    """Every byte of the file, of its log and of the log's index."""
    return b"".join(path.read_bytes() for path in sorted(directory.iterdir()))


def test_no_byte_of_the_file_or_its_log_is_left(tmp_path: Path) -> None:
    path = tmp_path / "groups.db"
    with closing(SqliteGroupStore(Database(path))) as store:
        other = SqliteGroupStore(Database(path))
        lived(store)
        assert ADA.encode() in kept(tmp_path)
        assert other.get(P, "beta").member_count == 901
        store.forget(P, ADA, replacement=BOB, actor="tests")
        assert ADA.encode() not in kept(tmp_path)
        assert BOB.encode() in kept(tmp_path)
        other.close()
    assert ADA.encode() not in kept(tmp_path)


@pytest.mark.parametrize("seed", MOVES_ROWS)
def test_no_byte_is_left_where_rows_moved_from_page_to_page(tmp_path: Path, seed: int) -> None:
    """Once in some hundred times SQLite leaves a copy in the unused part of a page."""
    chance = random.Random(seed)
    people = [f"{chance.randbytes(chance.randint(4, 20)).hex()}@example.com" for _ in range(50)]
    with closing(SqliteGroupStore(Database(tmp_path / "groups.db"))) as store:
        for group_id in ("g0", "g1", "g2"):
            store.create(P, group_id, chance.sample(people, 25), actor="t")
        for _ in range(60):
            group_id, some = f"g{chance.randrange(3)}", chance.sample(people, 6)
            edit = MembershipEdit(add=tuple(some[:3]), remove=tuple(some[3:]))
            store.edit(P, group_id, edit, actor="t")
        gone = chance.sample(people, 10)
        for one in gone:
            store.forget(P, one, actor="t")
        assert not [one for one in gone if one.encode() in kept(tmp_path)]


def test_forgetting_waits_for_no_reader_and_the_log_is_emptied_by_the_next(tmp_path: Path) -> None:
    with closing(SqliteGroupStore(Database(tmp_path / "groups.db"))) as store:
        lived(store)
        reader = Database(tmp_path / "groups.db")
        with reader.read() as connection:
            connection.execute("SELECT count(*) FROM member").fetchone()
            store.forget(P, ADA, replacement=BOB, actor="tests")
            assert store.history(P, address=ADA).items == ()
        reader.close()
        store.forget(P, ADA, actor="tests")  # nothing more to forget, but to wipe
        assert ADA.encode() not in kept(tmp_path)


# A server


def plain(value: Any) -> Iterator[bytes]:
    """Every text and number in a value as it is kept, compressed addresses in the clear."""
    if isinstance(value, bytes):
        yield value
        yield from _unpacked(value)
    elif isinstance(value, dict):
        yield from plain([*value, *value.values()])
    elif isinstance(value, Iterable) and not isinstance(value, str):
        for one in value:
            yield from plain(one)
    else:
        yield str(value).encode()


def _unpacked(value: bytes) -> Iterator[bytes]:
    if value[:1] in (b"t", b"z"):
        with suppress(UnicodeDecodeError, zlib.error):  # the secret may begin so, too
            yield "\n".join(packed.unpacked(value)).encode()
        return
    try:
        made = msgspec.msgpack.decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError):  # a secret may look like anything
        return
    if isinstance(made, list | dict):
        yield from plain(made)


def kept_by(url: str) -> bytes:
    """Every key of a deployment, and what it holds."""
    read: dict[Any, str] = {
        b"string": "GET",
        b"hash": "HGETALL",
        b"list": "LRANGE",
        b"zset": "ZRANGE",
    }
    found: list[bytes] = []
    parsed = RedisUrl.parse(url, None)
    client: Any = create_client(parsed)
    with closing(client):
        for key in client.scan_iter(match=f"*{parsed.prefix}*"):
            command = read.get(client.type(key), "SMEMBERS")
            bounds = ("0", "-1") if command.endswith("RANGE") else ()
            found += [key, *plain(client.execute_command(command, key, *bounds))]
    return b"\n".join(found)


@pytest.mark.parametrize("kind", servers.KINDS)
def test_no_key_of_a_server_has_it(kind: str) -> None:
    url = f"{servers.url(kind)}?prefix=erasure"
    with closing(open_store(url)) as store:
        lived(store)
        assert kept_by(url).count(ADA.encode()) > 5
        store.forget(P, ADA, replacement=BOB, actor="tests")
        assert ADA.encode() not in kept_by(url)
        assert BOB.encode() in kept_by(url)
        assert b"user899@example.com" in kept_by(url)
