"""`eligibility test`: what is as expected, what differs and why, for people and for programs."""

import os
import re
import signal
import subprocess
import threading
from pathlib import Path
from typing import IO
from xml.etree import ElementTree

import pytest
from junitparser import JUnitXml

from docs.render import VECTORS
from eligibility.resources import config_dir
from tests.helpers.commands import Run
from tests.helpers.scenarios import GIVEN, LIVE, SAMPLE, SCENARIOS
from tests.helpers.servers.process import command, environment


def written(directory: Path, *cases: str, given: str = GIVEN) -> str:
    path = directory / "scenarios.yaml"
    path.write_text(given + "".join(f"  - {case}\n" for case in cases), "utf-8")
    return str(path)


# --- the sample, and the vectors ---


def test_the_sample_is_as_expected_and_needs_no_store(run: Run, tmp_path: Path) -> None:
    ran = run("test", SCENARIOS)
    assert ran.code == 0
    assert "✔ Ada is in both flights, and the higher rank wins  → canary 2.1.0.0" in ran.out
    assert "✔ all as expected  24 cases in 3 files" in ran.out
    assert not (tmp_path / "store.db").exists()


def test_against_a_store_with_the_sample(run: Run) -> None:
    assert run("catalog", "apply", str(SAMPLE), "--yes").code == 0
    ran = run("test", SCENARIOS, LIVE)
    assert ran.code == 0
    assert "26 cases in 4 files" in ran.out


def test_the_vectors_are_scenario_files(run: Run) -> None:
    ran = run("test", str(VECTORS), "--quiet")
    assert ran.code == 0
    assert "Which flight an account gets" in ran.out
    assert "the highest-ranked flight wins" not in ran.out


# --- what is expected ---


@pytest.mark.parametrize(
    ("case", "holds"),
    [
        ("{case: a, expect: {source: beta}}", True),
        ("{case: a, expect: {source: submission}}", False),
        ("{case: a, in: [], expect: {source: submission}}", True),  # `in`, not who is listed
        ("{case: a, account: x@example.com, in: [beta], expect: {source: beta}}", True),
        ("{case: a, account: null, in: [], expect: {source: submission}}", True),
        ("{case: a, account: x@example.com, aliases: [ADA@example.com], expect: {source: beta}}", True),
        ("{case: a, kind: work_or_school, expect: {source: submission}}", True),
        ("{case: a, account: [ada@example.com, null], expect: {granted: true}}", True),
        ("{case: a, account: [ada@example.com, null], expect: {source: beta}}", False),
        ("{case: a, device: windows-11, expect: {source: beta}}", True),
        ("{case: a, device: windows-10, expect: {granted: true}}", False),  # nothing for arm64
        ("{case: a, device: [Desktop/1809/x64, Desktop/24H2], expect: {source: beta}}", True),
        ("{case: a, installed_version: 3.0.0.0, expect: {action: keep}}", True),
        ("{case: a, expect: {version: 02.0.0.0}}", True),  # compared as versions are written
        ("{case: a, expect: {remedies: [], settling: null, delivery: automatic, rank: 2}}", True),
        ("{case: a, device: Desktop/1507/x64, expect: {remedy: {os_version: 10.0.17763.0}}}", True),
        ("{case: a, device: Desktop/1507/x64, expect: {remedy: {os_version: 10.0.17134.0}}}", False),
        ("{case: a, expect: {reasons: [FLIGHT_MEMBER]}}", True),
        ("{case: a, device: Xbox/1809, expect: {reasons: [DEVICE_FAMILY_NOT_OFFERED, NO_PACKAGE_FOR_FAMILY]}}", True),
        ("{case: a, device: Xbox/1809, expect: {reasons: [DEVICE_FAMILY_NOT_OFFERED]}}", False),
    ],
)  # fmt: skip
def test_a_case_holds_if_every_field_it_names_is_so(
    run: Run, tmp_path: Path, case: str, holds: bool
) -> None:
    ran = run("test", written(tmp_path, case))
    assert ran.code == (0 if holds else 1), ran.out + ran.err


def test_a_change_and_a_moment_are_tried_before_they_come(run: Run, tmp_path: Path) -> None:
    comes = "change: {flights.0.publish_at: 2030-01-01T00:00:00Z}"
    path = written(
        tmp_path,
        f"{{case: before, {comes}, now: 2029-12-31T23:59:59Z, expect: {{source: submission}}}}",
        f"{{case: from then, {comes}, now: 2030-01-01T00:00:00Z, expect: {{source: beta}}}}",
    )
    assert run("test", path).code == 0


