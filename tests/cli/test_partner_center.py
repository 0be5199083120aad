"""`eligibility catalog import-partner-center`: import, apply, import again; what is accepted is kept."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.catalog.partner_center import (
    APP,
    Files,
    package_of,
    rollout_of,
    sample,
    write,
)
from tests.helpers.commands import Ran, Run

GROUPS = {
    "1152921504606962205": "company",
    "1152921504606962211": "daily",
    "1152921504606962212": "weekly",
}
DEVICE = ("--product", APP, "--family", "Desktop", "--os", "24H2", "--arch", "x64")


@pytest.fixture
def files() -> Files:
    return sample()


class Importing:
    """Imports files of a directory for a publisher whose groups exist."""

    def __init__(self, run: Run, directory: Path) -> None:
        self.run, self.directory = run, directory
        for group in GROUPS.values():
            run("groups", "create", group, f"{group}@example.com", "-P", "contoso")

    def __call__(self, files: Files, *options: str) -> Ran:
        paths = [str(p) for p in write(self.directory, files) if p.suffix == ".json"]
        mapped = [f"--group={number}={group}" for number, group in GROUPS.items()]
        command = ("catalog", "import-partner-center", *paths, "-P", "contoso", *mapped)
        return self.run(*command, *options)

    def catalog(self, out: Path) -> str:
        assert self.run("catalog", "export", str(out), "-P", "contoso").code == 0
        return (out / "contoso.products.yaml").read_text("utf-8")


@pytest.fixture
def importing(run: Run, tmp_path: Path) -> Importing:
    return Importing(run, tmp_path / "import")


def test_import_apply_import_again_changes_nothing(
    files: Files, importing: Importing, tmp_path: Path
) -> None:
    assert importing(files, "--yes").code == 0
    before = importing.catalog(tmp_path / "before")
    ran = importing(files, "--yes", "--json")
    assert ran.code == 0, ran.err
    assert [plan["action"] for plan in ran.json["plan"]["products"]] == ["unchanged"]
    assert "nothing to change" in importing(files).out
    assert importing.catalog(tmp_path / "after") == before


def test_what_a_person_corrected_is_there_after_the_next_import(
    files: Files, importing: Importing, tmp_path: Path
) -> None:
    assert importing(files, "--yes").code == 0
    text = importing.catalog(tmp_path / "corrected")
    text = text.replace(
        "    name: Contoso Mail\n",
        "    name: Contoso Mail\n    availability: unavailable\n    markets: [US, DE]\n",
    )
    (tmp_path / "corrected" / "contoso.products.yaml").write_text(text)
    assert importing.run("catalog", "apply", str(tmp_path / "corrected"), "--yes").code == 0
    ran = importing(files, "--yes")
    assert ran.code == 0, ran.err
    assert "nothing to change" in ran.out
    assert "availability: unavailable" in ran.out
    assert "markets: US, DE" in ran.out
    # written to a directory, it is the same
    out = tmp_path / "out"
    assert importing(files, "--out", str(out)).code == 0
    assert "unavailable" in (out / "contoso.products.yaml").read_text("utf-8")


@pytest.fixture
def unclear(files: Files) -> Files:
    rollout_of(files)["fallbackSubmissionId"] = "0"
    return files


def test_a_choice_is_a_fault_until_the_command_accepts_it(
    unclear: Files, importing: Importing
) -> None:
    ran = importing(unclear, "--yes")
    assert ran.code == 1
    assert f"--accept NO_FALLBACK:{APP}" in ran.err
    ran = importing(unclear, "--yes", "--accept", f"NO_FALLBACK:{APP}")
    assert ran.code == 0, ran.err
    assert f"accepted NO_FALLBACK:{APP}" in ran.out
    ran = importing(unclear, "--json", "--accept", f"NO_FALLBACK:{APP}")
    assert ran.json["plan"]["accepted"] == [f"NO_FALLBACK:{APP}"]
    assert "NO_FALLBACK" in {code for _, code, _ in map(_note, ran.json["notes"])}


def _note(note: Any) -> tuple[str, str, str]:
    return tuple(note.values()) if isinstance(note, dict) else tuple(note)


def test_a_file_beside_the_import_keeps_what_is_accepted(
    unclear: Files, importing: Importing, tmp_path: Path
) -> None:
    unclear["import.yaml"] = f"accept: [NO_FALLBACK:{APP}]"
    for _ in range(2):
        ran = importing(unclear, "--yes")
        assert ran.code == 0, ran.err
        assert f"accepted NO_FALLBACK:{APP}" in ran.out
    out = tmp_path / "out"
    assert importing(unclear, "--out", str(out)).code == 0
    assert f"- NO_FALLBACK:{APP}" in (out / "contoso.products.yaml").read_text("utf-8")
    ran = importing.run("catalog", "apply", str(out), "--yes")
    assert f"accepted NO_FALLBACK:{APP}" in ran.out


def test_a_wrong_acceptance_is_wrong_usage(files: Files, importing: Importing) -> None:
    ran = importing(files, "--accept", "EVERYTHING")
    assert ran.code == 2
    assert "CODE:PRODUCT" in ran.err


def test_a_stopped_rollout_without_fallback_reaches_no_stranger(
    files: Files, importing: Importing
) -> None:
    rollout = rollout_of(files, "submission-app")
    rollout |= {"isPackageRollout": True, "packageRolloutStatus": "PackageRolloutStopped"}
    ran = importing(files, "--yes")
    assert ran.code == 0, ran.err
    assert importing.run("check", *DEVICE).code == 3
    ran = importing.run("check", *DEVICE, "--account", "daily@example.com", "--json")
    assert ran.json["package"]["package"]["version"] == "5.0.118.0"
    assert "nothing to change" in importing(files).out


def test_the_boxes_of_families_decide_who_is_offered_a_universal_package(
    files: Files, importing: Importing
) -> None:
    for package in files["submission-app"]["applicationPackages"]:
        package["targetDeviceFamilies"] = ["Windows.Universal min version 10.0.17763.0"]
    files["submission-app"]["allowTargetFutureDeviceFamilies"] = {"Xbox": True, "Team": False}
    assert importing(files, "--yes").code == 0
    codes = {
        family: importing.run("check", "--product", APP, "--family", family, "--os", "19041").code
        for family in ("Desktop", "Xbox", "Team", "Holographic")
    }
    assert codes == {"Desktop": 0, "Xbox": 0, "Team": 3, "Holographic": 0}
    assert "nothing to change" in importing(files).out


# --- versions that start with 0 ---


@pytest.fixture
def early(files: Files) -> Files:
    package_of(files)["version"] = "0.9.0.0"
    return files


def test_the_store_delivers_versions_from_before_1_0(
    early: Files, importing: Importing, tmp_path: Path
) -> None:
    ran = importing(early, "--yes")
    assert ran.code == 0, ran.err
    assert "version 0.9.0.0 starts with 0" in ran.out
    assert f"accepted PACKAGE_VERSION_ZERO:{APP}" in ran.out
    assert "nothing to change" in importing(early).out
    # an edit of the same product keeps them
    out = tmp_path / "catalog"
    text = importing.catalog(out).replace("Contoso Mail", "Contoso Mail 2")
    (out / "contoso.products.yaml").write_text(text.partition("accept:")[0])
    assert importing.run("catalog", "apply", str(out), "--yes").code == 0


def test_a_new_version_that_starts_with_0_is_refused_unless_it_is_accepted(
    early: Files, importing: Importing, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    assert importing(early, "--out", str(out)).code == 0
    file = out / "contoso.products.yaml"
    text = file.read_text("utf-8")
    products, accept, _ = text.partition("accept:")
    assert accept
    file.write_text(products)
    ran = importing.run("catalog", "apply", str(out), "--yes")
    assert ran.code == 1
    assert "`0.9.0.0` starts with 0" in ran.err
    file.write_text(text)
    assert importing.run("catalog", "apply", str(out), "--yes").code == 0
    file.write_text(products.replace("0.9.0.0", "0.8.0.0"))
    assert "`0.8.0.0` starts with 0" in importing.run("catalog", "apply", str(out), "--yes").err


def test_an_export_can_be_applied_to_another_store(
    early: Files, importing: Importing, tmp_path: Path
) -> None:
    assert importing(early, "--yes").code == 0
    assert f"- PACKAGE_VERSION_ZERO:{APP}" in importing.catalog(tmp_path / "catalog")


def test_powershell_files_are_imported_with_their_pages(files: Files, importing: Importing) -> None:
    files["flights-1"]["@nextLink"] = files["flights-1"]["totalCount"] = None
    written = {
        name: b"\xff\xfe" + json.dumps(body, indent=4).replace("\n", "\r\n").encode("utf-16-le")
        for name, body in files.items()
    }
    ran = importing(written, "--yes")
    assert ran.code == 0, ran.err
