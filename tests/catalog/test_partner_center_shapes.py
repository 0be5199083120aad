"""Files as tools write them: encodings, spellings, null, pages; and text that is nothing of the kind."""

import codecs
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from eligibility.catalog.partner_center import read_files
from eligibility.errors import Fault, InvalidFile
from tests.helpers.catalog.partner_center import (
    APP,
    DAILY,
    RING,
    WEEKLY,
    Files,
    Importer,
    codes,
    faults_of,
    flight,
    sample,
    write,
)
from tests.helpers.examples import examples

# --- encodings that PowerShell writes ---


@pytest.mark.parametrize(
    ("mark", "encoding"),
    [
        (b"", "utf-8"),
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
        (codecs.BOM_UTF32_LE, "utf-32-le"),
        (codecs.BOM_UTF32_BE, "utf-32-be"),
        (b"", "utf-16-le"),
        (b"", "utf-16-be"),
    ],
)
def test_every_encoding_of_powershell_is_read(
    files: Files, run: Importer, mark: bytes, encoding: str
) -> None:
    expected = run(files).product
    flight(files, DAILY)["friendlyName"] = "Täglich 日々"
    flight(files, RING)["friendlyName"] = "Ring"
    written = {
        name: mark + json.dumps(body, ensure_ascii=False, indent=2).encode(encoding)
        for name, body in files.items()
    }
    read = run(written).product
    assert [f.name for f in read.flights] == ["Täglich 日々", "Weekly", "Ring"]
    assert read.submission == expected.submission


@pytest.mark.parametrize("body", [b'{"primaryName": "M\xfcller"}', b'\xff\xfe{\0"', b"\xff\xfe"])
def test_other_encodings_are_refused_with_what_would_be_right(
    files: Files, run: Importer, body: bytes
) -> None:
    ((code, detail),) = faults_of(run, files | {"app": body})
    assert code == "NOT_TEXT"
    assert "UTF-8" in detail


# --- null is as absent ---

ABSENT_OR_NULL = [
    ("submission-app", "packageDeliveryOptions"),
    ("submission-app", "packageDeliveryOptions.packageRollout"),
    ("submission-app", "packageDeliveryOptions.isMandatoryUpdate"),
    ("submission-app", "packageDeliveryOptions.packageRollout.fallbackSubmissionId"),
    ("submission-app", "packageDeliveryOptions.packageRollout.packageRolloutStatus"),
    ("submission-app", "pricing"),
    ("submission-app", "pricing.marketSpecificPricings"),
    ("submission-app", "pricing.priceId"),
    ("submission-app", "allowTargetFutureDeviceFamilies"),
    ("submission-app", "allowTargetFutureDeviceFamilies.Xbox"),
    ("submission-app", "isSeekEnabled"),
    ("submission-app", "applicationPackages.0.fileStatus"),
    ("submission-daily", "flightPackages.0.architecture"),
    ("submission-daily", "flightPackages.0.targetDeviceFamilies"),
    ("submission-daily", "flightPackages.0.fileStatus"),
    ("submission-daily", "packageDeliveryOptions"),
    ("submission-daily", "targetPublishDate"),
    ("flights-2", "@nextLink"),
    ("flights-2", "totalCount"),
    ("flights-2", "value.0.lastPublishedFlightSubmission"),
    ("flights-2", "value.0.lastPublishedFlightSubmission.id"),
    ("app", "lastPublishedApplicationSubmission"),
]


def put(files: Files, name: str, path: str, value: Any) -> None:
    """Sets a member; an object on the way that is not there is made."""
    *steps, last = path.split(".")
    body = files[name]
    for step in steps:
        body = body[int(step)] if step.isdigit() else body.setdefault(step, {})
    if value is ...:
        body.pop(last, None)
    else:
        body[last] = value


@pytest.mark.parametrize(("name", "path"), ABSENT_OR_NULL)
def test_null_is_as_absent(run: Importer, name: str, path: str) -> None:
    absent, null = sample(), sample()
    put(absent, name, path, ...)
    put(null, name, path, None)
    assert run(null) == run(absent)


@pytest.mark.parametrize("reference", [None, {}, {"id": ""}, {"id": None}, {"id": "0"}])
def test_a_reference_without_an_id_is_none(files: Files, run: Importer, reference: Any) -> None:
    for name in ("lastPublishedFlightSubmission", "pendingFlightSubmission"):
        flight(files, WEEKLY)[name] = reference
    assert run(files).product.flights[1].packages == ()


def test_null_where_a_value_is_needed_is_told_as_missing(files: Files, run: Importer) -> None:
    files["submission-app"]["applicationPackages"] = None
    assert faults_of(run, files) == [("MISSING_FIELD", "applicationPackages: is required")]


# --- drafts ---


