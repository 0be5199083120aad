"""Reports: what each format of a simulation tells, read back."""

import base64
import csv
import hashlib
import io
import json
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import pyarrow.parquet
import pytest

from eligibility.access.asker import PLAIN, Asker
from eligibility.access.model import Account
from eligibility.errors import MissingPackage
from eligibility.service.service import Service
from eligibility.simulation.inputs.devices import NamedDevice, read_devices
from eligibility.simulation.inputs.population import Population
from eligibility.simulation.matrix import Matrix, before_settling, simulate
from eligibility.simulation.reports import FORMATS, Format, SimulationReport, parquet
from eligibility.simulation.reports.cells import COLUMNS, cells
from eligibility.simulation.rollout_shares import shares_of
from tests.helpers.catalog.products import flight, group, package, product, put
from tests.helpers.catalog.simulations import ADA, APP, BOB, CAT, matrix, two_flights, written

PEOPLE = [ADA, BOB, CAT]
NASTY = '<script>alert("x")</script> & {{ 7 * 7 }}'


@pytest.fixture
def flights(service: Service) -> Service:
    two_flights(service)
    return service


@pytest.fixture
def nasty(service: Service) -> SimulationReport:
    """A product, a flight, a group's device and an account that somebody named to do harm."""
    group(service, "first", ADA)
    ring = flight("ring", ["first"], "3.0.0.0", name=NASTY)
    ring["packages"] = [package("3.0.0.0", Desktop="10.0.26100.0")]
    declared = product(ring).model_copy(update={"name": NASTY})
    put(service, APP, declared)
    devices = (NamedDevice("=cmd|' /C calc'!A0", read_devices("Desktop/1809/x64")[0].device),)
    people = Population.of([Asker(Account(ADA)), Asker(Account("=1+1@x.com")), PLAIN])
    return SimulationReport(simulate(service.states.read(APP), people, devices))


def plain(matrix: Matrix) -> list[dict[str, Any]]:
    """The cells as rows by name."""
    return [dict(zip(COLUMNS, one, strict=True)) for one in cells(matrix)]


# --- CSV ---


def csv_rows(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))


def test_csv_has_every_cell(flights: Service) -> None:
    asked = matrix(flights, PEOPLE)
    expected = [
        {
            name: str(value).lower() if value in (True, False) else value
            for name, value in one.items()
        }
        for one in plain(asked)
    ]
    assert csv_rows(written(SimulationReport(asked), Format.CSV)) == expected
    assert len(expected) == 6


def test_csv_has_no_formulas(nasty: SimulationReport) -> None:
    rows = csv_rows(written(nasty, Format.CSV))
    assert [row["account"] for row in rows] == [ADA, "'=1+1@x.com", ""]
    assert {row["device"] for row in rows} == {"'=cmd|' /C calc'!A0"}


def test_csv_tells_both_sides_of_a_change_in_a_column_more(flights: Service) -> None:
    asked = matrix(flights, [ADA, CAT], "Desktop/24H2/x64")
    rows = csv_rows(written(SimulationReport(asked, before_settling(asked)), Format.CSV))
    assert [(row["account"], row["flight_id"], row["settling"], row["side"]) for row in rows] == [
        (ADA, "ring-0", "added", "now"),
        (CAT, "", "", "now"),
        (ADA, "", "added", "earlier"),
    ]


# --- JSON ---


def test_json_gives_every_pair_its_answer_by_classes(flights: Service) -> None:
    asked = matrix(flights, PEOPLE, "flights")
    told = json.loads(written(SimulationReport(asked), Format.JSON))
    found = [
        told["answers"][told["classes"][account["class"]][device["class"]]]
        for account in told["accounts"]
        for device in told["devices"]
    ]
    expected = plain(asked)
    assert [one["granted"] for one in found] == [one["granted"] for one in expected]
    assert [one["version"] or "" for one in found] == [one["package_version"] for one in expected]
    assert [" ".join(r["code"] for r in one["reasons"]) for one in found] == [
        one["reasons"] for one in expected
    ]
    assert [one["account"] for one in told["accounts"]] == PEOPLE
    assert len(told["classes"]) == 3
    assert told["product"] == {"product_id": APP, "name": "Product"}
    assert told["state"]["label"] == "live"
    assert told["state"]["revision"] == {"groups": 2, "catalog": 1}
    assert told["settling"] is None


