"""`eligibility test --record`: a query and its answer become a case that holds."""

from pathlib import Path
from typing import Any

import pytest

from eligibility.formats.atomic_file import write_whole
from eligibility.formats.yaml_file import load
from tests.helpers.commands import Run, runner
from tests.helpers.scenarios import SAMPLE

READER = ("--product", "9NCONTOSORDR", "--family", "Desktop", "--os", "24H2", "--arch", "x64")
MAPS = ("--product", "9NCONTOSOMAP", "--family", "Desktop", "--os", "24H2", "--market", "US")
ADA = ("--account", "ada@contoso.example")


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], store_url: str) -> Run:
    run = runner(monkeypatch, capsys, store_url)
    assert run("catalog", "apply", str(SAMPLE), "--yes").code == 0
    return run


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "recorded.yaml"


def read(file: Path) -> Any:
    return load(file.read_text("utf-8"), str(file))[0]


def test_what_the_store_answers_is_written_down_and_holds(run: Run, file: Path) -> None:
    ran = run("test", "--record", str(file), *READER, *ADA, "--installed", "1.4.0.0")
    assert ran.code == 0
    assert "Reader_2.1.0.0.msixbundle" in ran.out
    assert read(file) == {
        "title": "Recorded from the store",
        "given": {"store": "live"},
        "cases": [
            {
                "case": "ada@contoso.example on Windows 11 24H2, x64 gets canary 2.1.0.0",
                "product": "9NCONTOSORDR",
                "account": "ada@contoso.example",
                "device": {
                    "family": "Windows.Desktop",
                    "os_version": "10.0.26100.0",
                    "architecture": "x64",
                },
                "installed_version": "1.4.0.0",
                "expect": {
                    "granted": True,
                    "source": "canary",
                    "version": "2.1.0.0",
                    "action": "update",
                    "reasons": ["FLIGHT_MEMBER"],
                },
            }
        ],
    }
    assert run("test", str(file)).code == 0


def test_a_recorded_case_notices_when_the_store_changes(run: Run, file: Path) -> None:
    run("test", "--record", str(file), *READER, "--account", "linus@contoso.example")
    run("test", "--record", str(file.with_name("inline.yaml")), *READER, "--inline", *ADA)
    run("groups", "remove", "-P", "contoso", "insiders", "linus@contoso.example")
    assert run("test", str(file)).code == 1
    assert run("test", str(file.with_name("inline.yaml"))).code == 0


@pytest.mark.parametrize(
    "query",
    [
        (*READER,),
        (*READER, *ADA, "--kind", "work_or_school"),
        (*READER, "--account", "x@contoso.example", "--alias", "grace@contoso.example"),
        (*MAPS, *ADA, "--installed", "3.0.2.0", "--manual-check", "--owned", "--promotional-code"),
        ("--product", "9NCONTOSOSKT", "--family", "Xbox", "--os", "1809"),
        ("--product", "9NCONTOSOSKT", "--family", "Xbox", "--os", "1809", "--at", "2031-03-01T09:00:00Z"),
        ("--product", "9NCONTOSORDR", "--family", "Desktop", "--os", "1507", *ADA),
    ],
)  # fmt: skip
@pytest.mark.parametrize("how", [(), ("--inline",), ("--mask",), ("--inline", "--mask")])
def test_whatever_is_recorded_holds(
    run: Run, file: Path, query: tuple[str, ...], how: tuple[str, ...]
) -> None:
    assert run("test", "--record", str(file), *query, *how).code == 0
    assert run("test", "--record", str(file), *query, *how, "--case", "Again").code == 0
    ran = run("test", str(file))
    assert ran.code == 0
    assert "2 cases" in ran.out


def test_an_inline_case_needs_no_store(run: Run, file: Path, tmp_path: Path) -> None:
    assert run("test", "--record", str(file), *READER, *ADA, "--inline").code == 0
    body = read(file)
    assert list(body["given"]["products"]) == ["9NCONTOSORDR"]
    assert body["cases"][0]["in"] == ["canary-testers", "insiders"]
    assert "grace" not in file.read_text("utf-8")  # of other members nothing
    elsewhere = f"sqlite:///{tmp_path / 'other.db'}"
    assert run("test", str(file), "--store", elsewhere).code == 0
    assert not (tmp_path / "other.db").exists()


