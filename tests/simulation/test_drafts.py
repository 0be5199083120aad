"""Drafts read from files: edits of groups, a catalogue, other floors; and laid over a state."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from eligibility.catalog.errors import InvalidProduct
from eligibility.errors import InvalidFile, InvalidInput, InvalidSettings, UnknownProduct
from eligibility.service.service import Service
from eligibility.simulation.inputs.drafts import NO_DRAFT, Draft, MemberMoves, read_draft
from eligibility.windows.versions import parse_os_version
from tests.helpers.catalog.products import DESKTOP, flight, group, product, put, query
from tests.helpers.clock import Clock
from tests.helpers.repository import ROOT

ADA, BOB, CLEO = "ada@example.com", "bob@example.com", "cleo@example.com"


@pytest.fixture
def edits(tmp_path: Path) -> Path:
    return tmp_path / "edits.csv"


@pytest.fixture
def draft_yaml(tmp_path: Path) -> Path:
    return tmp_path / "draft.yaml"


def moves(file: Path) -> Mapping[str, MemberMoves]:
    return read_draft("contoso", groups=file).groups


def refused(file: Path) -> list[tuple[str, str, str]]:
    with pytest.raises(InvalidInput) as caught:
        moves(file)
    return [(fault.loc, fault.code, fault.detail) for fault in caught.value.faults]


# --- edits of groups ---


def test_edits_say_who_comes_and_who_goes(edits: Path) -> None:
    edits.write_text(
        f"group,account,change\nbeta,Ada@Example.com,add\nbeta,{BOB},Remove\nalpha,{CLEO},\n"
    )
    assert moves(edits) == {
        "beta": MemberMoves(added=frozenset({ADA}), removed=frozenset({BOB})),
        "alpha": MemberMoves(added=frozenset({CLEO})),
    }


def test_without_a_column_for_it_everybody_comes(edits: Path) -> None:
    edits.write_text(f"account;group\r\n{ADA};beta\r\n")
    assert moves(edits) == {"beta": MemberMoves(added=frozenset({ADA}))}


@pytest.mark.parametrize(("first", "then"), [("add", "remove"), ("remove", "add")])
def test_an_account_that_is_added_and_removed_is_refused(
    edits: Path, first: str, then: str
) -> None:
    """As over HTTP and from Python; the order of two lines of a table is easily changed."""
    edits.write_text(f"group,account,change\nbeta,{ADA},{first}\nalpha,{ADA},{then}\n")
    assert moves(edits).keys() == {"beta", "alpha"}
    edits.write_text(f"group,account,change\nbeta,{ADA},{first}\nbeta,{ADA.upper()},{then}\n")
    ((loc, code, detail),) = refused(edits)
    assert (loc, code) == (f"{edits}:3", "ADDED_AND_REMOVED")
    assert f"`{ADA}`" in detail


@pytest.mark.parametrize(
    ("row", "code", "said"),
    [
        ("beta,nobody,add", "INVALID_EMAIL", "account: `nobody`"),
        (f"beta,{ADA},join", "WRONG_VALUE", "change: `join` is neither `add` nor `remove`"),
        (f",{ADA},add", "MISSING_VALUE", "group: has no group"),
        (f"beta,{ADA},add,now", "TOO_MANY_CELLS", "has 4 cells, but the header has 3"),
    ],
)
def test_a_bad_edit_is_named_with_file_line_and_value(
    edits: Path, row: str, code: str, said: str
) -> None:
    edits.write_text(f"group,account,change\nbeta,{BOB},add\n{row}\n")
    ((loc, found, detail),) = refused(edits)
    assert (loc, found) == (f"{edits}:3", code)
    assert said in detail


def test_everything_wrong_with_a_line_is_told(edits: Path) -> None:
    edits.write_text("group,account,change\n,nobody,join\n")
    assert {code for _, code, _ in refused(edits)} == {
        "INVALID_EMAIL",
        "WRONG_VALUE",
        "MISSING_VALUE",
    }


def test_a_misspelt_column_is_told_with_what_was_meant(edits: Path) -> None:
    edits.write_text(f"group,account,chagne\nbeta,{ADA},add\n")
    ((loc, code, detail),) = refused(edits)
    assert (loc, code) == (f"{edits}:1", "UNKNOWN_COLUMN")
    assert "did you mean `change`?" in detail


def test_a_file_that_is_not_there_is_named(edits: Path) -> None:
    ((loc, code, _),) = refused(edits)
    assert (loc, code) == (str(edits), "UNREADABLE")


# --- a catalogue ---

CATALOG = f"""\
publisher: contoso
groups:
  beta: {{name: Beta, emails: [{ADA}]}}
  kept: {{name: Kept elsewhere}}
products:
  APP:
    name: App
    submission:
      packages:
        - {{file_name: a.msix, version: 1.0.0.0, architectures: [x64],
           targets: {{Windows.Desktop: 10.0.10240.0}}}}
