"""An application whose issuers' keys are on a real server, and tokens of services and accounts."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from eligibility.callers.issuers import AccountIssuer, CallerIssuer
from eligibility.callers.model import Scope
from eligibility.service.service import Service
from eligibility.service.settings import Settings
from tests.helpers.catalog.products import DESKTOP, flight, group, product, put
from tests.helpers.clock import Clock
from tests.helpers.servers.application import App, Headers, asking
from tests.helpers.servers.process import bearer
from tests.helpers.tokens.issuers import APP, ISSUER, KEY, MANY, OTHER, SERVICE, Bench
from tests.helpers.tokens.jwks_server import jwks_server

ADA, ALIAS, GRACE = "ada@example.com", "countess@example.com", "grace@example.com"


@dataclass
class TokenApp:
    """The application, and what signs tokens for it. APP has a flight for the group of Ada.

    THEIRS is fabrikam's. asserting, plain: services' keys with access:assert and without.
    """

    app: App
    bench: Bench
    asserting: Headers
    plain: Headers

    def own(self, **claims: object) -> Headers:
        """The header of an account that asks for itself: Ada, unless the claims say otherwise."""
        return bearer(self.bench.account(**claims))


@contextmanager
def token_app(store_url: str, clock: Clock, account_rate_limit: int = 0) -> Iterator[TokenApp]:
    """The application on an empty store; its issuers are those of token_bench."""
    with jwks_server(KEY.jwk(), OTHER.jwk()) as keys:
        settings = Settings(
            store=store_url,
            issuers=(CallerIssuer(issuer=ISSUER, jwks_url=keys.url, audience=(SERVICE,)),),
            account_issuers=(
                AccountIssuer(issuer=ISSUER, jwks_url=keys.url, audience=(APP,)),
                AccountIssuer(issuer=MANY, jwks_url=keys.url, audience=(APP,)),
            ),
            account_rate_limit=account_rate_limit,
        )
        with Service(settings, clock) as service, asking(service) as app:
            for publisher, product_id in (("contoso", "APP"), ("fabrikam", "THEIRS")):
                group(service, "hush-best", GRACE, publisher=publisher)
                group(service, "hush-good", ADA, publisher=publisher)
                best = flight("best", ["hush-best"], "3.0.0.0")
                good = flight("good", ["hush-good"], "2.0.0.0")
                put(service, product_id, product(best, good), publisher)
            clock.advance(3_600)
            yield TokenApp(
                app,
                Bench(keys, clock, service.tokens),
                app.key(Scope.QUERY, Scope.ASSERT),
                app.key(Scope.QUERY),
            )


def ask(product_id: str = "APP", **more: object) -> dict[str, object]:
    """An access query from a Desktop, of nobody unless `account` says of whom."""
    return {"product_id": product_id, "device": DESKTOP, **more}
