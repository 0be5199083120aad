"""Sort flights by rank, which the API describes by `rankHigherThan` links.

`rankHigherThan` names the flight (by friendly name or id) or the non-flighted submission directly
below a flight; null means that the flight has the top rank (domain.md section 5; CF, GF).
"""

from collections.abc import Iterator, Mapping

from eligibility.catalog.partner_center.report import ImportReport
from eligibility.catalog.partner_center.shapes import NON_FLIGHTED, FlightResource


def rank_order(flights: list[FlightResource], report: ImportReport) -> list[FlightResource]:
    """Sort flights from the highest rank to the lowest. Report a fault if the order is unclear."""
    top = [flight for flight in flights if flight.above is None]
    if len(top) > 1:
        detail = f"only one flight can have the top rank (`rankHigherThan` null), but {_names(top)} have it"
        report.fault("flights", "DUPLICATE_RANK", detail)
    below = {
        flight.flight_id: target
        for flight in flights
        if flight.above is not None and (target := _below(flight.above, flight, flights, report))
    }
    above: dict[str, FlightResource] = {}
    for flight in flights:
        if flight.flight_id not in below:
            continue
        other = above.setdefault(below[flight.flight_id], flight)
        if other is not flight:
            detail = f"{_names([other, flight])} both rank directly above `{flight.above}`"
            report.fault("flights", "DUPLICATE_RANK", detail)
    circle = [flight for flight in flights if _returns(flight.flight_id, below)]
    if circle:
        detail = f"{_names(circle)} rank above each other in a circle"
        report.fault("flights", "RANK_CYCLE", detail)
    order = top + list(_climb(above))[::-1]
    higher = [flight for flight in flights if flight not in order and flight not in circle]
    if higher and not report.faults:
        detail = f"{_names(higher)} would rank above {_names(top)}, which has the top rank (`rankHigherThan` null)"
        report.fault("flights", "DUPLICATE_RANK", detail)
    return order


def _climb(above: Mapping[str, FlightResource]) -> Iterator[FlightResource]:
    """List the flights above the non-flighted submission, from the lowest rank to the highest."""
    step = NON_FLIGHTED
    while step in above:
        flight = above[step]
        yield flight
        step = flight.flight_id


def _returns(flight_id: str, below: Mapping[str, str]) -> bool:
    """Return whether the links downwards from a flight lead back to the same flight."""
    step, seen = below.get(flight_id), set[str]()
    while step is not None and step not in seen:
        if step == flight_id:
            return True
        seen.add(step)
        step = below.get(step)
    return False


def _below(
    link: str, flight: FlightResource, flights: list[FlightResource], report: ImportReport
) -> str | None:
    """Return the id of the flight whose id, or else name, is `link`; or return NON_FLIGHTED."""
    if link.casefold() == NON_FLIGHTED.casefold():
        return NON_FLIGHTED
    by_id = [other.flight_id for other in flights if other.flight_id == link]
    ids = by_id or [other.flight_id for other in flights if other.name == link]
    if len(ids) == 1:
        return ids[0]
    code = "AMBIGUOUS_RANK" if ids else "DANGLING_RANK"
    detail = f"ranks above `{link}`, but {len(ids) or 'no'} flights have that name or id"
    report.fault(f"flight `{flight.name}`", code, detail)
    return None


def _names(flights: list[FlightResource]) -> str:
    return " and ".join(f"`{flight.name}`" for flight in flights)
