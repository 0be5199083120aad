"""`from eligibility.notebook import Simulation`: who gets what, from a notebook or a unit test."""

import itertools
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pandas as pd
import polars as pl
import pytest
from matplotlib.figure import Figure

from eligibility.errors import EligibilityError, InvalidInput, UnknownProduct
from eligibility.explain.phrases import short_text
from eligibility.notebook import Simulation, frames
from eligibility.notebook.result import SimulationResult
from eligibility.service.service import Service
from eligibility.simulation.inputs.devices import read_devices
from eligibility.simulation.reports.cells import COLUMNS, cells
from groups.errors import UnknownGroup
from groups.model import MembershipEdit
from tests.helpers.catalog.products import flight, group, package, product, put, query
from tests.helpers.clock import Clock
from tests.helpers.repository import ROOT
from tests.helpers.servers.process import environment

ADA, BOB, CLEO = "ada@example.com", "bob@example.com", "cleo@example.com"
DEVICES = "Desktop/1507/x64,Desktop/24H2/x64,Desktop/24H2/arm64,Xbox/1809/x64,HoloLens/1809/x86"


@pytest.fixture
def stored(service: Service, clock: Clock) -> Service:
    group(service, "beta", ADA, BOB)
    put(service, "APP", product(flight("canary", ["beta"], "2.0.0.0")))
    clock.advance(3_600)
    return service


@pytest.fixture
def simulation(stored: Service) -> Simulation:
    return Simulation(stored)


@pytest.fixture
def result(simulation: Simulation) -> SimulationResult:
    return simulation.matrix("APP", [ADA, CLEO, "anonymous"], DEVICES)


def names(result: SimulationResult) -> list[str]:
    return list(result.matrix.population.names)


def refused(error: pytest.ExceptionInfo[InvalidInput]) -> tuple[str, str]:
    (fault,) = error.value.faults
    return fault.loc, fault.code


# --- what it is over ---


def test_over_a_store_it_says_what_the_evaluator_says(stored: Service, store_url: str) -> None:
    with Simulation(store_url) as simulation:
        found = simulation.matrix("APP", [ADA, CLEO], "Desktop/10.0.22631.3007/x64")
    for place, who in enumerate((ADA, CLEO)):
        asked = query("APP", who)
        assert found.matrix.decision(place, 0) == stored.evaluator.decide(asked)


def test_a_service_given_to_it_stays_open(stored: Service) -> None:
    with Simulation(stored) as simulation:
        simulation.matrix("APP", ADA)
    group(stored, "later", CLEO)


def test_without_a_store_it_is_over_what_the_code_gives() -> None:
    body = product(flight("canary", ["beta"], "2.0.0.0"))
    bodies: tuple[Any, ...] = (body, body.model_dump(mode="json"))
    for given in bodies:
        simulation = Simulation.given({"APP": given}, {"beta": f"{ADA}; Bob@Example.com"})
        found = simulation.matrix("APP", [ADA, BOB, CLEO], "Desktop/24H2/x64")
        versions = [found.matrix.outcome(row, 0).version for row in range(3)]
        assert versions == ["2.0.0.0", "2.0.0.0", "1.0.0.0"]


def test_what_is_given_is_held_to_the_rules_of_a_catalogue() -> None:
    body = product(flight("canary", ["beta"], "2.0.0.0"))
    with pytest.raises(EligibilityError, match="`beta` is not declared"):
        Simulation.given({"APP": body}).matrix("APP", ADA)
    with pytest.raises(UnknownProduct):
        Simulation.given({"APP": body}).matrix("APPP", ADA)
    with pytest.raises(UnknownGroup, match="`betta`"):
        Simulation.given({"APP": body}, {"beta": [ADA]}).matrix("APP", "betta")


def test_a_draft_can_be_laid_over_what_is_given(tmp_path: Path) -> None:
    body = product(flight("canary", ["beta"], "2.0.0.0"))
    simulation = Simulation.given({"APP": body}, {"beta": [ADA]}, publisher="contoso")
    edits = tmp_path / "edits.csv"
    edits.write_text(f"group,account,change\nbeta,{BOB},add\nbeta,{ADA},remove\n")
    draft = simulation.draft("APP", groups=edits)
    found = simulation.matrix("APP", None, "Desktop/24H2/x64", draft=draft)
    assert names(found) == [BOB]
    assert found.matrix.outcome(0, 0).source == "canary"
    assert found.title.startswith("Product, given + draft: ")


# --- accounts and devices ---


