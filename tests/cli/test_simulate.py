"""`eligibility simulate`: the command, from the sample catalogue to a report."""

import csv
import io
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.commands import SAMPLE, Run
from tests.helpers.servers.process import command, environment

READER, SKETCH, MAPS = "9NCONTOSORDR", "9NCONTOSOSKT", "9NCONTOSOMAP"
ADA, GRACE = "ada@contoso.example", "grace@contoso.example"
ONE_DESKTOP = ("--devices", "Desktop/24H2/x64")


@pytest.fixture
def sample(run: Run) -> Run:
    """The command line on a store that has the sample catalogue."""
    assert run("catalog", "apply", SAMPLE, "--yes").code == 0
    return run


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))


def test_it_prints_a_grid_of_everybody_in_a_group_of_the_product(sample: Run) -> None:
    ran = sample("simulate", "--product", READER)
    assert ran.code == 0
    assert "3 accounts \N{MULTIPLICATION SIGN} 71 devices" in ran.out
    assert "Canary, rank 3, 2.1.0.0, install" in ran.out
    assert "no, flight Insiders: no package for the family" in ran.out


def test_it_agrees_with_check_on_every_pair(sample: Run) -> None:
    told = rows(
        sample(
            *("simulate", "--product", READER, "--format", "csv"),
            *("--accounts", f"{ADA},{GRACE},anonymous", "--devices", "Desktop/1809/x86,Xbox/22621"),
        ).out
    )
    assert len(told) == 6
    for row in told:
        account = ("--account", row["account"]) if row["account"] else ()
        architecture = ("--arch", row["architecture"]) if row["architecture"] else ()
        checked = sample(
            *("check", "--product", READER, "--family", row["family"], "--json"),
            *("--os", row["os_version"], *account, *architecture),
        ).json
        assert row["granted"] == str(checked["granted"]).lower()
        offered = checked["package"]["package"] or {"version": ""}
        assert row["package_version"] == offered["version"]


def test_accounts_come_from_groups_files_and_the_command_line(sample: Run, tmp_path: Path) -> None:
    file = tmp_path / "testers.csv"
    file.write_text("account,kind\nlinus@contoso.example,work_or_school\n")
    ran = sample(
        *("simulate", "--product", READER, *ONE_DESKTOP, "--json"),
        *("--accounts", f"canary-testers,{file},x@example.com,anonymous"),
    )
    accounts = [one["account"] for one in ran.json["accounts"]]
    assert accounts == [ADA, "linus@contoso.example", "x@example.com", None]
    assert (
        ran.json["answers"]
        == sample(
            *("simulate", "--product", READER, *ONE_DESKTOP, "--format", "json"),
            *("--accounts", f"canary-testers,{file},x@example.com,anonymous"),
        ).json["answers"]
    )


def test_the_format_is_that_of_the_name_of_the_file(sample: Run, tmp_path: Path) -> None:
    begins = {
        "html": b"<!DOCTYPE html>",
        "csv": b"\xef\xbb\xbfaccount,",
        "json": b"{",
        "parquet": b"PAR1",
        "txt": b"Contoso Reader",
    }
    for ending, start in begins.items():
        target = tmp_path / f"report.{ending}"
        ran = sample("simulate", "--product", READER, "--output", str(target))
        assert (ran.code, ran.out) == (0, "")
        assert target.read_bytes().startswith(start)
    assert len(os.listdir(tmp_path)) == len(begins) + len(["store.db"])


def test_everything_a_query_has_holds_for_every_account(sample: Run) -> None:
    args = ("simulate", "--product", MAPS, "--accounts", ADA, *ONE_DESKTOP, "--format", "csv")
    assert rows(sample(*args).out)[0]["reasons"] == "MARKET_NOT_OFFERED"
    (row,) = rows(sample(*args, "--market", "US", "--installed", "3.0.2.0", "--manual-check").out)
    assert (row["action"], row["reasons"]) == (
        "update",
        "NON_FLIGHTED_SUBMISSION ROLLOUT_MANUAL_CHECK",
    )


def test_a_moment_ahead_has_reached_its_dates(sample: Run) -> None:
    args = ("simulate", "--product", SKETCH, "--accounts", "x@example.com", *ONE_DESKTOP)
    assert "not in the audience" in sample(*args).out
    later = sample(*args, "--at", "2031-03-01T09:00:00Z")
    assert "non-flighted submission, rank 1" in later.out
    assert "2031-03-01 09:00 UTC" in later.out


def test_a_draft_says_that_it_is_one(sample: Run, tmp_path: Path) -> None:
    edits = tmp_path / "edits.csv"
    edits.write_text("group,account,change\ninsiders,new@example.com,add\n")
    ran = sample(
        *("simulate", "--product", READER, "--with-groups", str(edits)),
        *("--accounts", "new@example.com", *ONE_DESKTOP),
    )
    assert "live + draft" in ran.out
    assert "Insiders, rank 2" in ran.out


def test_settling_shows_both_sides(sample: Run) -> None:
    args = ("simulate", "--product", READER, "--accounts", GRACE, *ONE_DESKTOP)
    assert "--settling shows both answers" in sample(*args).out
    both = sample(*args, "--settling").out
    assert "here now" in both
    assert "the Store may still say" in both
    assert "--settling" not in both


