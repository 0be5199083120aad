"""Test data: 7 groups of 10,000, a private product with 3 flights of 2 groups, and queries.

About half of the queries are granted. Each string is a new object, as if it came from the network.
"""

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from eligibility.access.model import AccessQuery
from eligibility.access.wire import query_of
from eligibility.catalog.validation import read_product
from eligibility.service.service import Service
from eligibility.service.settings import Settings

PRODUCT_ID = "BENCH"
PUBLISHER = "bench"
MEMBERS = 10_000
GROUPS = tuple(f"g{number}" for number in range(7))
AUDIENCE = GROUPS[6]
FLIGHTS = tuple((f"f{number}", GROUPS[2 * number : 2 * number + 2]) for number in range(3))
_FAMILIES = (
    "Windows.Desktop",
    "Windows.Desktop",
    "Windows.Xbox",
    "Windows.Holographic",
    "Windows.Team",
)
_BUILDS = (10240, 10586, 14393, 17134, 17763, 19045, 22000, 22621, 26100)
_HOURS_AGO = 7_200
"""Age of the groups, in seconds: old enough that no membership is still settling."""


class World(NamedTuple):
    """The members of each group, and the URL of the store."""

    members: dict[str, list[str]]
    store: str

    def fields(self, number: int, seed: int) -> list[dict[str, Any]]:
        """Generate queries as sent by a client."""
        rng = random.Random(seed)
        audience = self.members[AUDIENCE]
        queries = []
        for _ in range(number):
            member = rng.random() < 0.65
            address = rng.choice(audience) if member else _address(rng.randrange(200_000))
            build = f"10.0.{rng.choice(_BUILDS)}.{rng.randrange(60)}"
            device = {"family": rng.choice(_FAMILIES), "os_version": build, "architecture": "x64"}
            queries.append(
                {
                    "product_id": PRODUCT_ID,
                    "account": {"id": address, "kind": "microsoft"},
                    "device": device,
                    "installed_version": "1.0.0.0",
                }
            )
        return queries

    def queries(self, number: int, seed: int) -> list[AccessQuery]:
        """Generate the queries of `fields` as access queries."""
        return [query_of(**fields) for fields in self.fields(number, seed)]


def _address(number: int) -> str:
    return f"user{number:06d}@example.com"


def _package(version: str) -> dict[str, Any]:
    return {
        "file_name": f"Bench_{version}.msixbundle",
        "version": version,
        "architectures": ["x64", "arm64", "x86"],
        "targets": {"Windows.Universal": "10.0.10240.0", "Windows.Xbox": "10.0.10240.0"},
    }


PRODUCT: dict[str, Any] = {
    "name": "Bench",
    "submission": {
        "audience": "private",
        "audience_groups": [AUDIENCE],
        "packages": [_package("1.0.0.0")],
    },
    "flights": [
        {
            "flight_id": name,
            "name": name,
            "groups": list(groups),
            "packages": [_package(f"{number}.0.0.0")],
        }
        for number, (name, groups) in zip((5, 4, 3), FLIGHTS, strict=True)
    ],
}


@contextmanager
def world() -> Iterator[World]:
    """Fill a new store, and delete it when the block ends."""
    rng = random.Random(1)
    everybody = [_address(number) for number in range(200_000)]
    members = {group: rng.sample(everybody, MEMBERS) for group in GROUPS}
    with TemporaryDirectory(prefix="eligibility-bench-") as directory:
        store = f"sqlite:///{Path(directory) / 'bench.db'}"
        with Service(Settings(store=store), lambda: time.time() - _HOURS_AGO) as service:
            for group, emails in members.items():
                service.groups.create(PUBLISHER, group, emails, group_id=group, actor="bench")
            service.catalog.put(PUBLISHER, PRODUCT_ID, read_product(PRODUCT), actor="bench")
        yield World(members, store)