def test_accounts_are_named_in_every_way(simulation: Simulation, tmp_path: Path) -> None:
    file = tmp_path / "testers.csv"
    file.write_text(f"{CLEO}\n{ADA}\n")
    ways: list[tuple[Any, list[str]]] = [
        (None, [ADA, BOB]),
        ("beta", [ADA, BOB]),
        (ADA, [ADA]),
        (f"{ADA},anonymous", [ADA, "(not signed in)"]),
        (file, [CLEO, ADA]),
        ([file, "beta"], [CLEO, ADA, BOB]),
        ([ADA, "Bob@Example.com", ADA], [ADA, BOB]),
        (pd.Series([CLEO, BOB]), [CLEO, BOB]),
        (pl.Series([CLEO, BOB]), [CLEO, BOB]),
        ((one for one in (CLEO, BOB)), [CLEO, BOB]),
    ]
    for asked, expected in ways:
        assert names(simulation.matrix("APP", asked, "Xbox/1809")) == expected


def test_devices_are_named_in_every_way(simulation: Simulation, tmp_path: Path) -> None:
    file = tmp_path / "lab.csv"
    file.write_text("name,family,os_version\nHall,Team,1809\n")
    xbox = [one.name for one in read_devices("xbox")]
    ways: list[tuple[Any, list[str]]] = [
        ("xbox", xbox),
        (["xbox", "xbox"], xbox),
        (file, ["Hall"]),
        ([str(file), "Desktop/1607"], ["Hall", "Desktop/1607"]),
        (read_devices("xbox")[:2], xbox[:2]),
    ]
    for asked, expected in ways:
        found = simulation.matrix("APP", ADA, asked)
        assert [one.name for one in found.matrix.devices] == expected


@pytest.mark.parametrize(
    ("asked", "loc", "code"),
    [
        ({"accounts": []}, "accounts", "NO_ACCOUNTS"),
        ({"accounts": ["ada@"]}, "accounts", "INVALID_EMAIL"),
        ({"devices": []}, "devices", "NO_DEVICES"),
        ({"devices": "desktp"}, "devices", "UNKNOWN_DEVICES"),
        ({"installed_version": "one"}, "installed_version", "UNREADABLE_PACKAGE_VERSION"),
        ({"at": "tomorrow"}, "at", "UNREADABLE_MOMENT"),
        ({"at": datetime(2026, 6, 1)}, "at", "UNREADABLE_MOMENT"),  # noqa: DTZ001
    ],
)
def test_what_cannot_be_read_is_named_by_its_argument(
    simulation: Simulation, asked: dict[str, Any], loc: str, code: str
) -> None:
    with pytest.raises(InvalidInput) as error:
        simulation.matrix("APP", **{"accounts": ADA, **asked})
    assert refused(error) == (loc, code)


def test_what_holds_of_every_account_is_said_once(stored: Service) -> None:
    rollout = {"percentage": 0, "status": "in_progress", "previous_packages": [package("1.0.0.0")]}
    put(stored, "NEW", product(packages=[package("3.0.0.0")], rollout=rollout))
    found = Simulation(stored).matrix("NEW", ADA, "xbox", installed_version="0.9.0.0")
    assert found.matrix.outcome(0, 0)[2:5] == ("1.0.0.0", "neutral", "update")


# --- drafts and moments ---


def test_a_draft_says_who_would_come_and_go(simulation: Simulation) -> None:
    draft = simulation.draft("APP", add={"beta": [CLEO.upper()]}, remove={"beta": [ADA]})
    after = simulation.matrix("APP", [ADA, BOB, CLEO], "Desktop/24H2", draft=draft)
    sources = [after.matrix.outcome(row, 0).source for row in range(3)]
    assert sources == [None, "canary", "canary"]
    everybody = simulation.matrix("APP", devices="Desktop/24H2", draft=draft)
    assert names(everybody) == [BOB, CLEO]


def test_a_product_that_no_store_has_is_its_drafts(simulation: Simulation, tmp_path: Path) -> None:
    catalog = tmp_path / "draft.yaml"
    catalog.write_text(
        f"publisher: contoso\ngroups:\n  inner: {{name: Inner, emails: [{CLEO}]}}\n"
        "products:\n  NEW:\n    name: New\n    submission:\n      audience: private\n"
        "      audience_groups: [inner]\n      packages:\n"
        "        - {file_name: a.msix, version: 1.0.0.0, architectures: [neutral],\n"
        "           targets: {Windows.Desktop: 10.0.14393.0}}\n"
    )
    draft = simulation.draft("NEW", catalog=catalog)
    found = simulation.matrix("NEW", [ADA, CLEO], "Desktop/24H2", draft=draft)
    assert [found.matrix.outcome(row, 0).granted for row in range(2)] == [False, True]
    with pytest.raises(UnknownProduct):
        simulation.draft("NOWHERE", catalog=catalog)
    with pytest.raises(UnknownProduct):
        simulation.draft("NOWHERE")


