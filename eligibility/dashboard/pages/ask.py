"""The page Ask: the answer for one account on one device, why, and what would change it."""

from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import Any

from fastapi import Request

from eligibility.access import wire
from eligibility.access.asker import Asker
from eligibility.access.codes import AccountKind
from eligibility.access.model import AccessQuery, Decision
from eligibility.callers.model import Scope
from eligibility.catalog.export import all_products
from eligibility.changes.responses import TimelineResponse, timeline_response
from eligibility.dashboard.heat import heat
from eligibility.dashboard.moments import moment_of
from eligibility.dashboard.signin.viewer import Viewer
from eligibility.dashboard.site import RenderedPage, Site, faults_of
from eligibility.errors import EligibilityError, UnknownProduct
from eligibility.explain.device_names import device_name
from eligibility.explain.least_change import GRANTED, explained, goal_of
from eligibility.server.http.sealed_cursors import Seal
from eligibility.simulation.inputs.devices import NamedDevice, read_devices
from eligibility.simulation.inputs.drafts import Draft, MemberMoves
from eligibility.simulation.state import State
from eligibility.windows.releases import facts
from eligibility.windows.versions import releases
from groups.errors import GroupsError

_FIELDS = ("product", "family", "os", "arch", "installed", "market", "at", "kind", "wanting")
_PRESETS = "flights"
"""The preset whose devices can be chosen by name. Other devices are described in fields."""
_SCOPES = (Scope.SIMULATE, Scope.READ_CATALOG, Scope.READ_GROUPS)
_FLAGS = ("owned", "manual_check", "promotional_code")


class Ask:
    """The page at /{publisher}/ask: GET shows the form, POST the answer: no URL has an address."""

    def __init__(self, site: Site) -> None:
        self._service = site.service
        self._seal = Seal(site.service.groups.digest_key, b"links")
        site.page("/{publisher}/ask", self.form)
        site.change("/{publisher}/ask", self.answer)

    def form(self, request: Request, viewer: Viewer) -> RenderedPage:
        """Show the form, filled in from a link; answer if the link has an account or a device."""
        viewer.publisher_of(request, *_SCOPES)
        fields = {name: request.query_params.get(name, "") for name in (*_FIELDS, *_FLAGS)}
        account = self._seal.opened(request.query_params.get("who", ""))
        fields["account"] = account or ""
        if account is None and not request.query_params.get("family"):
            return self._page(request, fields)
        return self.answer(request, viewer, fields)

    def answer(self, request: Request, viewer: Viewer, form: Mapping[str, Any]) -> RenderedPage:
        """Show the form, and the answer below it."""
        publisher = viewer.publisher_of(request, *_SCOPES)
        fields = {name: str(form.get(name, "")).strip() for name in (*_FIELDS, *_FLAGS, "account")}
        fields |= _preset(str(form.get("preset", "")))
        try:
            values = self._answer(publisher, fields, form)
        except (EligibilityError, GroupsError) as error:
            return self._page(request, fields, faults=faults_of(error))
        who = self._seal.sealed(fields["account"]) if fields["account"] else ""
        return self._page(request, fields, link={**fields, "account": "", "who": who}, **values)

    def _answer(
        self, publisher: str, fields: Mapping[str, str], form: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Return the template values of the answer. Raises: InvalidInput, UnknownProduct."""
        product_id = fields["product"]
        if self._service.catalog.store.owner(product_id) != publisher:
            raise UnknownProduct(product_id)
        query = _query(fields)
        asker = Asker.of(query)
        at = moment_of(fields["at"]) if fields["at"] else None
        state = self._service.states.read(product_id, at)
        in_groups = state.snapshot.groups_of(query.account) if query.account else frozenset[str]()
        who = "this account" if query.account else "somebody who is not signed in"
        values: dict[str, Any] = {
            "state": state,
            "decision": _explained(state, query, fields["wanting"]),
            "in_groups": in_groups,
            "heat": heat(
                state, [(who, lambda device: state.decide(asker.query(product_id, device)))]
            ),
            "heat_of": who,
            "timeline": self._timeline(query),
        }
        supposed = frozenset(name[6:] for name in form if name.startswith("group:"))
        if form.get("suppose") and query.account and supposed != in_groups:
            draft = _supposing(publisher, query.account.id, in_groups, supposed)
            other = self._service.states.read(product_id, at, draft)
            otherwise = _explained(other, query, fields["wanting"])
            values |= {"supposed": supposed, "otherwise": otherwise}
        return values

    def _timeline(self, query: AccessQuery) -> TimelineResponse:
        """List when the answer on the device changed or will change, and why."""
        named = (NamedDevice(device_name(query.device), query.device),)
        timeline = self._service.timeline(query.product_id, Asker.of(query), named)
        return timeline_response(timeline, self._service.now())

    def _page(self, request: Request, fields: Mapping[str, Any], **answer: Any) -> RenderedPage:
        publisher: str = request.path_params["publisher"]
        values: dict[str, Any] = {
            "title": "Ask",
            "query": fields,
            "products": [*all_products(self._service.catalog.store, publisher)],
            "presets": list(_preset_names()),
            "families": list(facts().devices),
            "releases": [release.name for release in reversed(releases())],
            "kinds": list(AccountKind),
            "faults": (),
            "decision": None,
            "otherwise": None,
            "supposed": None,
        }
        return RenderedPage("ask.html", {**values, **answer})


def _query(fields: Mapping[str, str]) -> AccessQuery:
    """Read the access query of a form. Raises: InvalidInput, which lists all unreadable fields."""
    account = {"id": fields["account"], "kind": fields["kind"] or AccountKind.MICROSOFT}
    return wire.query_of(
        product_id=fields["product"],
        account=account if fields["account"] else None,
        device={
            "family": fields["family"],
            "os_version": fields["os"],
            "architecture": fields["arch"] or None,
        },
        installed_version=fields["installed"] or None,
        market=fields["market"] or None,
        owned=bool(fields["owned"]) or None,
        manual_check=bool(fields["manual_check"]),
        promotional_code=bool(fields["promotional_code"]),
    )


def _preset_names() -> Iterator[str]:
    """List the device names by family and architecture, the newest release first."""
    for _, alike in groupby(
        read_devices(_PRESETS), lambda named: (named.device.family, named.device.architecture)
    ):
        yield from reversed([named.name for named in alike])


def _preset(name: str) -> dict[str, str]:
    """Return the form fields of the device with this name; {} if there is none."""
    device = next((named.device for named in read_devices(_PRESETS) if named.name == name), None)
    if device is None:
        return {}
    return {"family": device.family, "os": device.os_version, "arch": device.architecture or ""}


def _explained(state: State, query: AccessQuery, wanting: str) -> Decision:
    goal = goal_of(wanting, state.product, "wanting") if wanting else GRANTED
    return explained(state.decide(query, explain=True), state.case(query), goal)


def _supposing(
    publisher: str, account: str, present: frozenset[str], supposed: frozenset[str]
) -> Draft:
    """Build a draft that moves the account from its present groups to the supposed ones."""
    who = frozenset({account})
    moves = {group: MemberMoves(added=who) for group in supposed - present}
    moves |= {group: MemberMoves(removed=who) for group in present - supposed}
    return Draft(publisher, moves)
