"""`decide` against an independent oracle, and what must hold whatever the catalogue."""

import copy
from typing import Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from eligibility.access.codes import Action, Reason
from eligibility.access.model import Decision
from eligibility.catalog.validation import read_product
from tests.helpers.catalog.decisions import Body, ask
from tests.helpers.catalog.oracle import expected
from tests.helpers.catalog.products import flight, package
from tests.helpers.catalog.strategies import BUILDS, GROUPS, NOW, memberships, products, queries
from tests.helpers.examples import examples


def as_body(decision: Decision) -> Body:
    """A decision in the words of the oracle."""
    submission, package = decision.submission, decision.package
    source, offered = package.source, package.package
    return {
        "granted": decision.granted,
        "submission": {
            "granted": submission.granted,
            "audience": submission.audience,
            "listing": submission.listing,
            "reasons": [str(reason) for reason in submission.reasons],
        },
        "package": {
            "granted": package.granted,
            "source": source and (source.flight_id or "submission", source.rank),
            "package": offered and (offered.file_name, offered.version, offered.architecture),
            "action": package.action,
            "delivery": package.delivery,
            "reasons": [str(reason) for reason in package.reasons],
        },
    }


@given(queries, products(), memberships)
@settings(max_examples=examples(600), deadline=None)
def test_decide_agrees_with_the_oracle(query: Body, product: Body, groups: set[str]) -> None:
    assert as_body(ask(query, product, groups)) == expected(query, product, groups, NOW)


OFFER_BLOCKERS = {
    Reason.PRODUCT_UNAVAILABLE,
    Reason.ACQUISITION_STOPPED,
    Reason.MARKET_NOT_OFFERED,
    Reason.DEVICE_FAMILY_NOT_OFFERED,
}


@given(queries, products(), memberships)
@settings(max_examples=examples(100), deadline=None)
def test_every_denial_and_every_flight_missed_has_a_remedy(
    query: Body, product: Body, groups: set[str]
) -> None:
    decision = ask(query, product, groups)
    # Checking by hand gets a newer package, where there is one already.
    needed = [r for r in decision.remedies if r.action is not Action.CHECK_FOR_UPDATES]
    unlocked = {remedy.unlocks for remedy in needed}
    if not decision.submission.granted:
        assert unlocked == {"submission"}
        return
    assert ("package" in unlocked) == (not decision.package.granted)
    source = decision.package.source
    assert source is not None
    higher = [
        flight
        for position, flight in enumerate(read_product(product).flights)
        if flight.published_at(NOW) and len(product["flights"]) - position + 1 > source.rank
    ]
    # What is not offered at all is not got by joining a flight either.
    offered = OFFER_BLOCKERS.isdisjoint(decision.package.reasons)
    assert ("flight" in unlocked) == (bool(higher) and offered)
    assert all(remedy.text and remedy.text[0].islower() for remedy in decision.remedies)


@given(queries, products(), memberships)
@settings(max_examples=examples(100), deadline=None)
def test_a_decision_is_granted_when_both_halves_are(
    query: Body, product: Body, groups: set[str]
) -> None:
    decision = ask(query, product, groups)
    assert decision.granted == (decision.submission.granted and decision.package.granted)
    assert decision.package.granted == (decision.package.package is not None)


@given(queries, products(), memberships, st.randoms(use_true_random=False))
@settings(max_examples=examples(100), deadline=None)
def test_the_order_of_groups_and_packages_does_not_matter(
    query: Body, product: Body, groups: set[str], random: Any
) -> None:
    shuffled = copy.deepcopy(product)
    for holder in (shuffled["submission"], *shuffled["flights"]):
        random.shuffle(holder["packages"])
        random.shuffle(holder.get("groups", []))
    random.shuffle(shuffled["submission"]["audience_groups"])
    assert as_body(ask(query, product, groups)) == as_body(ask(query, shuffled, groups))