@pytest.mark.parametrize(("account", "side"), [("joan", "ROLLOUT_INCLUDED"), ("mary", "ROLLOUT_EXCLUDED")])  # fmt: skip
def test_a_masked_address_is_on_the_same_side_of_a_rollout(
    run: Run, file: Path, account: str, side: str
) -> None:
    address = f"{account}@contoso.example"
    run(
        "test",
        "--record",
        str(file),
        *MAPS,
        "--account",
        address,
        "--installed",
        "3.0.2.0",
        "--mask",
    )
    assert account not in file.read_text("utf-8")
    assert side in read(file)["cases"][0]["expect"]["reasons"]
    assert run("test", str(file)).code == 0


# --- into a file that is there ---


def test_not_a_letter_of_a_file_is_changed(run: Run, file: Path) -> None:
    text = (
        "# Mine.\ntitle: Mine  # and its title\ncases:\n"
        "    # the first\n    - {case: a, product: 9NCONTOSORDR, account: null, device: xbox,"
        " expect: {granted: true}}\n\n    # the last line\n"
    )
    file.write_text(text, "utf-8")
    assert run("test", "--record", str(file), *READER, *ADA).code == 0
    assert file.read_text("utf-8").startswith(text)
    assert len(read(file)["cases"]) == 2


def test_a_file_with_a_catalogue_of_its_own_gets_groups_and_moment(run: Run, file: Path) -> None:
    file.write_text(
        f"title: T\ngiven: {{catalog: {SAMPLE / 'contoso.yaml'}}}\ncases:\n"
        "- {case: a, product: 9NCONTOSORDR, account: null, device: Xbox/1903, expect: {granted: true}}\n",
        "utf-8",
    )
    assert run("test", "--record", str(file), *READER, *ADA).code == 0
    assert read(file)["cases"][1]["in"] == ["canary-testers", "insiders"]
    assert run("test", str(file)).code == 0


@pytest.mark.parametrize(
    ("text", "how", "told"),
    [
        ("title: T\ncases: [{0}]\n", (), ":2  `cases` is the last key"),
        ("cases:\n- {0}\ntitle: T\n", (), ":3  `title` is the last key"),
        ("title: T\ncases:\n- {0}\n", ("--inline",), "queries the live store"),
        ("title: T\ncases:\n- {0}\n", ("--case", "one"), "is the name of 2 cases"),
        ("titel: T\ncases:\n- {0}\n", (), "did you mean `title`"),
        ("title: T\ngiven: {{catalog: {1}}}\ncases:\n- {0}\n", (), "answers differently: source: expected canary, got"),
    ],
)  # fmt: skip
def test_where_the_case_does_not_fit_the_file_stays_as_it_is(
    run: Run, file: Path, text: str, how: tuple[str, ...], told: str
) -> None:
    other = (SAMPLE / "contoso.yaml").read_text("utf-8").replace("2.1.0.0", "2.2.0.0")
    catalog = file.with_name("catalog.yaml")
    catalog.write_text(other.replace("flight_id: canary", "flight_id: dev"), "utf-8")
    one = "{case: one, product: 9NCONTOSORDR, account: null, device: Xbox/1903, expect: {granted: true}}"
    before = text.format(one, catalog)
    file.write_text(before, "utf-8")
    ran = run("test", "--record", str(file), *READER, *ADA, *how)
    assert ran.code == 1
    assert told in ran.err
    assert file.read_text("utf-8") == before


def test_an_unknown_product_leaves_no_file(run: Run, file: Path) -> None:
    ran = run("test", "--record", str(file), "--product", "X", "--family", "Xbox", "--os", "1809")
    assert ran.code == 1
    assert not file.exists()


# --- written whole or not at all ---


def test_a_file_is_replaced_in_one_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file.txt"
    path.write_text("before", "utf-8")
    path.chmod(0o640)
    write_whole(path, "after")
    assert path.read_text("utf-8") == "after"
    assert path.stat().st_mode & 0o777 == 0o640

    def cut_off(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("os.fsync", cut_off)
    with pytest.raises(KeyboardInterrupt):
        write_whole(path, "half")
    assert path.read_text("utf-8") == "after"
    assert [*tmp_path.iterdir()] == [path]
