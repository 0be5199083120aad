"""Stores that the code of commit 7dab206 wrote open unchanged, and everything in them reads the same.

tests/data/store-7dab206 holds two of them with equal deeds: a SQLite file with the file of its
activity, and a Redis server as the commands that fill one. Beside each lies, as JSON, what that commit
read in it. The deeds: groups of two publishers, a consent note, a person who was forgotten, versions of
products, API keys, entries of the audit log, and activity.
"""

import gzip
import json
import secrets
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from eligibility.access import wire
from eligibility.audit.log import LogEntry
from eligibility.audit.trail import chains
from eligibility.audit.verify import verify
from eligibility.service.service import Service
from eligibility.service.settings import Settings
from groups.model import MAX_MEMBERS, MembershipEdit
from groups.storage.redis_client import create_client
from groups.storage.redis_url import RedisUrl
from tests.helpers.catalog.products import query
from tests.helpers.stores import redis_servers as servers

DATA = Path(__file__).parents[1] / "data" / "store-7dab206"
BACKENDS = ("sqlite", *servers.KINDS)
P, ADA, BOB, EVE = "contoso", "ada@example.com", "bob@example.com", "eve@example.com"
THEN = datetime(2026, 3, 1, 12, 0, 30, tzinfo=UTC)
"""Between the first write of each store and the second."""


def unpack_sqlite(directory: Path) -> str:
    for name in ("store.db", "store-activity.db"):
        (directory / name).write_bytes(gzip.decompress((DATA / f"{name}.gz").read_bytes()))
    return f"sqlite:///{directory}/store.db"


def fill_server(kind: str) -> str:
    """Fill a part of a server, under a prefix that no other test has."""
    url, prefix = servers.url(kind), f"t{secrets.token_hex(6)}"
    client: Any = create_client(RedisUrl.parse(url))
    for command in json.loads(gzip.decompress((DATA / "redis-commands.json.gz").read_bytes())):
        name, key, *rest = map(b64decode, command)
        client.execute_command(
            name.decode(), prefix.encode() + key.removeprefix(b"eligibility"), *rest
        )
    client.close()
    return f"{url}?prefix={prefix}"


@contextmanager
def opened(kind: str, directory: Path) -> Iterator[tuple[Service, dict[str, Any]]]:
    """The store, opened by the code of today, and what the code that wrote it read in it."""
    url = unpack_sqlite(directory) if kind == "sqlite" else fill_server(kind)
    expected = json.loads((DATA / f"{'sqlite' if kind == 'sqlite' else 'redis'}.json").read_text())
    with Service(Settings(store=url), clock=lambda: expected["clock"]) as service:
        yield service, expected


def plain(value: Any) -> Any:
    return json.loads(msgspec.json.encode(value))


def of_groups(service: Service, publisher: str) -> dict[str, Any]:
    store = service.groups
    groups = store.list_groups(publisher).items
    ids = [group.group_id for group in groups]
    changes = store.history(publisher, limit=100).items
    about_bob = store.history(publisher, address=BOB, limit=100).items
    return {
        "groups": [plain(asdict(group)) for group in groups],
        "members": {i: list(store.members(publisher, i, limit=MAX_MEMBERS).items) for i in ids},
        "members_then": {
            i: list(store.members(publisher, i, at=THEN, limit=MAX_MEMBERS).items) for i in ids
        },
        "digests": {i: sorted(store.member_set(publisher, i)[1].digests) for i in ids},
        "history": [plain(asdict(change)) | {"write_id": ""} for change in changes],
        "of_bob": [[one.revision, list(one.added), list(one.removed)] for one in about_bob],
        "then": sorted(store.memberships_at(publisher, ids, [ADA, BOB, EVE], THEN).groups),
    }


def of_catalog(service: Service, publisher: str) -> dict[str, Any]:
    catalog = service._stores.catalog

    def body(product: Any) -> Any:
        return None if product is None else product.model_dump(mode="json", exclude_defaults=True)

    return {
        "revisions": [service.groups.revision(publisher), catalog.revision(publisher)],
        "versions": [
            [v.product_id, v.revision, v.at.isoformat(), v.actor, v.chain, body(v.product)]
            for v in catalog.changes_since(publisher, 0)
        ],
        "products": [[e.product_id, e.revision] for e in catalog.list_products(publisher).items],
    }


def of_activity(service: Service, publisher: str) -> dict[str, Any]:
    store = service.activity
    ever = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
    counts = store.counts(publisher, *ever, by_minute=False)
    return {
        "last_answers": {
            product_id: {
                f"{digest:016x}": plain(answer)
                for digest, answer in store.last_answers(publisher, product_id).items()
            }
            for product_id in ("APP", "ELSE")
        },
        "counts": [[one.at.isoformat(), list(one.key), one.decisions] for one in counts],
        "seen": [plain(one) for one in store.seen(publisher, 0.0)],
    }


def decided(service: Service, case: dict[str, Any]) -> dict[str, Any]:
    """The decision of today in a case of then, as the file with what was read has it."""
    decision = service.evaluator.decide(query(case["product_id"], case["email"]))
    answer = json.loads(wire.encode(decision))
    return {
        "product_id": case["product_id"],
        "email": case["email"],
        "granted": answer["granted"],
        "reasons": [answer[half]["reasons"] for half in ("submission", "package")],
        "version": (answer["package"].get("package") or {}).get("version"),
        "revision": answer["revision"],
    }


@pytest.mark.parametrize("kind", BACKENDS)
def test_everything_in_a_store_of_an_earlier_release_reads_the_same(
    kind: str, tmp_path: Path
) -> None:
    with opened(kind, tmp_path) as (service, expected):
        for publisher, written in expected["publishers"].items():
            read = {
                **of_groups(service, publisher),
                **of_catalog(service, publisher),
                **of_activity(service, publisher),
            }
            assert read == written
        assert [plain(asdict(key)) for key in service.keys.all()[1]] == expected["keys"]
        log = service.audit
        entries = [one for one in log.entries(1, log.head().revision) if isinstance(one, LogEntry)]
        assert [plain(asdict(entry)) for entry in entries] == expected["audit"]
        cases = expected["decisions"]
        assert [decided(service, case) for case in cases] == cases


@pytest.mark.parametrize("kind", BACKENDS)
def test_its_trail_is_as_it_was_written_and_goes_on(kind: str, tmp_path: Path) -> None:
    with opened(kind, tmp_path) as (service, expected):
        every = chains(service.groups, service._stores.catalog, service.audit)
        report = verify(every)
        assert (report.findings, report.entries) == ((), expected["entries"])
        assert {name: list(head) for name, head in report.heads.items()} == expected["heads"]
        service.groups.edit(P, "beta", MembershipEdit(add=("new@example.com",)), actor="t")
        service.groups.forget(P, BOB, actor="t")
        service.catalog.delete(P, "APP", actor="t")
        service.audit.append("test", "t", {})
        after = verify(every, report.heads)
        assert (after.findings, after.entries) == ((), expected["entries"] + 4)