@pytest.mark.parametrize(
    "status", ["PendingCommit", "CommitFailed", "Certification", "Canceled", "pendingcommit"]
)
def test_of_a_draft_no_more_than_its_status_is_read(
    files: Files, run: Importer, status: str
) -> None:
    draft = files["submission-daily-pending"]
    draft["status"] = status
    draft["flightPackages"] = [{"fileName": None, "version": None, "architecture": 7}, None]
    draft["packageDeliveryOptions"] = "@{packageRollout=}"
    read = run(files)
    assert read.product.flights[0].packages[0].version == "5.0.118.0"
    assert "NOT_PUBLISHED" in codes(read)


def test_a_draft_of_the_app_is_not_read_either(files: Files, run: Importer) -> None:
    draft = {"id": "", "status": "PendingCommit", "applicationPackages": None, "pricing": 5}
    assert run(files | {"draft": draft}).product == run(files).product


# --- spelling ---


def pascal(body: Any) -> Any:
    """Spells names as the Store's command line does; keys of markets and families are capital already."""
    if isinstance(body, list):
        return [pascal(item) for item in body]
    if not isinstance(body, dict):
        return body
    return {
        name if name.startswith("@") else name[:1].upper() + name[1:]: pascal(value)
        for name, value in body.items()
    }


def test_names_in_pascal_case_are_the_same(files: Files, run: Importer) -> None:
    assert run({name: pascal(body) for name, body in files.items()}) == run(files)


def test_one_name_in_two_spellings_is_refused(files: Files, run: Importer) -> None:
    files["app"]["Id"] = "9NOTHER"
    ((code, detail),) = faults_of(run, files)
    assert code == "DUPLICATE_NAME"
    assert "`id`" in detail
    assert "`Id`" in detail


@pytest.mark.parametrize("spelled", [lambda body: body, pascal])
def test_flights_may_be_a_bare_list(files: Files, run: Importer, spelled: Any) -> None:
    expected = run(files)
    pages = files.pop("flights-1")["value"] + files.pop("flights-2")["value"]
    assert run(files | {"flights": spelled(pages)}) == expected


def test_what_a_tool_prints_before_the_json_is_skipped(files: Files, run: Importer) -> None:
    expected = run(files)
    printed = "Retrieving Submission\r\nCould not find a Pending Submission.\r\n\r\n"
    files["submission-app"] = printed + json.dumps(files["submission-app"], indent=2)
    assert run(files) == expected


@pytest.mark.parametrize(
    ("name", "path", "value"),
    [
        ("submission-app", "pricing", "@{trialPeriod=NoFreeTrial; priceId=Free}"),
        ("submission-app", "packageDeliveryOptions.packageRollout", "@{isPackageRollout=False}"),
        ("submission-app", "applicationPackages", "System.Object[]"),
        ("submission-app", "applicationPackages.0", "@{fileName=a.msix; version=1.0.0.0}"),
        (
            "submission-app",
            "applicationPackages.0.targetDeviceFamilies",
            "Windows.Desktop min version 10.0.17763.0",
        ),
        ("flights-1", "value.0", "@{flightId=7bfc; friendlyName=Ring}"),
        ("flights-1", "value.0.groupIds", "1152921504606962205 1152921504606962211"),
        ("flights-1", "value.0.lastPublishedFlightSubmission", "@{id=115; resourceLocation=x}"),
    ],
)
def test_json_that_powershell_cut_off_is_told_as_such(
    run: Importer, name: str, path: str, value: str
) -> None:
    files = sample()
    *steps, last = path.split(".")
    body = files[name]
    for step in steps:
        body = body[int(step)] if step.isdigit() else body[step]
    body[int(last) if last.isdigit() else last] = value
    ((_, detail),) = faults_of(run, files)
    assert detail.startswith(f"{path}: must be ")
    assert "-Depth" in detail


@pytest.mark.parametrize(
    "text", ["", "id : 9N\nprimaryName : Contoso", "The application has no Flights."]
)
def test_a_text_without_json_is_told_as_such(files: Files, run: Importer, text: str) -> None:
    ((code, detail),) = faults_of(run, files | {"app": text})
    assert code == "MALFORMED_JSON"
    assert "ConvertTo-Json" in detail


# --- pages ---


@pytest.mark.parametrize("total", [..., None, 0, 1])
def test_a_page_that_a_link_names_is_needed_whatever_the_count_says(
    files: Files, run: Importer, total: Any
) -> None:
    del files["flights-2"]
    put(files, "flights-1", "totalCount", total)
    refused = dict(faults_of(run, files))
    assert "listflights/?skip=2&top=2" in refused["MISSING_PAGE"]


def test_a_missing_page_in_the_middle_or_at_the_end_is_named(files: Files, run: Importer) -> None:
    pages = files.pop("flights-1")["value"] + files.pop("flights-2")["value"]
    split: Files = {
        f"page-{number}": {"@nextLink": f"applications/{APP}/listflights/?skip={number + 1}&top=1"}
        | {"value": [flight]}
        for number, flight in enumerate(pages)
    }
    split["page-2"]["@nextLink"] = None
    assert len(run(files | split).product.flights) == 3
    last = split.pop("page-2")
    assert "skip=2" in dict(faults_of(run, files | split))["MISSING_PAGE"]
    del split["page-1"]
    assert "MISSING_PAGE" in dict(
        faults_of(run, files | split | {"last": last | {"totalCount": 3}})
    )


