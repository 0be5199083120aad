"""Cells: a matrix as flat rows, which every format and frame is made of."""

from collections.abc import Iterable
from typing import Any

import pytest

from eligibility.access.asker import Asker
from eligibility.access.codes import Reason
from eligibility.access.model import Account
from eligibility.explain.phrases import REASONS
from eligibility.service.service import Service
from eligibility.simulation.inputs.devices import read_devices
from eligibility.simulation.inputs.population import Population
from eligibility.simulation.matrix import Matrix, simulate
from eligibility.simulation.reports.cells import COLUMNS, cells
from groups.model import MembershipEdit
from tests.helpers.catalog.products import flight, group, package, product, put
from tests.helpers.clock import Clock

ADA, BOB, CLEO = "ada@example.com", "bob@example.com", "cleo@example.com"
DEVICES = "Desktop/Windows 11 24H2/x64,Desktop/1507/x64,Xbox/1809,HoloLens/1809/x86"


@pytest.fixture
def matrix(service: Service, clock: Clock) -> Matrix:
    group(service, "beta", ADA, BOB)
    put(service, "APP", product(flight("canary", ["beta"], "2.0.0.0")))
    clock.advance(3_600)
    edit = MembershipEdit(add=(CLEO,), remove=(BOB,))
    service.groups.edit("contoso", "beta", edit, actor="test")
    clock.advance(60)
    population = Population([ADA, BOB, CLEO, "(not signed in)"], others={3: Asker(None, "1.0.0.0")})
    return simulate(service.states.read("APP"), population, read_devices(DEVICES))


def rows(matrix: Matrix) -> list[dict[str, Any]]:
    return [dict(zip(COLUMNS, cell, strict=True)) for cell in cells(matrix)]


def column(found: Iterable[dict[str, Any]], name: str) -> list[Any]:
    return [one[name] for one in found]


def test_there_is_a_row_for_every_account_and_device_in_their_order(matrix: Matrix) -> None:
    found = rows(matrix)
    assert column(found[::4], "account") == [ADA, BOB, CLEO, ""]
    assert column(found[:4], "device") == DEVICES.split(",")
    assert column(found[:4], "family") == [
        "Windows.Desktop",
        "Windows.Desktop",
        "Windows.Xbox",
        "Windows.Holographic",
    ]
    assert column(found[:4], "architecture") == ["x64", "x64", "", "x86"]
    assert column(found[:4], "os_version")[0] == "10.0.26100.0"


def test_a_row_tells_what_the_account_gets(matrix: Matrix) -> None:
    ada = rows(matrix)[0]
    assert ada == {
        "account": ADA,
        "device": "Desktop/Windows 11 24H2/x64",
        "family": "Windows.Desktop",
        "os_version": "10.0.26100.0",
        "architecture": "x64",
        "granted": True,
        "source": "flight",
        "flight_id": "canary",
        "package_version": "2.0.0.0",
        "package_architecture": "neutral",
        "action": "install",
        "reasons": "FLIGHT_MEMBER",
        "settling": "",
    }


def test_a_device_below_the_floor_of_flights_gets_the_submission(matrix: Matrix) -> None:
    old = rows(matrix)[1]
    assert (old["source"], old["flight_id"], old["package_version"]) == (
        "submission",
        "",
        "1.0.0.0",
    )


def test_a_denied_row_has_its_reasons_and_nothing_else(matrix: Matrix) -> None:
    denied = rows(matrix)[3]
    assert (denied["granted"], denied["source"], denied["action"]) == (False, "denied", "none")
    assert denied["reasons"] == "DEVICE_FAMILY_NOT_OFFERED NO_PACKAGE_FOR_FAMILY"
    assert (denied["flight_id"], denied["package_version"]) == ("", "")


def test_a_flight_through_which_nothing_falls_is_told(service: Service, clock: Clock) -> None:
    group(service, "beta", ADA)
    only_new = flight("canary", ["beta"], "2.0.0.0")
    only_new["packages"] = [package("2.0.0.0", Desktop="10.0.26100.0")]
    put(service, "APP", product(only_new))
    devices = read_devices("Desktop/Windows 11 22H2")
    (row,) = rows(simulate(service.states.read("APP"), Population([ADA]), devices))
    assert (row["granted"], row["flight_id"]) == (False, "canary")
    assert row["reasons"] == "OS_BELOW_PACKAGE_MINIMUM"


def test_settling_memberships_are_told_on_both_sides(matrix: Matrix) -> None:
    assert column(rows(matrix)[::4], "settling") == ["", "removed", "added", ""]


def test_every_value_is_of_its_columns_type(matrix: Matrix) -> None:
    for cell in cells(matrix):
        assert [type(value) for value in cell] == list(COLUMNS.values())


def test_rows_are_those_of_the_decisions(matrix: Matrix) -> None:
    for number, row in enumerate(rows(matrix)):
        decision = matrix.decision(*divmod(number, len(matrix.devices)))
        assert row["granted"] == decision.granted
        offered = decision.package.package
        assert row["package_version"] == (offered.version if offered else "")


def test_an_account_with_aliases_is_told_by_its_first_address(service: Service) -> None:
    put(service, "APP", product())
    population = Population.of([Asker(Account(ADA, aliases=(BOB,)))])
    (row,) = rows(simulate(service.states.read("APP"), population, read_devices("Xbox/1809")))
    assert row["account"] == ADA


def test_every_reason_for_a_no_has_its_few_words() -> None:
    granting = {"PUBLIC_AUDIENCE", "AUDIENCE_MEMBER", "FLIGHT_MEMBER", "NON_FLIGHTED_SUBMISSION"}
    rollout = {reason for reason in Reason if reason.startswith("ROLLOUT_")}
    assert set(Reason) == REASONS.keys() | granting | rollout