@given(queries, products(), memberships)
@settings(max_examples=examples(100), deadline=None)
def test_rank_order_alone_decides_the_source(query: Body, product: Body, groups: set[str]) -> None:
    """Whatever versions the packages have, the source is the same."""
    turned = copy.deepcopy(product)
    versions = iter(f"{number}.0.0.0" for number in range(99, 0, -1))
    for holder in (*turned["flights"], turned["submission"]):
        for one in holder["packages"]:
            one["version"] = next(versions)
    assert ask(query, product, groups).package.source == ask(query, turned, groups).package.source


@given(queries, products(), memberships, st.sampled_from(BUILDS), st.sampled_from(BUILDS))
@settings(max_examples=examples(150), deadline=None)
def test_a_higher_build_never_loses_a_floor(
    query: Body, product: Body, groups: set[str], one: str, other: str
) -> None:
    lower, higher = sorted((one, other), key=lambda build: tuple(map(int, build.split("."))))
    below, above = (
        ask(query | {"device": query["device"] | {"os_version": f"10.0.{build}"}}, product, groups)
        for build in (lower, higher)
    )
    audience = Reason.OS_BELOW_AUDIENCE_MINIMUM
    assert audience in below.submission.reasons or audience not in above.submission.reasons
    ranks = [decision.package.source.rank for decision in (below, above) if decision.package.source]
    assert ranks == sorted(ranks)  # a flight once met stays met
    # A denied half does not tell its side of a rollout, and another source may have another one.
    assume(below.package.granted and above.package.granted)
    assume(below.package.source == above.package.source)
    rollout = Reason.ROLLOUT_OS_BELOW_MINIMUM
    assert rollout in below.package.reasons or rollout not in above.package.reasons


@given(queries, products(), memberships, st.sampled_from(GROUPS))
@settings(max_examples=examples(100), deadline=None)
def test_another_group_never_hides_a_product(
    query: Body, product: Body, groups: set[str], more: str
) -> None:
    before, after = ask(query, product, groups), ask(query, product, groups | {more})
    assert after.submission.granted or not before.submission.granted
    ranks = [
        decision.package.source.rank if decision.package.source else 0
        for decision in (before, after)
    ]
    assert ranks[0] <= ranks[1]


@given(queries, products(), memberships)
@settings(max_examples=examples(100), deadline=None)
def test_without_a_microsoft_account_groups_do_not_count(
    query: Body, product: Body, groups: set[str]
) -> None:
    account = query["account"] and query["account"] | {"kind": "work_or_school"}
    query = query | {"account": account}
    assert ask(query, product, groups) == ask(query, product, set())


def test_a_flight_that_has_nothing_for_the_device_is_named_as_such() -> None:
    """Whoever joins its group gets nothing: no flight falls through to another."""
    body = {
        "name": "App",
        "submission": {"packages": [package("1.0.0.0")]},
        "flights": [
            {
                **flight("desktop", ["g1"], "3.0.0.0"),
                "packages": [package("3.0.0.0", Desktop="10.0.10240.0")],
            },
            flight("both", ["g2"], "2.0.0.0"),
        ],
    }
    query = {
        "product_id": "APP",
        "account": {"id": "ada@example.com"},
        "device": {"family": "Xbox", "os_version": "22621"},
    }
    texts = [remedy.text for remedy in ask(query, body, set()).remedies]
    assert [text.endswith("`desktop` (nothing for this device)") for text in texts] == [True, False]
    assert texts[1].endswith("`both`")


@given(queries, products(), memberships)
@settings(max_examples=examples(300), deadline=None)
def test_checking_by_hand_is_a_remedy_exactly_where_it_gets_another_package(
    query: Body, product: Body, groups: set[str]
) -> None:
    decision = ask(query, product, groups)
    by_hand = ask(query | {"manual_check": True}, product, groups)
    advised = Action.CHECK_FOR_UPDATES in [remedy.action for remedy in decision.remedies]
    gets = by_hand.granted and (
        not decision.granted
        or (by_hand.package.package, by_hand.package.action)
        != (decision.package.package, decision.package.action)
    )
    assert advised == (gets and by_hand.package.action != "keep")
