"""A publisher's overview: its products, who gets what of them, and what needs attention."""

from fastapi import Request

from eligibility.callers.model import Scope
from eligibility.catalog.plan import all_products
from eligibility.dashboard.site import Page, Site
from eligibility.dashboard.viewer import Viewer


class Overview:
    """The page at /{publisher}."""

    def __init__(self, site: Site) -> None:
        self._service = site.service
        site.page("/{publisher}", self.shown)

    def shown(self, request: Request, viewer: Viewer) -> Page:
        """Products with their audience and flights."""
        publisher: str = request.path_params["publisher"]
        viewer.check(Scope.READ_CATALOG, publisher)
        products = [*all_products(self._service.catalog.store, publisher)]
        return Page("overview.html", {"title": "Overview", "products": products})
