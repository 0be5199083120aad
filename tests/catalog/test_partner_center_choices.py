"""What the import chooses where the API leaves something open: a note, a fault, or what is stored."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eligibility.catalog.acceptance import CHOICES, read_acceptances
from eligibility.catalog.model import Product
from eligibility.catalog.partner_center import Import
from eligibility.errors import InvalidFile, InvalidInput
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
    note_of,
    package_of,
    rollout_of,
    write,
)

APP_ROLLOUT = "submission-app"
NONE = ["0", "", None, ..., 0]


def with_rollout(files: Files, **fields: Any) -> Files:
    """Gives the app's submission a rollout; a field that is `...` is missing."""
    rollout = rollout_of(files, APP_ROLLOUT)
    rollout |= {"isPackageRollout": True, "packageRolloutPercentage": 25.0} | fields
    for name in [name for name, value in rollout.items() if value is ...]:
        del rollout[name]
    return files


def again(run: Importer, files: Files, stored: Product, **options: Any) -> Import:
    """Imports into a store that has this product."""
    return run(files, stored=lambda product_id: stored if product_id == APP else None, **options)


# --- rollouts without a fallback ---


@pytest.mark.parametrize("fallback", NONE)
@pytest.mark.parametrize("percentage", [0.0, 90])
def test_nobody_gets_the_packages_of_a_stopped_rollout_without_fallback(
    files: Files, run: Importer, fallback: Any, percentage: float
) -> None:
    with_rollout(
        files,
        packageRolloutStatus="PackageRolloutStopped",
        packageRolloutPercentage=percentage,
        fallbackSubmissionId=fallback,
    )
    read = run(files)
    assert read.product.submission.packages == ()
    assert read.product.submission.rollout is None
    assert "nobody gets its packages" in note_of(read, "STOPPED_WITHOUT_FALLBACK")
    # members of flights still get theirs: the families of the app are what its packages target
    assert read.product.submission.device_families == ("Windows.Desktop",)
    assert read.product.flights[0].packages[0].targets == {"Windows.Desktop": "10.0.17763.0"}


def test_a_flight_that_was_stopped_without_fallback_delivers_nothing(
    files: Files, run: Importer
) -> None:
    rollout = rollout_of(files)
    rollout |= {"packageRolloutStatus": "PackageRolloutStopped", "fallbackSubmissionId": "0"}
    read = run(files)
    assert read.product.flights[2].packages == ()
    assert "STOPPED_WITHOUT_FALLBACK" in codes(read)


def test_packages_of_before_a_stopped_rollout_stay_if_the_store_has_them(
    files: Files, run: Importer
) -> None:
    stored = run(files).product
    for package in files["submission-app"]["applicationPackages"]:
        package["fileName"] = package["fileName"].replace("4.2", "4.4")
        package["version"] = package["version"].replace("4.2", "4.4")
    with_rollout(files, packageRolloutStatus="PackageRolloutStopped", fallbackSubmissionId="0")
    read = again(run, files, stored)
    assert read.product.submission.packages == stored.submission.packages
    assert again(run, files, read.product).product == read.product


@pytest.mark.parametrize("fallback", NONE)
@pytest.mark.parametrize(
    "status",
    ["PackageRolloutInProgress", "PackageRolloutNotStarted", "packagerolloutinprogress", ..., None],
)
def test_a_rollout_in_progress_without_fallback_is_a_fault_until_it_is_accepted(
    files: Files, run: Importer, fallback: Any, status: Any
) -> None:
    with_rollout(files, packageRolloutStatus=status, fallbackSubmissionId=fallback)
    ((code, detail),) = faults_of(run, files)
    assert code == "NO_FALLBACK"
    assert "get the response again" in detail
    assert f"--accept NO_FALLBACK:{APP}" in detail
    read = run(files, accepted=[f"NO_FALLBACK:{APP}"])
    assert read.product.submission.rollout is None
    assert len(read.product.submission.packages) == 2
    assert read.accepted == (f"NO_FALLBACK:{APP}",)
    assert "as accepted" in note_of(read, "NO_FALLBACK")


def test_a_rollout_whose_fallback_is_the_submission_itself_has_none(
    files: Files, run: Importer
) -> None:
    with_rollout(files, fallbackSubmissionId=files["submission-app"]["id"])
    assert [code for code, _ in faults_of(run, files)] == ["NO_FALLBACK"]


