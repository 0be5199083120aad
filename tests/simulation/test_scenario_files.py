"""Scenario files are read whole or not at all: every fault with file, line and what was meant."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from docs.render import VECTORS
from eligibility.resources import config_dir
from eligibility.simulation.scenarios.document import schema
from eligibility.simulation.scenarios.file import find_files, read_files
from tests.helpers.commands import Run
from tests.helpers.scenarios import GIVEN, LIVE, SCENARIOS

NO_FIELD = "is not a known field; did you mean"
OK = "expect: {granted: true}"
GOOD = "  - {case: fine, expect: {granted: true}}\n"


def refused(run: Run, path: Path, text: str) -> str:
    """What is told of a file that is wrong; beside it stands one that is right, and is not run."""
    path.with_name("a-good-one.yaml").write_text(GIVEN + GOOD, "utf-8")
    path.write_text(text, "utf-8")
    ran = run("test", str(path.parent))
    assert (ran.code, ran.out) == (1, ""), ran.out
    return ran.err


@pytest.mark.parametrize(
    ("case", "told"),
    [
        ("{case: a, expct: {granted: true}}", "expct: NO_FIELD `expect`?"),
        ("{case: a, expect: {sorce: beta}}", "expect.sorce: NO_FIELD `source`?"),
        ("{case: a, expect: {remedy: {grups: [a]}}}", "expect.remedy.grups: NO_FIELD `groups`?"),
        ("{case: a, expect: {}}", "expect: expects nothing; name at least one field of the decision"),
        ("{case: a}", "expect: is required"),
        ("{case: a, expect: {reasons: [NOT_SIGNED_INN]}}",
         "expect.reasons.0: `NOT_SIGNED_INN` is unknown; did you mean `NOT_SIGNED_IN`?"),
        ("{case: a, expect: {action: instal}}", "expect.action: `instal` is unknown; did you mean `install`?"),
        ("{case: a, expect: {version: '2.0'}}", "expect.version: `2.0` is not a package version"),
        ("{case: a, expect: {granted: 'yes'}}", "expect.granted: must be true or false, not `\"yes\"`"),
        ("{case: a, expect: {source: betta}}", "expect.source: no flight `betta`; the product has beta; did you"),
        ("{case: a, expect: {source: Beta}}", "expect.source: no flight `Beta`; the product has beta"),
        ("{case: a, expect: {source: non-flighted}}", "expect.source: no flight `non-flighted`; the product has beta"),
        ("{case: a, change: {flights: []}, expect: {source: beta}}",
         "expect.source: no flight `beta`; the product has no flight"),
        ("{case: a, expect: {remedy: {flights: [canary]}}}",
         "expect.remedy.flights: no flight `canary`; the product has beta"),
        ("{case: a, product: APPP, EXPECT}", "product: unknown product `APPP`; did you mean `APP`?"),
        ("{case: a, in: [beat], EXPECT}", "in: no group `beat`; did you mean `beta`?"),
        ("{case: a, account: null, in: [beta], EXPECT}", "in: names groups, but nobody is signed in"),
        ("{case: a, account: [a@x.com, b@x.com, A@X.com], EXPECT}",
         "account.2: `a@x.com` is listed twice: it is also number 1"),
        ("{case: a, account: nobody, EXPECT}", "account: `nobody` has 0 `@`"),
        ("{case: a, account: [a@x.com, b@x.com], aliases: [c@x.com], EXPECT}", "aliases: belong to one account"),
        ("{case: a, account: 5, EXPECT}", "account: must be a text, not `5`"),
        ("{case: a, account: [], EXPECT}", "account: lists nothing"),
        ("{case: a, kind: msa, EXPECT}", "kind: `msa` is unknown; the known ones are microsoft, work_or_school"),
        ("{case: a, device: windows-12, EXPECT}",
         "device: `windows-12` is neither a preset nor a device of this file; did you mean `windows-11`?"),
        ("{case: a, device: [xbox, destkop], EXPECT}",
         "device.1: `destkop` is neither a preset nor a device of this file; did you mean `desktop`?"),
        ("{case: a, device: Zune/1809, EXPECT}", "device: `Zune/1809`: `Zune` is not a device family"),
        ("{case: a, device: {family: Desktop, os: 1809}, EXPECT}", "device.os: is not a known field"),
        ("{case: a, device: {family: Desktop, os_version: 22H2}, EXPECT}", "device.os_version: `22H2` is ambiguous"),
        ("{case: a, now: 2026-06-01, EXPECT}", "now: "),
        ("{case: a, installed_version: '1.x', EXPECT}", "installed_version: `1.x` is not a package version"),
        ("{case: a, market: usa, EXPECT}", "market: `usa` is not a market"),
        ("{case: a, change: {flights.1.name: B}, EXPECT}", "change: the product has nothing at `flights.1.name`"),
        ("{case: a, change: {submission.audiense: private}, EXPECT}",
         "change: the product has nothing at `submission.audiense`"),
        ("{case: a, change: {submission.audience: privat}, EXPECT}", "change: submission.audience: must be"),
        ("{case: a, change: {submission.audience: private}, EXPECT}",
         "change: `APP`: submission.audience_groups: a private audience needs"),
        ('{case: "two\\nlines", expect: {granted: true}}', "case: must be one line without"),
    ],
)  # fmt: skip
def test_a_case_that_is_wrong(run: Run, tmp_path: Path, case: str, told: str) -> None:
    told = told.replace("NO_FIELD", NO_FIELD)
    said = refused(run, tmp_path / "wrong.yaml", f"{GIVEN}  - {case.replace('EXPECT', OK)}\n")
    assert f"wrong.yaml:20  {told}" in said.replace("cases.0.", "")


def test_an_unknown_flight_is_named_with_its_own_line(run: Run, tmp_path: Path) -> None:
    case = "  - case: a\n    expect:\n      granted: true\n      source: betta\n"
    assert "wrong.yaml:23  expect.source: " in refused(run, tmp_path / "wrong.yaml", GIVEN + case)


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("title: Reader", "titel: Reader", ":1  titel: NO_FIELD `title`?"),
        ("given:", "givn:", ":2  givn: NO_FIELD `given`?"),
        ("emails: [ada@example.com]", "mails: [ada@example.com]", ":4  given.groups.beta.mails: NO_FIELD `emails`?"),
        ("[ada@example.com]", "[ada@example.com, b@example.com, ADA@example.com]",
         ":4  given.groups.beta.emails.2: `ada@example.com` is listed twice: it is also number 1"),
        ("[ada@example.com]", "[ada]", ":4  given.groups.beta.emails.0: `ada` has 0 `@`"),
        ("    beta: {", "    Beta: {", ":4  given.groups.Beta: "),
        ("groups: [beta]", "groups: [beat]", ":18  product: `APP`: flights.0.groups.0: group `beat` is not declared"),
        ("submission:", "submision:", ":9  given.products.APP.submision: NO_FIELD `submission`?"),
        ("flight_id: beta", "flight: beta", ":13  given.products.APP.flights.0.flight: NO_FIELD `flight_id`?"),
        ("version: 1.0.0.0", "version: 1.0.0",
         ":11  given.products.APP.submission.packages.0.version: `1.0.0` is not a package version"),
        ("product: APP", "produkt: APP", ":18  defaults.produkt: NO_FIELD `product`?"),
        ("product: APP, ", "", ":20  cases.0.product: is required, here or in `defaults`"),
        ("account: ada@example.com, ", "",
         ":20  cases.0.account: is required, here or in `defaults`; null = nobody signed in"),
        ("account: ada@example.com", "account: ada", ":18  defaults.account: `ada` has 0 `@`"),
        ("Desktop/Windows 11 23H2/x64", "Desktop/23H2/mips", ":18  defaults.device: `Desktop/23H2/mips`: `mips`"),
        ("given:", "given:\n  store: live",
         ":3  given.store: names the live store, but the file also declares a catalogue: use only one of them"),
        ("given:", "given:\n  store: liv", ":3  given.store: `liv` is unknown; did you mean `live`?"),
        ("given:", "given:\n  catalog: nowhere", ":3  given.catalog: "),
        ("given:", "given:\n  requirements: nowhere.toml", ":3  given.requirements: "),
        ("given:", "given:\n  publisher: A B", ":3  given.publisher: "),
        ("defaults:", "devices: {old: {family: Zune, os_version: 1809}}\ndefaults:",
         ":18  devices.old.family: `Zune` is not a device family"),
        ("title: Reader", "title: [", ":3  not YAML"),
        ("title: Reader", "title: Reader\ntitle: Again", ":2  the key `title` occurs twice"),
    ],
)  # fmt: skip
def test_a_file_that_is_wrong(run: Run, tmp_path: Path, before: str, after: str, told: str) -> None:
    text = (GIVEN + GOOD).replace(before, after, 1)
    told = told.replace("NO_FIELD", NO_FIELD)
    assert f"wrong.yaml{told}" in refused(run, tmp_path / "wrong.yaml", text)


def test_a_sentence_that_stands_twice(run: Run, tmp_path: Path) -> None:
    told = refused(run, tmp_path / "wrong.yaml", GIVEN + GOOD + GOOD)
    assert (
        "wrong.yaml:21  cases.1.case: `fine` is the name of 2 cases: a name may occur once" in told
    )


def test_no_case_at_all(run: Run, tmp_path: Path) -> None:
    assert "cases: lists nothing" in refused(run, tmp_path / "wrong.yaml", f"{GIVEN}  []\n")


def test_a_product_that_the_store_does_not_have(run: Run, tmp_path: Path) -> None:
    case = "{case: a, product: NOPE, account: null, device: xbox, expect: {granted: true}}"
    told = refused(run, tmp_path / "wrong.yaml", f"title: T\ncases:\n  - {case}\n")
    assert "wrong.yaml:3  product: unknown product `NOPE`" in told


def test_everything_is_told_at_once_in_order_of_files_and_lines(run: Run, tmp_path: Path) -> None:
    cases = "  - {case: a, device: xboks, expect: {granted: true}}\n  - {case: b, expect: {}}\n"
    (tmp_path / "zz.yaml").write_text("titel: T\n", "utf-8")
    told = refused(run, tmp_path / "wrong.yaml", GIVEN + cases)
    places = [line.split()[0].rpartition("/")[2] for line in told.splitlines()[1:]]
    assert places == ["wrong.yaml:20", "wrong.yaml:21", "zz.yaml:1", "zz.yaml:1", "zz.yaml:1"]


def test_a_catalogue_of_several_publishers_asks_whose_groups_these_are(
    run: Run, tmp_path: Path
) -> None:
    catalog = tmp_path / "catalog"
    catalog.mkdir()
    for name in ("a", "b"):
        (catalog / f"{name}.yaml").write_text(f"publisher: {name}\n", "utf-8")
    place = tmp_path / "cases"
    place.mkdir()
    text = GIVEN.replace("given:\n", "given:\n  catalog: ../catalog\n") + GOOD
    told = refused(run, place / "wrong.yaml", text)
    assert (
        "given.publisher: is required, because the catalogue has several publishers: name one of `a`, `b`"
        in told
    )


@pytest.mark.parametrize("name", ["nowhere", "empty"])
def test_what_is_not_there_is_told(run: Run, tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    ran = run("test", str(tmp_path / name), SCENARIOS)
    assert (ran.code, ran.out) == (1, "")
    assert name in ran.err


def test_a_file_named_twice_is_read_once(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(GIVEN + GOOD, "utf-8")
    assert find_files([path, tmp_path, tmp_path / "." / "a.yaml"]) == (path,)


# --- the schema for editors ---


def test_the_schema_is_one_and_travels_with_the_configuration() -> None:
    Draft202012Validator.check_schema(schema())
    assert json.loads((config_dir() / "scenario.schema.json").read_text("utf-8")) == schema()


FILES = find_files([Path(SCENARIOS), Path(LIVE), VECTORS])


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_samples_and_vectors_fit_the_schema_and_name_it(path: Path) -> None:
    text = path.read_text("utf-8")
    faults = [*Draft202012Validator(schema()).iter_errors(plain(text))]
    assert faults == []
    first, _ = text.split("\n", 1)
    named = path.parent / first.removeprefix("# yaml-language-server: $schema=")
    assert named.resolve() == (config_dir() / "scenario.schema.json").resolve()
    assert read_files([path])


@pytest.mark.parametrize("wrong", ["expct: {}", "kind: msa", "device: {os: 1}", "account: 5"])
def test_the_schema_finds_what_is_misspelt(wrong: str) -> None:
    body = plain(f"{GIVEN}  - {{case: a, {wrong}, expect: {{granted: true}}}}\n")
    assert [*Draft202012Validator(schema()).iter_errors(body)]


def plain(text: str) -> Any:
    """YAML as editors read it: moments as text."""

    class Loader(yaml.SafeLoader):
        pass

    Loader.add_constructor("tag:yaml.org,2002:timestamp", lambda _, node: node.value)
    return yaml.load(text, Loader)
