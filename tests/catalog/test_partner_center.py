"""Partner Center import, on the sample files and on every way in which such files go wrong."""

from pathlib import Path
from typing import Any

import pytest

from eligibility.catalog.model import Product
from eligibility.catalog.partner_center import read_files
from eligibility.errors import InvalidFile
from tests.helpers.catalog.partner_center import (
    DAILY,
    RING,
    RING_ID,
    WEEKLY,
    Files,
    Importer,
    codes,
    faults_of,
    flight,
    note_of,
    rollout_of,
)


def ranks(product: Product) -> list[str]:
    return [flight.name for flight in product.flights]


# --- what is taken ---


def test_the_sample_becomes_a_product_with_flights_in_rank_order(
    files: Files, run: Importer
) -> None:
    read = run(files)
    assert read.product_id == "9NCONTOSOMAIL"
    assert read.product.name == "Contoso Mail"
    assert ranks(read.product) == [DAILY, WEEKLY, RING]
    assert read.product.submission.audience == "public"


def test_the_order_of_the_files_does_not_matter(files: Files, run: Importer) -> None:
    assert run(files).product == run(dict(reversed(files.items()))).product


def test_packages_to_be_deleted_or_from_before_windows_10_are_left_out_and_noted(
    files: Files, run: Importer
) -> None:
    read = run(files)
    names = [package.file_name for package in read.product.submission.packages]
    assert names == ["Mail_4.2.0.0_x64.msix", "Mail_4.2.0.0_arm64.msix"]
    assert {"NOT_OFFERED", "NO_FAMILIES"} <= codes(read)


def test_flight_packages_take_their_families_from_the_app_and_a_note_says_so(
    files: Files, run: Importer
) -> None:
    read = run(files)
    (package,) = read.product.flights[0].packages
    # the lowest MinVersion of the app's packages; the one to be deleted does not count
    assert package.targets == {"Windows.Desktop": "10.0.17763.0"}
    noted = [note.source for note in read.notes if note.code == "FAMILIES_FROM_APP"]
    assert noted == ["flight `Daily`", "flight `Company ring`"]


def test_only_published_submissions_count_and_others_are_noted(files: Files, run: Importer) -> None:
    read = run(files)
    assert read.product.flights[0].packages[0].version == "5.0.118.0"
    assert "NOT_PUBLISHED" in codes(read)


def test_the_last_published_submission_is_the_one_that_the_flight_names(
    files: Files, run: Importer
) -> None:
    later = files["submission-daily-pending"]
    later["id"], later["status"] = "1152921504621291123", "Published"
    read = run(files)
    assert read.product.flights[0].packages[0].version == "5.0.118.0"
    assert "1152921504621291123" in note_of(read, "LATER_SUBMISSION")


def test_the_newest_published_submission_is_the_one_with_the_highest_id(
    files: Files, run: Importer
) -> None:
    # 19 digits: as floating numbers these two would be one
    newer = files["submission-daily-pending"]
    newer["id"], newer["status"] = "1152921504621291123", "Published"
    del flight(files, DAILY)["lastPublishedFlightSubmission"]
    assert run(files).product.flights[0].packages[0].version == "5.0.119.0"


def test_ids_may_come_as_whole_numbers(files: Files, run: Importer) -> None:
    flight(files, DAILY)["groupIds"] = [0]
    files["submission-daily"]["id"] = int(files["submission-daily"]["id"])
    assert run(files).product.flights[0].groups == ("0",)


def test_ids_as_floating_numbers_are_refused(files: Files, run: Importer) -> None:
    files["submission-daily"]["id"] = 1.152921504621291e18
    ((code, detail),) = faults_of(run, files)
    assert code == "WRONG_TYPE"
    assert detail.startswith("id:")


def test_a_flight_without_a_published_submission_is_imported_without_packages(
    files: Files, run: Importer
) -> None:
    read = run(files)
    assert read.product.flights[1].packages == ()
    assert "NO_PACKAGES" in codes(read)