def test_json_says_why_not_and_what_helps_in_words(flights: Service) -> None:
    told = json.loads(
        written(SimulationReport(matrix(flights, [ADA], "Desktop/1511/x64")), Format.JSON)
    )
    (answer,) = told["answers"]
    assert answer["words"] == "no, flight Ring 0: OS too old for the package"
    assert answer["sign"] == "A:os"
    assert answer["reasons"] == [
        {"code": "OS_BELOW_PACKAGE_MINIMUM", "text": "OS too old for the package"}
    ]
    assert answer["remedies"] == [
        "update Windows.Desktop to 10.0.14393.0 (Windows 10 1607) or later, to get a package"
    ]


def test_json_of_thousands_of_accounts_is_one_document(flights: Service) -> None:
    people = [*(f"{number}@x.com" for number in range(20_001)), ADA]
    told = json.loads(written(SimulationReport(matrix(flights, people)), Format.JSON))
    assert len(told["accounts"]) == 20_002
    assert told["accounts"][-1] == {"account": ADA, "class": 1}


def test_json_tells_what_the_store_may_still_say(flights: Service) -> None:
    asked = matrix(flights, PEOPLE, "Desktop/24H2/x64")
    told = json.loads(written(SimulationReport(asked, before_settling(asked)), Format.JSON))
    before = told["settling"]
    assert [(one["account"], one["change"]) for one in before["accounts"]] == [
        (ADA, "added"),
        (BOB, "added"),
    ]
    (number,) = {before["classes"][one["class"]][0] for one in before["accounts"]}
    assert told["answers"][number]["kind"] == "submission"


def test_json_has_null_for_nobody(nasty: SimulationReport) -> None:
    told = json.loads(written(nasty, Format.JSON))
    assert told["accounts"][-1]["account"] is None


# --- Parquet ---


def test_parquet_has_every_cell_as_dictionaries(flights: Service) -> None:
    asked = matrix(flights, PEOPLE, "flights")
    table = pyarrow.parquet.read_table(io.BytesIO(written(SimulationReport(asked), Format.PARQUET)))
    assert table.to_pylist() == plain(asked)
    kinds = dict(zip(table.schema.names, map(str, table.schema.types), strict=True))
    assert (
        kinds["account"]
        == kinds["reasons"]
        == ("dictionary<values=string, indices=int32, ordered=0>")
    )
    assert kinds["granted"] == "bool"
    assert table.schema.metadata[b"product_id"] == APP.encode()


def test_parquet_is_written_some_accounts_at_a_time(
    flights: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet, "_ACCOUNTS", 2)
    asked = matrix(flights, [*PEOPLE, "dan@x.com", "eve@x.com"])
    file = pyarrow.parquet.ParquetFile(io.BytesIO(written(SimulationReport(asked), Format.PARQUET)))
    assert file.num_row_groups == 3
    assert file.read().to_pylist() == plain(asked)


def test_parquet_tells_both_sides_of_a_change(flights: Service) -> None:
    asked = matrix(flights, [ADA], "Desktop/24H2/x64")
    data = written(SimulationReport(asked, before_settling(asked)), Format.PARQUET)
    rows = pyarrow.parquet.read_table(io.BytesIO(data)).to_pylist()
    assert [(row["side"], row["flight_id"]) for row in rows] == [("now", "ring-0"), ("earlier", "")]


def test_parquet_without_pyarrow_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingPackage, match=r"pip install 'flight-eligibility\[parquet\]'"):
        FORMATS[Format.PARQUET].check()


# --- HTML ---


class Page(HTMLParser):
    """The page's tags with their attributes, and its texts."""

    def __init__(self, data: bytes) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(data.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())

    def having(self, tag: str, **attributes: str) -> Iterator[dict[str, str | None]]:
        for name, found in self.tags:
            if name == tag and attributes.items() <= found.items():
                yield found


def test_html_needs_nothing_from_anywhere(flights: Service) -> None:
    page = Page(written(SimulationReport(matrix(flights, PEOPLE)), Format.HTML))
    fetched = [
        (tag, name, value)
        for tag, attributes in page.tags
        for name, value in attributes.items()
        if name in ("src", "href", "action", "srcset") and not (value or "").startswith("#")
    ]
    assert fetched == []
    data = written(SimulationReport(matrix(flights, PEOPLE)), Format.HTML).decode()
    assert "url(" not in data
    assert "@import" not in data
    assert "default-src 'none'" in data


