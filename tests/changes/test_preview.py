"""Effects worked out from what stores hold, against `decide` for every account there is."""

import uuid
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from eligibility.catalog.files import Declaration, GroupDeclaration
from eligibility.catalog.model import Product
from eligibility.catalog.plan import make_plan
from eligibility.catalog.validation import read_product
from eligibility.changes import preview
from eligibility.changes.effects import Effects
from eligibility.service.service import Service
from tests.helpers.catalog.expected_effects import as_if_public, expected, of_account
from tests.helpers.catalog.products import flight, group, product
from tests.helpers.catalog.strategies import ACCOUNTS, GROUPS, NOW, Body, products
from tests.helpers.examples import examples
from tests.helpers.servers.process import Server

Listed = dict[str, list[str]]
_number = count()
ADA, GRACE, LINUS = "ada@x.com", "grace@x.com", "linus@x.com"
members = st.lists(st.sampled_from(ACCOUNTS), min_size=1, max_size=6, unique=True)
everybody = st.fixed_dictionaries(dict.fromkeys(GROUPS, members))


def stored_anew(service: Service, listed: Listed, product: Product) -> tuple[str, str]:
    """Put groups and a product into the store, of a publisher of their own."""
    publisher, product_id = f"p{next(_number)}", f"APP{next(_number)}"
    for group_id, emails in listed.items():
        group(service, group_id, *emails, publisher=publisher)
    service.catalog.store.apply(publisher, {product_id: product}, actor="t")
    return publisher, product_id


def check(effects: Effects, before: tuple[Product, Listed], after: tuple[Product, Listed]) -> None:
    """Compare effects on the one product with `decide`, for every account.

    An account in none of the product's groups is not counted; it may gain sight with everybody.
    """
    assert len(effects.products) <= 1
    everybody_gains = any(one.becomes_public for one in effects.products)
    for address in ACCOUNTS:
        (was, was_in), (becomes, is_in) = (
            (product, frozenset(one for one, emails in listed.items() if address in emails))
            for product, listed in (before, after)
        )
        found = {change for one in effects.products for change in of_account(one, address)}
        if (was_in | is_in).isdisjoint(was.groups | becomes.groups) and everybody_gains:
            assert not found
            found = {("audience gains", None, None, False)}
        assert found == expected(was, becomes, was_in, is_in, address)


@given(products(), everybody, st.sampled_from(GROUPS), members)
@settings(max_examples=examples(40), suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_effects_of_an_edit_are_what_decide_says_of_every_account_before_and_after(
    service: Service, declared: Body, listed: Listed, edited: str, wanted: list[str]
) -> None:
    stored = read_product(declared)
    publisher, _ = stored_anew(service, listed, stored)
    result = service.groups.replace(publisher, edited, wanted, actor="t", dry_run=True)
    check(service.effects(result), (stored, listed), (stored, {**listed, edited: wanted}))


@given(products(), products(), everybody, everybody)
@settings(max_examples=examples(40), suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_effects_of_a_plan_are_what_decide_says_of_every_account_before_and_after(
    service: Service, stored: Body, declared: Body, was: Listed, becomes: Listed
) -> None:
    before, after = read_product(stored), read_product(declared)
    if before.submission.audience_at(NOW) == "public":  # and can never be private again
        after = as_if_public(after)
    publisher, product_id = stored_anew(service, was, before)
    declaration = Declaration(
        publisher,
        {one: GroupDeclaration(name=one, emails=tuple(emails)) for one, emails in becomes.items()},
        {product_id: after},
    )
    plan = make_plan(declaration, service.groups, service.catalog)
    effects = preview.of_plan(plan, declaration, service.groups, service.catalog.store, NOW)
    check(effects, (before, was), (after, becomes))


# Over HTTP


def test_a_dry_run_over_http_tells_the_effects_and_a_write_the_counts_alone(server: Server) -> None:
    base = "/v1/publishers/effects"
    server.http.post(f"{base}/groups", json={"name": "Beta", "emails": [ADA]}).raise_for_status()
    body = product(flight("b", ["beta"], "2.0.0.0")).model_dump(mode="json")
    server.http.put(f"{base}/products/EFFECTS", json=body).raise_for_status()
    members = f"{base}/groups/beta/members"
    edit = {"add": [LINUS]}
    told = server.http.patch(f"{members}?dry_run=true", json=edit).json()
    assert told["joined"] == [LINUS]
    (effects,) = told["effects"]["products"]
    assert effects["product_id"] == "EFFECTS"
    assert effects["changes"][0]["first"] == [LINUS]
    done = server.http.patch(members, json=edit).json()
    assert (done["added"], done["joined"], done["effects"]) == (1, None, None)


@pytest.mark.parametrize(
    ("sent", "gain", "lose"),
    [
        ({"json": {"emails": [GRACE]}}, [GRACE], [ADA]),
        ({"content": f"email\n{GRACE}\n", "headers": {"content-type": "text/csv"}}, [GRACE], [ADA]),
        ({"json": {"emails": [GRACE]}, "params": {"merge": "true"}}, [GRACE], []),
    ],
)
def test_a_dry_run_of_a_whole_list_tells_who_gains_and_who_loses(
    server: Server, sent: dict[str, Any], gain: list[str], lose: list[str]
) -> None:
    name = uuid.uuid4().hex
    base = f"/v1/publishers/p{name}"
    server.http.post(f"{base}/groups", json={"name": "Beta", "emails": [ADA]}).raise_for_status()
    body = product(flight("b", ["beta"], "2.0.0.0")).model_dump(mode="json")
    server.http.put(f"{base}/products/{name}", json=body).raise_for_status()
    sent = {**sent, "params": {"dry_run": "true", **sent.get("params", {})}}
    told = server.http.put(f"{base}/groups/beta/members", **sent).json()
    (effects,) = told["effects"]["products"]
    found = {change["change"]: change["first"] for change in effects["changes"]}
    assert (found.get("gains", []), found.get("loses", [])) == (gain, lose)
    assert server.http.get(f"{base}/groups/beta/members").json()["items"] == [ADA]