def test_group_ids_can_be_given_our_names(files: Files, run: Importer) -> None:
    read = run(files, group_names={"1152921504606962205": "company"})
    assert read.product.flights[2].groups == ("company",)
    assert read.product.flights[0].groups == ("1152921504606962211", "company")


def test_a_package_without_architecture_is_neutral_and_noted(files: Files, run: Importer) -> None:
    del files["submission-daily"]["flightPackages"][0]["architecture"]
    read = run(files)
    assert read.product.flights[0].packages[0].architectures == ("neutral",)
    assert "NO_ARCHITECTURE" in codes(read)


def test_a_bundle_may_name_several_architectures(files: Files, run: Importer) -> None:
    files["submission-daily"]["flightPackages"][0]["architecture"] = "X86, X64"
    assert run(files).product.flights[0].packages[0].architectures == ("x86", "x64")


def test_no_list_of_flights_is_noted(files: Files, run: Importer) -> None:
    read = run({name: files[name] for name in ("app", "submission-app")})
    assert read.product.flights == ()
    assert codes(read) >= {"NO_FLIGHT_LIST"}


def test_an_empty_list_of_flights_is_no_note(files: Files, run: Importer) -> None:
    files = {name: files[name] for name in ("app", "submission-app")}
    files["flights"] = {"value": [], "totalCount": 0}
    assert "NO_FLIGHT_LIST" not in codes(run(files))


def test_a_flight_may_be_given_by_itself_and_in_a_list(files: Files, run: Importer) -> None:
    files["weekly"] = dict(flight(files, WEEKLY))
    assert ranks(run(files).product) == [DAILY, WEEKLY, RING]


def test_a_mandatory_update_is_noted(files: Files, run: Importer) -> None:
    files["submission-daily"]["packageDeliveryOptions"]["isMandatoryUpdate"] = True
    assert "MANDATORY_UPDATE" in codes(run(files))


def test_markets_left_out_are_noted(files: Files, run: Importer) -> None:
    pricing = files["submission-app"]["pricing"]
    pricing["marketSpecificPricings"] = {"US": "Tier3", "CN": "NotAvailable"}
    (note,) = [note for note in run(files).notes if note.code == "MARKETS"]
    assert "CN" in note.detail
    assert "US" not in note.detail


# --- visibility ---


def test_private_takes_the_audience_groups_given(files: Files, run: Importer) -> None:
    files["submission-app"]["visibility"] = "Private"
    submission = run(files, audience_groups=["beta"]).product.submission
    assert (submission.audience, submission.audience_groups) == ("private", ("beta",))


def test_private_without_audience_groups_is_refused(files: Files, run: Importer) -> None:
    files["submission-app"]["visibility"] = "Private"
    assert [code for code, _ in faults_of(run, files)] == ["AUDIENCE_WITHOUT_GROUP"]


@pytest.mark.parametrize("visibility", ["Public", "Hidden", "NotSet"])
def test_audience_groups_for_a_product_that_is_not_private_are_refused(
    files: Files, run: Importer, visibility: str
) -> None:
    files["submission-app"]["visibility"] = visibility
    refused = faults_of(run, files, audience_groups=["beta"])
    assert [code for code, _ in refused] == ["AUDIENCE_NOT_PRIVATE"]


def test_hidden_becomes_link_only(files: Files, run: Importer) -> None:
    files["submission-app"]["visibility"] = "Hidden"
    read = run(files)
    assert read.product.submission.discoverability == "link_only"
    assert "VISIBILITY" in codes(read)


def test_not_set_becomes_public_and_searchable(files: Files, run: Importer) -> None:
    files["submission-app"]["visibility"] = "NotSet"
    read = run(files)
    assert read.product.submission.discoverability == "searchable"
    assert "VISIBILITY" in codes(read)


def test_an_unknown_visibility_is_refused(files: Files, run: Importer) -> None:
    files["submission-app"]["visibility"] = "Secret"
    ((code, detail),) = faults_of(run, files)
    assert code == "WRONG_VALUE"
    assert "Public, Private, Hidden, NotSet" in detail


