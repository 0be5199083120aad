"""Accounts to simulate: written out, from files as people keep them, and members of groups."""

import time
from pathlib import Path

import pytest

from eligibility.access.asker import NOBODY, PLAIN, Asker
from eligibility.access.codes import AccountKind
from eligibility.access.model import Account
from eligibility.errors import InvalidInput
from eligibility.simulation.inputs.accounts import read_accounts
from eligibility.simulation.inputs.population import Population
from groups import csv_file
from groups.errors import InvalidCsv, UnknownGroup

MEMBERS = {"beta": ["ada@example.com", "bob@example.com"], "v1.2": ["cleo@example.com"]}


def members(group_id: str) -> list[str]:
    if group_id not in MEMBERS:
        raise UnknownGroup("contoso", group_id)
    return MEMBERS[group_id]


def read(text: object, defaults: Asker = PLAIN) -> Population:
    return read_accounts(str(text), members, defaults)


def askers(population: Population) -> list[Asker]:
    return [population.asker(place) for place in range(len(population))]


def refused(text: object) -> list[tuple[str, str, str]]:
    with pytest.raises(InvalidInput) as caught:
        read(text)
    return [(fault.loc, fault.code, fault.detail) for fault in caught.value.faults]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "testers.csv"


# --- written out ---


def test_addresses_are_canonical_and_each_is_there_once() -> None:
    assert list(read("Ada@Example.com, bob@example.com,ada@example.com ").names) == [
        "ada@example.com",
        "bob@example.com",
    ]


def test_anonymous_is_nobody_signed_in() -> None:
    population = read("ada@example.com,anonymous")
    assert list(population.names) == ["ada@example.com", NOBODY]
    assert askers(population) == [Asker(Account("ada@example.com")), Asker()]


def test_what_holds_of_all_holds_of_each() -> None:
    told = Asker(installed_version="1.0.0.0", owned=True)
    assert askers(read("ada@example.com,-", told)) == [
        Asker(Account("ada@example.com"), "1.0.0.0", True),
        told,
    ]


def test_a_group_is_its_members() -> None:
    assert list(read("beta").names) == MEMBERS["beta"]


def test_groups_files_and_addresses_add_up(file: Path) -> None:
    file.write_text("dan@example.com\nada@example.com\n")
    assert list(read(f"beta,{file},eve@example.com,v1.2").names) == [
        "ada@example.com",
        "bob@example.com",
        "dan@example.com",
        "eve@example.com",
        "cleo@example.com",
    ]


def test_an_unknown_group_is_refused() -> None:
    with pytest.raises(UnknownGroup, match="`betta`"):
        read("beta,betta")


@pytest.mark.parametrize("text", ["tsters.csv", "lists/testers", "lists/testers.txt"])
def test_a_file_that_is_not_there_is_named_as_a_file(text: str) -> None:
    ((loc, code, detail),) = refused(text)
    assert (loc, code) == ("--accounts", "UNKNOWN_ACCOUNTS")
    assert f"`{text}` is neither a file nor a group" in detail


@pytest.mark.parametrize("text", ["", " ,"])
def test_no_account_at_all_is_refused(text: str) -> None:
    ((_, code, _),) = refused(text)
    assert code == "NO_ACCOUNTS"


def test_a_bad_address_is_named() -> None:
    ((loc, code, detail),) = refused("ada@example.com,ada@@example.com")
    assert (loc, code) == ("--accounts", "INVALID_EMAIL")
    assert "`ada@@example.com`" in detail


# --- plain lists ---


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_list_is_read_as_spreadsheets_write_it(file: Path, encoding: str, end: str) -> None:
    lines = ("Ada@example.com", "", '"bob@example.com"', "jörg@example.com", "ada@example.com")
    file.write_bytes(end.join(lines).encode(encoding))
    assert list(read(file).names) == ["ada@example.com", "bob@example.com", "jörg@example.com"]


def test_a_list_under_the_header_of_an_export_is_read(file: Path) -> None:
    for header in ("email", "E-mail", "Email Address", "account"):
        file.write_text(f"{header}\nada@example.com\n")
        assert list(read(file).names) == ["ada@example.com"]