def test_a_moment_is_a_text_or_a_datetime(simulation: Simulation, clock: Clock) -> None:
    before_the_group = datetime(2026, 6, 1, 11, tzinfo=UTC)
    with pytest.raises(UnknownProduct):
        simulation.matrix("APP", ADA, "xbox", at=before_the_group)
    ahead = simulation.matrix("APP", ADA, "xbox", at="2031-01-01T00:00:00Z")
    assert ahead.matrix.state.moment == datetime(2031, 1, 1, tzinfo=UTC)


# --- frames ---


def rows(result: SimulationResult) -> list[tuple[Any, ...]]:
    return list(cells(result.matrix))


def test_a_pandas_frame_has_every_cell(result: SimulationResult) -> None:
    frame = result.to_pandas()
    assert list(frame.columns) == list(COLUMNS)
    assert list(frame.itertuples(index=False, name=None)) == rows(result)
    assert list(frame.index) == list(range(15))


def test_a_polars_frame_has_every_cell(result: SimulationResult) -> None:
    frame = result.to_polars()
    assert frame.columns == list(COLUMNS)
    assert frame.rows() == rows(result)


def test_texts_are_categories_in_the_order_of_the_devices(result: SimulationResult) -> None:
    pandas, polars = result.to_pandas(), result.to_polars()
    for name, kind in COLUMNS.items():
        assert (str(pandas[name].dtype) == "category") == (kind is str)
        assert isinstance(polars[name].dtype, pl.Enum) == (kind is str)
    assert list(pandas["device"].cat.categories) == DEVICES.split(",")
    assert polars["device"].dtype == pl.Enum(DEVICES.split(","))


