"""Issuers of tokens as the settings declare them; docs/security.md shows examples."""

import re
from ipaddress import ip_address
from typing import Annotated, Any, Literal, TypeVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from eligibility.access.model import AccountKind
from eligibility.callers.model import Scope

# Signatures whose checking needs no secret: HS* would make every verifier a signer, and `none` signs nothing.
Algorithm = Literal["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA"]

TENANT = "{tenant}"
MICROSOFT_ACCOUNTS = "9188040d-6c67-4c5b-b112-36a304b66dad"  # tenant of all personal accounts


def _several(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


def _names_each_once(names: tuple[str, ...]) -> tuple[str, ...]:
    if not names:
        raise ValueError("at least one is needed")
    if len(set(names)) < len(names):
        raise ValueError("names one twice")
    return names


def fetched_safely(url: str) -> str:
    """The URL, if nobody can change what is read from it: keys so read would let anybody sign.

    Raises: ValueError.
    """
    parts = urlsplit(url)
    if parts.scheme == "https" and parts.hostname:
        return url
    if parts.scheme == "http" and parts.hostname and is_loopback(parts.hostname):
        return url
    raise ValueError("has to be an https address, or http on loopback")


def is_loopback(host: str) -> bool:
    """Whether a name or address is this machine's own."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


IssuerText = Annotated[str, Field(pattern=r"^\S+$", max_length=500)]
TextOrTexts = Annotated[
    tuple[IssuerText, ...], BeforeValidator(_several), AfterValidator(_names_each_once)
]
Scopes = Annotated[tuple[Scope, ...], BeforeValidator(_several)]


class IssuerKeys(BaseModel):
    """Who signs tokens, and how.

    issuer: the tokens' `iss`, letter by letter. leeway_seconds: how far its clock and ours may differ.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    issuer: IssuerText
    algorithms: Annotated[
        tuple[Algorithm, ...], BeforeValidator(_several), AfterValidator(_names_each_once)
    ] = ("RS256",)
    leeway_seconds: int = Field(60, ge=0, le=300)


class TokenGrants(BaseModel):
    """What claims of a token say that its bearer may do.

    scope_claims: claims that hold scopes, as text with spaces or a list; all of them count. scopes:
    its names for scopes and what each is here, one or several; where there is any, only these
    names count, else its names are ours. Names that mean nothing here are ignored. publishers_claim:
    a list of publisher ids, or one of them, or `*` for all; missing = none. name_claim: the first
    of them that a token has names the caller in logs and history.
    """

    scope_claims: TextOrTexts = ("scope", "scp")
    scopes: dict[str, Scopes] = Field(default_factory=dict)
    publishers_claim: IssuerText = "publishers"
    name_claim: TextOrTexts = ("client_id", "azp", "sub")


class _Issuer(IssuerKeys):
    """What issuers of both kinds have.

    jwks_url: where its keys are. audience: whom its tokens have to be for; one of them suffices.
    """

    jwks_url: Annotated[IssuerText, AfterValidator(fetched_safely)]
    audience: TextOrTexts

    @property
    def pattern(self) -> re.Pattern[str]:
        """What a token's `iss` has to be."""
        return re.compile(re.escape(self.issuer).replace(re.escape(TENANT), "[A-Za-z0-9.-]{1,64}"))


class CallerIssuer(_Issuer, TokenGrants):
    """An authorization server whose access tokens say what services may do."""

    @model_validator(mode="after")
    def _is_one_issuer(self) -> "CallerIssuer":
        check_one_tenant(self.issuer)
        return self


def check_one_tenant(issuer: str) -> str:
    """An issuer that may grant something. Raises: ValueError."""
    if TENANT in issuer:
        raise ValueError(f"`{TENANT}` would let every tenant grant scopes; name one")
    return issuer


class AccountIssuer(_Issuer):
    """An OpenID provider whose ID tokens say who is signed in.

    issuer may hold `{tenant}`, in whose place the token's tenant stands. email_claim counts only where
    verified_claim is true, "true", 1 or "1". Tokens whose tenant_claim is one of
    consumer_tenants are of Microsoft accounts, all others of work or school accounts; kind says so
    for an issuer without tenants. aliases_claim: a list of further addresses of the account; they
    count as verified, for the issuer says that they are the account's.
    """

    email_claim: IssuerText = "email"
    verified_claim: IssuerText = "email_verified"
    tenant_claim: IssuerText = "tid"
    consumer_tenants: tuple[IssuerText, ...] = (MICROSOFT_ACCOUNTS,)
    kind: AccountKind | None = None
    aliases_claim: IssuerText = "aliases"

    @model_validator(mode="after")
    def _tenants_decide_where_there_are_some(self) -> "AccountIssuer":
        if self.kind is not None and TENANT in self.issuer:
            raise ValueError(f"`kind` cannot be fixed for an issuer with `{TENANT}`")
        if self.issuer.count(TENANT) > 1:
            raise ValueError(f"`{TENANT}` stands twice")
        return self


Issuer = CallerIssuer | AccountIssuer
_AnyIssuer = TypeVar("_AnyIssuer", CallerIssuer, AccountIssuer)


def check_each_once(issuers: tuple[_AnyIssuer, ...]) -> tuple[_AnyIssuer, ...]:
    """Return the issuers. Raises ValueError if one is listed twice."""
    urls = [issuer.issuer for issuer in issuers]
    for url in urls:
        if urls.count(url) > 1:
            raise ValueError(f"issuer `{url}` is listed twice")
    return issuers


def check_told_apart(callers: tuple[Issuer, ...], accounts: tuple[Issuer, ...]) -> None:
    """Raise ValueError where an issuer of both lists has an audience in common: only that tells its tokens apart."""
    for account in accounts:
        for caller in callers:
            common = sorted(set(account.audience) & set(caller.audience))
            if common and account.pattern.fullmatch(caller.issuer):
                raise ValueError(
                    f"issuer `{caller.issuer}` has the audience `{common[0]}` in `issuers` too"
                )
