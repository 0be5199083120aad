"""What is allowed in a product, and probably not meant: plan and dashboard warn of it."""

from typing import Any

import pytest

from eligibility.catalog.model import Product
from eligibility.catalog.product_warnings import product_warnings
from tests.helpers.catalog.products import flight, package, product

XBOX_ONLY = [package("1.0.0.0") | {"targets": {"Windows.Xbox": "10.0.17763.0"}}]


def warned(declared: Product) -> list[tuple[str, str]]:
    return [(warning.code, warning.flight.flight_id) for warning in product_warnings(declared)]


@pytest.mark.parametrize(
    ("version", "more", "codes"),
    [
        ("0.9.0.0", {}, ["FLIGHT_BEHIND_PUBLIC"]),
        ("1.0.0.0", {}, []),  # the same version: its members get it with the public
        ("1.0.0.1", {}, []),
        ("0.9.0.0", {"packages": [package("0.9.0.0"), package("2.0.0.0")]}, []),
        ("0.9.0.0", {"packages": XBOX_ONLY}, []),  # the public gets nothing there
        ("0.9.0.0", {"packages": []}, []),
    ],
)
def test_a_flight_behind_the_public_version(
    version: str, more: dict[str, Any], codes: list[str]
) -> None:
    declared = product(flight("canary", ["testers"], version, **more))
    assert [code for code, _ in warned(declared)] == codes


def test_members_of_a_flight_outside_the_private_audience() -> None:
    private: dict[str, Any] = {"audience": "private", "audience_groups": ["beta"]}
    outside = product(flight("canary", ["beta", "testers"], "2.0.0.0"), **private)
    assert warned(outside) == [("FLIGHT_OUTSIDE_AUDIENCE", "canary")]
    (warning,) = product_warnings(outside)
    assert "testers" in warning.text
    assert "beta" not in warning.text
    assert warned(product(flight("canary", ["beta"], "2.0.0.0"), **private)) == []
    assert warned(product(flight("canary", ["testers"], "2.0.0.0"), audience_groups=["beta"])) == []


def test_a_flight_that_wins_for_nobody() -> None:
    high, low = flight("high", ["a", "b"], "3.0.0.0"), flight("low", ["a"], "2.0.0.0")
    assert warned(product(high, low)) == [("FLIGHT_WINS_FOR_NOBODY", "low")]
    assert warned(product(low, high)) == []
    two = flight("x", ["a"], "3.0.0.0"), flight("y", ["b"], "3.0.0.0")
    assert warned(product(*two, flight("z", ["a", "b"], "2.0.0.0"))) == [
        ("FLIGHT_WINS_FOR_NOBODY", "z")
    ]
    later = {**high, "publish_at": "2030-01-01T00:00:00Z"}  # until then the other one wins
    assert warned(product(later, low)) == []
