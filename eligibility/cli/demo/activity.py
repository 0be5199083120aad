"""Made-up activity for the demo: two days of access queries, so that no page is empty."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec

from eligibility.access.wire import decode_query, to_query
from eligibility.catalog.export import all_products
from eligibility.service.service import Service
from groups.model import MAX_MEMBERS

HOURS = 48
_DEVICES = (
    (30, "Windows.Desktop", "Windows 11 24H2", "x64"),
    (20, "Windows.Desktop", "Windows 11 23H2", "arm64"),
    (20, "Windows.Desktop", "Windows 10 22H2", "x64"),
    (8, "Windows.Desktop", "Windows 10 1809", "x86"),
    (8, "Windows.Desktop", "Windows 10 1507", "x64"),
    (14, "Windows.Xbox", "10.0.26100.4652", "x64"),
)
"""Percentage of people, device family, OS version, architecture."""
_BY_HOUR = (1, 1, 1, 1, 1, 2, 3, 5, 8, 10, 11, 11, 10, 11, 12, 11, 10, 9, 8, 8, 6, 4, 2, 1)
"""Relative number of queries in each hour of the day (UTC)."""


def invent_activity(service: Service, publisher: str, queries: int = 600) -> None:
    """Record this many made-up access queries, spread over the last two days.

    Most members of each product's groups ask, and so do strangers and people who are not signed in.
    Each uses one device. Two runs differ only in dates and times.
    """
    rng = random.Random(7)  # noqa: S311 - made-up data, no secret
    askers = list(_askers(service, publisher, rng))
    now = service.evaluator.clock()
    for moment in _moments(now, queries, rng) if askers else ():
        query = decode_query(msgspec.json.encode(rng.choice(askers)))
        decision = service.evaluator.decide(to_query(query))
        service.recorder.record(query, decision, moment)
    service.recorder.flush()


def _moments(now: float, queries: int, rng: random.Random) -> list[float]:
    """Return times of the last two days in ascending order, more by day than by night."""
    hours = [now - 3_600 * before for before in range(HOURS)]
    weights = [_BY_HOUR[datetime.fromtimestamp(hour, UTC).hour] for hour in hours]
    chosen = rng.choices(hours, weights, k=queries)
    return sorted(hour - rng.uniform(0, 3_600) for hour in chosen)


def _askers(service: Service, publisher: str, rng: random.Random) -> Iterator[dict[str, Any]]:
    """Build one query, as JSON fields, for each person who asks."""
    for entry in all_products(service.catalog.store, publisher):
        members = {
            address: None
            for group in sorted(entry.product.groups)
            for address in service.groups.members(publisher, group, limit=MAX_MEMBERS).items
        }
        active = [member for member in members if len(members) < 5 or rng.random() < 0.8]
        strangers = [f"visitor{number}@elsewhere.example" for number in range(4)]
        for address in (*active, *strangers, None):
            yield _query(entry.product_id, address, rng)


def _query(product_id: str, address: str | None, rng: random.Random) -> dict[str, Any]:
    weights = [device[0] for device in _DEVICES]
    _, family, os_version, architecture = rng.choices(_DEVICES, weights)[0]
    query: dict[str, Any] = {
        "product_id": product_id,
        "device": {"family": family, "os_version": os_version, "architecture": architecture},
        "installed_version": "1.0.0.0",
        "market": "US",
    }
    return query | ({"account": {"id": address}} if address else {})
