"""A publisher's overview: its products, who gets what of them, and what needs attention."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from fastapi import Request

from eligibility.callers.model import Scope
from eligibility.catalog.export import all_groups, all_products
from eligibility.catalog.store import CatalogEntry
from eligibility.dashboard.attention import attention, members_below_floor
from eligibility.dashboard.signin.viewer import Viewer
from eligibility.dashboard.site import RenderedPage, Site
from eligibility.dashboard.trends import trend
from groups.errors import StoreUnavailable
from groups.model import Group

_SPAN, _STEP = timedelta(hours=48), timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class ProductSummary:
    """A product in the list. members: sum of its groups' sizes. queried: members who sent a query.

    granted: members whose last answer was granted. below_floor: members whose OS is too old for the
    flights or the private audience.
    """

    entry: CatalogEntry
    members: int
    queried: int
    granted: int
    below_floor: int


class Overview:
    """The page at /{publisher}."""

    def __init__(self, site: Site) -> None:
        self._service = site.service
        site.page("/{publisher}", self.shown)

    def shown(self, request: Request, viewer: Viewer) -> RenderedPage:
        """Show products with audience, flights and members, recent decisions, and open tasks."""
        publisher = viewer.publisher_of(request, Scope.READ_CATALOG)
        service, now = self._service, self._service.now()
        entries = [*all_products(service.catalog.store, publisher)]
        groups = {group.group_id: group for group in all_groups(service.groups, publisher)}
        service.recorder.flush()
        rows = [self._row(entry, groups, now) for entry in entries]
        below = {row.entry.product_id: row.below_floor for row in rows}
        counts = service.activity.counts(publisher, now - _SPAN, now + _STEP, by_minute=False)
        values = {
            "title": "Overview",
            "rows": rows,
            "groups": groups,
            "trend": trend(counts, now - _SPAN, now, _STEP),
            "attention": attention(entries, groups if viewer.reads_groups else {}, below, now),
            "store": self._store(publisher),
        }
        return RenderedPage("overview.html", values)

    def _row(self, entry: CatalogEntry, groups: dict[str, Group], now: datetime) -> ProductSummary:
        last = self._service.activity.last_answers(entry.publisher, entry.product_id).values()
        requirements = self._service.evaluator.requirements
        below = members_below_floor(entry.product, last, requirements, now)
        members = sum(
            groups[group_id].member_count for group_id in entry.product.groups if group_id in groups
        )
        granted = sum(answer.kind != "denied" for answer in last)
        return ProductSummary(entry, members, len(last), granted, below)

    def _store(self, publisher: str) -> dict[str, object]:
        """Return whether the store answers, its revisions, and how soon edits take effect."""
        service = self._service
        try:
            service.evaluator.check_ready()
            return {
                "well": True,
                "seen": service.evaluator.propagation.typical(),
                "groups": service.groups.revision(publisher),
                "catalog": service.catalog.store.revision(publisher),
            }
        except StoreUnavailable:
            return {"well": False}
