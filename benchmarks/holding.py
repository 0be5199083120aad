"""Memory of member sets in the evaluator, and time to load a group from SQLite."""

import sqlite3
import sys
import tracemalloc
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.report import Figure, in_turns, seconds
from benchmarks.world import GROUPS, MEMBERS, PUBLISHER, World
from eligibility.service.service import Service
from eligibility.service.settings import Settings
from groups.member_set import MemberIndex


def measure(world: World, rounds: int) -> Iterator[Figure]:
    """Measure bytes per membership and milliseconds per group."""
    memberships = len(GROUPS) * MEMBERS
    with Service(Settings(store=world.store)) as service:
        sets = service.groups.member_sets(PUBLISHER, frozenset(GROUPS))[1]
        index_bytes = _traced(lambda: MemberIndex.build(sets)) / memberships
        plain = _traced(lambda: [set(members) for members in world.members.values()])
        addresses = sum(sys.getsizeof(a) for members in world.members.values() for a in members)
        texts = (plain + addresses) / memberships
        name = "memory a membership"
        yield Figure(
            name,
            index_bytes,
            "bytes",
            "Python sets of texts",
            texts,
            index_bytes / texts,
            "at most 12",
        )
    with TemporaryDirectory() as directory:
        rows = Path(directory) / "rows.db"
        with closing(sqlite3.connect(rows)) as connection:
            connection.execute("CREATE TABLE member (address TEXT PRIMARY KEY) WITHOUT ROWID")
            connection.executemany(
                "INSERT INTO member VALUES (?)", zip(world.members["g0"], strict=True)
            )
            connection.commit()

            def load() -> float:
                with Service(Settings(store=world.store)) as service:
                    service.groups.digest_key()
                    return 1e3 * seconds(lambda: service.groups.member_set(PUBLISHER, "g0"))

            def read_rows() -> float:
                query = "SELECT address FROM member"
                return 1e3 * seconds(lambda: {row[0] for row in connection.execute(query)})

            loaded = in_turns(rounds * 3, load, read_rows)
    name, rows_name = "load a group of 10,000", "10,000 SQLite rows into a set"
    yield Figure(
        name, loaded.value, "ms", rows_name, loaded.reference, loaded.ratio, "at most 20 ms"
    )


def _traced(build: object) -> int:
    assert callable(build)
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        kept = build()
        after = tracemalloc.get_traced_memory()[0]
        assert kept is not None
    finally:
        tracemalloc.stop()
    return after - before