def test_an_account_on_several_terms_has_its_rows_on_each(stored: Service, tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text(f"account,installed_version\n{ADA},\n{ADA},9.0.0.0\n,\n".replace("\n,\n", "\n"))
    found = Simulation(stored).matrix("APP", file, "Desktop/24H2,Xbox/1809")
    assert list(found.to_pandas()["action"]) == ["install", "install", "keep", "keep"]
    assert found.to_polars().rows() == rows(found)


def test_many_accounts_make_a_frame_of_a_few_bytes_a_row(simulation: Simulation) -> None:
    many = [f"user{number}@example.com" for number in range(20_000)]
    found = simulation.matrix("APP", [*many, ADA], read_devices("flights")[:60])
    frame = found.to_pandas()
    assert len(frame) == 20_001 * 60
    assert frame.memory_usage(index=False).sum() / len(frame) < 20
    assert found.to_polars().estimated_size() / len(frame) < 20
    assert Counter(frame["source"])["flight"] == found.to_polars()["source"].to_list().count(
        "flight"
    )


@pytest.mark.parametrize("frame", ["to_pandas", "to_polars"])
def test_more_rows_than_memory_holds_are_refused(result: SimulationResult, frame: str) -> None:
    with patch.object(frames, "MOST_ROWS", 14), pytest.raises(InvalidInput) as error:
        getattr(result, frame)()
    assert refused(error) == ("", "TOO_MANY_ROWS")
    assert "3 accounts x 5 devices are 15 rows" in str(error.value)
    assert "counts()" in str(error.value)


# --- counts ---


def test_counts_add_up_to_the_plain_count_of_cells(result: SimulationResult) -> None:
    matrix = result.matrix
    plain: Counter[str] = Counter()
    for row in range(3):
        for column in range(5):
            plain[short_text(matrix.outcome(row, column))] += 1
    found: Counter[str] = Counter()
    for count in result.counts():
        found[count.outcome] += count.accounts * count.device_count
    assert found == plain


def test_counts_are_by_devices_and_what_most_get_comes_first(result: SimulationResult) -> None:
    told = [(one.devices, one.kind, one.accounts) for one in result.counts()]
    assert told[:3] == [
        ("Desktop/1507/x64", "submission", 3),
        ("Desktop/24H2/x64", "submission", 2),
        ("Desktop/24H2/x64", "flight", 1),
    ]
    assert told[-1] == ("HoloLens/1809/x86", "denied", 3)
    assert list(pd.DataFrame(result.counts()).columns) == [
        "devices",
        "device_count",
        "outcome",
        "kind",
        "accounts",
    ]


def test_those_who_get_the_same_in_several_ways_are_counted_together(
    stored: Service, tmp_path: Path
) -> None:
    """Some install and some keep what they have: two rows of a grid, one count."""
    file = tmp_path / "a.csv"
    file.write_text(
        "account,installed_version\n"
        + f"{ADA},\n{BOB},\nc@x.com,\nd@x.com,9.0.0.0\ne@x.com,9.0.0.0\n"
    )
    found = Simulation(stored).matrix("APP", file, "Desktop/24H2")
    assert [(one.outcome, one.accounts) for one in found.counts()] == [
        ("public 1.0.0.0", 3),
        ("canary 2.0.0.0", 2),
    ]


# --- what is moving ---


def test_both_sides_of_a_change_of_the_last_30_minutes(stored: Service, clock: Clock) -> None:
    edit = MembershipEdit(add=(CLEO,), remove=(BOB,))
    simulation = Simulation(stored)
    assert simulation.matrix("APP", [ADA, BOB, CLEO]).before_settling() is None
    stored.groups.edit("contoso", "beta", edit, actor="test")
    clock.advance(60)
    now = simulation.matrix("APP", [ADA, BOB, CLEO], "Desktop/24H2")
    before = now.before_settling()
    assert before is not None
    assert [now.matrix.outcome(row, 0).source for row in range(3)] == ["canary", None, "canary"]
    assert names(before) == [BOB, CLEO]
    assert [before.matrix.outcome(row, 0).source for row in range(2)] == ["canary", None]


def test_the_shares_of_a_rollout_at_any_percentage(stored: Service) -> None:
    rollout = {"percentage": 25, "status": "in_progress", "previous_packages": [package("1.0.0.0")]}
    put(stored, "NEW", product(packages=[package("3.0.0.0")], rollout=rollout))
    many = [f"user{number}@example.com" for number in range(4_000)]
    found = Simulation(stored).matrix("NEW", many, "xbox", installed_version="1.0.0.0")
    declared, half = found.shares(50)
    assert (declared.percentage, declared.declared) == (25, True)
    versions = Counter(found.matrix.outcome(row, 0).version for row in range(4_000))
    assert versions == {"3.0.0.0": declared.newest, "1.0.0.0": declared.previous}
    assert half.newest == pytest.approx(2_000, abs=150)


# --- the picture ---


def texts(figure: Figure) -> list[str]:
    (axes,) = figure.axes
    ticks = (*axes.get_xticklabels(), *axes.get_yticklabels())
    return [one.get_text() for one in (*ticks, *axes.texts, *figure.texts)]


def test_a_heat_map_names_accounts_devices_and_signs(
    result: SimulationResult, tmp_path: Path
) -> None:
    figure = result.heat_map()
    said = texts(figure)
    assert {ADA, CLEO, "(not signed in)"} <= set(said)
    assert "Desktop/24H2/x64" in said
    assert result.title in said
    assert "canary, rank 2, 2.0.0.0: 1 account" in said
    assert said.count("A") == 3 + 1  # cells, and the key
    figure.savefig(tmp_path / "map.png")
    figure.savefig(tmp_path / "map.svg")
    assert figure._repr_png_().startswith(b"\x89PNG")  # type: ignore[attr-defined]  # notebooks


def test_each_cell_has_the_colour_of_what_it_gives(result: SimulationResult) -> None:
    (axes,) = result.heat_map().axes
    (image,) = axes.images
    array = image.get_array()
    assert array is not None
    assert array.shape[:2] == (3, 5)
    found = {tuple(map(float, array[row, column])) for row in range(3) for column in range(5)}
    assert len(found) == 3  # a flight, the submission, a no
    assert tuple(array[0, 1]) != tuple(array[1, 1])


def test_accounts_that_are_told_the_same_are_one_row_of_many(simulation: Simulation) -> None:
    many = [f"user{number}@example.com" for number in range(500)]
    found = simulation.matrix("APP", [*many, ADA], "desktop")
    said = texts(found.heat_map())
    assert "user0@example.com + 499 more" in said
    assert ADA in said
    each = texts(found.heat_map(each=True, rows=10))
    assert "user9@example.com" in each
    assert "user10@example.com" not in each
    assert "and 491 more accounts, in 491 rows that are not shown" in each


def test_everything_fits_into_the_picture(simulation: Simulation) -> None:
    """Long names, many devices and few: no text is cut off."""
    long = [f"{'very-' * 10}long{number}@subsidiary.of.contoso.example" for number in range(5)]
    for accounts, devices in itertools.product(
        ([*long, ADA], [ADA]), ("all", "Xbox/1809", DEVICES)
    ):
        figure = simulation.matrix("APP", accounts, devices).heat_map()
        figure.canvas.draw()
        whole = figure.bbox
        (axes,) = figure.axes
        labels = (*axes.get_xticklabels(), *axes.get_yticklabels(), *figure.texts, *axes.texts)
        for text in filter(lambda one: one.get_text(), labels):
            box = text.get_window_extent()
            assert whole.x0 <= box.x0, text
            assert box.x1 <= whole.x1, text
            assert whole.y0 <= box.y0, text
            assert box.y1 <= whole.y1, text


# --- in a notebook ---


def test_a_notebook_shows_the_grid(result: SimulationResult) -> None:
    html = result._repr_html_()
    assert ADA in html
    assert "canary, rank 2, 2.0.0.0: 1 account" in html
    assert html.count("<td") == 15
    assert repr(result) == "<Result Product, live: 3 accounts x 5 devices>"
    assert len(result) == 3


def test_names_are_text_in_a_notebook_and_never_markup() -> None:
    body = product(flight("canary", ["beta"], "2.0.0.0", name="<script>alert(1)</script>"))
    simulation = Simulation.given({"APP": body}, {"beta": [ADA]})
    html = simulation.matrix("APP", [ADA], "Desktop/24H2")._repr_html_()
    assert "<script" not in html
    assert "&lt;script&gt;" in html


# --- one story ---


def test_an_explanation_has_its_trace(result: SimulationResult) -> None:
    for device in ("Desktop/24H2/x64", "Desktop/Windows 11 24H2/amd64"):
        told = result.explain("Ada@Example.com", device)
        assert told.package.package is not None
        assert told.package.package.version == "2.0.0.0"
        assert told.trace
    nobody = result.explain(None, "Desktop/24H2/x64")
    assert nobody.package.package is not None
    assert nobody.package.package.version == "1.0.0.0"


@pytest.mark.parametrize(
    ("account", "device", "expected", "said"),
    [
        (BOB, "Desktop/24H2/x64", ("account", "UNKNOWN_ACCOUNT"), "3 accounts"),
        ("ada@", "Desktop/24H2/x64", ("account", "INVALID_EMAIL"), "`ada@`"),
        (ADA, "Desktop/23H2/x64", ("device", "UNKNOWN_DEVICE"), "did you mean `Desktop/24H2/x64`"),
        (ADA, "toaster", ("device", "UNKNOWN_DEVICE"), "`toaster`"),
    ],
)
def test_who_is_not_in_the_simulation_is_not_explained(
    result: SimulationResult, account: str, device: str, expected: tuple[str, str], said: str
) -> None:
    with pytest.raises(InvalidInput) as error:
        result.explain(account, device)
    assert refused(error) == expected
    assert said in str(error.value)


# --- without what is optional ---

WITHOUT = """
import sys

for name in ("pandas", "numpy", "polars", "matplotlib"):
    sys.modules[name] = None

from eligibility.errors import MissingPackage
from eligibility.notebook import Simulation

body = {"name": "App", "submission": {"packages": [{"file_name": "a", "version": "1.0.0.0",
    "architectures": ["x64"], "targets": {"Windows.Desktop": "10.0.14393.0"}}]}}
result = Simulation.given({"APP": body}).matrix("APP", "ada@example.com", "Desktop/24H2/x64")
print(*result.counts()[0])
print("<table>" in result._repr_html_(), result.explain("ada@example.com", "Desktop/24H2/x64").granted)
for ask in (result.to_pandas, result.to_polars, result.heat_map):
    try:
        ask()
    except MissingPackage as error:
        print(error.code, error)
"""


def ran(code: str) -> Iterator[str]:
    command = [sys.executable, "-W", "error", "-c", code]
    done = subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return iter(done.stdout.splitlines())


def test_without_the_optional_packages_all_else_works_and_each_is_named() -> None:
    said = ran(WITHOUT)
    assert next(said) == "Desktop/24H2/x64 1 public 1.0.0.0 submission 1"
    assert next(said) == "True True"
    for package_, extra in (("pandas", "pandas"), ("polars", "polars"), ("matplotlib", "plot")):
        line = next(said)
        assert line.startswith(f"MISSING_PACKAGE `{package_}` is not installed")
        assert f"flight-eligibility[{extra}]" in line


def test_nothing_optional_is_imported_before_it_is_asked_for() -> None:
    heavy = "{'pandas', 'polars', 'matplotlib', 'numpy', 'pyarrow'} & sys.modules.keys()"
    code = f"import sys; from eligibility.notebook import Simulation; print({heavy})"
    assert next(ran(code)) == "set()"
    code = "import sys, eligibility.explain.outcome; print('eligibility.service' in sys.modules)"
    assert next(ran(code)) == "False"
