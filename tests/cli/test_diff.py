"""`eligibility diff` and `timeline`, checks against a draft, and what a dry run says of devices."""

from pathlib import Path
from typing import Any

import pytest

from tests.helpers.commands import READER, SAMPLE, Run

PRODUCT = ("--product", "9NCONTOSORDR")
NEWEST = ("--devices", "Desktop/Windows 11 24H2/x64")
ADA, LINUS = "ada@contoso.example", "linus@contoso.example"


@pytest.fixture
def sample(run: Run) -> Run:
    assert run("catalog", "apply", SAMPLE, "--yes").code == 0
    return run


@pytest.fixture
def edits(tmp_path: Path) -> tuple[str, str]:
    """Linus comes to the canaries."""
    path = tmp_path / "edits.csv"
    path.write_text(f"group,account\ncanary-testers,{LINUS}\n")
    return "--with-groups", str(path)


def drafted(tmp_path: Path, old: str, new: str) -> tuple[str, str]:
    path = tmp_path / "draft.yaml"
    path.write_text((Path(SAMPLE) / "contoso.yaml").read_text().replace(old, new))
    return "--with-catalog", str(path)


def test_counts_come_first_and_each_change_says_what_where_and_why(
    sample: Run, edits: tuple[str, str]
) -> None:
    ran = sample("diff", "live", "draft", *PRODUCT, *edits)
    assert ran.code == 4
    assert "1 of 4 accounts changed on 152 devices: 1 loses, 1 moves" in ran.out
    assert "insiders 2.0.0.0 -> canary 2.1.0.0 (other source, version up)" in ran.out
    assert "Windows 10 2004 to 11 26H1, x64, arm64" in ran.out
    assert "added to group canary-testers" in ran.out
    assert "also stands for everybody who is in none" in ran.out
    assert LINUS not in ran.out
    assert LINUS in sample("diff", "live", "draft", *PRODUCT, *edits, "--names").out


def test_the_json_is_the_same_in_full(sample: Run, edits: tuple[str, str]) -> None:
    told = sample("diff", "live", "draft", *PRODUCT, *NEWEST, *edits, "--json").json
    assert (told["before"], told["after"]) == ("live", "draft")
    (product,) = told["products"]
    assert product["counts"] == {"gains": 0, "loses": 0, "moves": 1, "still_denied": 0}
    (change,) = product["changes"]
    assert (change["kind"], change["accounts"], change["first"]) == ("moves", 1, [LINUS])
    assert change["after"] == {
        "text": "canary 2.1.0.0",
        "granted": True,
        "flight_id": "canary",
        "version": "2.1.0.0",
        "architecture": None,
        "action": "install",
        "reasons": [],
    }


def test_no_difference_is_exit_code_0(sample: Run) -> None:
    ran = sample("diff", "live", "live", "-P", "contoso")
    assert (ran.code, "no difference" in ran.out) == (0, True)
    assert sample("diff", "live", "live", *PRODUCT, "--json").json["products"] == []


def test_without_a_product_all_of_the_publisher_are_compared(sample: Run, tmp_path: Path) -> None:
    draft = drafted(tmp_path, "version: 1.0.0.0", "version: 1.1.0.0")
    told = sample("diff", "live", "draft", "-P", "contoso", *draft, "--json").json
    assert [one["product_id"] for one in told["products"]] == ["9NCONTOSOSKT"]


def test_a_product_of_some_markets_is_asked_for_from_one_of_them(
    sample: Run, tmp_path: Path
) -> None:
    draft = drafted(tmp_path, "version: 3.1.0.0", "version: 3.2.0.0")
    maps = ("--product", "9NCONTOSOMAP", *NEWEST)
    ran = sample("diff", "live", "draft", *maps, *draft)
    assert "1 of 1 account changed on 1 device in market US: 1 moves" in ran.out
    assert sample("diff", "live", "draft", *maps, *draft, "--market", "FR").code == 0


def test_revisions_and_moments_are_states(sample: Run) -> None:
    sample("groups", "add", "canary-testers", LINUS, "-P", "contoso")
    narrow = (*PRODUCT, *NEWEST, "--json")
    told = sample("diff", "groups:3", "groups:4", *narrow).json
    assert told["products"][0]["changes"][0]["why"] == ["product declared"]  # after the groups
    told = sample("diff", "catalog:1", "live", *narrow).json
    assert told["products"][0]["changes"][0]["first"] == [LINUS]
    ahead = sample("diff", "live", "2031-03-01T09:00:00Z", "-P", "contoso", "--json").json
    assert ahead["products"][0]["changes"][0]["why"] == ["`public_at` reached: public from here on"]


def test_accounts_of_a_group_are_its_members_on_either_side(
    sample: Run, edits: tuple[str, str]
) -> None:
    told = sample("diff", "live", "draft", *PRODUCT, *edits, "-a", "canary-testers", "--json").json
    assert told["products"][0]["accounts"] == 2