def test_a_finalized_rollout_needs_no_fallback(files: Files, run: Importer) -> None:
    with_rollout(files, packageRolloutStatus="PackageRolloutComplete", fallbackSubmissionId="0")
    rollout = run(files).product.submission.rollout
    assert rollout is not None
    assert rollout.status == "finalized"


@pytest.mark.parametrize("status", ["PackageRolloutStopped", "PackageRolloutInProgress"])
def test_a_status_of_a_rollout_that_is_not_used_is_a_fault_until_it_is_accepted(
    files: Files, run: Importer, status: str
) -> None:
    with_rollout(files, isPackageRollout=False, packageRolloutStatus=status)
    assert [code for code, _ in faults_of(run, files)] == ["ROLLOUT_UNCLEAR"]
    accepted = run(files, accepted=[f"ROLLOUT_UNCLEAR:{APP}"])
    assert len(accepted.product.submission.packages) == 2


def test_a_rollout_that_has_not_started_is_noted(files: Files, run: Importer) -> None:
    rollout_of(files)["packageRolloutStatus"] = "PackageRolloutNotStarted"
    assert "25.5 %" in note_of(run(files), "ROLLOUT_NOT_STARTED")


@pytest.mark.parametrize("percentage", [-1, 100.5, "25", True])
def test_a_percentage_that_is_none_is_named(files: Files, run: Importer, percentage: Any) -> None:
    rollout_of(files)["packageRolloutPercentage"] = percentage
    ((_, detail),) = faults_of(run, files)
    assert detail.startswith("packageDeliveryOptions.packageRollout.packageRolloutPercentage: must")


def test_a_rollout_in_progress_needs_its_percentage(files: Files, run: Importer) -> None:
    rollout_of(files)["packageRolloutPercentage"] = None
    assert faults_of(run, files) == [("MISSING_FIELD", "packageRolloutPercentage: is required")]


def test_a_fallback_that_is_a_draft_by_its_file_is_told_so(files: Files, run: Importer) -> None:
    files["submission-company-ring-1"]["status"] = "Publishing"
    ((code, detail),) = faults_of(run, files)
    assert code == "MISSING_SUBMISSION"
    assert "its file says Publishing" in detail


@pytest.mark.parametrize(("said", "kept"), [(None, True), (False, False)])
def test_a_switch_that_the_api_leaves_out_stays_as_it_is(
    files: Files, run: Importer, said: Any, kept: bool
) -> None:
    rollout_of(files)["isSeekEnabled"] = True
    stored = run(files).product
    rollout_of(files)["isSeekEnabled"] = said
    rollout = again(run, files, stored).product.flights[2].rollout
    assert rollout is not None
    assert rollout.newest_on_manual_check is kept


# --- families of packages ---


@pytest.mark.parametrize("families", [..., None, []])
def test_a_package_of_the_app_without_families_is_refused(
    files: Files, run: Importer, families: Any
) -> None:
    package = package_of(files)
    package["targetDeviceFamilies"] = families
    if families is ...:
        del package["targetDeviceFamilies"]
    ((code, detail),) = faults_of(run, files)
    assert code == "MISSING_FIELD"
    assert detail.startswith("targetDeviceFamilies: is required")


def test_only_the_word_none_means_that_a_package_is_for_no_family(
    files: Files, run: Importer
) -> None:
    package_of(files)["targetDeviceFamilies"] = ["none"]
    read = run(files)
    assert [package.file_name for package in read.product.submission.packages] == [
        "Mail_4.2.0.0_arm64.msix"
    ]


def test_families_that_a_flights_package_names_are_used(files: Files, run: Importer) -> None:
    package_of(files, "submission-daily")["targetDeviceFamilies"] = [
        "Windows.Xbox min version 10.0.19041.0"
    ]
    read = run(files)
    assert read.product.flights[0].packages[0].targets == {"Windows.Xbox": "10.0.19041.0"}
    noted = [note.source for note in read.notes if note.code == "FAMILIES_FROM_APP"]
    assert noted == ["flight `Company ring`"]


def test_the_note_on_families_names_the_packages_that_took_those_of_the_app(
    files: Files, run: Importer
) -> None:
    packages = files["submission-daily"]["flightPackages"]
    named = packages[0] | {"fileName": "named.msix", "version": "5.0.1.0"}
    packages.append(named | {"targetDeviceFamilies": ["Windows.Team min version 10.0.19041.0"]})
    notes = [note for note in run(files).notes if note.code == "FAMILIES_FROM_APP"]
    assert "Mail_5.0.118.0_x64.msix" in notes[0].detail
    assert "named.msix" not in notes[0].detail