@pytest.mark.parametrize("link", [None, "", ...])
def test_the_count_is_compared_where_no_link_is_there(
    files: Files, run: Importer, link: Any
) -> None:
    del files["flights-2"]
    put(files, "flights-1", "@nextLink", link)
    assert "2 of 3" in dict(faults_of(run, files))["MISSING_PAGE"]


def test_an_empty_page_has_no_flights(files: Files, run: Importer) -> None:
    files = {name: files[name] for name in ("app", "submission-app")}
    value: Any
    for value in ([], None):
        assert run(files | {"flights": {"value": value, "totalCount": 0}}).product.flights == ()


# --- what is no response ---


@pytest.mark.parametrize(
    "body", [{"value": [1]}, {"value": [None]}, {"value": "x"}, {"Value": [[]]}]
)
def test_items_that_are_no_flights_are_named(files: Files, run: Importer, body: Any) -> None:
    ((code, detail),) = faults_of(run, files | {"odd": body})
    assert code == "WRONG_TYPE"
    assert detail.startswith("value")


@pytest.mark.parametrize("body", [[None], [1], ["x"], [[]], None, 5, "text", "null", True])
def test_what_is_no_object_is_told_as_unknown(files: Files, run: Importer, body: Any) -> None:
    text = body if body == "null" else json.dumps(body)
    ((code, _),) = faults_of(run, files | {"odd": text})
    assert code == "UNKNOWN_RESOURCE"


@pytest.mark.parametrize(
    ("name", "path", "value", "right"),
    [
        ("submission-app", "packageDeliveryOptions.packageRollout", [], "must be an object, not `[]`"),
        ("submission-app", "packageDeliveryOptions.isMandatoryUpdate", "true", 'must be true or false, not `"true"`'),
        ("submission-app", "applicationPackages.0.targetDeviceFamilies", 5, "must be a list, not `5`"),
        ("submission-app", "visibility", 5, "must be a text, not `5`"),
        ("submission-app", "id", 1.5e18, "`1.5e18` is a number without its last digits"),
        ("submission-app", "id", "9" * 5000, "`" + "9" * 57 + "...` is not the id of a submission"),
        ("submission-app", "id", "{115}", "`(115)` is not the id of a submission"),
        ("flights-1", "totalCount", "three", 'must be a whole number, not `"three"`'),
        ("submission-app", "allowTargetFutureDeviceFamilies.Xbox", "yes", "must be true or false"),
    ],
)  # fmt: skip
def test_a_value_of_the_wrong_kind_is_told_in_the_words_of_json(
    run: Importer, name: str, path: str, value: Any, right: str
) -> None:
    files = sample()
    put(files, name, path, value)
    if name == "submission-app" and path.startswith("applicationPackages"):
        files[name]["applicationPackages"][0]["targetDeviceFamilies"] = value
    details = [detail for _, detail in faults_of(run, files)]
    assert any(detail.startswith(f"{path}: {right}") for detail in details), details
    assert not any(word in str(details) for word in ("tuple", "instance", "dictionary", "None"))


# --- any text at all ---

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)
NAMES = st.sampled_from(sorted(sample()))
UNHURRIED = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=examples(150)
)


def outcome(directory: Path, files: Files) -> None:
    """A product, or faults that each name a file or a place and say something."""
    faults: list[Fault] = []
    try:
        read_files(write(directory, files))
    except InvalidFile as error:
        faults = error.faults or [Fault("", "", "")]
    assert all(fault.code.isupper() and fault.detail for fault in faults)


@UNHURRIED
@given(body=st.binary(max_size=60) | JSON.map(json.dumps) | st.text(max_size=60))
def test_whatever_a_file_contains_there_is_a_product_or_a_fault(
    tmp_path: Path, body: str | bytes
) -> None:
    body = body if isinstance(body, bytes) else body.encode("utf-8", "surrogatepass")
    outcome(tmp_path / "import", sample() | {"odd": body})


@UNHURRIED
@given(data=st.data(), value=JSON)
def test_whatever_a_member_contains_there_is_a_product_or_a_fault(
    tmp_path: Path, data: st.DataObject, value: Any
) -> None:
    files = sample()
    name = data.draw(NAMES)
    body = files[name]
    while isinstance(body, dict | list) and body:
        key = data.draw(
            st.sampled_from(sorted(body) if isinstance(body, dict) else range(len(body)))
        )
        if not isinstance(body[key], dict | list) or not body[key] or data.draw(st.booleans()):
            body[key] = value
            break
        body = body[key]
    outcome(tmp_path / "import", files)
