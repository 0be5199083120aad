"""Live: decisions as they happen, a sample of them, the newest first."""

from dataclasses import dataclass
from typing import Any

from fastapi import Request

from eligibility.access.model import Reason
from eligibility.activity.model import RecentDecision
from eligibility.callers.model import Scope
from eligibility.catalog.plan import all_products
from eligibility.dashboard.signin.viewer import Viewer
from eligibility.dashboard.site import RenderedPage, Site
from eligibility.explain.outcome import BRIEFLY
from groups.model import MAX_MEMBERS

_SHOWN = 60


@dataclass(frozen=True, slots=True)
class LiveDecision:
    """A decision. account: the address of a member for who may see it, else what stands for it."""

    seen: RecentDecision
    product: str
    account: str
    reason: str


class Live:
    """The page at /{publisher}/live, and the part of it that is fetched again and again."""

    def __init__(self, site: Site) -> None:
        self._service = site.service
        site.page("/{publisher}/live", self.shown)
        site.page("/{publisher}/live/lines", self.lines)

    def shown(self, request: Request, viewer: Viewer) -> RenderedPage:
        """The whole page."""
        return RenderedPage("live.html", {"title": "Live", **self._values(request, viewer)})

    def lines(self, request: Request, viewer: Viewer) -> RenderedPage:
        """The lines alone."""
        return RenderedPage("live_lines.html", self._values(request, viewer))

    def _values(self, request: Request, viewer: Viewer) -> dict[str, Any]:
        publisher: str = request.path_params["publisher"]
        viewer.check(Scope.READ_CATALOG, publisher)
        service = self._service
        service.recorder.flush()
        names = {
            e.product_id: e.product.name for e in all_products(service.catalog.store, publisher)
        }
        product, kind = (
            request.query_params.get("product", ""),
            request.query_params.get("kind", ""),
        )
        found = [
            one
            for one in reversed(service.activity.seen(publisher, 0.0))
            if product in ("", one.product_id) and kind in ("", _kind(one))
        ][:_SHOWN]
        addresses = self._addresses(publisher, found) if viewer.reads_groups else {}
        lines = [
            LiveDecision(
                one,
                names.get(one.product_id, one.product_id),
                _account(one, addresses),
                _reason(one),
            )
            for one in found
        ]
        return {"lines": lines, "products": names, "product": product, "kind": kind}

    def _addresses(self, publisher: str, seen: list[RecentDecision]) -> dict[int, str]:
        """The addresses of the members among them, for activity knows digests alone."""
        wanted = {
            one.digest: one.product_id for one in seen if one.member and one.digest is not None
        }
        found: dict[int, str] = {}
        for product_id in set(wanted.values()):
            held = self._service.evaluator.in_memory(product_id)
            if held is None:
                continue
            for group in sorted(held.product.groups):
                members = self._service.groups.members(publisher, group, limit=MAX_MEMBERS).items
                digests = zip(held.digester.of_all(members), members, strict=True)
                found |= {digest: address for digest, address in digests if digest in wanted}
        return found


def _kind(seen: RecentDecision) -> str:
    return "denied" if seen.answer.kind == "denied" else "granted"


def _reason(seen: RecentDecision) -> str:
    reason = Reason(seen.answer.reasons[0])
    return BRIEFLY.get(reason, "") if seen.answer.kind == "denied" else ""


def _account(seen: RecentDecision, addresses: dict[int, str]) -> str:
    if seen.digest is None:
        return "not signed in"
    what = "a member" if seen.member else "somebody"
    return addresses.get(seen.digest, f"{what} ({seen.digest >> 40:06x})")
