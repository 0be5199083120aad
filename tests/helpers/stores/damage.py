"""Changing what a store keeps behind its back, as somebody would who has the file or the server."""

from collections.abc import Callable
from typing import Any

import msgspec

from eligibility.audit.redis_keys import AuditKeys
from eligibility.catalog.redis_keys import CatalogKeys
from eligibility.service.stores import Stores
from groups.redis import packed

Damage = Callable[[Stores], None]


def sql(statement: str, *bound: Any) -> Damage:
    """Run a statement on the file of an SQLite store."""

    def run(stores: Stores) -> None:
        groups: Any = stores.groups
        with groups._database.write() as connection:
            assert connection.execute(statement, bound).rowcount, statement

    return run


def entry(chain: str, revision: int, change: Callable[[list[Any]], Any]) -> Damage:
    """Change an entry of a Redis store, as the list that MessagePack has; None takes it out."""

    def run(stores: Stores) -> None:
        groups: Any = stores.groups
        server = groups._server
        key = key_of(stores, chain)
        saved = server.call("HGET", key, str(revision))
        assert saved is not None
        made = msgspec.msgpack.decode(saved)
        changed = change(made)
        if changed is None:
            server.call("HDEL", key, str(revision))
        else:
            server.call("HSET", key, str(revision), msgspec.msgpack.encode(changed))

    return run


def put(chain: str, revision: str, saved: bytes) -> Damage:
    """Put bytes under a revision of a Redis store."""

    def run(stores: Stores) -> None:
        groups: Any = stores.groups
        groups._server.call("HSET", key_of(stores, chain), revision, saved)

    return run


def head(chain: str, change: Callable[[list[Any]], Any]) -> Damage:
    """Change the head of a chain of a Redis store; None takes it out."""

    def run(stores: Stores) -> None:
        groups: Any = stores.groups
        server = groups._server
        kind, _, publisher = chain.partition(":")
        key = AuditKeys(server.keys).head if not publisher else server.keys.head(publisher)
        field = kind if publisher else "log"
        changed = change(msgspec.msgpack.decode(server.call("HGET", key, field)))
        if changed is None:
            server.call("HDEL", key, field)
        else:
            server.call("HSET", key, field, msgspec.msgpack.encode(changed))

    return run


def at(place: int, value: Any) -> Callable[[list[Any]], Any]:
    """Put a value in one place of an entry; one that is called is given the present value."""

    def change(made: list[Any]) -> list[Any]:
        before = made[place]
        made[place] = value(before) if callable(value) else value
        assert made[place] != before
        return made

    return change


def gone(_: list[Any]) -> None:
    """Take an entry out."""


def addresses(*some: str) -> bytes:
    return packed.addresses(some)


def key_of(stores: Stores, chain: str) -> str:
    groups: Any = stores.groups
    kind, _, publisher = chain.partition(":")
    keys = groups._server.keys
    if kind == "groups":
        return str(keys.edits(publisher))
    if kind == "catalog":
        return CatalogKeys(keys).versions(publisher)
    return AuditKeys(keys).entries
