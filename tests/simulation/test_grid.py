"""Grid: how a matrix is put into rows, columns and signs for people."""

import pytest

from eligibility.access.codes import Reason
from eligibility.explain.phrases import REASONS
from eligibility.service.service import Service
from eligibility.simulation.inputs.devices import read_devices
from eligibility.simulation.inputs.population import Population
from eligibility.simulation.matrix import before_settling, simulate
from eligibility.simulation.reports.grid import FIRST_NAMES, Grid, make_grid
from eligibility.simulation.reports.symbols import flight_letters
from tests.helpers.catalog.products import flight, group, package, product, put
from tests.helpers.catalog.simulations import ADA, APP, BOB, CAT, matrix, two_flights
from tests.helpers.clock import Clock

PEOPLE = [ADA, BOB, CAT]


def signs(grid: Grid) -> list[list[str]]:
    return [[grid.marks[number].symbol for number in row.cells] for row in grid.rows]


@pytest.fixture
def flights(service: Service) -> Service:
    two_flights(service)
    return service


# --- signs ---


def test_a_flight_is_a_letter_by_rank_and_the_submission_has_a_sign_of_its_own(
    flights: Service,
) -> None:
    grid = make_grid(matrix(flights, PEOPLE, "Desktop/24H2/x64"))
    assert signs(grid) == [["A"], ["B"], ["•"]]


def test_a_no_is_its_reason_behind_the_flight_that_has_nothing(flights: Service) -> None:
    grid = make_grid(matrix(flights, PEOPLE, "Desktop/1511/x64"))
    assert signs(grid) == [["A:os"], ["B"], ["•"]]
    assert grid.names_flights_that_deny


def test_versions_of_one_source_are_numbered_the_highest_first(service: Service) -> None:
    packages = [
        package("9.0.0.0", Desktop="10.0.10240.0"),
        package("10.0.0.0", Desktop="10.0.22000.0"),
    ]
    put(service, APP, product(packages=packages))
    grid = make_grid(matrix(service, [ADA]))
    assert signs(grid) == [["•2", "•1"]]
    assert [(key.mark.symbol, key.version) for key in grid.legend] == [
        ("•1", "10.0.0.0"),
        ("•2", "9.0.0.0"),
    ]


def test_several_reasons_are_the_first_of_them_and_a_plus(service: Service) -> None:
    group(service, "beta", BOB)
    put(service, APP, product(audience="private", audience_groups=["beta"]))
    grid = make_grid(matrix(service, [ADA]))
    assert signs(grid) == [["aud+", "aud"]]
    assert {key.meaning for key in grid.legend} == {
        "no: not in the audience, OS too old for a private audience",
        "no: not in the audience",
    }


def test_every_reason_for_a_no_has_a_sign_of_its_own_that_is_no_letter() -> None:
    symbols = [phrases.symbol for phrases in REASONS.values()]
    assert len(set(symbols)) == len(symbols)
    assert all(symbol.islower() for symbol in symbols)
    assert Reason.FLIGHT_MEMBER not in REASONS


def test_letters_go_on_after_z_as_in_a_spreadsheet() -> None:
    names = [f"flight-{number}" for number in range(28)]
    letters = flight_letters(product(*(flight(one, ["g"], "1.0.0.0") for one in names)))
    assert [letters[names[place]] for place in (0, 25, 26, 27)] == ["A", "Z", "AA", "AB"]


# --- columns ---


def test_neighbouring_devices_that_answer_alike_are_one_column(flights: Service) -> None:
    grid = make_grid(matrix(flights, PEOPLE, "desktop"))
    assert [column.name for column in grid.columns if column.name.endswith("x64")] == [
        "Windows 10 1507, x64",
        "Windows 10 1511, x64",
        "Windows 10 1607 to 11 26H1, x64",
    ]
    assert sum(len(column.devices) for column in grid.columns) == 21 + 14 + 17
    assert grid.columns[2].head == ("Desktop", "x64", "10 1607", "\N{EN DASH} 11 26H1")


def test_devices_between_which_something_else_is_answered_stay_apart(flights: Service) -> None:
    grid = make_grid(matrix(flights, [ADA], "Desktop/24H2/x64,Desktop/1511/x64,Desktop/23H2/x64"))
    assert signs(grid) == [["A", "A:os", "A"]]


def test_devices_with_names_of_their_own_are_not_told_as_a_range(flights: Service) -> None:
    grid = make_grid(matrix(flights, [ADA], "Desktop/24H2/x64,Desktop/23H2/x64"))
    assert [column.name for column in grid.columns] == ["Desktop/24H2/x64 + 1 more"]


def test_architectures_stay_apart(flights: Service) -> None:
    grid = make_grid(matrix(flights, [CAT], "Desktop/24H2/x64,Desktop/24H2/arm64"))
    assert [column.head[1] for column in grid.columns] == ["x64", "arm64"]
    assert signs(grid) == [["•", "•"]]