def test_a_family_that_nobody_knows_is_noted(files: Files, run: Importer) -> None:
    package_of(files)["targetDeviceFamilies"] += ["Windows.8828080 min version 10.0.19041.0"]
    assert "Windows.8828080" in note_of(run(files), "UNKNOWN_FAMILY")


@pytest.mark.parametrize("name", ["submission-app", "submission-daily"])
def test_a_published_submission_without_packages_is_noted(
    files: Files, run: Importer, name: str
) -> None:
    stored = run(files).product
    packages = "applicationPackages" if name == "submission-app" else "flightPackages"
    files[name][packages] = []
    assert "NO_PACKAGES" in codes(run(files))
    with pytest.raises(InvalidFile, match="NOTHING_PUBLISHED"):
        again(run, files, stored)


def test_a_family_that_is_named_twice_is_refused(files: Files, run: Importer) -> None:
    package_of(files)["targetDeviceFamilies"] += ["Desktop min version 10.0.19041.0"]
    assert [code for code, _ in faults_of(run, files)] == ["DUPLICATE_FAMILY"]


def test_an_unknown_status_of_a_file_is_noted(files: Files, run: Importer) -> None:
    package_of(files)["fileStatus"] = "Deleted"
    read = run(files)
    assert "`Deleted`" in note_of(read, "UNKNOWN_FILE_STATUS")
    assert len(read.product.submission.packages) == 2


@pytest.mark.parametrize("version", ["0.9.0.0", "0.0.1.0"])
def test_a_version_from_before_1_0_is_accepted_with_a_note(
    files: Files, run: Importer, version: str
) -> None:
    package_of(files)["version"] = version
    read = run(files)
    assert version in note_of(read, "PACKAGE_VERSION_ZERO")
    assert read.accepted == (f"PACKAGE_VERSION_ZERO:{APP}",)


# --- boxes of device families ---

UNIVERSAL = ["Windows.Universal min version 10.0.17763.0"]
ALL = {"Desktop": True, "Mobile": True, "Holographic": True, "Xbox": False, "Team": True}


def boxes(files: Files, targets: list[str], ticked: Any) -> Files:
    for package in files["submission-app"]["applicationPackages"]:
        package["targetDeviceFamilies"] = targets
    files["submission-app"]["allowTargetFutureDeviceFamilies"] = ticked
    return files


@pytest.mark.parametrize(
    ("targets", "ticked", "families"),
    [
        (UNIVERSAL, None, None),
        (UNIVERSAL, {}, None),
        (UNIVERSAL, ALL, None),
        (UNIVERSAL, {"Xbox": True}, ("Windows.Universal", "Windows.Xbox")),
        (UNIVERSAL, {"xbox": True, "TEAM": None}, ("Windows.Universal", "Windows.Xbox")),
        (
            UNIVERSAL,
            {"Xbox": True, "Team": False},
            ("Windows.Desktop", "Windows.Xbox", "Windows.Mobile", "Windows.Holographic", "Windows.IoT"),
        ),
        (["Windows.Desktop min version 10.0.17763.0"], {"Desktop": True, "Xbox": True}, None),
        (
            ["Windows.Desktop min version 10.0.17763.0", "Windows.Team min version 10.0.17763.0"],
            {"Team": False},
            ("Windows.Desktop",),
        ),
    ],
)  # fmt: skip
def test_boxes_of_families_say_where_new_customers_get_the_app(
    files: Files, run: Importer, targets: list[str], ticked: Any, families: tuple[str, ...] | None
) -> None:
    read = run(boxes(files, targets, ticked))
    assert read.product.submission.device_families == families
    assert ("DEVICE_FAMILIES" in codes(read)) is (families is not None)
    stored = again(run, files, read.product)
    assert stored.product == read.product


def test_no_ticked_box_is_a_fault_until_it_is_accepted(files: Files, run: Importer) -> None:
    boxes(files, ["Windows.Desktop min version 10.0.17763.0"], {"Desktop": False})
    assert [code for code, _ in faults_of(run, files)] == ["NO_FAMILY_OFFERED"]
    read = run(files, accepted=[f"NO_FAMILY_OFFERED:{APP}"])
    assert read.product.submission.device_families == ()


