"""The pages of products: one product with its ladder, heat map, coverage, dates and history."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import attrgetter
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
from eligibility.explain.phrases import short_text
from eligibility.simulation.coverage import coverage
from eligibility.simulation.inputs.devices import read_devices
from eligibility.simulation.state import State

_MOST_DECISIONS = 4_000
"""Only the API computes coverage that takes more decisions, because a page must load fast."""
_VERSIONS = 10
ALL = "everybody"
_MOST_PEOPLE = 6
"""How many people the common heat map shows. Each other person has a separate heat map."""


class ProductPages:
    """The pages below /products."""

    def __init__(self, site: Site) -> None:
        self._service = site.service
        product = "/{publisher}/products/{product_id}"
        site.page("/{publisher}/products", self.listed)
        site.page(product, self.shown)
        site.page(f"{product}/heat", self.heat)

    def listed(self, request: Request, viewer: Viewer) -> Response:
        """Redirect to the overview, which has the list."""
        publisher = viewer.publisher_of(request, Scope.READ_CATALOG)
        return RedirectResponse(f"{PREFIX}/{publisher}", 303)

    def shown(self, request: Request, viewer: Viewer) -> RenderedPage:
        """Show a product, now or at a given date and time."""
        state = self._state(request, viewer)
        # A viewer who may not read groups sees only their ids, which the product contains.
        group_ids = sorted(state.product.groups) if viewer.reads_groups else []
        publisher = state.snapshot.publisher
        groups = {group_id: self._service.groups.get(publisher, group_id) for group_id in group_ids}
        versions = self._service.catalog.store.history(state.product_id, limit=_VERSIONS).items
        events = [*_dates(state.product), *_changes(versions)]
        values: dict[str, Any] = {
            "title": state.product.name,
            "state": state,
            "product": state.product,
            "groups": groups,
            "lacking": {
                f.flight_id: lacking_families(state.product, f) for f in state.product.flights
            },
            "timeline": sorted(events, key=attrgetter("at"), reverse=True),
            "reached": self._coverage(state),
            "short_text": short_text,
            **self._heat(request, state),
        }
        return RenderedPage("product.html", values)

    def heat(self, request: Request, viewer: Viewer) -> RenderedPage:
        """Show only the heat map, for another person."""
        state = self._state(request, viewer)
        return RenderedPage("heat.html", self._heat(request, state))

    def _heat(self, request: Request, state: State) -> dict[str, Any]:
        people, moment = everybody(state), _moment(request)
        key = request.query_params.get("who", ALL)
        chosen = [person for person in people if person.key == key] or people[:_MOST_PEOPLE]
        return {
            "people": people,
            "most_people": _MOST_PEOPLE,
            "who": chosen[0].key if len(chosen) == 1 else ALL,
            "heat": heat(state, [(person.name, decided_for(state, person)) for person in chosen]),
            "heat_of": chosen[0].name if len(chosen) == 1 else "everybody",
            "at": typed(moment) if moment else "",
        }

    def _coverage(self, state: State) -> Any:
        try:
            return coverage(state, read_devices("flights"), most_decisions=_MOST_DECISIONS)
        except InvalidInput:
            return None

    def _state(self, request: Request, viewer: Viewer) -> State:
        publisher = viewer.publisher_of(request, Scope.READ_CATALOG)
        product_id: str = request.path_params["product_id"]
        if self._service.catalog.store.owner(product_id) != publisher:
            raise UnknownProduct(product_id)
        return self._service.states.read(product_id, _moment(request))


def _moment(request: Request) -> datetime | None:
    """Read the date and time in the URL; None = now. Raises: InvalidInput."""
    text = request.query_params.get("at", "").strip()
    return moment_of(text) if text else None


@dataclass(frozen=True, slots=True)
class ProductEvent:
    """A change of answers. who: the person who caused it; "" = a date caused it."""

    at: datetime
    changes: Sequence[str]
    who: str = ""
    revision: int | None = None

    @property
    def look(self) -> str:
        """The first whole second at which the change is in force, as text for a URL."""
        whole = self.at.replace(microsecond=0)
        return f"{whole if whole == self.at else whole + timedelta(seconds=1):%Y-%m-%dT%H:%M:%S}"


def _dates(product: Product) -> Iterator[ProductEvent]:
    """List dates at which answers change without an edit."""
    for moment, flight in product.dates():
        text = f"flight {flight.name} is published" if flight else "becomes public for everybody"
        yield ProductEvent(moment, [text])


def _changes(versions: tuple[ProductVersion, ...]) -> Iterator[ProductEvent]:
    """List each version, with its differences from the version before."""
    for version, before in zip(versions, (*versions[1:], None), strict=True):
        if version.product is None:
            changes = ["deleted"]
        elif before is None or before.product is None:
            changes = ["declared"]
        else:
            bodies = product_body(before.product), product_body(version.product)
            changes = list(differences(*bodies))
        yield ProductEvent(version.at, changes, version.actor, version.revision)
