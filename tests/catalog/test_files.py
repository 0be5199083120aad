"""Catalogue files: strict YAML, faults with their lines, plans, and applying twice."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from eligibility.catalog import files
from eligibility.catalog.errors import CatalogRevisionMismatch, InvalidProduct
from eligibility.catalog.export import all_members, export
from eligibility.catalog.plan import Plan, apply_plan, make_plan
from eligibility.errors import InvalidFile
from eligibility.formats.yaml_file import load
from eligibility.resources import config_dir
from eligibility.service.service import Service
from groups.model import Consent
from tests.helpers.catalog.products import group, product, put
from tests.helpers.clock import Clock

CATALOG = """\
publisher: contoso
groups:
  beta: {name: Beta testers, emails: [ada@example.com, grace@example.com]}
products:
  APP:
    name: App
    markets: [US, NO]
    submission:
      packages:
        - file_name: app.msix
          version: 1.10.0.0
          architectures: [x64]
          targets: {Windows.Desktop: 10.0.17763.0}
    flights:
      - {flight_id: f, name: F, groups: [beta]}
"""


def apply(service: Service, directory: Path, prune: bool = False) -> list[Plan]:
    plans = []
    for declaration in files.read_directory(directory):
        plan = make_plan(declaration, service.groups, service.catalog, prune=prune)
        apply_plan(plan, declaration, service.groups, service.catalog, actor="test")
        plans.append(plan)
    return plans


def write(directory: Path, text: str, name: str = "catalog.yaml") -> Path:
    path = directory / name
    path.write_text(text, "utf-8")
    return path


def faults_of(path: Path) -> list[tuple[str, str]]:
    with pytest.raises(InvalidFile) as caught:
        files.read_directory(path)
    return [(Path(fault.loc).name, fault.code) for fault in caught.value.faults]


# --- applying ---


def test_a_directory_is_applied_and_a_second_time_changes_nothing(
    service: Service, tmp_path: Path
) -> None:
    directory = write(tmp_path, CATALOG).parent
    (first,) = apply(service, directory)
    assert [(g.group_id, g.action, g.added) for g in first.groups] == [("beta", "create", 2)]
    assert [(p.product_id, p.action) for p in first.products] == [("APP", "create")]
    revisions = service.groups.revision("contoso"), service.catalog.store.revision("contoso")
    (second,) = apply(service, directory)
    assert second.changes_nothing
    assert revisions == (
        service.groups.revision("contoso"),
        service.catalog.store.revision("contoso"),
    )


def test_the_plan_names_what_differs(service: Service, tmp_path: Path) -> None:
    path = write(tmp_path, CATALOG)
    apply(service, tmp_path)
    path.write_text(CATALOG.replace("1.10.0.0", "1.11.0.0").replace("ada@", "alan@"))
    (plan,) = apply(service, tmp_path)
    (changed,), (edited,) = plan.products, plan.groups
    assert changed.differences == ("submission.packages.0.version: 1.10.0.0 -> 1.11.0.0",)
    assert (edited.action, edited.added, edited.removed) == ("change", 1, 1)


def test_what_is_not_declared_is_left_alone_or_pruned(service: Service, tmp_path: Path) -> None:
    put(service, "OLD", product())
    write(tmp_path, CATALOG)
    (plan,) = apply(service, tmp_path)
    assert ("OLD", "left_alone") in [(p.product_id, p.action) for p in plan.products]
    assert service.catalog.store.get("OLD") is not None
    (plan,) = apply(service, tmp_path, prune=True)
    assert ("OLD", "delete") in [(p.product_id, p.action) for p in plan.products]
    assert service.catalog.store.get("OLD") is None


def test_a_plan_is_refused_when_the_store_moved_on(service: Service, tmp_path: Path) -> None:
    write(tmp_path, CATALOG)
    (declaration,) = files.read_directory(tmp_path)
    plan = make_plan(declaration, service.groups, service.catalog)
    put(service, "OTHER", product())
    with pytest.raises(CatalogRevisionMismatch):
        apply_plan(plan, declaration, service.groups, service.catalog, actor="test")


def test_a_group_without_emails_keeps_its_members(service: Service, tmp_path: Path) -> None:
    write(tmp_path, "publisher: contoso\ngroups:\n  beta: {name: Beta}\n")
    (declaration,) = files.read_directory(tmp_path)
    with pytest.raises(InvalidFile, match="needs `emails`"):
        make_plan(declaration, service.groups, service.catalog)
    service.groups.create("contoso", "Beta", ["ada@example.com"], group_id="beta", actor="test")
    assert make_plan(declaration, service.groups, service.catalog).changes_nothing


def test_a_group_cannot_be_renamed_or_emptied(service: Service, tmp_path: Path) -> None:
    group(service, "beta", "ada@example.com")
    write(
        tmp_path,
        "publisher: contoso\ngroups:\n  beta: {name: Other}\n  none: {name: N, emails: []}\n",
    )
    (declaration,) = files.read_directory(tmp_path)
    with pytest.raises(InvalidFile) as caught:
        make_plan(declaration, service.groups, service.catalog)
    assert [(fault.loc, fault.code) for fault in caught.value.faults] == [
        ("groups.beta", "GROUP_RENAMED"),
        ("groups.none", "GROUP_SIZE"),
    ]


def test_a_plan_refuses_what_the_catalogue_refuses(service: Service, tmp_path: Path) -> None:
    write(tmp_path, CATALOG.replace("groups: [beta]", "groups: [gone]"))
    (declaration,) = files.read_directory(tmp_path)
    with pytest.raises(InvalidProduct, match="gone"):
        make_plan(declaration, service.groups, service.catalog)


def test_export_gives_back_what_apply_takes(service: Service, tmp_path: Path, clock: Clock) -> None:
    (sample,) = files.read_directory(config_dir() / "sample")
    apply(service, config_dir() / "sample")
    exported = export("contoso", service.groups, service.catalog.store)
    out = tmp_path / "exported"
    assert [path.name for path in files.write_directory(out, exported)] == [
        "contoso.groups.yaml",
        "contoso.products.yaml",
    ]
    (read,) = files.read_directory(out)
    assert read.products == sample.products
    assert make_plan(read, service.groups, service.catalog).changes_nothing
    with Service(
        service.settings.model_copy(update={"store": f"sqlite:///{tmp_path / 'b.db'}"}), clock
    ) as other:
        apply(other, out)
        assert export("contoso", other.groups, other.catalog.store) == exported


# --- consent ---

NOTED = CATALOG.replace(
    "beta: {",
    "beta: {consent: {confirmed_by: Lin, at: 2026-05-01T10:00:00+02:00, text: signed}, ",
)
NOTE = Consent(confirmed_by="Lin", at=datetime(2026, 5, 1, 8, tzinfo=UTC), text="signed")


def test_a_declared_consent_is_noted_and_a_second_time_changes_nothing(
    service: Service, tmp_path: Path
) -> None:
    write(tmp_path, NOTED)
    (first,) = apply(service, tmp_path)
    assert [(g.action, g.consent) for g in first.groups] == [("create", True)]
    assert first.warnings == ()
    assert service.groups.get("contoso", "beta").consent == NOTE
    revision = service.groups.revision("contoso")
    (second,) = apply(service, tmp_path)
    assert second.changes_nothing
    assert service.groups.revision("contoso") == revision


def test_another_consent_takes_the_place_and_none_leaves_it(
    service: Service, tmp_path: Path
) -> None:
    path = write(tmp_path, NOTED)
    apply(service, tmp_path)
    path.write_text(NOTED.replace("signed", "signed again"))
    (changed,) = apply(service, tmp_path)
    (group,) = changed.groups
    assert (group.action, group.added, group.removed, group.consent) == ("change", 0, 0, True)
    again = replace(NOTE, text="signed again")
    assert service.groups.get("contoso", "beta").consent == again
    path.write_text(CATALOG)
    (left,) = apply(service, tmp_path)
    assert left.changes_nothing
    assert service.groups.get("contoso", "beta").consent == again


def test_a_consent_for_a_group_whose_members_are_kept_elsewhere_moves_nobody(
    service: Service, tmp_path: Path
) -> None:
    group(service, "beta", "ada@example.com")
    write(
        tmp_path,
        "publisher: contoso\ngroups:\n"
        "  beta: {name: beta, consent: {confirmed_by: Lin, at: 2026-05-01T08:00:00Z}}\n",
    )
    (plan,) = apply(service, tmp_path)
    assert [(g.action, g.added, g.removed) for g in plan.groups] == [("change", 0, 0)]
    stored = service.groups.get("contoso", "beta")
    assert (stored.member_count, stored.consent) == (1, replace(NOTE, text=""))


def test_an_exported_consent_applies_to_no_change(service: Service, tmp_path: Path) -> None:
    write(tmp_path, NOTED)
    apply(service, tmp_path)
    exact = replace(NOTE, at=NOTE.at + timedelta(microseconds=1))
    service.groups.set_consent("contoso", "beta", exact, actor="test")
    out = tmp_path / "out"
    files.write_directory(out, export("contoso", service.groups, service.catalog.store))
    (read,) = files.read_directory(out)
    assert read.groups["beta"].consent is not None
    assert read.groups["beta"].consent.note == exact
    assert make_plan(read, service.groups, service.catalog).changes_nothing


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("confirmed_by: Lin", "confirmed_by: ' '", "INVALID_CONSENT"),
        ("confirmed_by: Lin, ", "", "MISSING_FIELD"),
        ("text: signed", f"text: {'s' * 2_001}", "INVALID_CONSENT"),
        ("10:00:00+02:00", "10:00:00", "UNREADABLE_MOMENT"),
        ("2026-05-01T10:00:00+02:00", "'20260501'", "UNREADABLE_MOMENT"),
        ("2026-05-01T10:00:00+02:00", "1601-01-01T00:00:00Z", "UNREADABLE_MOMENT"),
        ("2026-05-01T10:00:00+02:00", "1777777777", "UNREADABLE_MOMENT"),
        ("text: signed", "by: Lin", "UNKNOWN_FIELD"),
    ],
)
def test_a_consent_that_cannot_be_kept_is_named_with_its_line(
    tmp_path: Path, old: str, new: str, code: str
) -> None:
    assert old in NOTED
    assert ("catalog.yaml:3", code) in faults_of(write(tmp_path, NOTED.replace(old, new)))


def test_export_without_members_leaves_them_out(service: Service, tmp_path: Path) -> None:
    apply(service, config_dir() / "sample")
    exported = export("contoso", service.groups, service.catalog.store, members=False)
    files.write_directory(tmp_path, exported)
    assert "@" not in (tmp_path / "contoso.groups.yaml").read_text()
    (read,) = files.read_directory(tmp_path)
    assert make_plan(read, service.groups, service.catalog).changes_nothing


def test_large_groups_and_catalogues_are_read_page_by_page(service: Service) -> None:
    group(service, "large", *(f"t{n}@example.com" for n in range(2_345)))
    assert len(list(all_members(service.groups, service.groups.get("contoso", "large")))) == 2_345
    service.catalog.apply("contoso", {f"P{n}": product() for n in range(123)}, actor="test")
    assert len(export("contoso", service.groups, service.catalog.store).products) == 123


# --- several files ---


def test_files_of_one_publisher_add_up(tmp_path: Path) -> None:
    write(tmp_path, CATALOG)
    write(
        tmp_path,
        CATALOG.replace("beta:", "more:").replace("APP:", "MORE:").replace("[beta]", "[more]"),
        "b.yml",
    )
    write(tmp_path, "publisher: fabrikam\n", "c.yaml")
    contoso, fabrikam = files.read_directory(tmp_path)
    assert set(contoso.products) == {"APP", "MORE"}
    assert set(contoso.groups) == {"beta", "more"}
    assert (fabrikam.publisher, fabrikam.products) == ("fabrikam", {})


def test_what_two_files_declare_is_refused(tmp_path: Path) -> None:
    write(tmp_path, CATALOG, "a.yaml")
    write(tmp_path, CATALOG, "b.yaml")
    assert faults_of(tmp_path) == [("b.yaml:3", "DECLARED_TWICE"), ("b.yaml:5", "DECLARED_TWICE")]


def test_every_fault_of_every_file_is_named(tmp_path: Path) -> None:
    write(tmp_path, CATALOG.replace("APP:", "APP:\n    colour: red"), "a.yaml")
    write(tmp_path, "publisher: [", "b.yaml")
    assert faults_of(tmp_path) == [("a.yaml:6", "UNKNOWN_FIELD"), ("b.yaml:1", "NOT_YAML")]


# --- bad input ---


@pytest.mark.parametrize(
    ("old", "new", "where", "code"),
    [
        ("name: App", "name: App\n    nmae: App", "catalog.yaml:7", "UNKNOWN_FIELD"),
        ("    name: App\n", "", "catalog.yaml:5", "MISSING_FIELD"),
        ("[US, NO]", "[US, no]", "catalog.yaml:7", "UNREADABLE_MARKET"),
        ("version: 1.10.0.0", "version: one", "catalog.yaml:11", "UNREADABLE_PACKAGE_VERSION"),
        ("10.0.17763.0", "22H2", "catalog.yaml:13", "AMBIGUOUS_OS_VERSION"),
        ("[x64]", "[x65]", "catalog.yaml:12", "UNREADABLE_ARCHITECTURE"),
        ("ada@example.com", "ada", "catalog.yaml:3", "INVALID_EMAIL"),
        ("  beta: {", "  be ta: {", "catalog.yaml:3", "INVALID_GROUP"),
        ("publisher: contoso", "publisher: con toso", "catalog.yaml:1", "INVALID_GROUP"),
        ("publisher: contoso", "owner: contoso", "catalog.yaml:1", "MISSING_FIELD"),
        ("name: App", "name: App\n    name: Again", "catalog.yaml:7", "DUPLICATE_KEY"),
        ("name: App", "name: App\n    ? [a]\n    : b", "catalog.yaml:7", "WRONG_KEY"),
        ("name: App", "name: !!python/object:os.system App", "catalog.yaml:6", "UNKNOWN_TAG"),
        ("name: App", "name: *app", "catalog.yaml:6", "NOT_YAML"),
        ("name: App", "name: [", "catalog.yaml:8", "NOT_YAML"),
    ],
)
def test_a_fault_is_named_with_its_line(
    tmp_path: Path, old: str, new: str, where: str, code: str
) -> None:
    assert old in CATALOG
    path = write(tmp_path, CATALOG.replace(old, new))
    assert (where, code) in faults_of(path)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"\xff\xfe", "NOT_TEXT"),
        (b"", "WRONG_TYPE"),
        (b"- a\n- b\n", "WRONG_TYPE"),
        (b"a: b\0", "NOT_YAML"),
    ],
)
def test_a_file_that_is_no_catalogue_is_refused(tmp_path: Path, content: bytes, code: str) -> None:
    path = tmp_path / "catalog.yaml"
    path.write_bytes(content)
    assert [found for _, found in faults_of(path)] == [code]


def test_a_directory_without_files_or_that_is_not_there_is_refused(tmp_path: Path) -> None:
    assert [code for _, code in faults_of(tmp_path)] == ["NO_CATALOG"]
    assert [code for _, code in faults_of(tmp_path / "gone")] == ["NO_SUCH_FILE"]


def test_nesting_without_end_is_refused(tmp_path: Path) -> None:
    assert [code for _, code in faults_of(write(tmp_path, "[" * 5_000))] == ["NOT_YAML"]
    assert [code for _, code in faults_of(write(tmp_path, "a: " + "[" * 60 + "]" * 60))] == [
        "TOO_LARGE"
    ]


def test_aliases_that_multiply_are_refused_before_they_fill_memory(tmp_path: Path) -> None:
    bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 9)
    )
    assert [code for _, code in faults_of(write(tmp_path, bomb))] == ["TOO_LARGE"]


def test_yaml_is_read_as_json_would_be() -> None:
    text = (
        "no: NO\nyes: yes\ndate: 2026-01-01\nversion: 1.10.0.0\nport: 0o17\n"
        "nothing: ~\nflag: true\nn: 12\nf: 2.5\nq: '12'\n"
    )
    value, lines = load(text, "f")
    assert value == {
        "no": "NO",
        "yes": "yes",
        "date": "2026-01-01",
        "version": "1.10.0.0",
        "port": "0o17",
        "nothing": None,
        "flag": True,
        "n": 12,
        "f": 2.5,
        "q": "12",
    }
    assert lines[("q",)] == 10
