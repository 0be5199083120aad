"""The page Live: a sample of recent decisions, the newest first."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from fastapi import Request

from eligibility.activity.model import RecentDecision
from eligibility.callers.model import Scope
from eligibility.catalog.export import all_products
from eligibility.dashboard.member_addresses import MemberAddresses
from eligibility.dashboard.signin.viewer import Viewer
from eligibility.dashboard.site import RenderedPage, Site
from eligibility.explain.phrases import reason_text

_SHOWN = 60


@dataclass(frozen=True, slots=True)
class LiveDecision:
    """A line of the page. account: a member's address if it may be shown, else a placeholder."""

    seen: RecentDecision
    product: str
    account: str
    reason: str


class Live:
    """The page at /{publisher}/live, and its lines, which the browser fetches repeatedly."""

    def __init__(self, site: Site) -> None:
        self._service = site.service
        self._members = MemberAddresses(site.service.groups)
        site.page("/{publisher}/live", self.shown)
        site.page("/{publisher}/live/lines", self.lines)

    def shown(self, request: Request, viewer: Viewer) -> RenderedPage:
        """Show the whole page."""
        return RenderedPage("live.html", {"title": "Live", **self._values(request, viewer)})

    def lines(self, request: Request, viewer: Viewer) -> RenderedPage:
        """Show only the lines."""
        return RenderedPage("live_lines.html", self._values(request, viewer))

    def _values(self, request: Request, viewer: Viewer) -> dict[str, Any]:
        publisher = viewer.publisher_of(request, Scope.READ_CATALOG)
        service = self._service
        service.recorder.flush()
        names = {
            entry.product_id: entry.product.name
            for entry in all_products(service.catalog.store, publisher)
        }
        product = request.query_params.get("product", "")
        kind = request.query_params.get("kind", "")
        decisions = [
            decision
            for decision in reversed(service.activity.seen(publisher, 0.0))
            if product in ("", decision.product_id) and kind in ("", _kind(decision))
        ][:_SHOWN]
        addresses = self._addresses(decisions) if viewer.reads_groups else {}
        lines = [
            LiveDecision(
                decision,
                names.get(decision.product_id, decision.product_id),
                _account(decision, addresses),
                "" if _kind(decision) == "granted" else reason_text(decision.answer.reasons[0]),
            )
            for decision in decisions
        ]
        return {"lines": lines, "products": names, "product": product, "kind": kind}

    def _addresses(self, decisions: Iterable[RecentDecision]) -> dict[int, str]:
        """Return the addresses of accounts that are members, by digest."""
        digests = defaultdict[str, set[int]](set)
        for decision in decisions:
            if decision.member and decision.digest is not None:
                digests[decision.product_id].add(decision.digest)
        addresses: dict[int, str] = {}
        for product_id, digests_of_product in digests.items():
            product = self._service.evaluator.in_memory(product_id)
            if product is not None:
                addresses |= self._members.of(product, digests_of_product)
        return addresses


def _kind(decision: RecentDecision) -> str:
    return "denied" if decision.answer.kind == "denied" else "granted"


def _account(decision: RecentDecision, addresses: dict[int, str]) -> str:
    if decision.digest is None:
        return "not signed in"
    who = "a member" if decision.member else "somebody"
    return addresses.get(decision.digest, f"{who} ({decision.digest >> 40:06x})")
