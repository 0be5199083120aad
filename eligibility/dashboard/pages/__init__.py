"""The pages of the dashboard, one file each."""

from eligibility.dashboard.pages import home
from eligibility.dashboard.pages.ask import Ask
from eligibility.dashboard.pages.groups import GroupPages
from eligibility.dashboard.pages.live import Live
from eligibility.dashboard.pages.overview import Overview
from eligibility.dashboard.pages.products import ProductPages
from eligibility.dashboard.pages.sign_in import SignInPages
from eligibility.dashboard.pages.testers import TesterPages
from eligibility.dashboard.signin.cookies import CookieCipher
from eligibility.dashboard.site import Site
from eligibility.server.http.authentication import Authenticator


def install(site: Site, authentication: Authenticator, cipher: CookieCipher) -> None:
    """Add every page to the application."""
    provider = site.service.settings.dashboard_provider
    sign_in = SignInPages(site, authentication, provider.label if provider else "")
    if provider:
        from eligibility.dashboard.pages import provider_sign_in  # needs the extra `oidc`

        provider_sign_in.install(site, sign_in, cipher)
    home.install(site)
    Overview(site)
    ProductPages(site)
    TesterPages(site)
    GroupPages(site)
    Ask(site)
    Live(site)
    site.otherwise()