# --- rollout ---


@pytest.mark.parametrize(
    ("status", "imported"),
    [
        ("PackageRolloutInProgress", "in_progress"),
        ("PackageRolloutNotStarted", "in_progress"),
        ("PackageRolloutStopped", "halted"),
        ("PackageRolloutComplete", "finalized"),
    ],
)
def test_each_status_of_a_rollout_has_its_counterpart(
    files: Files, run: Importer, status: str, imported: str
) -> None:
    rollout_of(files)["packageRolloutStatus"] = status
    rollout = run(files).product.flights[2].rollout
    assert rollout is not None
    assert (rollout.status, rollout.percentage) == (imported, 25.5)


def test_previous_packages_are_those_of_the_fallback_submission(
    files: Files, run: Importer
) -> None:
    rollout = run(files).product.flights[2].rollout
    assert rollout is not None
    assert [package.version for package in rollout.previous_packages] == ["4.3.0.0"]


def test_a_missing_fallback_submission_is_refused(files: Files, run: Importer) -> None:
    del files["submission-company-ring-1"]
    ((code, detail),) = faults_of(run, files)
    assert code == "MISSING_SUBMISSION"
    assert "1152921504621265000" in detail


def test_an_unknown_status_of_a_rollout_is_refused(files: Files, run: Importer) -> None:
    rollout_of(files)["packageRolloutStatus"] = "Paused"
    assert [code for code, _ in faults_of(run, files)] == ["WRONG_VALUE"]


@pytest.mark.parametrize("where", ["submission", "rollout"])
def test_seek_means_the_newest_on_a_manual_check(files: Files, run: Importer, where: str) -> None:
    holder = rollout_of(files) if where == "rollout" else files["submission-company-ring-2"]
    holder["isSeekEnabled"] = True
    rollout = run(files).product.flights[2].rollout
    assert rollout is not None
    assert rollout.newest_on_manual_check


# --- ranks ---


@pytest.mark.parametrize("link", [RING, RING_ID])
def test_a_link_may_name_a_flight_by_name_or_by_id(files: Files, run: Importer, link: str) -> None:
    flight(files, WEEKLY)["rankHigherThan"] = link
    assert ranks(run(files).product) == [DAILY, WEEKLY, RING]


def test_a_link_of_null_is_the_top_rank(files: Files, run: Importer) -> None:
    flight(files, DAILY)["rankHigherThan"] = None
    assert ranks(run(files).product) == [DAILY, WEEKLY, RING]


@pytest.mark.parametrize(
    ("links", "code"),
    [
        ({RING: DAILY}, "RANK_CYCLE"),
        ({WEEKLY: WEEKLY}, "RANK_CYCLE"),
        ({WEEKLY: "Nightly"}, "DANGLING_RANK"),
        ({WEEKLY: "Non-flighted submission"}, "DUPLICATE_RANK"),
        ({DAILY: RING}, "DUPLICATE_RANK"),
        ({DAILY: None, WEEKLY: None}, "DUPLICATE_RANK"),
        ({WEEKLY: None}, "DUPLICATE_RANK"),
    ],
)
def test_links_that_make_no_order_are_refused(
    files: Files, run: Importer, links: dict[str, str | None], code: str
) -> None:
    for name, link in links.items():
        flight(files, name)["rankHigherThan"] = link
    assert code in [code for code, _ in faults_of(run, files)]


def test_a_name_that_two_flights_have_is_no_link(files: Files, run: Importer) -> None:
    flight(files, RING)["friendlyName"] = WEEKLY
    assert "AMBIGUOUS_RANK" in [code for code, _ in faults_of(run, files)]


# --- what is missing or is something else ---


@pytest.mark.parametrize("left_out", ["flights-1", "flights-2"])
def test_a_missing_page_of_flights_is_refused(files: Files, run: Importer, left_out: str) -> None:
    del files[left_out]
    assert "MISSING_PAGE" in [code for code, _ in faults_of(run, files)]