@pytest.mark.parametrize("place", [f"flights.{'9' * 5_000}.name", "flights.²", "flights.-1"])
def test_a_change_names_a_place_of_the_product(run: Run, tmp_path: Path, place: str) -> None:
    """Python reads no number of more than 4,300 digits, and raises ValueError, as for `²`."""
    path = written(
        tmp_path, f"{{case: a, ? change : {{? '{place}' : x}}, expect: {{granted: true}}}}"
    )
    ran = run("test", path)
    assert ran.code == 1
    assert "the product has nothing at" in ran.out + ran.err


def test_other_floors_may_be_given(run: Run, tmp_path: Path) -> None:
    floors = (config_dir() / "requirements.toml").read_text("utf-8")
    (tmp_path / "strict.toml").write_text(floors.replace("10.0.10586", "10.0.26100"), "utf-8")
    given = GIVEN.replace("given:\n", "given:\n  requirements: strict.toml\n")
    assert (
        run("test", written(tmp_path, "{case: a, expect: {source: submission}}", given=given)).code
        == 0
    )
    assert run("test", written(tmp_path, "{case: a, expect: {source: beta}}")).code == 0


def test_a_catalogue_is_found_from_the_files_own_directory(run: Run, tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    (tmp_path / "contoso.yaml").write_text((SAMPLE / "contoso.yaml").read_text("utf-8"), "utf-8")
    given = "title: T\ngiven:\n  catalog: ../contoso.yaml\n"
    given += "  groups:\n    insiders: {name: Insiders, emails: [new@example.com]}\n"
    given += "defaults: {product: 9NCONTOSORDR, device: Desktop/24H2/x64}\ncases:\n"
    path = written(
        tmp_path / "here",
        "{case: in the group's place, account: new@example.com, expect: {source: insiders}}",
        "{case: no longer, account: linus@contoso.example, expect: {source: submission}}",
        "{case: as it was, account: ada@contoso.example, expect: {source: canary}}",
        given=given,
    )
    assert run("test", path).code == 0


# --- the live store ---


def test_the_store_is_asked_as_it_is_was_or_would_be(run: Run, tmp_path: Path) -> None:
    run("catalog", "apply", str(SAMPLE), "--yes")
    defaults = "{product: 9NCONTOSORDR, account: linus@contoso.example, device: Desktop/24H2/x64}"
    given = f"title: T\ndefaults: {defaults}\ncases:\n"
    is_so = written(
        tmp_path,
        "{case: is, expect: {source: insiders}}",
        "{case: were, in: [canary-testers], expect: {source: canary}}",
        "{case: would, change: {flights: []}, expect: {source: submission}}",
        "{case: settles, expect: {settling: added}}",
        given=given,
    )
    assert run("test", is_so).code == 0
    assert run("groups", "remove", "-P", "contoso", "insiders", "linus@contoso.example").code == 0
    ran = run("test", is_so, "--filter", "is", "--json")
    assert [c["passed"] for c in ran.json["files"][0]["cases"]] == [False]
    assert ran.json["files"][0]["cases"][0]["mismatches"][0]["differences"] == [
        {"field": "source", "expected": "insiders", "got": "submission"}
    ]


# --- what is told ---


def test_a_failure_says_what_differs_and_why(run: Run, tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "{case: Ada gets the beta, expect: {source: beta}}",
        "{case: Ada gets 3.0, expect: {granted: true, version: 3.0.0.0}}",
    )
    ran = run("test", path)
    assert ran.code == 1
    assert "✔ Ada gets the beta" in ran.out
    assert "✘ Ada gets 3.0  scenarios.yaml:21" in ran.out
    (line,) = (line.split() for line in ran.out.splitlines() if line.split()[:1] == ["version"])
    assert line == ["version", "3.0.0.0", "2.0.0.0"]
    assert "flight:beta" in ran.out  # the trace
    assert "✘ 1 not as expected  of 2 cases in 1 file" in ran.out


def test_a_failure_on_many_devices_says_on_which(run: Run, tmp_path: Path) -> None:
    ran = run(
        "test",
        written(tmp_path, "{case: a, device: desktop, expect: {source: beta, version: 2.0.0.0}}"),
    )
    assert "2 of 52: ada@example.com on Windows 10 1507, x64; Windows 10 1507, x86 " in ran.out
    assert re.search(r"\d+ of 52: ada@example.com on [^;]+; [^;]+; [^;]+; and \d+ more", ran.out)
    (case,) = run("test", str(tmp_path), "--json").json["files"][0]["cases"]
    assert case["asked"] > 40
    assert sum(len(one["where"]) for one in case["mismatches"]) < case["asked"]
    assert all(one["trace"] for one in case["mismatches"])


def test_a_device_of_two_presets_is_asked_once(run: Run, tmp_path: Path) -> None:
    devices = "[desktop, windows-11, Desktop/24H2/x64]"
    ran = run(
        "test", written(tmp_path, f"{{case: a, device: {devices}, expect: {{audience: public}}}}")
    )
    assert "52 decisions" in ran.out


def test_json_counts(run: Run, tmp_path: Path) -> None:
    path = written(tmp_path, "{case: a, expect: {rank: 2}}", "{case: b, expect: {rank: 1}}")
    ran = run("test", path, "--json")
    assert ran.code == 1
    assert (ran.json["passed"], ran.json["failed"]) == (1, 1)
    assert ran.json["files"][0]["cases"][1]["line"] == 21


def test_junit_is_read_by_others(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "junit.xml"
    path = written(
        tmp_path,
        "{case: a <good> one, expect: {rank: 2}}",
        '{case: a bad one, expect: {file_name: "\\a<&", rank: 2}}',
    )
    assert run("test", path, SCENARIOS, "--junit", str(out)).code == 1
    read = JUnitXml.fromfile(str(out))
    assert (read.tests, read.failures, read.errors) == (26, 1, 0)
    suite = next(iter(read))
    assert suite.name.startswith("Reader (")
    good, bad = suite
    assert (good.name, good.classname, good.is_passed) == ("a <good> one", "scenarios", True)
    assert bad.is_failure
    assert bad.result[0].message == "file_name: expected �<&, got 2.msix"
    assert "why:" in bad.result[0].text
    root = ElementTree.parse(out).getroot()
    assert [one.tag for one in root] == ["testsuite"] * 4


def test_junit_that_cannot_be_written_is_told(run: Run, tmp_path: Path) -> None:
    ran = run("test", SCENARIOS, "--junit", str(tmp_path / "nowhere" / "junit.xml"))
    assert ran.code == 1
    assert "cannot be written" in ran.err


def test_filter_takes_any_case(run: Run) -> None:
    ran = run("test", SCENARIOS, "--filter", "XBOX")
    assert ran.code == 0
    assert "2 cases in 1 file" in ran.out
    assert run("test", SCENARIOS, "--filter", "zune").code == 2


@pytest.mark.parametrize(
    "args",
    [
        (),
        (SCENARIOS, "--product", "X"),
        (SCENARIOS, "--mask"),
        ("--record", "x.yaml", SCENARIOS),
        ("--record", "x.yaml"),
    ],
)
def test_wrong_usage_is_2(run: Run, args: tuple[str, ...]) -> None:
    assert run("test", *args).code == 2


def test_watch_runs_again_when_a_file_it_names_changes_and_ends_quietly(tmp_path: Path) -> None:
    catalog = tmp_path / "catalog" / "contoso.yaml"
    catalog.parent.mkdir()
    catalog.write_text((SAMPLE / "contoso.yaml").read_text("utf-8"), "utf-8")
    defaults = "{product: 9NCONTOSORDR, device: Desktop/24H2/x64}"
    given = f"title: T\ngiven: {{catalog: catalog}}\ndefaults: {defaults}\ncases:\n"
    case = "{case: a, account: ada@contoso.example, expect: {source: canary}}"
    path = written(tmp_path, case, given=given)
    watching = subprocess.Popen(
        command("test", path, "--watch"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
    )
    giving_up = threading.Timer(60, watching.kill)  # so that nothing is waited for in vain
    giving_up.start()
    try:
        output, errors = watching.stdout, watching.stderr
        assert output is not None
        assert errors is not None
        until(output, "all as expected")
        changed = catalog.read_text("utf-8").replace("canary", "dev")
        replace(catalog, changed)
        until(errors, "no flight `canary`")
        replace(Path(path), "title: [")
        until(errors, "NOT_YAML", "not YAML")
        replace(Path(path), given + f"  - {case.replace('canary', 'dev')}\n")
        until(output, "all as expected")
        watching.send_signal(signal.SIGINT)
        assert watching.wait(20) == 130
        assert "Traceback" not in errors.read()
    finally:
        giving_up.cancel()
        watching.kill()
        watching.communicate()


def until(lines: IO[str], *words: str) -> None:
    if not any(word in line for line in lines for word in words):
        raise AssertionError(f"ended before {words}")


def replace(path: Path, text: str) -> None:
    """As editors save: a new file in the place of the old one."""
    beside = path.with_suffix(".new")
    beside.write_text(text, "utf-8")
    os.replace(beside, path)
