"""Settings of the OpenID provider with which people sign in to the dashboard."""

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, ConfigDict, Field

from eligibility.callers import issuers
from eligibility.callers.issuers import CallerIssuer, IssuerText, TextOrTexts


def _with_openid(names: tuple[str, ...]) -> tuple[str, ...]:
    if "openid" not in names:
        raise ValueError("must include `openid`, or the provider sends no ID token")
    return names


def _check_label(label: str) -> str:
    if not label.isprintable() or not label.strip():
        raise ValueError("must be one line of text")
    return label


class SignInProvider(issuers.IssuerKeys, issuers.TokenGrants):
    """An OpenID provider, configured by its document at `configuration_url`.

    client_id: this server's id at the provider. client_secret_file: contains this server's secret;
    None = a public client, protected by PKCE alone. ask_for: OAuth scopes to request. label: the
    button's text. hours: length of a session; rights that the provider withdraws end with it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    issuer: Annotated[issuers.SafeUrl, AfterValidator(issuers.check_single_tenant)]
    client_id: IssuerText
    client_secret_file: Path | None = None
    ask_for: Annotated[TextOrTexts, AfterValidator(_with_openid)] = ("openid", "profile")
    label: Annotated[str, Field(max_length=60), AfterValidator(_check_label)] = "Sign in"
    hours: int = Field(8, ge=1, le=12)
    name_claim: TextOrTexts = ("sub",)  # not `azp`: for every person, it names this server

    @property
    def configuration_url(self) -> str:
        """Return the configuration's URL (OpenID Connect Discovery 1.0, section 4)."""
        return f"{self.issuer.rstrip('/')}/.well-known/openid-configuration"

    def tokens_of(self, jwks_url: str) -> CallerIssuer:
        """Return the issuer of the provider's ID tokens. Args: jwks_url = where its keys are."""
        return CallerIssuer(
            issuer=self.issuer,
            jwks_url=jwks_url,
            audience=(self.client_id,),
            algorithms=self.algorithms,
            leeway_seconds=self.leeway_seconds,
        )