def test_a_missing_page_is_found_by_its_count_where_the_link_is_left_out(
    files: Files, run: Importer
) -> None:
    del files["flights-2"], files["flights-1"]["@nextLink"]
    assert "MISSING_PAGE" in [code for code, _ in faults_of(run, files)]


@pytest.mark.parametrize("left_out", ["submission-daily", "submission-app"])
def test_a_missing_last_published_submission_is_refused_with_its_path(
    files: Files, run: Importer, left_out: str
) -> None:
    missing = files.pop(left_out)
    refused = dict(faults_of(run, files))
    assert f"/submissions/{missing['id']}" in refused["MISSING_SUBMISSION"]


def test_an_app_that_was_never_published_is_refused(files: Files, run: Importer) -> None:
    del files["app"]["lastPublishedApplicationSubmission"]
    files["submission-app"]["status"] = "Certification"
    assert [code for code, _ in faults_of(run, files)] == ["NO_PUBLISHED_SUBMISSION"]


def test_a_submission_of_a_flight_that_no_list_names_is_refused(
    files: Files, run: Importer
) -> None:
    files["submission-daily-pending"]["flightId"] = "other"
    assert "UNKNOWN_FLIGHT" in [code for code, _ in faults_of(run, files)]


def test_one_flight_in_two_states_is_refused(files: Files, run: Importer) -> None:
    files["weekly"] = flight(files, WEEKLY) | {"groupIds": ["7"]}
    assert "DUPLICATE_FLIGHT" in [code for code, _ in faults_of(run, files)]


def test_files_of_no_app_or_of_several_are_refused(files: Files, run: Importer) -> None:
    files["other"] = files["app"] | {"id": "9OTHER"}
    assert [code for code, _ in faults_of(run, files)] == ["SEVERAL_APPS"]


def test_without_the_app_nothing_is_imported(files: Files, run: Importer) -> None:
    del files["app"]
    assert [code for code, _ in faults_of(run, files)] == ["NO_APP"]


@pytest.mark.parametrize(
    ("body", "code", "words"),
    [
        ("{", "MALFORMED_JSON", "line 1"),
        ('{"id": "1", "id": "2"}', "DUPLICATE_NAME", "the name `id` occurs twice"),
        ([], "UNKNOWN_RESOURCE", "not a known response of the submission API"),
        ({"hello": 1}, "UNKNOWN_RESOURCE", "not a known response of the submission API"),
        ({"code": "ResourceNotFound", "message": "No flights."}, "UNKNOWN_RESOURCE", "an error"),
        ({"value": [{"id": "9N", "primaryName": "A"}]}, "UNKNOWN_RESOURCE", "a list of apps"),
        ({"primaryName": "A"}, "MISSING_FIELD", "id: is required"),
        ({"value": [{"flightId": "f"}]}, "MISSING_FIELD", "value.0.friendlyName"),
        ({"applicationPackages": {}, "id": "1", "status": "Published"}, "WRONG_TYPE", "app"),
    ],
)
def test_a_file_that_is_something_else_is_named_with_what_would_be_right(
    files: Files, run: Importer, body: Any, code: str, words: str
) -> None:
    refused = faults_of(run, files | {"odd": body})
    assert [found for found, _ in refused] == [code]
    assert words in refused[0][1]


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidFile, match=r"gone\.json"):
        read_files([tmp_path / "gone.json"])


@pytest.mark.parametrize("target", ["Windows.Desktop", "Windows.Desktop min version x", "Zune"])
def test_target_families_of_another_form_are_refused(
    files: Files, run: Importer, target: str
) -> None:
    files["submission-app"]["applicationPackages"][0]["targetDeviceFamilies"] = [target]
    ((code, detail),) = faults_of(run, files)
    assert code.startswith("UNREADABLE_")
    assert "targetDeviceFamilies" in detail


def test_what_the_catalogue_refuses_is_refused_here(files: Files, run: Importer) -> None:
    files["submission-daily"]["flightPackages"][0]["version"] = "five"
    ((code, detail),) = faults_of(run, files)
    assert "five" in detail
    assert code != "WRONG_TYPE"
