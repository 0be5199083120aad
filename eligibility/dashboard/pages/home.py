"""The page /dashboard: the list of publishers, or a redirect if there is only one."""

from fastapi import Request, Response
from starlette.responses import RedirectResponse

from eligibility.dashboard.signin.viewer import Viewer
from eligibility.dashboard.site import PREFIX, RenderedPage, Site


def install(site: Site) -> None:
    """Add the page at /dashboard and /dashboard/."""

    def home(_: Request, viewer: Viewer) -> RenderedPage | Response:
        publishers = site.publishers(viewer)
        if len(publishers) == 1:
            where = viewer.pages[0][1] if viewer.pages else ""
            return RedirectResponse(f"{PREFIX}/{publishers[0]}{where}", 303)
        return RenderedPage("home.html", {"title": "Publishers"})

    site.page("", home)
    site.page("/", home)
