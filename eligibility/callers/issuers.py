"""Settings of token issuers; docs/security.md shows examples."""

import re
from ipaddress import ip_address
from typing import Annotated, Any, Literal, TypeVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from eligibility.access.codes import AccountKind
from eligibility.callers.model import Scope

# Public-key signatures only: with HS*, a verifier has the key to sign; `none` means unsigned.
Algorithm = Literal["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA"]

TENANT = "{tenant}"
MICROSOFT_ACCOUNTS = "9188040d-6c67-4c5b-b112-36a304b66dad"  # tenant id of personal accounts


def _several(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


def _check_names(names: tuple[str, ...]) -> tuple[str, ...]:
    if not names:
        raise ValueError("must name at least one")
    if len(set(names)) < len(names):
        raise ValueError("must not name anything twice")
    return names


def fetched_safely(url: str) -> str:
    """Return a URL if nobody on the network can forge its response. Raises: ValueError."""
    parts = urlsplit(url)
    if parts.scheme == "https" and parts.hostname:
        return url
    if parts.scheme == "http" and parts.hostname and is_loopback(parts.hostname):
        return url
    raise ValueError("must be an https address, or http on loopback")


def is_loopback(host: str) -> bool:
    """Return whether a host is `localhost` or a loopback address."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


IssuerText = Annotated[str, Field(pattern=r"^\S+$", max_length=500)]
SafeUrl = Annotated[IssuerText, AfterValidator(fetched_safely)]
TextOrTexts = Annotated[
    tuple[IssuerText, ...], BeforeValidator(_several), AfterValidator(_check_names)
]
Scopes = Annotated[tuple[Scope, ...], BeforeValidator(_several)]


class IssuerKeys(BaseModel):
    """An issuer of tokens and the keys that it signs with. issuer: the exact `iss`.

    leeway_seconds: how far the clock of the issuer may differ from ours.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    issuer: IssuerText
    algorithms: Annotated[
        tuple[Algorithm, ...], BeforeValidator(_several), AfterValidator(_check_names)
    ] = ("RS256",)
    leeway_seconds: int = Field(60, ge=0, le=300)


class TokenGrants(BaseModel):
    """Which claims of a token contain the rights and the name of its caller.

    scope_claims: claims with scopes, as a list or separated by spaces; the scopes of all are added.
    scopes: the issuer's name of a scope -> our scopes. If empty, the issuer uses our names. Names
        that are not listed are ignored.
    publishers_claim: a claim with a list of publisher ids, one id, or `*` for all publishers. If it
        is missing, the caller may see no publisher.
    name_claim: the first of these claims that the token has is the caller's name in logs.
    """

    scope_claims: TextOrTexts = ("scope", "scp")
    scopes: dict[str, Scopes] = Field(default_factory=dict)
    publishers_claim: IssuerText = "publishers"
    name_claim: TextOrTexts = ("client_id", "azp", "sub")


class _Issuer(IssuerKeys):
    """jwks_url: of its public keys. audience: the `aud` of a token must contain one of these."""

    jwks_url: SafeUrl
    audience: TextOrTexts

    @property
    def pattern(self) -> re.Pattern[str]:
        """Return the pattern that the `iss` of a token must match."""
        return re.compile(re.escape(self.issuer).replace(re.escape(TENANT), "[A-Za-z0-9.-]{1,64}"))


class CallerIssuer(_Issuer, TokenGrants):
    """An authorization server. Its access tokens contain the rights of services."""

    @model_validator(mode="after")
    def _check_issuer(self) -> "CallerIssuer":
        check_single_tenant(self.issuer)
        return self


def check_single_tenant(issuer: str) -> str:
    """Return the issuer. Raises: ValueError if it contains `{tenant}`, so any tenant could sign."""
    if TENANT in issuer:
        raise ValueError(f"`{TENANT}` would let every tenant grant scopes; name one tenant")
    return issuer


class AccountIssuer(_Issuer):
    """An OpenID provider. Its ID tokens contain the account that is signed in.

    issuer: may contain `{tenant}`, which matches any tenant's id.
    email_claim: the account's address. A token needs verified_claim = true, "true", 1 or "1".
    tenant_claim: a tenant of consumer_tenants means a Microsoft account, any other tenant a work or
        school account. If `kind` is set, it applies instead.
    aliases_claim: a list of further addresses of the account. They need no verified_claim.
    """

    email_claim: IssuerText = "email"
    verified_claim: IssuerText = "email_verified"
    tenant_claim: IssuerText = "tid"
    consumer_tenants: tuple[IssuerText, ...] = (MICROSOFT_ACCOUNTS,)
    kind: AccountKind | None = None
    aliases_claim: IssuerText = "aliases"

    @model_validator(mode="after")
    def _check_tenant(self) -> "AccountIssuer":
        if self.kind is not None and TENANT in self.issuer:
            raise ValueError(
                f"an issuer with `{TENANT}` cannot set `kind`, because the tenant decides it"
            )
        if self.issuer.count(TENANT) > 1:
            raise ValueError(f"`{TENANT}` may occur only once")
        return self


Issuer = CallerIssuer | AccountIssuer
_AnyIssuer = TypeVar("_AnyIssuer", CallerIssuer, AccountIssuer)


def check_unique(issuers: tuple[_AnyIssuer, ...]) -> tuple[_AnyIssuer, ...]:
    """Return the issuers. Raises: ValueError if an issuer is listed twice."""
    urls = [issuer.issuer for issuer in issuers]
    for url in urls:
        if urls.count(url) > 1:
            raise ValueError(f"issuer `{url}` is listed twice")
    return issuers


def check_audiences_differ(callers: tuple[Issuer, ...], accounts: tuple[Issuer, ...]) -> None:
    """Raise ValueError if an issuer has the same audience for access tokens and ID tokens."""
    for account in accounts:
        for caller in callers:
            common = sorted(set(account.audience) & set(caller.audience))
            if common and account.pattern.fullmatch(caller.issuer):
                raise ValueError(
                    f"issuer `{caller.issuer}` also has the audience `{common[0]}` in `issuers`"
                )
