"""Products: the list, and one with its ladder, heat map, coverage, dates and history."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from fastapi import Request, Response
from starlette.responses import RedirectResponse

from eligibility.callers.model import Scope
from eligibility.catalog.differences import differences
from eligibility.catalog.files import product_body
from eligibility.catalog.model import Product
from eligibility.catalog.store import ProductVersion
from eligibility.dashboard.attention import lacking_families
from eligibility.dashboard.heat import decided_for, everybody, heat
from eligibility.dashboard.moments import moment_of, typed
from eligibility.dashboard.signin.viewer import Viewer
from eligibility.dashboard.site import PREFIX, RenderedPage, Site
from eligibility.errors import InvalidInput, UnknownProduct
from eligibility.explain.phrases import reason_text
from eligibility.simulation.coverage import coverage
from eligibility.simulation.inputs.devices import read_devices
from eligibility.simulation.state import State

_MOST_DECISIONS = 4_000
"""Beyond it coverage is left to the API: a page has to be there at once."""
_VERSIONS = 10
ALL = "everybody"
_MOST_PEOPLE = 6
"""Of everybody, so many are in one picture; each of the others has one of its own."""


class ProductPages:
    """The pages below /products."""

    def __init__(self, site: Site) -> None:
        self._service = site.service
        one = "/{publisher}/products/{product_id}"
        site.page("/{publisher}/products", self.listed)
        site.page(one, self.shown)
        site.page(f"{one}/heat", self.heat)

    def listed(self, request: Request, viewer: Viewer) -> Response:
        """The overview has the list."""
        publisher: str = request.path_params["publisher"]
        viewer.check(Scope.READ_CATALOG, publisher)
        return RedirectResponse(f"{PREFIX}/{publisher}", 303)

    def shown(self, request: Request, viewer: Viewer) -> RenderedPage:
        """A product, now or at a moment."""
        state = self._state(request, viewer)
        groups = {  # whoever may not read groups sees their ids, which the product has, and no names
            one: self._service.groups.get(state.snapshot.publisher, one)
            for one in sorted(state.product.groups if viewer.reads_groups else ())
        }
        versions = self._service.catalog.store.history(state.product_id, limit=_VERSIONS).items
        values: dict[str, Any] = {
            "title": state.product.name,
            "state": state,
            "product": state.product,
            "groups": groups,
            "lacking": {
                f.flight_id: lacking_families(state.product, f) for f in state.product.flights
            },
            "timeline": _timeline(state.product, versions),
            "reached": self._coverage(state),
            "reason_text": reason_text,
            **self._heat(request, state),
        }
        return RenderedPage("product.html", values)

    def heat(self, request: Request, viewer: Viewer) -> RenderedPage:
        """The heat map alone, of somebody else."""
        state = self._state(request, viewer)
        return RenderedPage("heat.html", self._heat(request, state))

    def _heat(self, request: Request, state: State) -> dict[str, Any]:
        people, moment = everybody(state), _moment(request)
        key = request.query_params.get("who", ALL)
        chosen = [one for one in people if one.key == key] or people[:_MOST_PEOPLE]
        return {
            "people": people,
            "most_people": _MOST_PEOPLE,
            "who": chosen[0].key if len(chosen) == 1 else ALL,
            "heat": heat(state, [(one.name, decided_for(state, one)) for one in chosen]),
            "heat_of": chosen[0].name if len(chosen) == 1 else "everybody",
            "at": typed(moment) if moment else "",
        }

    def _coverage(self, state: State) -> Any:
        try:
            return coverage(state, read_devices("flights"), most_decisions=_MOST_DECISIONS)
        except InvalidInput:
            return None

    def _state(self, request: Request, viewer: Viewer) -> State:
        publisher: str = request.path_params["publisher"]
        viewer.check(Scope.READ_CATALOG, publisher)
        product_id: str = request.path_params["product_id"]
        if self._service.catalog.store.owner(product_id) != publisher:
            raise UnknownProduct(product_id)
        return self._service.states.read(product_id, _moment(request))


def _moment(request: Request) -> datetime | None:
    """The moment in the address; None = now. Raises: InvalidInput."""
    text = request.query_params.get("at", "").strip()
    return moment_of(text) if text else None


@dataclass(frozen=True, slots=True)
class ProductEvent:
    """Something that changes answers. look: the first whole second at which it is so; who: "" = by date."""

    at: datetime
    changes: Sequence[str]
    who: str = ""
    revision: int | None = None

    @property
    def look(self) -> str:
        """What stands for the moment in a URL."""
        whole = self.at.replace(microsecond=0)
        return f"{whole if whole == self.at else whole + timedelta(seconds=1):%Y-%m-%dT%H:%M:%S}"


def _timeline(product: Product, versions: tuple[ProductVersion, ...]) -> list[ProductEvent]:
    """What was and will be: declared dates and versions, the latest first."""
    return sorted((*_dates(product), *_changes(versions)), key=lambda one: one.at, reverse=True)


def _dates(product: Product) -> Iterator[ProductEvent]:
    """Moments at which answers change by themselves."""
    for moment, flight in product.dates():
        text = f"flight {flight.name} is published" if flight else "becomes public for everybody"
        yield ProductEvent(moment, [text])


def _changes(versions: tuple[ProductVersion, ...]) -> Iterator[ProductEvent]:
    """Each version with what differs from the one before; of more than are shown, not the last."""
    for version, before in zip(versions, (*versions[1:], None), strict=True):
        if version.product is None:
            changes = ["deleted"]
        elif before is None or before.product is None:
            changes = ["declared"]
        else:
            bodies = product_body(before.product), product_body(version.product)
            changes = list(differences(*bodies))
        yield ProductEvent(version.at, changes, version.actor, version.revision)
