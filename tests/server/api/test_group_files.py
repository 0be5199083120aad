"""Groups as CSV files, their history, consent and forgetting: over HTTP and on the command line."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.helpers.catalog.products import product
from tests.helpers.commands import Run
from tests.helpers.servers.problem import assert_problem
from tests.helpers.servers.process import Server

ADA, BOB, CAT = "ada@x.com", "bob@x.com", "cat@x.com"
CSV = {"content-type": "text/csv"}
TOO_MANY = "".join(f"user{number}@x.com\n" for number in range(10_001)).encode()


@pytest.fixture
def base(server: Server) -> str:
    """A group of two of a publisher of the test's own."""
    made = f"/v1/publishers/p{uuid4().hex}/groups"
    body = {"name": "Beta", "emails": [ADA, BOB]}
    server.http.post(made, json=body).raise_for_status()
    return made


def put(server: Server, base: str, data: bytes, query: str = "", **headers: str) -> Any:
    return server.http.put(f"{base}/beta/members{query}", content=data, headers={**CSV, **headers})


def members(server: Server, base: str) -> list[str]:
    found: list[str] = server.http.get(f"{base}/beta/members").json()["items"]
    return found


def test_a_file_replaces_the_members_or_adds_to_them(server: Server, base: str) -> None:
    file = "Name;E-Mail\r\nCat;CAT@x.com\r\nAda;ada@x.com\r\n".encode("utf-16")
    planned = put(server, base, file, "?dry_run=true").json()
    assert (planned["joined"], planned["left"]) == ([CAT], [BOB])
    merged = put(server, base, file, "?merge=true").json()
    assert (merged["added"], merged["removed"], merged["unchanged"]) == (1, 0, 1)
    done = put(server, base, file).json()
    assert (done["added"], done["removed"], done["unchanged"]) == (0, 1, 2)
    assert members(server, base) == [ADA, CAT]


def test_what_is_exported_comes_back_to_no_change_and_is_no_formula(
    server: Server, base: str
) -> None:
    server.http.patch(f"{base}/beta/members", json={"add": ["=cmd@x.com"]}).raise_for_status()
    file = server.http.get(f"{base}/beta/members.csv")
    assert file.headers["content-type"] == "text/csv; charset=utf-8"
    assert file.headers["content-disposition"] == 'attachment; filename="beta.csv"'
    assert file.text == f"email\r\n'=cmd@x.com\r\n{ADA}\r\n{BOB}\r\n"
    back = put(server, base, file.content).json()
    assert (back["added"], back["removed"], back["unchanged"]) == (0, 0, 3)


