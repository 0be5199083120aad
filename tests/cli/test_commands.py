"""The command line: what it prints for people and for programs, its exit codes, its errors."""

import json
import socket
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from eligibility import __version__
from eligibility.cli.options.base import actor as cli_actor
from eligibility.resources import config_dir
from tests.helpers.commands import READER, SAMPLE, Run

PARTNER_CENTER = sorted(str(p) for p in (config_dir() / "sample" / "partner-center").glob("*.json"))


# --- check ---


def test_check_grants_with_exit_code_0(sample: Run) -> None:
    ran = sample("check", *READER, "--os", "Windows 11 23H2", "--account", "ADA@contoso.example")
    assert ran.code == 0
    assert "granted" in ran.out
    assert "Reader_2.1.0.0.msixbundle" in ran.out
    assert "FLIGHT_MEMBER" in ran.out


def test_check_denies_with_exit_code_3_and_says_what_helps(sample: Run) -> None:
    ran = sample("check", *READER, "--os", "1507", "--account", "ada@contoso.example")
    assert ran.code == 3
    assert "OS_BELOW_PACKAGE_MINIMUM" in ran.out
    assert "Windows 10 1809" in ran.out


def test_check_explains_every_step(sample: Run) -> None:
    ran = sample("check", *READER, "--os", "1809", "--explain")
    assert ran.code == 0
    assert "what was compared" in ran.out
    assert "flight_floor" in ran.out


def test_check_takes_everything_a_query_has(sample: Run) -> None:
    ran = sample(
        *("check", "--product", "9NCONTOSOMAP", "--family", "Xbox", "--os", "10.0.22621.1"),
        *(
            "--account",
            "x@contoso.example",
            "--kind",
            "work_or_school",
            "--alias",
            "y@contoso.example",
        ),
        *("--arch", "x64", "--installed", "3.0.2.0", "--owned", "--market", "US"),
        *("--promotional-code", "--manual-check", "--json"),
    )
    assert ran.code == 3
    assert ran.json["package"]["reasons"] == ["DEVICE_FAMILY_NOT_OFFERED", "NO_PACKAGE_FOR_FAMILY"]


def test_check_as_json_is_the_decision_of_the_api(sample: Run) -> None:
    ran = sample("check", *READER, "--os", "24H2", "--account", "grace@contoso.example", "--json")
    assert ran.json["package"]["source"] == {
        "kind": "flight",
        "flight_id": "insiders",
        "name": "Insiders",
        "rank": 2,
    }
    assert "trace" not in ran.json
    assert "trace" in sample("check", *READER, "--os", "24H2", "--json", "--explain").json


@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        (("--os", "22H2"), 2, "Windows 10 22H2 or Windows 11 22H2"),
        (("--os", "banana"), 2, "device.os_version  `banana`"),
        (("--os", "24H2", "--family", "Zune"), 2, "device.family  `Zune`"),
        (("--os", "24H2", "--arch", "mips"), 2, "device.architecture  `mips`"),
        (("--os", "24H2", "--account", "ada"), 2, "account.id"),
        (("--os", "24H2", "--market", "usa"), 2, "market  `usa`"),
        (("--os", "24H2", "--installed", "2"), 2, "installed_version  `2`"),
        (("--os", "24H2", "--kind", "guest"), 2, "guest"),
        ((), 2, "--os"),
        (("--os", "24H2", "--product", "NOPE"), 1, "UNKNOWN_PRODUCT  unknown product `NOPE`"),
    ],
)
def test_check_without_a_decision_says_why(
    sample: Run, args: tuple[str, ...], code: int, words: str
) -> None:
    ran = sample("check", *READER, *args)
    assert ran.code == code
    assert words in ran.err
    assert ran.out == ""
    assert "Traceback" not in ran.err


# --- groups ---