def test_an_address_that_a_spreadsheet_would_take_for_a_formula_is_read_back(file: Path) -> None:
    """The export puts an apostrophe before it (groups/csv_file.py)."""
    for header in ("", "email\n"):
        file.write_text(f"{header}'+ada@example.com\n=bob@example.com\n")
        assert list(read(file).names) == ["+ada@example.com", "=bob@example.com"]


def test_anonymous_may_stand_in_a_list(file: Path) -> None:
    file.write_text("anonymous\nada@example.com\n")
    assert list(read(file).names) == [NOBODY, "ada@example.com"]


def test_several_addresses_on_a_line_without_a_header_are_refused(file: Path) -> None:
    """Which of them counts would be a guess, and the others lost."""
    file.write_text("ada@example.com\nbob@example.com,cleo@example.com\n")
    ((loc, code, detail),) = refused(file)
    assert (loc, code) == (f"{file}:2", "SEVERAL_ADDRESSES")
    assert "header" in detail


def test_every_bad_line_of_a_list_is_named(file: Path) -> None:
    file.write_text("ada@example.com\nnobody\nbob@\n")
    assert [(loc, code) for loc, code, _ in refused(file)] == [
        (f"{file}:2", "INVALID_EMAILS"),
        (f"{file}:3", "INVALID_EMAILS"),
    ]
    assert "account: `nobody`" in refused(file)[0][2]


def test_a_file_of_another_kind_is_not_read_to_its_end(file: Path) -> None:
    file.write_text("ada@example.com\n" + "nobody\n" * 5_000)
    assert refused(file)[-1][1] == "TOO_MANY_FAULTS"


def test_a_huge_list_costs_a_text_an_account(file: Path) -> None:
    names = [f"user{number:06d}@example.com" for number in range(300_000)]
    file.write_text("\n".join(names))
    started = time.process_time()
    population = read(file)
    assert time.process_time() - started < 6
    assert population.names == names
    assert not population.others


# --- the files that groups are imported from ---

LISTS = Path(__file__).parent.parent / "data" / "lists"


@pytest.mark.parametrize("name", sorted(path.name for path in LISTS.iterdir()))
def test_a_file_is_read_as_groups_import_reads_it(name: str) -> None:
    path = LISTS / name
    try:
        imported = list(csv_file.read(path.read_bytes()))
    except InvalidCsv as error:
        details = [
            f"account: {f.detail}" if f.code == "INVALID_EMAIL" else f.detail for f in error.faults
        ]
        assert [detail for _, _, detail in refused(path)] == details
        return
    assert list(read(path).names) == imported


def test_columns_that_say_nothing_of_an_account_are_not_read(file: Path) -> None:
    file.write_text("Name;E-Mail;Market;Team\nDoe, Jane;jane@x.com;US;Red\nBob;bob@x.com;;\n")
    assert askers(read(file)) == [
        Asker(Account("jane@x.com"), market="US"),
        Asker(Account("bob@x.com")),
    ]


def test_an_address_nobody_can_sign_in_with_is_refused(file: Path) -> None:
    file.write_text("Name,Email,Kind\nO,o\u2019brien@x.com,\n", "utf-8")
    ((loc, _, detail),) = refused(file)
    assert loc == f"{file}:2"
    assert "write `'`" in detail


def test_a_member_nobody_can_sign_in_with_still_is_one() -> None:
    assert list(read_accounts("old", lambda _: ["o\u2019brien@x.com"]).names) == [
        "o\u2019brien@x.com"
    ]


# --- files with a header ---

HEADER = "account,kind,aliases,installed_version,owned,market,promotional_code,manual_check\n"


def test_a_file_tells_all_of_an_account(file: Path) -> None:
    file.write_text(
        HEADER + "Ada@example.com,,,,,,,\n"
        "bob@contoso.example,work_or_school,,1.0.0.0,yes,DE,no,true\n"
        "cleo@example.com,microsoft,c@example.com  cl@example.com,,,,1,0\n"
        "anonymous,,,2.0.0.0,,US,,\n"
    )
    assert askers(read(file)) == [
        Asker(Account("ada@example.com")),
        Asker(
            Account("bob@contoso.example", AccountKind.WORK_OR_SCHOOL),
            "1.0.0.0",
            owned=True,
            market="DE",
            manual_check=True,
        ),
        Asker(
            Account("cleo@example.com", aliases=("c@example.com", "cl@example.com")),
            promotional_code=True,
        ),
        Asker(None, "2.0.0.0", market="US"),
    ]


