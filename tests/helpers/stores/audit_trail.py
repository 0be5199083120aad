"""Stores with a trail of every kind, and what `verify` says of them."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from hypothesis import strategies as st

from eligibility.audit.verify import VerificationReport, verify
from eligibility.service.stores import Stores
from groups.chain import ChainHead
from groups.model import Consent, MembershipEdit
from tests.helpers.catalog.products import flight, product
from tests.helpers.stores.backends import BACKENDS, Clock, Deployment
from tests.helpers.stores.damage import sql
from tests.helpers.stores.groups import ADA, BOB, CAT, P

GROUPS, CATALOG, DEPLOYMENT = f"groups:{P}", f"catalog:{P}", "deployment"
NOTE = Consent(
    confirmed_by=f"Lin for {BOB}", at=datetime(2026, 2, 1, tzinfo=UTC), text=f"{ADA} agreed"
)


def lived(stores: Stores, clock: Clock) -> Stores:
    """Writes of every kind: 5 to groups, 3 to the catalogue, 3 to the log; Bob stays in the note."""
    groups, catalog, log = stores.groups, stores.catalog, stores.audit
    groups.create(P, "Beta", [ADA, BOB], actor="key a from 10.0.0.7")
    clock.move(1)
    log.append("key.created", "cli root on buildhost", {"name": "a", "scopes": "admin"})
    groups.edit(P, "beta", MembershipEdit(add=(CAT,), remove=(BOB,)), actor="key b")
    catalog.apply(P, {"APP": product(), "GONE": product()}, actor="key c")
    clock.move(1)
    groups.set_consent(P, "beta", NOTE, actor="key d")
    catalog.apply(P, {"APP": product(flight("f", ["beta"], "2.0.0.0"))}, ["GONE"], actor="key e")
    log.append("key.revoked", "cli root on buildhost", {"name": "a"})
    clock.move(1)
    groups.create(P, "Other", [ADA, *(f"user{n}@x.com" for n in range(300))], actor="key f")
    groups.edit(P, "beta", MembershipEdit(add=(BOB,)), actor="key g")
    catalog.apply(P, {"APP": product()}, actor="key h")
    log.append("settings.changed", "serve on host", {"port": "8080"})
    return stores


@pytest.fixture
def opened(deployment: Deployment) -> Stores:
    return deployment.open_both()


@pytest.fixture
def stores(opened: Stores, deployment: Deployment) -> Stores:
    return lived(opened, deployment.clock)


def looked(stores: Stores, known: dict[str, ChainHead] | None = None) -> VerificationReport:
    return verify(stores.chains(), known)


def named(stores: Stores, known: dict[str, ChainHead] | None = None) -> set[tuple[str, int]]:
    return {(finding.chain, finding.revision) for finding in looked(stores, known).findings}


@pytest.fixture
def in_sqlite() -> Iterator[Stores]:
    with BACKENDS["sqlite"]() as made:
        yield lived(made.open_both(), made.clock)


def unchained_in_sqlite(stores: Stores) -> None:
    for table in ("edit", "group_revision", "product_version", "catalog_revision"):
        sql(f"UPDATE {table} SET chain = NULL")(stores)


OPERATIONS = st.lists(
    st.tuples(
        st.sampled_from(["edit", "edit", "consent", "forget", "product"]),
        st.sampled_from(["a", "b"]),
        st.sets(st.sampled_from([ADA, BOB, CAT]), min_size=1),
        st.sampled_from([ADA, BOB, CAT]),
    ),
    max_size=12,
)
WHO = "dan@x.com"


def done(stores: Stores, operations: list[tuple[str, str, set[str], str]]) -> None:
    for group_id in ("a", "b"):
        stores.groups.create(P, group_id, [WHO], actor="t")
    for deed, group_id, some, one in operations:
        if deed == "edit":
            stores.groups.replace(P, group_id, [WHO, *some], actor=one)
        elif deed == "consent":
            note = Consent(confirmed_by=one, at=NOTE.at, text=" ".join(sorted(some)))
            stores.groups.set_consent(P, group_id, note, actor="t")
        elif deed == "forget":
            stores.groups.forget(P, one, actor="t")
        else:
            put_or_not = {"APP": product()} if len(some) > 1 else {group_id: product()}
            stores.catalog.apply(P, put_or_not, actor=one)
