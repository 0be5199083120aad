"""What walkers over a product share: its sources, its dates, and copies with a change."""

from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from eligibility.catalog.model import Product

_PUBLIC = datetime(2027, 1, 1, tzinfo=UTC)
_OPENING = datetime(2026, 12, 1, tzinfo=UTC)


def _package(version: str) -> dict[str, object]:
    return {
        "file_name": f"Reader_{version}.msix",
        "version": version,
        "architectures": ["x64"],
        "targets": {"Windows.Desktop": "10.0.17763.0"},
    }


def _product(audience: str = "private") -> Product:
    flight = {
        "flight_id": "canary",
        "name": "Canary",
        "groups": ["testers"],
        "publish_at": _OPENING,
        "packages": [_package("3.0.0.0")],
        "rollout": {
            "percentage": 10,
            "status": "in_progress",
            "previous_packages": [_package("2.0.0.0")],
        },
    }
    submission = {
        "audience": audience,
        "audience_groups": ["beta"],
        "public_at": _PUBLIC,
        "packages": [_package("1.0.0.0")],
    }
    return Product.model_validate({"name": "Reader", "submission": submission, "flights": [flight]})


def test_sources_are_the_submission_and_then_the_flights() -> None:
    submission, flight = _product().sources()
    assert (submission.loc, submission.flight_id, submission.groups) == (
        "submission",
        None,
        ("beta",),
    )
    assert (flight.loc, flight.flight_id, flight.groups) == ("flights.0", "canary", ("testers",))


def test_a_source_lists_newest_and_previous_packages() -> None:
    lists = [
        (f"{source.loc}.{path}", [package.version for package in packages])
        for source in _product().sources()
        for path, packages in source.package_lists()
    ]
    assert lists == [
        ("submission.packages", ["1.0.0.0"]),
        ("flights.0.packages", ["3.0.0.0"]),
        ("flights.0.rollout.previous_packages", ["2.0.0.0"]),
    ]


def test_dates_are_the_public_date_and_the_publish_dates() -> None:
    dates = [(date.moment, date.flight and date.flight.name) for date in _product().dates()]
    assert dates == [(_PUBLIC, None), (_OPENING, "Canary")]
    assert _product().moments == (_OPENING, _PUBLIC)


def test_a_public_product_does_not_become_public_again() -> None:
    product = _product("public")
    assert [date.flight for date in product.dates()] == [product.flights[0]]
    assert product.moments == (_OPENING,)


def test_a_changed_copy_computes_its_cached_properties_anew() -> None:
    product = _product()
    assert product.groups == {"beta", "testers"}
    submission, flight = product.sources()
    assert submission.changed(product, audience_groups=("staff",)).groups == {"staff", "testers"}
    assert flight.changed(product, groups=("staff",)).groups == {"beta", "staff"}
    assert product.groups == {"beta", "testers"}


def test_a_changed_copy_is_checked() -> None:
    package = _product().submission.packages[0]
    assert package.with_fields(version="2.1.0.0").version == "2.1.0.0"
    with pytest.raises(ValidationError, match="UNREADABLE_FAMILY"):
        package.with_fields(targets={"Nonsense": "10.0.17763.0"})
