"""Small simulations for tests, in few words."""

from collections.abc import Iterable
from io import BytesIO

from eligibility.service.service import Service
from eligibility.simulation.inputs.devices import read_devices
from eligibility.simulation.inputs.population import Population
from eligibility.simulation.matrix import Matrix, simulate
from eligibility.simulation.reports import FORMATS, Format, SimulationReport
from tests.helpers.catalog.products import flight, group, package, product, put

APP = "9APP"
ADA, BOB, CAT = "ada@x.com", "bob@x.com", "cat@x.com"
DESKTOPS = "Desktop/1507/x64,Desktop/24H2/x64"


def two_flights(service: Service) -> None:
    """Ada in Ring 0, which has nothing below 1607; Bob in Ring 1, which takes everything."""
    group(service, "first", ADA)
    group(service, "second", BOB)
    newer = flight("ring-0", ["first"], "3.0.0.0", name="Ring 0")
    newer["packages"] = [package("3.0.0.0", Desktop="10.0.14393.0")]
    declared = product(newer, flight("ring-1", ["second"], "2.0.0.0", name="Ring 1"))
    put(service, APP, declared)


def matrix(service: Service, names: Iterable[str], devices: str = DESKTOPS) -> Matrix:
    """Those accounts on those devices, now."""
    return simulate(service.states.read(APP), Population(list(names)), read_devices(devices))


def written(report: SimulationReport, as_format: Format) -> bytes:
    """The whole report."""
    out = BytesIO()
    FORMATS[as_format].write(report, out)
    return out.getvalue()