@pytest.mark.parametrize(
    ("states", "message"),
    [
        (("live", "drfat"), "`drfat` is not a state; did you mean `draft`?"),
        (("live", "draft"), "`draft` compares with a draft, but the request contains none"),
        (("live", "2026-01-01"), "`2026-01-01` is not a state"),
        (("groups:99", "live"), "`groups:99` does not exist: `contoso` is at revision 3"),
        (("catalog:x", "live"), "`catalog:x` is not a state"),
    ],
)
def test_a_state_that_there_is_not_is_wrong_usage(
    sample: Run, states: tuple[str, str], message: str
) -> None:
    ran = sample("diff", *states, *PRODUCT)
    assert ran.code == 2
    assert message in ran.err
    assert ran.out == ""


def test_a_draft_that_cannot_be_read_names_file_line_and_value(sample: Run, tmp_path: Path) -> None:
    path = tmp_path / "edits.csv"
    path.write_text("group,account,change\ncanary-testers,ada,ad\n")
    ran = sample("diff", "live", "draft", *PRODUCT, "--with-groups", str(path))
    assert (ran.code, ran.out) == (2, "")
    assert "edits.csv:2" in ran.err
    assert "`ad` is neither `add` nor `remove`" in ran.err


# --- a check against a draft ---


def test_a_check_can_be_made_against_a_draft(
    sample: Run, edits: tuple[str, str], tmp_path: Path
) -> None:
    asked = (*READER, "--os", "Windows 11 24H2", "--arch", "x64", "--account", LINUS, "--json")

    def version(*more: str) -> Any:
        return sample("check", *asked, *more).json["package"]["package"]["version"]

    assert version() == "2.0.0.0"
    assert version(*edits) == "2.1.0.0"
    catalog = drafted(tmp_path, "2.1.0.0", "2.2.0.0")
    assert version(*catalog) == "2.0.0.0"
    assert version(*edits, *catalog) == "2.2.0.0"
    trace = sample("check", *asked, *edits, "--explain").json["trace"]
    assert any("canary" in step["detail"] for step in trace)


def test_a_check_of_a_product_that_only_the_draft_has(sample: Run, tmp_path: Path) -> None:
    draft = drafted(tmp_path, "9NCONTOSORDR", "9NEW")
    asked = ("--product", "9NEW", "--family", "Desktop", "--os", "Windows 11 24H2")
    assert sample("check", *asked).code == 1
    assert sample("check", *asked, *draft).code == 0


# --- what a dry run says ---


def test_a_dry_run_of_apply_tells_what_devices_would_get(sample: Run, tmp_path: Path) -> None:
    _, path = drafted(tmp_path, "Windows.Desktop: 10.0.19041.0", "Windows.Desktop: 10.0.22000.0")
    ran = sample("catalog", "apply", path, "--dry-run")
    assert ran.code == 0
    assert "live -> the plan" in ran.out
    assert "Windows 10 2004 to 22H2, x64, arm64" in ran.out
    told = sample("catalog", "apply", path, "--dry-run", "--json").json
    assert told["differences"][0]["products"][0]["counts"]["loses"] == 1
    assert "live -> the plan" not in sample("catalog", "apply", path, "--yes").out


def test_a_dry_run_tells_of_products_that_would_go_and_of_groups_alone(
    sample: Run, tmp_path: Path
) -> None:
    path = tmp_path / "few.yaml"
    path.write_text(
        "publisher: contoso\ngroups:\n  sketch-beta: {name: Sketch private beta, emails: [new@x.com]}\n"
    )
    told = sample("catalog", "apply", str(path), "--dry-run", "--json").json
    (product,) = told["differences"][0]["products"]
    assert (product["counts"]["gains"], product["counts"]["loses"]) == (1, 2)
    pruned = sample("catalog", "apply", str(path), "--dry-run", "--prune", "--json").json
    reasons = {
        why
        for one in pruned["differences"][0]["products"]
        for change in one["changes"]
        for why in change["why"]
    }
    assert reasons == {"product deleted"}


# --- timeline ---


def test_a_timeline_reads_as_a_list_of_moments(sample: Run) -> None:
    sample("groups", "add", "canary-testers", LINUS, "-P", "contoso")
    one = (*PRODUCT, "--account", LINUS, "--family", "Desktop", "--os", "Windows 11 24H2")
    ran = sample("timeline", *one, "--arch", "x64")
    assert ran.code == 0
    assert "no such product -> insiders 2.0.0.0" in ran.out
    assert "insiders 2.0.0.0 -> canary 2.1.0.0" in ran.out
    assert "added to group canary-testers by cli" in ran.out
    assert "in 29 minutes" in ran.out
    assert "settled: from here on, the Store itself applies it too" in ran.out


def test_a_timeline_in_json_has_moments_causes_and_answers(sample: Run) -> None:
    told = sample("timeline", "--product", "9NCONTOSOSKT", *NEWEST, "--json").json
    declared, public = told["turns"]
    assert (declared["coming"], public["coming"]) == (False, True)
    assert public["at"] == "2031-03-01T09:00:00Z"
    assert public["causes"][0]["kind"] == "public_at"
    (answer,) = public["answers"]
    assert answer["before"]["reasons"] == ["NOT_SIGNED_IN"]
    assert answer["after"]["version"] == "1.0.0.0"


def test_a_timeline_wants_one_way_to_name_devices(sample: Run) -> None:
    ran = sample("timeline", *PRODUCT, "--family", "Desktop")
    assert (ran.code, "use either --family and --os" in ran.err) == (2, True)
    assert sample("timeline", "--product", "NONE").code == 1