"""


def test_a_catalogue_declares_products_and_whole_groups(draft_yaml: Path) -> None:
    draft_yaml.write_text(CATALOG)
    draft = read_draft("contoso", catalog=draft_yaml)
    assert draft.groups == {"beta": MemberMoves(added=frozenset({ADA}), whole=True)}
    assert list(draft.products) == ["APP"]
    assert draft.requirements is None


def test_edits_go_over_what_the_catalogue_declares(draft_yaml: Path, edits: Path) -> None:
    draft_yaml.write_text(CATALOG)
    edits.write_text(f"group,account,change\nbeta,{BOB},add\nbeta,{ADA},remove\n")
    draft = read_draft("contoso", catalog=draft_yaml, groups=edits)
    assert draft.groups["beta"].over([CLEO]) == [BOB]


def test_a_catalogue_of_somebody_else_is_no_draft(draft_yaml: Path) -> None:
    draft_yaml.write_text(CATALOG)
    with pytest.raises(InvalidInput, match="nothing of publisher `fabrikam`, only of `contoso`"):
        read_draft("fabrikam", catalog=draft_yaml)


def test_a_catalogue_with_an_unknown_key_is_refused_with_file_and_line(draft_yaml: Path) -> None:
    draft_yaml.write_text(CATALOG.replace("    name: App", "    nam: App"))
    with pytest.raises(InvalidFile, match=r"draft\.yaml:7"):
        read_draft("contoso", catalog=draft_yaml)


# --- other floors ---


def test_other_floors_are_read(tmp_path: Path) -> None:
    file = tmp_path / "draft.toml"
    config = ROOT / "config" / "requirements.toml"
    file.write_text(config.read_text().replace('">=10.0.10586"', '">=10.0.22000"'))
    requirements = read_draft("contoso", requirements=file).requirements
    assert requirements is not None
    for version, floor in (("10.0.19045.0", "BELOW"), ("10.0.22000.0", "MET")):
        found = requirements.flight.check("Windows.Desktop", parse_os_version(version))
        assert found.name == floor


def test_floors_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "draft.toml"
    file.write_text("[flihgt]\n")
    with pytest.raises(InvalidSettings, match="flihgt"):
        read_draft("contoso", requirements=file)


# --- laid over what is stored ---


@pytest.fixture
def stored(service: Service, clock: Clock) -> Service:
    group(service, "beta", ADA, BOB)
    put(service, "APP", product(flight("canary", ["beta"], "2.0.0.0")))
    clock.advance(3_600)
    return service


def version(service: Service, draft: Draft, who: str, product_id: str = "APP") -> str | None:
    decision = service.states.read(product_id, draft=draft).decide(query(product_id, who))
    return decision.package.package.version if decision.package.package else None


def test_a_draft_changes_the_answers_and_nothing_else(stored: Service) -> None:
    draft = Draft("contoso", {"beta": MemberMoves(frozenset({CLEO}), frozenset({BOB}))})
    drafted = [version(stored, draft, who) for who in (ADA, BOB, CLEO)]
    assert drafted == ["2.0.0.0", "1.0.0.0", "2.0.0.0"]
    saved = [version(stored, NO_DRAFT, who) for who in (ADA, BOB, CLEO)]
    assert saved == ["2.0.0.0", "2.0.0.0", "1.0.0.0"]
    assert stored.evaluator.decide(query("APP", CLEO)).package.package is not None


def test_a_group_that_nobody_declared_is_refused(stored: Service) -> None:
    draft = Draft("contoso", {"betta": MemberMoves(frozenset({CLEO}))})
    with pytest.raises(InvalidInput) as caught:
        stored.states.read("APP", draft=draft)
    ((fault),) = caught.value.faults
    assert (fault.loc, fault.code) == ("groups.betta", "UNKNOWN_GROUP")


def test_a_new_group_and_a_new_product_can_be_drafted_together(stored: Service) -> None:
    draft = Draft(
        "contoso",
        {"inner": MemberMoves(frozenset({CLEO}), whole=True)},
        {"NEW": product(flight("first", ["inner"], "5.0.0.0"))},
    )
    found = [version(stored, draft, who, "NEW") for who in (ADA, CLEO)]
    assert found == ["1.0.0.0", "5.0.0.0"]
    with pytest.raises(UnknownProduct):
        stored.states.read("NEW")


@pytest.mark.parametrize(
    ("moves", "said"),
    [
        (MemberMoves(removed=frozenset({ADA, BOB})), "would have 0 members"),
        (
            MemberMoves(frozenset(f"s{number}@example.com" for number in range(9_999))),
            "would have 10001 members",
        ),
    ],
)
def test_a_group_of_a_size_that_no_group_has_is_refused(
    stored: Service, moves: MemberMoves, said: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        stored.states.read("APP", draft=Draft("contoso", {"beta": moves}))
    (fault,) = caught.value.faults
    assert (fault.loc, fault.code) == ("groups.beta", "GROUP_SIZE")
    assert said in fault.detail


def test_a_product_that_could_not_be_saved_is_no_draft(stored: Service) -> None:
    drafted = product(flight("canary", ["nowhere"], "2.0.0.0"))
    with pytest.raises(InvalidProduct, match="`nowhere`"):
        stored.states.read("APP", draft=Draft("contoso", products={"APP": drafted}))


def test_other_floors_decide_otherwise(stored: Service, tmp_path: Path) -> None:
    file = tmp_path / "draft.toml"
    config = ROOT / "config" / "requirements.toml"
    file.write_text(config.read_text().replace('">=10.0.10586"', '">=10.0.26100"'))
    assert DESKTOP["os_version"] == "10.0.22631.3007"
    draft = read_draft("contoso", requirements=file)
    assert [version(stored, one, ADA) for one in (NO_DRAFT, draft)] == ["2.0.0.0", "1.0.0.0"]