def test_an_empty_cell_is_as_told_for_all_and_a_filled_one_is_not(file: Path) -> None:
    file.write_text("account,owned,installed_version\na@x.com,,\nb@x.com,no,2.0.0.0\n")
    population = read(file, Asker(installed_version="1.0.0.0", owned=True))
    assert askers(population) == [
        Asker(Account("a@x.com"), "1.0.0.0", True),
        Asker(Account("b@x.com"), "2.0.0.0", False),
    ]


def test_an_account_may_be_there_on_several_terms_but_on_none_twice(file: Path) -> None:
    file.write_text("account,market\na@x.com,US\na@x.com,DE\nA@x.com,US\n")
    assert askers(read(file)) == [
        Asker(Account("a@x.com"), market="US"),
        Asker(Account("a@x.com"), market="DE"),
    ]


@pytest.mark.parametrize(
    ("row", "code", "said"),
    [
        ("nobody,,,,,,,", "INVALID_EMAILS", "account: `nobody`"),
        ("a@x.com,personal,,,,,,", "WRONG_TYPE", "kind: "),
        ("a@x.com,,b@@x.com,,,,,", "INVALID_EMAILS", "aliases: "),
        ("a@x.com,,,one,,,,", "UNREADABLE_PACKAGE_VERSION", "installed_version: `one`"),
        ("a@x.com,,,,maybe,,,", "WRONG_VALUE", "owned: `maybe` is neither yes nor no"),
        ("a@x.com,,,,,Germany,,", "UNREADABLE_MARKET", "market: `Germany`"),
        (",,,,yes,,,", "NO_ADDRESS", "`anonymous`"),
        ("a@x.com,,,,,,,,more", "TOO_MANY_CELLS", "has 9 cells, but the header has 8"),
    ],
)
def test_a_bad_row_is_named_with_file_line_and_value(
    file: Path, row: str, code: str, said: str
) -> None:
    file.write_text(f"{HEADER}ada@example.com,,,,,,,\n{row}\n")
    ((loc, found, detail),) = refused(file)
    assert (loc, found) == (f"{file}:3", code)
    assert said in detail


def test_a_header_without_an_address_is_told_once(file: Path) -> None:
    file.write_text("kind,owned\n" + "microsoft,yes\n" * 10)
    ((loc, code, detail),) = refused(file)
    assert (loc, code) == (f"{file}:1", "MISSING_COLUMN")
    assert "`email`" in detail


def test_a_misspelt_column_is_told_with_what_was_meant(file: Path) -> None:
    file.write_text("account,maket\na@x.com,US\n")
    ((loc, code, detail),) = refused(file)
    assert (loc, code) == (f"{file}:1", "UNKNOWN_COLUMN")
    assert "did you mean `market`?" in detail


@pytest.mark.parametrize("header", ["account,alias", "Email,maket"])
def test_a_column_that_looks_like_a_claim_is_not_skipped(file: Path, header: str) -> None:
    file.write_text(f"{header}\na@x.com,\n")
    ((loc, code, _),) = refused(file)
    assert (loc, code) == (f"{file}:1", "UNKNOWN_COLUMN")


def test_two_columns_of_addresses_are_refused(file: Path) -> None:
    file.write_text("account,email\na@x.com,b@x.com\n")
    ((loc, code, _),) = refused(file)
    assert (loc, code) == (f"{file}:1", "DUPLICATE_COLUMN")


def test_a_file_without_anything_is_refused(file: Path) -> None:
    file.write_text("\n\n")
    ((loc, code, detail),) = refused(file)
    assert (loc, code) == (str(file), "EMPTY_FILE")
    assert detail.count("account") == 1


def test_a_file_that_is_no_text_is_refused(file: Path) -> None:
    file.write_bytes(b"account\n" + "jörg@example.com\n".encode("latin-1"))
    ((loc, code, detail),) = refused(file)
    assert (loc, code) == (f"{file}:2", "NOT_TEXT")
    assert "CSV UTF-8" in detail
