"""The heat map of a product: what stands in it is what is decided, put so that it is read at a glance."""

from collections.abc import Iterator

import pytest

from eligibility.cli.demo.demo import load_sample
from eligibility.dashboard.heat import decided_for, everybody, heat
from eligibility.explain.outcome import outcome_of
from eligibility.explain.phrases import full_text
from eligibility.service.service import Service
from eligibility.service.settings import Settings
from eligibility.simulation.inputs.devices import read_devices
from eligibility.simulation.state import State
from eligibility.windows.releases import facts


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with Service(Settings(store=f"sqlite:///{tmp_path_factory.mktemp('heat') / 's.db'}")) as opened:
        load_sample(opened)
        yield opened


@pytest.fixture(scope="module")
def reader(service: Service) -> State:
    return service.states.read("9NCONTOSORDR")


@pytest.mark.parametrize("product", ["9NCONTOSORDR", "9NCONTOSOSKT", "9NCONTOSOMAP"])
def test_every_cell_is_what_is_decided(service: Service, product: str) -> None:
    state = service.states.read(product)
    for who in everybody(state):
        decide = decided_for(state, who)
        shown = heat(state, [(who.name, decide)])
        ((_, rows),) = shown.parts
        told = {
            (family, architecture): [run for run in runs for _ in range(run.releases)]
            for family, architecture, runs in rows
        }
        assert {len(cells) for cells in told.values()} <= {len(shown.releases)}
        decided: dict[tuple[str, str], list[str]] = {}
        for named in read_devices("all"):
            device = named.device
            row = device.family.removeprefix("Windows."), device.architecture or ""
            decided.setdefault(row, []).append(full_text(state.product, outcome_of(decide(device))))
        for row, words in decided.items():
            if row in told:
                assert [one.text for one in told[row] if one.mark] == words
            else:  # those have no row, for nobody gets it there, whoever it is
                assert row[0] in shown.elsewhere
                assert all(one.startswith("no: family not offered") for one in words)
        assert set(told) | {row for row in decided if row[0] in shown.elsewhere} == set(decided)


def test_releases_are_grouped_by_their_series(reader: State) -> None:
    shown = heat(reader, [])
    assert [name for name, _ in shown.series] == ["Windows 10", "Windows 11"]
    assert sum(number for _, number in shown.series) == len(shown.releases)
    assert shown.releases[0] == "1507"
    assert len(facts().devices) > 1


def test_the_legend_goes_by_rank_and_then_tells_the_two_kinds_of_a_no(reader: State) -> None:
    people = [(one.name, decided_for(reader, one)) for one in everybody(reader)]
    legend = [(one.symbol, one.label) for one in heat(reader, people).legend]
    assert legend == [
        ("A", "Canary 2.1.0.0"),
        ("B", "Insiders 2.0.0.0"),
        ("•", "Submission 1.4.0.0"),
        ("os", "the flight: OS too old for the package"),
        ("os", "OS too old for the package"),
    ]


def test_a_flight_that_has_nothing_is_told_from_a_no_for_everybody(reader: State) -> None:
    insider = next(one for one in everybody(reader) if one.key == "group:insiders")
    ((_, rows),) = heat(reader, [("an insider", decided_for(reader, insider))]).parts
    (xbox,) = [runs for family, _, runs in rows if family == "Xbox"]
    (run,) = [one for one in xbox if one.mark]
    assert run.lost
    assert run.label == "Insiders: no package for the family"
    assert run.devices == "Xbox x64, Windows 10 1511 to 11 26H2"


def test_who_gets_the_same_is_shown_once(reader: State) -> None:
    people = [(one.name, decided_for(reader, one)) for one in everybody(reader)]
    assert [who for who, _ in heat(reader, people).parts] == [
        "a member of canary-testers",
        "a member of insiders",
        "somebody in none of the groups, or somebody not signed in",
    ]