def test_html_runs_its_own_script_and_no_other(flights: Service) -> None:
    data = written(SimulationReport(matrix(flights, PEOPLE)), Format.HTML).decode()
    script = data.partition("<script>")[2].partition("</script>")[0]
    own = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{own}'" in data


def test_html_escapes_whatever_people_named(nasty: SimulationReport) -> None:
    data = written(nasty, Format.HTML).decode()
    assert data.count("<script>") == 1  # ours
    assert "alert(&#34;x&#34;)" in data
    assert "{{ 7 * 7 }}" in data
    assert "=cmd|' /C calc'!A0" in Page(data.encode()).text


def test_html_is_a_table_with_headers_for_rows_and_columns(flights: Service) -> None:
    page = Page(written(SimulationReport(matrix(flights, PEOPLE)), Format.HTML))
    assert sum(1 for _ in page.having("th", scope="row")) == 3 + 3  # accounts and outcomes
    assert {one["scope"] for one in page.having("th")} == {"row", "col", "colgroup"}
    assert "Ring 0, rank 3, 3.0.0.0, install" in page.text


def test_html_leads_from_each_no_to_its_reasons_and_what_helps(flights: Service) -> None:
    page = Page(written(SimulationReport(matrix(flights, [ADA], "Desktop/1511/x64")), Format.HTML))
    (link,) = page.having("a")
    assert list(page.having("li", id=str(link["href"]).removeprefix("#")))
    (cell,) = (one for one in page.having("td") if one.get("class") == "denied")
    told = (
        "no, flight Ring 0: OS too old for the package\n\N{BULLET} update Windows.Desktop to"
        " 10.0.14393.0 (Windows 10 1607) or later, to get a package"
    )
    assert cell["title"] == told
    assert "update Windows.Desktop to 10.0.14393.0 (Windows 10 1607) or later" in page.text


def test_html_of_a_large_audience_is_small_and_names_the_first_hundred(flights: Service) -> None:
    data = written(
        SimulationReport(matrix(flights, [f"{n}@x.com" for n in range(9_000)])), Format.HTML
    )
    assert len(data) < 30_000
    page = Page(data)
    assert "0@x.com + 8,999 more" in page.text
    assert "99@x.com and 8,900 more" in page.text
    assert "100@x.com" not in page.text


def test_html_of_each_account_leaves_its_hover_texts_to_the_script(flights: Service) -> None:
    people = [f"{n}@x.com" for n in range(2_001)]
    page = Page(written(SimulationReport(matrix(flights, people), each=True), Format.HTML))
    assert not [one for one in page.having("td") if "title" in one]


def test_html_has_the_rollouts(service: Service) -> None:
    declared = product(
        packages=[package("2.0.0.0")],
        rollout={
            "percentage": 25,
            "status": "in_progress",
            "previous_packages": [package("1.0.0.0")],
        },
    )
    put(service, APP, declared)
    asked = matrix(service, [f"{number}@x.com" for number in range(100)])
    report = SimulationReport(asked, shares=shares_of(asked, [100]))
    text = Page(written(report, Format.HTML)).text
    assert "25 % (declared)" in text
    assert "100 % 100 0 100.0%" in text


# --- table ---


@pytest.mark.parametrize("width", [80, 120])
def test_the_table_fits_the_terminal(
    flights: Service, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    people = ["an.account.with.a.very.long.address.indeed@department.example.com", *PEOPLE]
    asked = matrix(flights, people, "all")
    for report in (
        SimulationReport(asked, before_settling(asked)),
        SimulationReport(asked, each=False),
    ):
        lines = written(report, Format.TABLE).decode().splitlines()
        assert max(map(len, lines)) <= width
        text = "\n".join(lines)
        for column in report.grid.columns:
            assert all(line in text for line in column.head)


def test_the_table_says_what_its_signs_mean_and_that_nothing_falls_through(
    flights: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    text = written(
        SimulationReport(matrix(flights, PEOPLE, "Desktop/1511/x64")), Format.TABLE
    ).decode()
    assert "no, flight Ring 0: OS too old for the package" in text
    assert "nothing falls through" in text
    assert "2 accounts changed groups in the last 30 minutes" in text
    assert "groups revision 2, catalogue revision 1" in text