def test_groups_are_made_shown_and_edited(run: Run, tmp_path: Path) -> None:
    ran = run("groups", "create", "Beta testers", "a@example.com; b@example.com")
    assert ran.code == 0
    assert "beta-testers: 2 added" in ran.out
    listed = run("groups", "list", "--json").json
    assert [(group["group_id"], group["member_count"]) for group in listed] == [("beta-testers", 2)]
    addresses = tmp_path / "more.txt"
    addresses.write_text("c@example.com\nA@example.com, d@example.com", "utf-8")
    ran = run("groups", "add", "beta-testers", "--file", str(addresses))
    assert "2 added, 0 removed, 1 unchanged" in ran.out
    ran = run("groups", "remove", "beta-testers", "a@example.com", "z@example.com", "--json")
    assert (ran.json["removed"], ran.json["unknown"], ran.json["member_count"]) == (1, 1, 3)
    shown = run("groups", "show", "beta-testers", "--json").json
    assert shown["members"] == ["b@example.com", "c@example.com", "d@example.com"]
    assert "b@example.com" in run("groups", "show", "beta-testers").out
    assert "Beta testers" in run("groups", "list").out


def test_a_publisher_without_groups_is_told_which_have_some(run: Run) -> None:
    assert run("groups", "list").out.strip() == "publisher default has no groups yet"
    run("groups", "create", "Beta", "a@example.com", "-P", "contoso")
    assert run("groups", "list").out.strip().endswith("; these publishers have groups: contoso")


def test_a_dry_run_changes_nothing(run: Run) -> None:
    run("groups", "create", "Beta", "a@example.com")
    ran = run("groups", "add", "beta", "b@example.com", "--dry-run")
    assert "1 would be added" in ran.out
    assert run("groups", "list", "--json").json[0]["member_count"] == 1


def test_addresses_are_read_from_standard_input(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    import io

    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"a@example.com b@example.com")))
    assert "2 added" in run("groups", "create", "Beta", "-").out


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("create", "Beta", "a@example.com"), "GROUP_EXISTS"),
        (("create", "New", "a", "b@@c.de"), "address 1 `a` has 0 `@`"),
        (("create", "New"), "GROUP_SIZE"),
        (("create", "", "a@example.com"), "INVALID_GROUP"),
        (("show", "gone"), "UNKNOWN_GROUP"),
        (("add", "gone", "a@example.com"), "UNKNOWN_GROUP"),
        (("add", "beta", "--file", "/nowhere"), "/nowhere"),
        (("remove", "beta", "a@example.com"), "GROUP_SIZE"),
    ],
)
def test_a_group_command_that_fails_says_why_and_changes_nothing(
    run: Run, args: tuple[str, ...], words: str
) -> None:
    run("groups", "create", "Beta", "a@example.com")
    ran = run("groups", *args)
    assert ran.code in (1, 2)
    assert words in ran.err
    assert len(run("groups", "list", "--json").json) == 1
    assert run("groups", "show", "beta", "--json").json["members"] == ["a@example.com"]


# --- catalog ---


def test_apply_shows_its_plan_and_a_second_time_changes_nothing(run: Run) -> None:
    first = run("catalog", "apply", SAMPLE, "--yes")
    assert first.code == 0
    assert "product 9NCONTOSORDR" in first.out
    assert "applied" in first.out
    second = run("catalog", "apply", SAMPLE)
    assert second.code == 0
    assert "nothing to change" in second.out


