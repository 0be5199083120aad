"""The page Ask: the answer for one account on one device, why, and what would change it."""

from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import Any

from fastapi import Request

from eligibility.access import wire
from eligibility.access.asker import Asker
from eligibility.access.model import AccessQuery, AccountKind, Decision
from eligibility.callers.model import Scope
from eligibility.catalog.export import all_products
from eligibility.changes.responses import TimelineResponse, timeline_response
from eligibility.changes.timeline import Timeline
from eligibility.dashboard.heat import heat
from eligibility.dashboard.moments import moment_of
from eligibility.dashboard.signin.viewer import Viewer
from eligibility.dashboard.site import RenderedPage, Site, faults_of
from eligibility.errors import EligibilityError, UnknownProduct
from eligibility.explain.least_change import GRANTED, explained, wanted_of
from eligibility.server.http.sealed_cursors import Seal
from eligibility.simulation.inputs.devices import NamedDevice, device_name, read_devices
from eligibility.simulation.inputs.drafts import Draft, MemberMoves
from eligibility.simulation.state import State
from eligibility.windows.releases import facts
from eligibility.windows.versions import release_name, releases
from groups.errors import GroupsError

_FIELDS = ("product", "family", "os", "arch", "installed", "market", "at", "kind", "wanting")
_PRESETS = "flights"
"""The preset whose devices can be chosen by name; a user describes other devices."""
_FLAGS = ("owned", "manual_check", "promotional_code")


class Ask:
    """The page at /{publisher}/ask: GET shows the form, POST its answer. No address is in a URL."""

    def __init__(self, site: Site) -> None:
        self._service = site.service
        self._seal = Seal(site.service.groups.digest_key, b"links")
        site.page("/{publisher}/ask", self.form)
        site.change("/{publisher}/ask", self.answer)

    def form(self, request: Request, viewer: Viewer) -> RenderedPage:
        """Show the form, filled in from a link; answer at once a link that has an account or a device."""
        self._check(request, viewer)
        asked = {name: request.query_params.get(name, "") for name in (*_FIELDS, *_FLAGS)}
        account = self._seal.opened(request.query_params.get("who", ""))
        asked["account"] = account or ""
        if account is None and not request.query_params.get("family"):
            return self._page(request, asked)
        return self.answer(request, viewer, asked)

    def answer(self, request: Request, viewer: Viewer, form: Mapping[str, Any]) -> RenderedPage:
        """Show the form, and the answer below it."""
        publisher = self._check(request, viewer)
        asked = {name: str(form.get(name, "")).strip() for name in (*_FIELDS, *_FLAGS, "account")}
        asked |= _preset(str(form.get("preset", "")))
        try:
            found = self._found(publisher, asked, form)
        except (EligibilityError, GroupsError) as error:
            return self._page(request, asked, faults=faults_of(error))
        who = self._seal.sealed(asked["account"]) if asked["account"] else ""
        return self._page(request, asked, link={**asked, "account": "", "who": who}, **found)

    def _found(
        self, publisher: str, asked: Mapping[str, str], form: Mapping[str, Any]
    ) -> dict[str, Any]:
        product_id = asked["product"]
        if self._service.catalog.store.owner(product_id) != publisher:
            raise UnknownProduct(product_id)
        query = _query(asked)
        asker = Asker.of(query)
        at = moment_of(asked["at"]) if asked["at"] else None
        state = self._service.states.read(product_id, at)
        in_groups = state.snapshot.groups_of(query.account) if query.account else frozenset[str]()
        who = "this account" if query.account else "somebody who is not signed in"
        found: dict[str, Any] = {
            "state": state,
            "decision": _explained(state, query, asked["wanting"]),
            "in_groups": in_groups,
            "heat": heat(state, [(who, lambda one: state.decide(asker.query(product_id, one)))]),
            "heat_of": who,
            "timeline": self._timeline(query),
        }
        supposed = frozenset(name[6:] for name in form if name.startswith("group:"))
        if form.get("suppose") and query.account and supposed != in_groups:
            draft = _supposing(publisher, query.account.id, in_groups, supposed)
            other = self._service.states.read(product_id, at, draft)
            found |= {"supposed": supposed, "otherwise": _explained(other, query, asked["wanting"])}
        return found

    def _timeline(self, query: AccessQuery) -> TimelineResponse:
        """When the answer on the device changed or will change, and why."""
        device = query.device
        release = release_name(device.version) or f"Windows {device.os_version}"
        named = (NamedDevice(device_name(device, release), device),)
        addresses = query.account.addresses if query.account else ()
        past = self._service.past(query.product_id, addresses)
        requirements = self._service.evaluator.requirements
        found = Timeline(past, Asker.of(query), named, requirements).turns()
        name = query.account.id if query.account else None
        return timeline_response(query.product_id, name, named, found, self._service.now())

    def _check(self, request: Request, viewer: Viewer) -> str:
        publisher: str = request.path_params["publisher"]
        for scope in (Scope.SIMULATE, Scope.READ_CATALOG, Scope.READ_GROUPS):
            viewer.check(scope, publisher)
        return publisher

    def _page(self, request: Request, asked: Mapping[str, Any], **found: Any) -> RenderedPage:
        publisher: str = request.path_params["publisher"]
        values: dict[str, Any] = {
            "title": "Ask",
            "asked": asked,
            "products": [*all_products(self._service.catalog.store, publisher)],
            "presets": list(_preset_names()),
            "families": list(facts().devices),
            "releases": [one.name for one in reversed(releases())],
            "kinds": list(AccountKind),
            "faults": (),
            "decision": None,
            "otherwise": None,
            "supposed": None,
        }
        return RenderedPage("ask.html", {**values, **found})


def _query(asked: Mapping[str, str]) -> AccessQuery:
    """Read the access query of a form. Raises: InvalidInput with every field that cannot be read."""
    account = {"id": asked["account"], "kind": asked["kind"] or AccountKind.MICROSOFT}
    return wire.query_of(
        product_id=asked["product"],
        account=account if asked["account"] else None,
        device={
            "family": asked["family"],
            "os_version": asked["os"],
            "architecture": asked["arch"] or None,
        },
        installed_version=asked["installed"] or None,
        market=asked["market"] or None,
        **{name: bool(asked[name]) for name in _FLAGS},
    )


def _preset_names() -> Iterator[str]:
    """The names by family and architecture, each with its newest release first."""
    for _, alike in groupby(
        read_devices(_PRESETS), lambda one: (one.device.family, one.device.architecture)
    ):
        yield from reversed([one.name for one in alike])


def _preset(name: str) -> dict[str, str]:
    """The fields of the device with this name; none if there is no such device."""
    found = next((one.device for one in read_devices(_PRESETS) if one.name == name), None)
    if found is None:
        return {}
    return {"family": found.family, "os": found.os_version, "arch": found.architecture or ""}


def _explained(state: State, query: AccessQuery, wanting: str) -> Decision:
    wanted = wanted_of(wanting, state.product, "wanting") if wanting else GRANTED
    return explained(state.decide(query, explain=True), state.case(query), wanted)


def _supposing(
    publisher: str, account: str, present: frozenset[str], supposed: frozenset[str]
) -> Draft:
    """A draft in which the account is in the supposed groups instead of its present ones."""
    moves = {one: MemberMoves(added=frozenset({account})) for one in supposed - present}
    moves |= {one: MemberMoves(removed=frozenset({account})) for one in present - supposed}
    return Draft(publisher, moves)