def test_releases_that_do_not_rise_are_not_told_as_a_range(flights: Service) -> None:
    backwards = tuple(reversed(read_devices("windows-11")))
    state = flights.states.read(APP)
    grid = make_grid(simulate(state, Population([CAT]), backwards))
    assert grid.columns[0].name == "Windows 11 26H1, arm64 + 6 more"


def test_devices_that_only_the_store_itself_may_still_tell_apart_stay_apart(
    service: Service,
) -> None:
    group(service, "ring", ADA)
    newest_only = package("1.0.0.0", Desktop="10.0.22000.0")
    put(service, APP, product(flight("ring", ["ring"], "2.0.0.0"), packages=[newest_only]))
    now = matrix(service, [ADA], "Desktop/1607/x64,Desktop/24H2/x64")
    assert signs(make_grid(now)) == [["A"]]
    assert signs(make_grid(now, before_settling(now))) == [["A", "A"], ["os", "•"]]


# --- rows ---


def test_up_to_forty_accounts_are_a_row_each_in_order(flights: Service) -> None:
    grid = make_grid(matrix(flights, [CAT, *(f"{n}@x.com" for n in range(39))]))
    assert len(grid.rows) == 40
    assert grid.rows[0].label == CAT


def test_more_accounts_are_told_together_the_most_first(flights: Service) -> None:
    grid = make_grid(matrix(flights, [ADA, BOB, *(f"{n}@x.com" for n in range(150))]))
    assert [row.label for row in grid.rows] == ["0@x.com + 149 more", ADA, BOB]
    assert grid.rows[0].count == 150
    assert len(grid.rows[0].names) == FIRST_NAMES


def test_each_and_grouped_on_request(flights: Service) -> None:
    many = [f"{n}@x.com" for n in range(50)]
    assert len(make_grid(matrix(flights, many), each=True).rows) == 50
    assert len(make_grid(matrix(flights, many[:3]), each=False).rows) == 1


# --- the legend ---


def test_the_legend_counts_accounts_and_pairs_and_these_add_up(flights: Service) -> None:
    grid = make_grid(matrix(flights, [*PEOPLE, "dan@x.com"]))
    told = [(key.mark.symbol, key.meaning, key.accounts, key.pairs) for key in grid.legend]
    assert told == [
        ("A", "Ring 0, rank 3", 1, 1),
        ("B", "Ring 1, rank 2", 1, 1),
        ("•", "non-flighted submission, rank 1", 4, 6),
    ]
    assert sum(key.pairs for key in grid.legend) == 4 * 2


def test_pairs_count_every_device(flights: Service) -> None:
    grid = make_grid(matrix(flights, [ADA, CAT], "Desktop/22621/x64,Desktop/23H2/x64,Xbox/22621"))
    assert {key.mark.symbol: key.pairs for key in grid.legend} == {
        "A": 2,
        "A:pkg": 1,
        "B": 0,
        "•": 3,
    }


def test_a_flight_that_nobody_gets_is_named(flights: Service) -> None:
    grid = make_grid(matrix(flights, [CAT]))
    assert [key.meaning for key in grid.legend[:2]] == [
        "Ring 0, rank 3: nobody here gets it",
        "Ring 1, rank 2: nobody here gets it",
    ]


def test_what_helps_is_told_once_for_each_outcome(service: Service) -> None:
    group(service, "beta", BOB)
    put(service, APP, product(audience="private", audience_groups=["beta"]))
    grid = make_grid(matrix(service, [ADA, CAT], "Desktop/24H2/x64"))
    ((helps,),) = grid.helps
    assert helps.always
    assert helps.text.startswith("ask the publisher to be added to group `beta`")


# --- settling ---


def test_both_sides_of_a_membership_change_are_two_rows(flights: Service, clock: Clock) -> None:
    now = matrix(flights, PEOPLE, "Desktop/24H2/x64")
    grid = make_grid(now, before_settling(now))
    assert [(row.label, row.side, row.change) for row in grid.rows] == [
        (ADA, "here now", "added"),
        (ADA, "the Store may still say", "added"),
        (BOB, "here now", "added"),
        (BOB, "the Store may still say", "added"),
        (CAT, "", ""),
    ]
    assert signs(grid) == [["A"], ["•"], ["B"], ["•"], ["•"]]
    assert [key.accounts for key in grid.legend] == [1, 1, 1]


def test_grouped_rows_keep_both_sides_together(flights: Service) -> None:
    now = matrix(flights, [CAT, ADA], "Desktop/24H2/x64")
    grid = make_grid(now, before_settling(now), each=False)
    assert [(row.label, row.side) for row in grid.rows] == [
        (CAT, ""),
        (ADA, "here now"),
        (ADA, "the Store may still say"),
    ]


def test_after_thirty_minutes_there_is_one_side(flights: Service, clock: Clock) -> None:
    clock.advance(30 * 60)
    assert before_settling(matrix(flights, PEOPLE)) is None