def test_apply_without_a_terminal_wants_yes(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    import io

    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    ran = run("catalog", "apply", SAMPLE)
    assert ran.code == 1
    assert "--yes" in ran.err
    assert run("groups", "list", "-P", "contoso", "--json").json == []


def test_apply_can_be_tried_first(run: Run) -> None:
    ran = run("catalog", "apply", SAMPLE, "--dry-run", "--json")
    actions = {p["product_id"]: p["action"] for p in ran.json["plans"][0]["products"]}
    assert set(actions.values()) == {"create"}
    assert run("check", *READER, "--os", "24H2").code == 1  # still unknown


def test_export_then_apply_changes_nothing(sample: Run, tmp_path: Path) -> None:
    out = str(tmp_path / "out")
    ran = sample("catalog", "export", out, "-P", "contoso")
    assert ran.code == 0
    assert "contoso.products.yaml" in ran.out
    assert "nothing to change" in sample("catalog", "apply", out).out
    assert "nothing to export" in sample("catalog", "export", out, "-P", "nobody").out


def test_export_to_where_nothing_can_be_written_says_so(sample: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    ran = sample("catalog", "export", str(tmp_path / "file"), "-P", "contoso")
    assert ran.code == 1
    assert "cannot write" in ran.err


def test_validate_checks_and_changes_nothing(run: Run, tmp_path: Path) -> None:
    assert "valid" in run("catalog", "validate", SAMPLE).out
    bad = tmp_path / "bad.yaml"
    bad.write_text("publisher: contoso\nproducts:\n  A: {name: A, submission: {audience: none}}\n")
    ran = run("catalog", "validate", str(bad))
    assert ran.code == 1
    assert "bad.yaml:3" in ran.err
    assert "products.A.submission.audience" in ran.err
    assert run("check", *READER, "--os", "24H2").code == 1


def test_a_file_that_is_not_yaml_is_named(run: Run, tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("publisher: [")
    ran = run("catalog", "apply", str(tmp_path), "--yes")
    assert ran.code == 1
    assert "bad.yaml:1" in ran.err
    assert "not YAML" in ran.err


def test_partner_center_files_are_imported(run: Run) -> None:
    groups = {
        "1152921504606962205": "company",
        "1152921504606962211": "daily",
        "1152921504606962212": "weekly",
    }
    for group in groups.values():
        run("groups", "create", group, f"{group}@example.com", "-P", "contoso")
    mapped = [f"--group={number}={group}" for number, group in groups.items()]
    command = ("catalog", "import-partner-center", *PARTNER_CENTER, "-P", "contoso", *mapped)
    ran = run(*command, "--yes")
    assert ran.code == 0, ran.err
    assert "those of the app apply" in ran.out
    ran = run(
        *("check", "--product", "9NCONTOSOMAIL", "--family", "Desktop"),
        *("--os", "24H2", "--arch", "x64", "--account", "daily@example.com", "--json"),
    )
    assert ran.json["package"]["package"]["version"] == "5.0.118.0"
    assert "nothing to change" in run(*command).out


def test_partner_center_groups_that_are_not_there_are_named(run: Run) -> None:
    ran = run("catalog", "import-partner-center", *PARTNER_CENTER, "--yes")
    assert ran.code == 1
    assert "group `1152921504606962211` is not declared" in ran.err


def test_partner_center_files_can_be_turned_into_a_catalogue(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "out"
    ran = run("catalog", "import-partner-center", *PARTNER_CENTER, "--out", str(out))
    assert ran.code == 0
    assert "9NCONTOSOMAIL" in (out / "default.products.yaml").read_text()


def test_a_group_of_partner_center_is_given_as_a_pair(run: Run) -> None:
    ran = run("catalog", "import-partner-center", *PARTNER_CENTER, "--group", "115")
    assert ran.code == 2
    assert "ID=GROUP" in ran.err


# --- settings, version, help ---


def test_settings_say_where_each_value_comes_from(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ELIGIBILITY_PORT", "9000")
    shown = run("settings", "--json").json
    assert shown["port"] == {"value": 9000, "from": "environment"}
    assert shown["host"]["from"] == "packaged default"
    assert "max_staleness_seconds" in run("settings").out


def test_a_bad_setting_is_named(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ELIGIBILITY_PORT", "http")
    ran = run("settings")
    assert ran.code == 1
    assert "INVALID_SETTINGS" in ran.err
    assert "port" in ran.err


def test_the_version_is_told(run: Run) -> None:
    assert run("--version").out.strip() == __version__


def test_without_a_command_help_is_shown(run: Run) -> None:
    ran = run()
    assert "serve" in ran.out + ran.err


def test_shell_completion_is_there(run: Run) -> None:
    assert "--install-completion" in run("--help").out


# --- stores that cannot be used ---


def test_a_database_that_is_not_ours_is_left_alone(run: Run, tmp_path: Path) -> None:
    theirs = tmp_path / "theirs.db"
    with sqlite3.connect(theirs) as connection:
        connection.execute("CREATE TABLE t (x)")
    connection.close()
    before = theirs.read_bytes()
    ran = run("groups", "list", "--store", f"sqlite:///{theirs}")
    assert ran.code == 1
    assert "NOT_OUR_DATABASE" in ran.err
    assert theirs.read_bytes() == before


def test_a_database_of_a_newer_version_is_left_alone(sample: Run, store_url: str) -> None:
    path = store_url.removeprefix("sqlite:///")
    with sqlite3.connect(path) as connection:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        connection.execute(f"PRAGMA user_version = {version + 1}")
    connection.close()
    ran = sample("groups", "list")
    assert ran.code == 1
    assert "NEWER_DATABASE" in ran.err


def test_a_store_of_another_kind_is_refused(run: Run) -> None:
    ran = run("groups", "list", "--store", "mysql://localhost/x")
    assert ran.code == 1
    assert "INVALID_STORE_URL" in ran.err
    assert "mysql" in ran.err


def test_a_directory_that_cannot_be_written_is_named(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    ran = run("groups", "list", "--store", f"sqlite:///{tmp_path / 'file' / 'x.db'}")
    assert ran.code == 1
    assert "file" in ran.err
    assert "Traceback" not in ran.err


# --- serve, before it serves ---


def test_serve_names_a_port_in_use(run: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ran = run("serve", "--port", str(port))
    assert ran.code == 1
    assert f"port `{port}`" in ran.err
    assert "in use" in ran.err
    assert "--port" in ran.err


def test_serve_names_a_host_that_is_not_here(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    run("keys", "create", "--name", "ops", "--scope", "admin", "--all-publishers")
    monkeypatch.setenv("ELIGIBILITY_TRUSTED_PROXIES", "10.0.0.1")
    ran = run("serve", "--host", "no-such-host.invalid")
    assert ran.code == 1
    assert "no-such-host.invalid" in ran.err


# --- what edits and plans do to access ---

PRIVATE = """\
publisher: contoso
groups:
  beta: {name: Beta, emails: [ada@x.com]}
  canary: {name: Canary, emails: [grace@x.com]}
products:
  APP:
    name: App
    submission: {audience: private, audience_groups: [beta], packages: []}
    flights:
      - flight_id: c
        name: C
        groups: [canary]
        packages:
          - {file_name: a, version: 1.0.0.0, architectures: [x64], targets: {Windows.Desktop: "14393"}}
"""


@pytest.fixture
def private(run: Run, tmp_path: Path) -> Path:
    """The directory of a catalogue that was applied."""
    directory = tmp_path / "private"
    directory.mkdir()
    (directory / "c.yaml").write_text(PRIVATE)
    assert run("catalog", "apply", str(directory), "--yes").code == 0
    return directory


def test_a_dry_run_of_a_plan_says_who_gains_what(run: Run, tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text(PRIVATE)
    ran = run("catalog", "apply", str(tmp_path), "--dry-run")
    assert "now see the private product" in ran.out
    assert "gain flight c (has no effect: not in the private audience)" in ran.out
    assert run("groups", "list", "-P", "contoso", "--json").json == []


def test_a_plan_that_makes_a_product_public_says_that_everybody_gains_sight(
    run: Run, private: Path
) -> None:
    public = PRIVATE.replace("audience: private, audience_groups: [beta]", "audience: public")
    (private / "c.yaml").write_text(public)
    ran = run("catalog", "apply", str(private), "--dry-run")
    assert "everybody" in ran.out
    assert "private product" not in ran.out
    (effects,) = run("catalog", "apply", str(private), "--dry-run", "--json").json["effects"]
    assert effects["products"][0]["becomes_public"]


@pytest.mark.parametrize(
    "command",
    [
        ("groups", "add", "beta", "grace@x.com"),
        ("groups", "import", "beta", "new.csv", "--merge"),
    ],
)
def test_a_dry_run_of_an_edit_says_who_gains_what(
    run: Run, private: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    monkeypatch.chdir(private)
    Path("new.csv").write_text("email\ngrace@x.com\n")
    ran = run(*command, "-P", "contoso", "--dry-run")
    assert "now see the private product" in ran.out
    assert "gain flight c " in ran.out
    found = run(*command, "-P", "contoso", "--dry-run", "--json").json
    assert found["joined"] == ["grace@x.com"]
    assert [c["kind"] for c in found["effects"]["products"][0]["changes"]] == ["audience", "flight"]
    assert "effects" not in run(*command, "-P", "contoso", "--json").json


def test_a_missing_consent_note_is_a_warning_and_no_failure(run: Run, private: Path) -> None:
    for command in (("validate",), ("apply", "--dry-run"), ("apply", "--yes")):
        ran = run("catalog", command[0], str(private), *command[1:])
        assert (ran.code, ran.out.count("nobody confirmed")) == (0, 2)
    told = run("catalog", "validate", str(private), "--json").json["warnings"]
    assert [(one["code"], one["group_id"]) for one in told] == [
        ("NO_CONSENT_NOTE", "beta"),
        ("NO_CONSENT_NOTE", "canary"),
        ("FLIGHT_OUTSIDE_AUDIENCE", ""),
    ]
    (plan,) = run("catalog", "apply", str(private), "--dry-run", "--json").json["plans"]
    assert plan["warnings"] == told
    run("groups", "consent", "beta", "--confirmed-by", "Lin", "-P", "contoso")
    assert run("catalog", "validate", str(private)).out.count("nobody confirmed") == 1


# --- audit ---


def test_the_trail_is_listed_for_people_and_for_programs(sample: Run) -> None:
    ran = sample("audit", "list", "--limit", "2")
    assert ran.code == 0
    assert "more with --cursor" in ran.out
    page = sample("audit", "list", "--limit", "2", "--json").json
    older = sample("audit", "list", "--cursor", page["next_cursor"], "--json").json
    every = sample("audit", "list", "--json").json
    assert every["items"] == page["items"] + older["items"]
    kinds = {item["kind"] for item in every["items"]}
    assert {"catalog.products", "group.members"} <= kinds
    assert {item["who"] for item in every["items"]} == {cli_actor()}
    assert "@" not in json.dumps(every)
    assert sample("audit", "list", "--publisher", "nobody", "--json").json["items"] == []
    assert sample("audit", "list", "--since", "2999-01-01T00:00:00Z", "--json").json["items"] == []


@pytest.mark.parametrize(
    "wrong",
    [("list", "--since", "yesterday"), ("list", "--cursor", "x"), ("verify", "--since", "x")],
)
def test_what_audit_cannot_read_is_wrong_usage(run: Run, wrong: tuple[str, ...]) -> None:
    ran = run("audit", *wrong)
    assert ran.code == 2
    assert f"{wrong[1]}  " in ran.err


def test_a_trail_that_is_as_it_was_written_is_said_to_be(sample: Run, tmp_path: Path) -> None:
    ran = sample("audit", "verify")
    assert ran.code == 0
    assert "none of them tampered with" in ran.out
    kept = tmp_path / "heads.json"
    kept.write_text(sample("audit", "heads").out)
    assert json.loads(kept.read_text()) == sample("audit", "verify", "--json").json["heads"]
    sample("groups", "create", "New", "new@contoso.example", "--publisher", "contoso")
    assert sample("audit", "verify", "--since", str(kept)).code == 0


def test_what_was_changed_is_named_with_exit_code_3(
    sample: Run, store_url: str, tmp_path: Path
) -> None:
    kept = tmp_path / "heads.json"
    kept.write_text(sample("audit", "heads").out)
    with closing(sqlite3.connect(store_url.removeprefix("sqlite:///"))) as file, file:
        file.execute("UPDATE edit SET actor = 'somebody else' WHERE revision = 1")
        file.execute("DELETE FROM product_version")
        file.execute("DELETE FROM catalog_revision")
        file.execute("DELETE FROM product")
    ran = sample("audit", "verify")
    assert ran.code == 3
    assert "groups:contoso revision 1 was changed" in ran.out
    assert "catalog:" not in ran.out
    ran = sample("audit", "verify", "--since", str(kept))
    assert "catalog:contoso revision 1 is missing, and so is the whole chain" in ran.out
    found = sample("audit", "verify", "--json")
    assert found.code == 3
    assert [(one["chain"], one["revision"]) for one in found.json["findings"]] == [
        ("groups:contoso", 1)
    ]


def test_what_an_earlier_release_wrote_is_a_note(sample: Run, store_url: str) -> None:
    with closing(sqlite3.connect(store_url.removeprefix("sqlite:///"))) as file, file:
        file.execute("UPDATE edit SET chain = NULL")
        file.execute("UPDATE group_revision SET chain = NULL")
    sample("groups", "create", "New", "new@contoso.example", "--publisher", "contoso")
    ran = sample("audit", "verify")
    assert ran.code == 0
    assert "groups:contoso: entries before revision" in ran.out


def test_a_forgetting_stands_in_the_trail_without_the_person(run: Run) -> None:
    run("groups", "create", "Beta", "ada@x.com", "bob@x.com")
    assert run("groups", "forget", "ada@x.com", "--yes").code == 0
    (noted,) = (
        item
        for item in run("audit", "list", "--json").json["items"]
        if item["kind"] == "person.forgotten"
    )
    assert noted["what"] == {"publisher": "default", "groups": "beta", "history": "2"}
    assert run("audit", "verify").code == 0
