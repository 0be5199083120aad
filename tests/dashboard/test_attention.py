"""What needs attention: each thing is told when it is so, and not otherwise."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from eligibility.activity.model import LastAnswer
from eligibility.catalog.model import Product
from eligibility.catalog.store import CatalogEntry
from eligibility.dashboard.attention import attention, members_below_floor
from eligibility.rules.requirements import load_requirements
from groups.model import Consent, Group
from tests.helpers.catalog.products import flight, package, product

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
SOON, LATER = NOW + timedelta(days=3), NOW + timedelta(days=8)


def group(group_id: str, *, consent: bool = True) -> Group:
    note = Consent(confirmed_by="Lin", at=NOW) if consent else None
    return Group(
        publisher="contoso",
        group_id=group_id,
        name=group_id.title(),
        member_count=1,
        revision=1,
        created_at=NOW,
        consent=note,
    )


def told(declared: Product, *groups: Group, below: int = 0) -> list[tuple[str, str]]:
    """Kind and text of everything that needs attention."""
    entry = CatalogEntry(
        publisher="contoso", product_id="APP", product=declared, revision=1, updated_at=NOW
    )
    known = {one.group_id: one for one in groups or [group("beta")]}
    return [(one.kind, one.text) for one in attention([entry], known, {"APP": below}, NOW)]


def test_a_product_without_fault_needs_none() -> None:
    assert told(product(flight("canary", ["beta"], "2.0.0.0"))) == []


@pytest.mark.parametrize(("at", "found"), [(SOON, True), (LATER, False), (NOW, False)])
def test_a_public_date_within_a_week(at: datetime, found: bool) -> None:
    declared = product(audience="private", audience_groups=["beta"], public_at=at.isoformat())
    expected = [("public_soon", "Product becomes public")] if found else []
    assert told(declared) == expected


@pytest.mark.parametrize(("at", "found"), [(SOON, True), (LATER, False)])
def test_a_publish_date_within_a_week(at: datetime, found: bool) -> None:
    declared = product(flight("canary", ["beta"], "2.0.0.0", publish_at=at.isoformat()))
    expected = [("published_soon", "flight canary of Product is published")] if found else []
    assert told(declared) == expected


@pytest.mark.parametrize(
    ("targets", "lacking"),
    [
        ({"Desktop": "10.0.17763.0"}, "Windows.Xbox"),
        ({"Xbox": "10.0.17763.0"}, "Windows.Desktop"),
        ({"Universal": "10.0.17763.0"}, "Windows.Xbox"),  # which Universal does not stand for
        ({"Universal": "10.0.17763.0", "Xbox": "10.0.17763.0"}, None),
    ],
)
def test_a_flight_that_lacks_a_family_of_the_submission(
    targets: dict[str, str], lacking: str | None
) -> None:
    declared = product(
        flight("canary", ["beta"], "2.0.0.0", packages=[package("2.0.0.0", **targets)])
    )
    text = f"flight canary of Product has no package for {lacking}"
    assert told(declared) == ([("lacks_family", text)] if lacking else [])


def test_a_flight_without_packages() -> None:
    declared = product(flight("canary", ["beta"], "2.0.0.0", packages=[]))
    assert told(declared) == [("no_packages", "flight canary of Product has no packages")]


def test_groups_without_consent_and_groups_that_nothing_uses() -> None:
    declared = product(flight("canary", ["beta"], "2.0.0.0"))
    assert told(declared, group("beta", consent=False), group("idle")) == [
        ("no_consent", "no consent is recorded for Beta"),
        ("unused_group", "no flight and no private audience uses Idle"),
    ]


def test_members_below_the_floor_are_told_by_number() -> None:
    (one,) = told(product(flight("canary", ["beta"], "2.0.0.0")), below=1)
    assert one == (
        "below_floor",
        "1 member is on an OS too old for flights or the private audience of Product",
    )
    ((_, text),) = told(product(flight("canary", ["beta"], "2.0.0.0")), below=1_200)
    assert text.startswith("1,200 members are on an OS too old")


def last(family: str, os_version: str) -> LastAnswer:
    return LastAnswer(0.0, "denied", "", "", ("NOT_IN_AUDIENCE",), family, os_version, "")


FLIGHTED = product(flight("canary", ["beta"], "2.0.0.0"))
PRIVATE = product(audience="private", audience_groups=["beta"])


@pytest.mark.parametrize(
    ("declared", "family", "os_version", "below"),
    [
        (FLIGHTED, "Windows.Desktop", "10.0.10240.0", True),
        (FLIGHTED, "Windows.Desktop", "10.0.10586.0", False),
        (FLIGHTED, "Windows.Xbox", "10.0.10240.0", False),  # any build of Xbox takes flights
        (FLIGHTED, "Windows.Holographic", "10.0.10240.0", False),  # no flights at all: no floor
        (PRIVATE, "Windows.Desktop", "10.0.10586.0", True),
        (PRIVATE, "Windows.Xbox", "10.0.10586.0", True),
        (PRIVATE, "Windows.Desktop", "10.0.14393.0", False),
        (product(), "Windows.Desktop", "10.0.10240.0", False),
    ],
)
def test_who_is_below_a_floor(declared: Product, family: str, os_version: str, below: bool) -> None:
    asked: list[Any] = [last(family, os_version), last("Windows.Desktop", "10.0.26100.0")]
    assert members_below_floor(declared, asked, load_requirements(), NOW) == below