def test_a_box_of_an_unknown_family_is_noted(files: Files, run: Importer) -> None:
    boxes(files, UNIVERSAL, {"Zune": True})
    assert "Zune" in note_of(run(files), "UNKNOWN_FAMILY")


# --- visibility, prices, markets ---


@pytest.mark.parametrize("visibility", [..., None, ""])
def test_a_missing_visibility_is_a_fault_until_public_is_accepted(
    files: Files, run: Importer, visibility: Any
) -> None:
    files["submission-app"]["visibility"] = visibility
    if visibility is ...:
        del files["submission-app"]["visibility"]
    assert [code for code, _ in faults_of(run, files)] == ["NO_VISIBILITY"]
    assert run(files, accepted=[f"NO_VISIBILITY:{APP}"]).product.submission.audience == "public"


@pytest.mark.parametrize("visibility", [None, "NotSet"])
def test_a_visibility_that_the_api_leaves_open_stays_as_it_is(
    files: Files, run: Importer, visibility: Any
) -> None:
    files["submission-app"]["visibility"] = "Private"
    stored = run(files, audience_groups=["beta"]).product
    files["submission-app"]["visibility"] = visibility
    read = again(run, files, stored)
    assert read.product == stored
    assert "stays private" in note_of(read, "VISIBILITY")


def test_groups_of_the_audience_and_its_public_date_stay_as_they_are(
    files: Files, run: Importer
) -> None:
    files["submission-app"]["visibility"] = "Private"
    stored = run(files, audience_groups=["beta"]).product
    submission = stored.submission.with_fields(
        public_at="2030-01-01T00:00:00Z", discoverability="link_only"
    )
    stored = stored.with_fields(submission=submission)
    read = again(run, files, stored)
    assert read.product == stored
    assert {"audience_groups", "public_at"} <= {*note_of(read, "KEPT").replace(":", "").split()}
    renamed = again(run, files, stored, audience_groups=["gamma"])
    assert renamed.product.submission.audience_groups == ("gamma",)


def test_hidden_stays_stopped_if_the_store_has_it_stopped(files: Files, run: Importer) -> None:
    files["submission-app"]["visibility"] = "Hidden"
    stored = run(files).product
    submission = stored.submission.with_fields(discoverability="stop_acquisition")
    stored = stored.with_fields(submission=submission)
    assert again(run, files, stored).product == stored


def test_hidden_does_not_make_a_private_audience_public(files: Files, run: Importer) -> None:
    files["submission-app"]["visibility"] = "Private"
    stored = run(files, audience_groups=["beta"]).product
    files["submission-app"]["visibility"] = "Hidden"
    read = again(run, files, stored)
    assert (read.product.submission.audience, read.product.submission.audience_groups) == (
        "private",
        ("beta",),
    )
    assert "stays private" in note_of(read, "VISIBILITY")
    assert again(run, files, read.product).product == read.product


@pytest.mark.parametrize("value", ["public", "PUBLIC"])
def test_case_does_not_matter_in_words_of_the_api(files: Files, run: Importer, value: str) -> None:
    expected = run(files)
    files["submission-app"]["visibility"] = value
    for name in files:
        if name.startswith("submission"):
            files[name]["status"] = files[name]["status"].lower()
    package_of(files, number=2)["fileStatus"] = "pendingDelete"
    rollout_of(files)["packageRolloutStatus"] = "inProgress"
    assert run(files).product == expected.product


@pytest.mark.parametrize(
    ("prices", "markets"),
    [({}, ()), ({"US": "Free", "DE": "Tier2", "CN": "NotAvailable"}, ("DE", "US"))],
)
def test_a_base_price_of_not_available_leaves_the_markets_with_a_price(
    files: Files, run: Importer, prices: dict[str, str], markets: tuple[str, ...]
) -> None:
    files["submission-app"]["pricing"] = {
        "priceId": "NotAvailable",
        "marketSpecificPricings": prices,
    }
    read = run(files)
    assert read.product.markets == markets
    assert "priceId is NotAvailable" in note_of(read, "MARKETS")


def test_a_market_without_an_offer_is_told_to_get_the_app_here(files: Files, run: Importer) -> None:
    files["submission-app"]["pricing"]["marketSpecificPricings"] = {"LB": "NotAvailable"}
    assert "LB get it" in note_of(run(files), "MARKETS")


