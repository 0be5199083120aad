"""One function reads every moment that people or programs write."""

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eligibility.access.wire import query_of
from eligibility.callers.api_key_fields import read_expiry
from eligibility.catalog.errors import InvalidProduct
from eligibility.catalog.model import Product
from eligibility.catalog.validation import read_product
from eligibility.dashboard.moments import moment_of as read_typed
from eligibility.errors import InvalidInput
from eligibility.formats.moments import parse_moment
from tests.helpers.catalog.products import DESKTOP, flight, product

NINE = datetime(2026, 12, 1, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "2026-12-01T09:00:00Z",
        "2026-12-01T09:00Z",
        "2026-12-01 09:00Z",
        "2026-12-01t09:00:00z",  # RFC 3339 allows small letters
        "2026-12-01T09:00:00.000Z",
        "2026-12-01T09:00:00,0000000Z",  # seven digits, as .NET writes them
        "2026-12-01T04:00:00-05:00",
        "2026-12-01T14:30+0530",
        "2026-12-01T10+01",
        "20261201T090000Z",
    ],
)
def test_a_moment_is_read_in_every_form_of_iso_8601(text: str) -> None:
    assert parse_moment(text) == NINE
    assert parse_moment(text).tzinfo is UTC


WRONG = [
    "",
    "20300101",  # a date, or seconds since 1970?
    "1893456000",
    "1893456000000",
    "1893456000.5",
    "2030",
    "2030-01-01",
    "2030-01-01T00:00:00",
    "2030-01-01x00:00Z",
    "2030-W01-1T00:00Z",
    "2030-02-30T00:00Z",
    "2030-01-01T25:00Z",
    "2030-01-01T00:00:60Z",
    "01/02/2030 09:00 +00:00",
    "tomorrow",
    "\u0662\u0660\u0663\u0660-01-01T00:00Z",
    "9999-12-31T23:59:59-14:00",  # in UTC it is in the year 10000
    "0001-01-01T00:00:00+14:00",
    "0001-01-01T00:00:00Z",  # the default of .NET
    "1601-01-01T00:00:00Z",  # the Store's API writes it for no date
    "1601-01-01T00:00:00.0000000Z",
    "1900-01-01T00:00:00Z",
    "1969-12-31T23:59:59Z",
    "1970-01-01T00:00:00+01:00",
]


@pytest.mark.parametrize("text", WRONG)
def test_what_is_no_moment_is_refused_with_what_would_be_right(text: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_moment(text, "somewhere")
    (fault,) = caught.value.faults
    assert (fault.loc, fault.code) == ("somewhere", "UNREADABLE_MOMENT")
    assert f"`{text}` is" in fault.detail
    assert "2026-12-01T09:00:00Z" in fault.detail


def test_the_bounds_are_1970_and_9999() -> None:
    assert parse_moment("1970-01-01T00:00:00Z") == datetime(1970, 1, 1, tzinfo=UTC)
    assert parse_moment("9999-12-31T23:59:59.999999Z").year == 9999


@given(st.text(max_size=40) | st.from_regex(r"\A[0-9TZ:.,+ -]{1,30}\Z"))
def test_any_text_is_a_moment_or_a_fault(text: str) -> None:
    with suppress(InvalidInput):
        assert parse_moment(text).tzinfo is UTC


@given(st.datetimes(timezones=st.timezones()).filter(lambda moment: 1971 < moment.year < 9999))
def test_every_moment_is_read_back(moment: datetime) -> None:
    in_utc = moment.astimezone(UTC)
    assert parse_moment(in_utc.isoformat()) == in_utc


def _product(**dates: str) -> Product:
    return product(
        {**flight("canary", ["testers"], "2.0.0.0"), "publish_at": dates.get("publish_at")},
        audience="private",
        audience_groups=["beta"],
        public_at=dates.get("public_at"),
    )


READERS: dict[str, Callable[[str], Any]] = {
    "public_at": lambda text: _product(public_at=text),
    "publish_at": lambda text: _product(publish_at=text),
    "at": lambda text: query_of(product_id="APP", device=DESKTOP, at=text),
    "dashboard": read_typed,
}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("text", [text for text in WRONG if text[:7] != "2030-01" or "T2" in text])
def test_every_reader_of_moments_refuses_the_same(reader: str, text: str) -> None:
    with pytest.raises((InvalidInput, InvalidProduct)) as caught:
        READERS[reader](text)
    assert [fault.code for fault in caught.value.faults] == ["UNREADABLE_MOMENT"]


def test_an_expiry_is_a_moment_or_a_duration() -> None:
    faults: list[Any] = []
    assert read_expiry("20300101", NINE, faults) is None
    assert faults[0].code == "UNREADABLE_EXPIRY"


def test_a_stored_product_of_an_earlier_release_is_read_as_it_is() -> None:
    stored = _product().model_copy().model_dump(mode="json", exclude_unset=True)
    stored["submission"]["public_at"] = "1601-01-01T00:00:00Z"
    stored["submission"]["packages"][0]["targets"] = {"Windows.Desktop": "22631.4602.0.0"}
    with pytest.raises(InvalidProduct) as caught:
        read_product(stored)
    assert {fault.code for fault in caught.value.faults} == {
        "UNREADABLE_MOMENT",
        "UNREADABLE_OS_VERSION",
    }
    read = Product.model_validate_json(msgspec.json.encode(stored))
    assert read.submission.public_at == datetime(1601, 1, 1, tzinfo=UTC)
    changed = read.submission.packages[0].with_fields(version="3.0.0.0")
    assert changed.targets == {"Windows.Desktop": "22631.4602.0.0"}
