"""Bytes per membership in each kind of store, and the time to load a group of 10,000.

A million accounts in groups of 5,000, with realistic addresses of 25 bytes on average. Bytes: the
server's `used_memory` or the file size, with history. Reference: a plain Redis set per group, on the
same server in the same run.
"""

import random
import statistics
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks import servers
from benchmarks.report import Figure, seconds
from benchmarks.world import World
from eligibility.service.stores import open_stores
from groups.store import GroupStore

MEMBERSHIPS = 10_000_000
_OTHERS = 1_000_000
_GROUP, _LARGE, _PUBLISHER_GROUPS = 5_000, 10_000, 100
_FIRST = "ada grace linus alan maria john james wei ming yuki sofia emma noah liam mateo carlos"
_LAST = "smith garcia miller lopez wilson martin lee kim chen singh kumar novak ivanov rossi silva"
_DOMAINS = ["gmail.com"] * 9 + ["outlook.com"] * 5 + ["yahoo.com"] * 3 + ["contoso.example"]


def measure(world: World, rounds: int) -> Iterator[Figure]:  # noqa: ARG001 - a world of its own
    """Measure SQLite, Valkey, a Valkey cluster and Redis."""
    people = _people(1_000_000)
    yield from _sqlite(people, rounds)
    with servers.valkey() as server:
        yield from _on_servers("Valkey", server.url, [server], people, MEMBERSHIPS, rounds)
    with servers.redis_server() as server:
        yield from _on_servers("Redis", server.url, [server], people, _OTHERS, rounds)
    with servers.valkey_cluster() as cluster:
        yield from _on_servers(
            "Valkey cluster", cluster.url, cluster.nodes, people, _OTHERS, rounds
        )


def _sqlite(people: list[str], rounds: int) -> Iterator[Figure]:
    with TemporaryDirectory() as directory:
        path = Path(directory) / "groups.db"
        with closing(open_stores(f"sqlite:///{path}").groups) as store:
            _fill(store, people, _OTHERS)
            size = sum(file.stat().st_size for file in path.parent.iterdir()) / _OTHERS
            name = f"SQLite: a membership and its history, at {_OTHERS:,}"
            yield Figure(name, size, "bytes", "", None, None, "none set")
            yield _loading("SQLite", store, people, rounds)


def _on_servers(
    kind: str, url: str, nodes: list[Any], people: list[str], memberships: int, rounds: int
) -> Iterator[Figure]:
    plain = _plain_sets(nodes[0], people) if len(nodes) == 1 else None
    empty = _used(nodes)
    with closing(open_stores(url).groups) as store:
        _fill(store, people, memberships)
        size = (_used(nodes) - empty) / memberships
        name = f"{kind}: a membership and its history, at {memberships:,}"
        ratio = None if plain is None else size / plain
        yield Figure(name, size, "bytes", "a Redis set a group", plain, ratio, "at most 20")
        yield _loading(kind, store, people, rounds)


def _plain_sets(node: Any, people: list[str]) -> float:
    """Measure bytes per membership of plain sets, then empty the server again."""
    rng, sets = random.Random(2), 20
    with node.client() as client:
        before = _used([node])
        for number in range(sets):
            client.sadd(f"set{number}", *rng.sample(people, _GROUP))
        used = _used([node]) - before
        client.flushall()
    return used / (sets * _GROUP)


def _fill(store: GroupStore, people: list[str], memberships: int) -> None:
    rng = random.Random(1)
    for number in range(memberships // _GROUP):
        publisher = f"publisher{number // _PUBLISHER_GROUPS}"
        members = rng.sample(people, _GROUP)
        store.create(publisher, f"Group {number}", members, actor="bench")


def _loading(kind: str, store: GroupStore, people: list[str], rounds: int) -> Figure:
    store.create("large", "Large", random.Random(3).sample(people, _LARGE), actor="bench")
    store.digest_key()
    times = [seconds(lambda: store.member_set("large", "large")) for _ in range(3 * rounds)]
    name = f"{kind}: load a group of {_LARGE:,}"
    return Figure(name, 1e3 * statistics.median(times), "ms", "", None, None, "at most 20 ms")


def _used(nodes: list[Any]) -> int:
    total = 0
    for node in nodes:
        with node.client() as client:
            total += int(client.info("memory")["used_memory"])
    return total


def _people(number: int) -> list[str]:
    """Generate distinct realistic addresses."""
    rng, first, last = random.Random(4), _FIRST.split(), _LAST.split()
    addresses: set[str] = set()
    while len(addresses) < number:
        digits = rng.choice(["", str(rng.randrange(100)), str(rng.randrange(100_000))])
        name = f"{rng.choice(first)}{rng.choice(['.', '_', ''])}{rng.choice(last)}{digits}"
        addresses.add(f"{name}@{rng.choice(_DOMAINS)}")
    return sorted(addresses)