# --- what stands ---


def test_what_a_person_set_after_an_import_stays(files: Files, run: Importer) -> None:
    stored = run(files).product
    daily, weekly, ring = stored.flights
    corrected = daily.packages[0].with_fields(
        targets={"Windows.Xbox": "10.0.19041.0"}, architectures=("x64",)
    )
    stored = stored.with_fields(
        markets=("US", "DE"),
        availability="unavailable",
        flights=(
            daily.with_fields(packages=(corrected,), publish_at="2031-01-01T00:00:00Z"),
            weekly,
            ring,
        ),
    )
    read = again(run, files, stored)
    assert read.product == stored
    kept = note_of(read, "KEPT")
    assert "availability: unavailable" in kept
    assert "markets: US, DE" in kept
    assert "Windows.Xbox" in kept


def test_a_market_in_which_the_api_offers_nothing_does_not_stay(
    files: Files, run: Importer
) -> None:
    stored = run(files).product.with_fields(markets=("US", "CN"))
    files["submission-app"]["pricing"]["marketSpecificPricings"] = {"CN": "NotAvailable"}
    read = again(run, files, stored)
    assert read.product.markets == ("US",)
    assert "CN" in note_of(read, "MARKETS")


def test_architectures_stay_where_the_api_names_none(files: Files, run: Importer) -> None:
    stored = run(files).product
    del package_of(files, "submission-daily")["architecture"]
    read = again(run, files, stored)
    assert read.product == stored
    assert "NO_ARCHITECTURE" not in codes(read)


def test_families_stay_where_the_app_names_neither_targets_nor_boxes(
    files: Files, run: Importer
) -> None:
    stored = run(files).product
    submission = stored.submission.with_fields(device_families=("Windows.Desktop", "Windows.Team"))
    stored = stored.with_fields(submission=submission)
    del package_of(files)["targetDeviceFamilies"]
    del files["submission-app"]["allowTargetFutureDeviceFamilies"]
    assert again(run, files, stored).product == stored


def test_without_a_list_of_flights_those_of_the_store_stay(files: Files, run: Importer) -> None:
    stored = run(files).product
    only_app = {name: files[name] for name in ("app", "submission-app")}
    read = again(run, only_app, stored)
    assert read.product == stored
    assert "`Daily`" in note_of(read, "NO_FLIGHT_LIST")


def test_flights_that_single_files_do_not_mention_are_a_fault_until_it_is_accepted(
    files: Files, run: Importer
) -> None:
    stored = run(files).product
    few = {name: files[name] for name in ("app", "submission-app")}
    few |= {"weekly": flight(files, WEEKLY) | {"rankHigherThan": "Non-flighted submission"}}
    with pytest.raises(InvalidFile, match="FLIGHTS_NOT_LISTED") as caught:
        again(run, few, stored)
    assert "`Daily`" in str(caught.value)
    read = again(run, few, stored, accepted=[f"FLIGHTS_NOT_LISTED:{APP}"])
    assert [f.name for f in read.product.flights] == [WEEKLY]


def test_a_flight_that_a_page_does_not_list_any_more_is_deleted(
    files: Files, run: Importer
) -> None:
    stored = run(files).product
    pages = files.pop("flights-1")["value"] + files.pop("flights-2")["value"]
    files["flights"] = {"value": [f for f in pages if f["friendlyName"] == RING]}
    files = {name: body for name, body in files.items() if "daily" not in name}
    assert [f.name for f in again(run, files, stored).product.flights] == [RING]


@pytest.mark.parametrize("reference", [None, {"id": ""}])
def test_a_flight_that_would_lose_its_packages_is_a_fault_until_it_is_accepted(
    files: Files, run: Importer, reference: Any
) -> None:
    stored = run(files).product
    flight(files, DAILY)["lastPublishedFlightSubmission"] = reference
    del files["submission-daily"]
    with pytest.raises(InvalidFile, match=f"NOTHING_PUBLISHED:{APP}"):
        again(run, files, stored)
    read = again(run, files, stored, accepted=[f"NOTHING_PUBLISHED:{APP}"])
    assert read.product.flights[0].packages == ()


def test_an_app_that_would_lose_its_packages_is_a_fault(files: Files, run: Importer) -> None:
    stored = run(files).product
    for package in files["submission-app"]["applicationPackages"]:
        package["targetDeviceFamilies"] = ["None"]
    with pytest.raises(InvalidFile, match="NOTHING_PUBLISHED"):
        again(run, files, stored)