def test_rollout_tells_the_shares_at_other_percentages(sample: Run) -> None:
    args = ("simulate", "--product", MAPS, "--accounts", "insiders", "--market", "US", "--json")
    declared = sample(*args).json["rollout"]
    assert [one["percentage"] for one in declared] == [25]
    more = sample(*args, "--rollout", "10, 50%,100").json["rollout"]
    assert [one["percentage"] for one in more] == [25, 10, 50, 100]
    assert more[-1]["newest"] == 3


# --- what is wrong is named, and nothing is run ---


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (
            ("--devices", "desktp"),
            "`desktp` is neither a preset, a CSV file nor a device; did you mean",
        ),
        (("--devices", "Zune/1607"), "`Zune/1607`: `Zune` is not a device family"),
        (("--rollout", "10,many,101"), "`many` is not a percentage"),
        (("--rollout", "nan"), "`nan` is not a percentage"),
        (("--accounts", "two@@x.com"), "`two@@x.com`"),
        (("--at", "yesterday"), "--at  `yesterday`"),
        (("--installed", "new"), "installed_version"),
        (("--json", "--format", "csv"), "use either `--json` or `--format csv`, not both"),
        (("--format", "pdf"), "pdf"),
    ],
)
def test_a_wrong_option_is_named(sample: Run, args: tuple[str, ...], words: str) -> None:
    ran = sample("simulate", "--product", READER, *args)
    assert (ran.code, ran.out) == (2, "")
    assert words in ran.err


def test_a_place_that_cannot_be_written_to_is_named(sample: Run) -> None:
    ran = sample("simulate", "--product", READER, "--output", "missing/report.html")
    assert (ran.code, ran.out) == (1, "")
    assert "missing/report.html  cannot be written: No such file or directory" in ran.err


def test_an_unknown_product_or_group_is_named(sample: Run) -> None:
    ran = sample("simulate", "--product", "9NOTHING")
    assert (ran.code, ran.out) == (1, "")
    assert "UNKNOWN_PRODUCT" in ran.err
    ran = sample("simulate", "--product", READER, "--accounts", "nobodies")
    assert (ran.code, ran.out) == (1, "")
    assert "UNKNOWN_GROUP" in ran.err


def test_a_file_is_named_with_line_and_value_and_no_report_is_written(
    sample: Run, tmp_path: Path
) -> None:
    people, report = tmp_path / "people.csv", tmp_path / "report.html"
    people.write_text("account,kind\nx@x.com,microsoft\ny@x.com,robot\nnobody,\n")
    report.write_text("before")
    ran = sample(
        *("simulate", "--product", READER, "--accounts", str(people), "--output", str(report))
    )
    assert ran.code == 2
    assert f"{people}:3" in ran.err
    assert "robot" in ran.err
    assert f"{people}:4" in ran.err
    assert "`nobody`" in ran.err
    assert report.read_text() == "before"


def test_parquet_is_nothing_for_a_terminal(sample: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    ran = sample("simulate", "--product", READER, "--format", "parquet")
    assert (ran.code, ran.out) == (2, "")
    assert "a terminal cannot show parquet" in ran.err


def test_parquet_without_pyarrow_is_refused_with_the_way_to_it(
    sample: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    ran = sample("simulate", "--product", READER, "--format", "parquet")
    assert (ran.code, ran.out) == (1, "")
    assert "MISSING_PACKAGE" in ran.err
    assert "pip install 'flight-eligibility[parquet]'" in ran.err


def test_ctrl_c_leaves_no_half_written_report(sample: Run, tmp_path: Path, store_url: str) -> None:
    people, place = tmp_path / "people.csv", tmp_path / "reports"
    people.write_text("".join(f"person{number}@example.com\n" for number in range(200_000)))
    place.mkdir()
    report = place / "report.csv"
    report.write_text("before")
    process = subprocess.Popen(
        command(
            *("simulate", "--product", READER, "--accounts", str(people), "--devices", "all"),
            *("--output", str(report), "--store", store_url),
        ),
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
    )
    until(lambda: any(one.stat().st_size > 1_000_000 for one in place.glob(".report.csv.*")))
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Traceback" not in err
    assert report.read_text() == "before"
    assert os.listdir(place) == ["report.csv"]


def until(happened: Any) -> None:
    for _ in range(3_000):
        if happened():
            return
        time.sleep(0.01)
    raise AssertionError("it did not happen within 30 s")


def test_from_a_csv_of_testers_to_a_page_in_four_commands(run: Run, tmp_path: Path) -> None:
    """The commands of docs/qa.md."""
    testers, page = tmp_path / "testers.csv", tmp_path / "report.html"
    testers.write_text("email\nada@example.com\nalan@example.com\ngrace@example.com\n")
    for words in (
        ("catalog", "apply", SAMPLE, "--yes"),
        ("groups", "import", "insiders", str(testers), "--publisher", "contoso"),
        ("simulate", "--product", READER, "--accounts", str(testers)),
        ("simulate", "--product", READER, "--accounts", str(testers), "--output", str(page)),
    ):
        assert run(*words).code == 0
    text = page.read_text("utf-8")
    for name in ("ada@example.com", "alan@example.com", "grace@example.com"):
        assert name in text
    assert "Insiders, rank 2, 2.0.0.0, install" in text