@pytest.mark.parametrize(
    ("data", "status", "code", "loc"),
    [
        (b"email\nada@x.com\nno\nnor this\n", 400, "INVALID_CSV", "line.3"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\xff", 400, "INVALID_CSV", "line.1"),
        (b"a" * 3_000_000, 400, "INVALID_CSV", "line.1"),
        (b"ada@x.com\nb\0b@x.com\n", 400, "INVALID_CSV", "line.2"),
        ("ada@x.com\n".encode("utf-16-le"), 400, "INVALID_CSV", "line.1"),
        (b"Wer,Wie\nAda,ada@x.com\n", 400, "INVALID_CSV", "line.1"),
        ("email\no\u2019brien@x.com\n".encode(), 400, "INVALID_CSV", "line.2"),
        (b"PK\x03\x04....xl/workbook.xml", 400, "INVALID_CSV", ""),
        (TOO_MANY, 400, "GROUP_SIZE", None),
        (b"email\n", 400, "GROUP_SIZE", None),
        (b"a" * 5_000_000, 413, "BODY_TOO_LARGE", None),
    ],
)
def test_a_bad_file_is_refused_whole_and_its_lines_named(
    server: Server, base: str, data: bytes, status: int, code: str, loc: str | None
) -> None:
    answer = put(server, base, data)
    assert_problem(answer, status, code)
    if loc is not None:
        assert answer.json()["errors"][0]["loc"] == loc
    assert members(server, base) == [ADA, BOB]


def test_people_are_added_as_they_are_pasted_and_nobody_as_a_guest(
    server: Server, base: str
) -> None:
    pasted = '"Cat, The" <cat@x.com>; mailto:dan@x.com'
    url = f"{base}/beta/members"
    assert server.http.patch(url, json={"add": pasted}).json()["added"] == 2
    answer = server.http.patch(url, json={"add": [CAT, "eve_x.com#EXT#@y.com"], "remove": ["no"]})
    assert_problem(answer, 400, "INVALID_INPUT")
    faults = answer.json()["errors"]
    assert [fault["loc"] for fault in faults] == ["add.2", "remove.1"]
    assert "perhaps eve@x.com" in faults[0]["detail"]
    assert server.http.patch(url, json={"remove": ["eve_x.com#EXT#@y.com"]}).json()["unknown"] == 1


def test_one_address_in_two_spellings_is_one_member(server: Server, base: str) -> None:
    assert put(server, base, b"ADA@X.com\n ada@x.com\n").json()["member_count"] == 1


def test_other_routes_take_no_csv(server: Server, base: str) -> None:
    answer = server.http.patch(f"{base}/beta/members", content=b"ada@x.com\n", headers=CSV)
    assert_problem(answer, 415, "UNSUPPORTED_MEDIA_TYPE")


def test_412_tells_the_present_revision_as_data_and_as_etag(server: Server, base: str) -> None:
    answer = put(server, base, b"cat@x.com\n", **{"if-match": '"9"'})
    assert_problem(answer, 412, "REVISION_MISMATCH")
    assert answer.json()["revision"] == 1
    assert answer.headers["etag"] == '"1"'


def test_writers_without_if_match_take_effect_on_the_members_they_name(
    server: Server, base: str
) -> None:
    crowd = [f"user{number}@x.com" for number in range(24)]

    def add(address: str) -> int:
        answer = server.http.patch(f"{base}/beta/members", json={"add": [address]})
        return answer.status_code

    with ThreadPoolExecutor(6) as pool:
        assert set(pool.map(add, crowd)) == {200}
    assert members(server, base) == sorted([ADA, BOB, *crowd])


def test_a_product_is_written_only_as_it_was_seen_where_that_is_asked(
    server: Server, base: str
) -> None:
    name = uuid4().hex.upper()
    url = base.replace("/groups", f"/products/{name}")
    body = product().model_dump(mode="json")
    first = server.http.put(url, json=body)
    assert first.headers["etag"] == server.http.get(url).headers["etag"] == '"1"'
    assert server.http.put(url, json=body, headers={"if-match": '"1"'}).status_code == 200
    stale = server.http.delete(url, headers={"if-match": '"1"'})
    assert_problem(stale, 412, "REVISION_MISMATCH")
    assert stale.json()["revision"] == 2
    assert server.http.delete(url, headers={"if-match": '"2"'}).status_code == 200


def test_history_is_told_and_searched_without_an_address_in_a_url(
    server: Server, base: str
) -> None:
    server.http.patch(f"{base}/beta/members", json={"add": [CAT]}).raise_for_status()
    page = server.http.get(f"{base}/beta/history?limit=1").json()
    assert [change["added"] for change in page["items"]] == [[CAT]]
    assert "write_id" not in page["items"][0]
    older = server.http.get(f"{base}/beta/history?cursor={page['next_cursor']}").json()
    assert older["items"][0]["added"] == [ADA, BOB]
    for url in (f"{base}/beta/history/search", base.replace("/groups", "/history/search")):
        found = server.http.post(url, json={"address": "BOB@x.com"}).json()["items"]
        assert [(one["revision"], one["added"]) for one in found] == [(1, [BOB])]
    then = older["items"][0]["at"].replace("+", "%2B")
    assert server.http.get(f"{base}/beta/members?at={then}").json()["items"] == [ADA, BOB]


def test_consent_is_noted_and_somebody_is_forgotten(server: Server, base: str) -> None:
    note = {"confirmed_by": "Lin", "text": f"{ADA} signed"}
    noted = server.http.put(f"{base}/beta/consent", json=note).json()
    assert noted["consent"]["confirmed_by"] == "Lin"
    forget = base.replace("/groups", "/forget")
    planned = server.http.post(forget, json={"address": ADA, "dry_run": True}).json()
    assert planned["groups"] == ["beta"]
    assert server.http.post(forget, json={"address": ADA}).status_code == 200
    alone = server.http.post(forget, json={"address": BOB})
    assert_problem(alone, 409, "WOULD_BE_EMPTY")
    assert alone.json()["groups"][0].endswith("/beta")
    told = server.http.get(f"{base}/beta").text + server.http.get(f"{base}/beta/history").text
    assert ADA not in told


# On the command line


@pytest.fixture
def beta(run: Run) -> Run:
    assert run("groups", "create", "Beta", ADA, BOB, "-P", "contoso").code == 0
    return run


def test_import_and_export_on_the_command_line(beta: Run, tmp_path: Path) -> None:
    file = tmp_path / "beta.csv"
    file.write_bytes(b"mail\tname\ncat@x.com\tCat\nada@x.com\tAda\n")
    planned = beta("groups", "import", "beta", str(file), "-P", "contoso", "--dry-run")
    assert "1 would be added, 1 would be removed, 1 unchanged" in planned.out
    assert "no effect on access" in planned.out
    done = beta("groups", "import", "beta", str(file), "-P", "contoso", "--json").json
    assert (done["added"], done["removed"], done["unchanged"]) == (1, 1, 1)
    assert beta("groups", "export", "beta", str(file), "-P", "contoso").code == 0
    assert file.read_text() == f"email\n{ADA}\n{CAT}\n"
    made = beta("groups", "import", "new", str(file), "-P", "contoso", "--create", "New")
    assert "2 added" in made.out


def test_a_list_in_another_language_and_files_that_are_none_on_the_command_line(
    beta: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names, file = tmp_path / "names.toml", tmp_path / "testers.csv"
    command = ("groups", "import", "beta", str(file), "--merge", "-P", "contoso")
    file.write_text("Wer;Wie erreichbar\nCat;cat@x.com\n", "utf-8")
    ran = beta(*command)
    assert ran.code == 1
    assert "line.1  `Wer`, `Wie erreichbar` has no address" in ran.err
    names.write_text('email = ["wie erreichbar"]', "utf-8")
    monkeypatch.setenv("ELIGIBILITY_LIST_HEADERS", str(names))
    assert "1 added" in beta(*command).out
    names = tmp_path / "wrong.toml"
    names.write_text("mail = []", "utf-8")
    monkeypatch.setenv("ELIGIBILITY_LIST_HEADERS", str(names))
    ran = beta(*command)
    assert ran.code == 1
    assert "`mail` is not a kind of column" in ran.err
    monkeypatch.delenv("ELIGIBILITY_LIST_HEADERS")
    file.write_bytes(b"PK\x03\x04....xl/workbook.xml")
    add = ("groups", "add", "beta", "--file", str(file), "-P", "contoso")
    for importing in (command, add):
        assert "in Excel choose File > Save As" in beta(*importing).err
    file.write_bytes("Cat <cat@x.com>; dan@x.com".encode("utf-16"))
    assert "1 added" in beta(*add).out


def test_a_file_of_fifty_megabytes_is_refused_on_the_command_line(
    beta: Run, tmp_path: Path
) -> None:
    file = tmp_path / "huge.csv"
    with file.open("wb") as opened:
        opened.truncate(50 * 1024 * 1024)
    ran = beta("groups", "import", "beta", str(file), "-P", "contoso")
    assert ran.code == 1
    assert "INVALID_CSV" in ran.err
    assert beta("groups", "import", "beta", str(tmp_path / "none.csv")).code == 2


def test_forgetting_on_the_command_line_asks_for_an_explicit_choice(beta: Run) -> None:
    beta("groups", "create", "Only", ADA, "-P", "fabrikam")
    refused = beta("groups", "forget", ADA, "--yes")
    assert refused.code == 1
    assert "fabrikam/only" in refused.err
    assert ADA in beta("groups", "show", "beta", "-P", "contoso").out
    assert beta("groups", "forget", ADA).code == 1  # nobody was asked, nothing agreed to
    done = beta("groups", "forget", ADA, "--replace-with", CAT, "--yes")
    assert done.code == 0
    assert "contoso" in done.out
    assert "fabrikam" in done.out
    assert CAT in beta("groups", "show", "only", "-P", "fabrikam").out
    told = beta("groups", "history", "-P", "contoso", "--json").out
    assert ADA not in told
    assert "forgotten:" in told
    assert (
        "no group and no history contains that address"
        in beta("groups", "forget", ADA, "--yes").out
    )


def test_consent_and_past_members_on_the_command_line(beta: Run) -> None:
    noted = beta("groups", "consent", "beta", "-P", "contoso", "--confirmed-by", "Lin")
    assert "consent recorded, revision 2" in noted.out
    assert "consent confirmed by Lin" in beta("groups", "show", "beta", "-P", "contoso").out
    past = beta("groups", "show", "beta", "-P", "contoso", "--at", "2000-01-01T00:00:00Z", "--json")
    assert past.json["members"] == []
    assert beta("groups", "show", "beta", "--at", "yesterday").code == 2
