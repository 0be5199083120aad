"""Shares: how many accounts are on which side of a rollout, as the rules themselves have it."""

import pytest

from eligibility.access.codes import Reason
from eligibility.catalog.model import Product
from eligibility.rules.rollout import bucket
from eligibility.service.service import Service
from eligibility.simulation.rollout_shares import rollout_shares, shares_of
from tests.helpers.catalog.products import flight, group, package, product, put, query
from tests.helpers.catalog.simulations import ADA, APP, BOB, matrix

NAMES = [f"person{number}@x.com" for number in range(400)]


def rollout(percentage: float, **more: object) -> dict[str, object]:
    return {
        "percentage": percentage,
        "status": "in_progress",
        "previous_packages": [package("1.0.0.0")],
        **more,
    }


def app(percentage: float) -> Product:
    return product(packages=[package("2.0.0.0")], rollout=rollout(percentage))


@pytest.mark.parametrize("percentage", [0, 1.09, 25, 99.99, 100])
def test_a_share_is_what_asking_for_each_account_counts(
    service: Service, percentage: float
) -> None:
    put(service, APP, app(percentage))
    asked = [
        service.evaluator.decide(query(APP, name, installed_version="1.0.0.0")) for name in NAMES
    ]
    newest = sum(Reason.ROLLOUT_INCLUDED in one.package.reasons for one in asked)
    (share,) = rollout_shares(app(percentage), APP, lambda _: NAMES)
    assert (share.newest, share.previous) == (newest, len(NAMES) - newest)


def test_whose_bucket_is_the_percentage_itself_is_not_in_it_yet() -> None:
    own = bucket(APP, ADA) / 100
    declared, after = rollout_shares(app(own), APP, lambda _: [ADA], [own + 0.01])
    assert (declared.newest, after.newest) == (0, 1)


def test_other_percentages_come_after_the_declared_one_each_once() -> None:
    found = rollout_shares(app(25), APP, lambda _: NAMES, [50, 25, 100])
    assert [(one.percentage, one.declared) for one in found] == [
        (25, True),
        (50, False),
        (100, False),
    ]
    assert [one.accounts for one in found] == [400, 400, 400]
    assert found[-1].newest == 400


def test_a_later_rollout_only_adds_people() -> None:
    counts = [
        one.newest for one in rollout_shares(app(0), APP, lambda _: NAMES, list(range(1, 101)))
    ]
    assert counts == sorted(counts)


@pytest.mark.parametrize("status", ["halted", "finalized"])
def test_a_rollout_that_is_over_has_no_sides(status: str) -> None:
    assert (
        rollout_shares(
            product(packages=[package("2.0.0.0")], rollout=rollout(25, status=status)),
            APP,
            lambda _: NAMES,
        )
        == ()
    )


def test_of_a_matrix_only_those_who_get_the_source_count(service: Service) -> None:
    group(service, "beta", ADA, BOB)
    ring = flight("ring", ["beta"], "3.0.0.0", rollout=rollout(100))
    put(service, APP, product(ring, packages=[package("2.0.0.0")], rollout=rollout(0)))
    found = shares_of(matrix(service, [ADA, BOB, *NAMES]))
    assert [(one.flight_id, one.newest, one.previous) for one in found] == [
        ("ring", 2, 0),
        (None, 0, 402),  # below the floor of flights a member gets the submission
    ]
