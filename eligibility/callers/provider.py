"""The OpenID provider that people sign in to the dashboard with, as the settings declare it."""

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, ConfigDict, Field

from eligibility.callers.issuers import (
    CallerIssuer,
    IssuerKeys,
    IssuerText,
    TextOrTexts,
    TokenGrants,
    check_one_tenant,
    fetched_safely,
)


def _with_openid(names: tuple[str, ...]) -> tuple[str, ...]:
    if "openid" not in names:
        raise ValueError("`openid` has to be among them, or the provider sends no ID token")
    return names


def _one_line(label: str) -> str:
    if not label.isprintable() or not label.strip():
        raise ValueError("has to be a line of text")
    return label


class SignInProvider(IssuerKeys, TokenGrants):
    """An OpenID provider; what it says of itself is at /.well-known/openid-configuration below `issuer`.

    client_id: as what this server is registered there. client_secret_file: holds its secret; without
    one it is a public client, which PKCE protects alone. ask_for: OAuth scopes to ask for. label: of
    the button. hours: how long a session lasts, for what a provider withdraws is not heard of before.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    issuer: Annotated[IssuerText, AfterValidator(fetched_safely), AfterValidator(check_one_tenant)]
    client_id: IssuerText
    client_secret_file: Path | None = None
    ask_for: Annotated[TextOrTexts, AfterValidator(_with_openid)] = ("openid", "profile")
    label: Annotated[str, Field(max_length=60), AfterValidator(_one_line)] = "Sign in"
    hours: int = Field(8, ge=1, le=12)
    name_claim: TextOrTexts = ("sub",)  # `azp` would call everybody by the name of this server

    @property
    def configuration_url(self) -> str:
        """Where the provider says what it is (OpenID Connect Discovery 1.0, 4)."""
        return f"{self.issuer.rstrip('/')}/.well-known/openid-configuration"

    def tokens_of(self, jwks_url: str) -> CallerIssuer:
        """Whose ID tokens count, once it is known where its keys are."""
        return CallerIssuer(
            issuer=self.issuer,
            jwks_url=jwks_url,
            audience=(self.client_id,),
            algorithms=self.algorithms,
            leeway_seconds=self.leeway_seconds,
        )