def test_groups_of_a_flight_stay_where_the_api_names_none(files: Files, run: Importer) -> None:
    stored = run(files, group_names={"1152921504606962205": "company"}).product
    del flight(files, RING)["groupIds"]
    read = again(run, files, stored)
    assert read.product.flights[2].groups == ("company",)


# --- which submission ---


@pytest.mark.parametrize("status", ["Publishing", "Release", "PreProcessing"])
def test_a_last_published_submission_with_another_status_is_not_told_as_missing(
    files: Files, run: Importer, status: str
) -> None:
    files["submission-daily"]["status"] = status
    ((code, detail),) = faults_of(run, files)
    assert code == "NOT_PUBLISHED"
    assert status in detail
    assert "missing" not in detail


def test_two_states_of_one_submission_are_refused(files: Files, run: Importer) -> None:
    files["older"] = files["submission-daily"] | {"isSeekEnabled": True}
    assert [code for code, _ in faults_of(run, files)] == ["DUPLICATE_SUBMISSION"]


# --- dates ---


@pytest.mark.parametrize(
    ("date", "noted"),
    [
        ("1601-01-01T00:00:00.0000000Z", False),
        ("1601-01-01T00:00:00Z", False),
        ("", False),
        (None, False),
        ("2020-06-01T00:00:00Z", False),
        ("2099-06-01T00:00:00Z", True),
        ("20990601", True),
        ("/Date(1893456000000)/", True),
    ],
)
@pytest.mark.parametrize("mode", ["SpecificDate", "Immediate"])
def test_a_date_of_1601_is_none_and_no_date_holds_a_published_flight_back(
    files: Files, run: Importer, date: Any, noted: bool, mode: str
) -> None:
    files["submission-daily"] |= {"targetPublishMode": mode, "targetPublishDate": date}
    read = run(files)
    assert read.product.flights[0].publish_at is None
    assert ("PUBLISH_DATE" in codes(read)) is (noted and mode == "SpecificDate")


# --- acceptances ---


def test_a_file_beside_the_import_accepts_choices(
    files: Files, run: Importer, tmp_path: Any
) -> None:
    files["submission-app"]["visibility"] = None
    beside = {"import.yaml": f"accept:\n- NO_VISIBILITY:{APP}\n- NO_FALLBACK:9OTHER\n"}
    read = run(files | beside)
    assert read.accepted == (f"NO_VISIBILITY:{APP}",)


@pytest.mark.parametrize("text", ["NO_VISIBILITY", "MISSING_PAGE:9N", "no_visibility:9N", ":", ""])
def test_an_acceptance_of_another_form_is_refused(
    files: Files, run: Importer, tmp_path: Any, text: str
) -> None:
    with pytest.raises(InvalidInput, match="must be CODE:PRODUCT"):
        run(files, accepted=[text])
    write(tmp_path / "import", {"import.yaml": f"accept: ['{text}']"})
    ((code, detail),) = faults_of(run, files)
    assert code == "WRONG_VALUE"
    assert "NO_VISIBILITY" in detail


@pytest.mark.parametrize("text", ["accept: 5", "accepts: []", "[]x", "- a", "accept: [5]"])
def test_a_file_beside_the_import_that_is_something_else_is_named(
    files: Files, run: Importer, text: str
) -> None:
    assert faults_of(run, files | {"import.yaml": text})


@given(
    text=st.text(max_size=40)
    | st.builds("{}:{}".format, st.sampled_from(sorted(CHOICES)), st.text())
)
def test_any_text_is_an_acceptance_or_is_refused_with_what_would_be_right(text: str) -> None:
    try:
        accepted = read_acceptances([text], "--accept")
    except InvalidInput as error:
        assert ["CODE:PRODUCT" in fault.detail for fault in error.faults] == [True]  # noqa: PT017
    else:
        assert {code.partition(":")[0] for code in accepted} <= CHOICES.keys()


def test_an_acceptance_for_another_product_or_choice_accepts_nothing(
    files: Files, run: Importer
) -> None:
    files["submission-app"]["visibility"] = None
    accepted = ["NO_VISIBILITY:9OTHER", f"NO_FALLBACK:{APP}"]
    assert [code for code, _ in faults_of(run, files, accepted=accepted)] == ["NO_VISIBILITY"]
