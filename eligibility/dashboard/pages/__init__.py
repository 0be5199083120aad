"""The pages, one file each, and where they are."""

from eligibility.dashboard.pages import home
from eligibility.dashboard.pages.ask import Ask
from eligibility.dashboard.pages.groups import GroupPages
from eligibility.dashboard.pages.live import Live
from eligibility.dashboard.pages.overview import Overview
from eligibility.dashboard.pages.products import ProductPages
from eligibility.dashboard.pages.testers import TesterPages
from eligibility.dashboard.signing_in import SigningIn
from eligibility.dashboard.site import Site
from eligibility.server.admission import Admission


def install(site: Site, admission: Admission) -> None:
    """Add every page to the application."""
    SigningIn(site, admission)
    home.install(site)
    Overview(site)
    ProductPages(site)
    TesterPages(site)
    GroupPages(site)
    Ask(site)
    Live(site)
    site.otherwise()
