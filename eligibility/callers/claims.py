"""Convert a verified token's claims to a Caller or an Account. No error repeats a claim's value."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from eligibility.access.codes import AccountKind
from eligibility.access.model import Account
from eligibility.callers.issuers import AccountIssuer, TokenGrants
from eligibility.callers.model import Caller, Scope
from eligibility.errors import InvalidInput

Claims = Mapping[str, Any]
AddressPseudonym = Callable[[str], str]

_SCOPES = {str(scope): (scope,) for scope in Scope}
_PLAIN_NAME = re.compile(r"[A-Za-z0-9._:/|-]{1,64}")
_TRUE = (True, 1, "true", "1")


class TokenRefusal(Exception):
    """A token is refused. code: as in callers.errors.Unauthenticated. detail: the reason."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code, self.detail = code, detail


def service_caller(
    claims: Claims, issuer: TokenGrants, name_of: AddressPseudonym, called: str = "token"
) -> Caller:
    """Return to whom a token was issued. called: first word of the name. Raises: TokenRefusal."""
    name = _name_claim(claims, issuer)
    subject = claims.get("sub", name)
    return Caller(
        kind="token",
        # The name appears in logs, so replace anything but a plain name (it may be an address).
        name=f"{called} {name if _PLAIN_NAME.fullmatch(name) else name_of(name)}",
        identity=name_of(f"{claims.get('iss')} {subject}"),
        scopes=_scopes(claims, issuer),
        publishers=_publishers(claims, issuer),
    )


def self_caller(account: Account, name_of: AddressPseudonym) -> Caller:
    """Return an account as a caller that may query about itself only, at any publisher."""
    return Caller(
        kind="account",
        name=f"account {name_of(account.id)}",
        scopes=frozenset({Scope.QUERY}),
        publishers=None,
        account=account,
    )


def account_in(claims: Claims, issuer: AccountIssuer) -> Account:
    """Return the account to which an ID token was issued. Raises: TokenRefusal."""
    email = text_claim(claims, issuer.email_claim)
    if claims.get(issuer.verified_claim) not in _TRUE:
        claim = f"the claim `{issuer.verified_claim}`"
        if issuer.verified_claim in claims:
            detail = f"{claim} does not say that the address is verified"
        else:
            detail = (
                f"the token has no claim `{issuer.verified_claim}`, so it does not say that the"
            )
            detail += " address is verified; have the issuer add it"
        raise TokenRefusal("EMAIL_UNVERIFIED", detail)
    kind = _kind(claims, issuer)
    aliases = _texts(claims, issuer.aliases_claim)
    try:
        return Account.parse(email, kind, aliases)
    except InvalidInput as error:
        in_id = error.faults[0].loc == "account.id"
        claim = issuer.email_claim if in_id else issuer.aliases_claim
        raise TokenRefusal("TOKEN_CLAIMS", f"the claim `{claim}` is not an address") from None


def text_claim(claims: Claims, claim: str) -> str:
    """Return a claim that must be text. Raises: TokenRefusal if it is missing or not text."""
    value = claims.get(claim)
    if not isinstance(value, str):
        raise TokenRefusal("TOKEN_CLAIMS", f"the claim `{claim}` is missing or not text")
    return value


def _kind(claims: Claims, issuer: AccountIssuer) -> AccountKind:
    if issuer.kind is not None:
        return issuer.kind
    tenant = text_claim(claims, issuer.tenant_claim)
    if not tenant:
        raise TokenRefusal("TOKEN_CLAIMS", f"the claim `{issuer.tenant_claim}` is empty")
    consumer = tenant in issuer.consumer_tenants
    return AccountKind.MICROSOFT if consumer else AccountKind.WORK_OR_SCHOOL


def _name_claim(claims: Claims, issuer: TokenGrants) -> str:
    for claim in issuer.name_claim:
        name = claims.get(claim)
        if isinstance(name, str) and name:
            return name
    listed = ", ".join(f"`{claim}`" for claim in issuer.name_claim)
    raise TokenRefusal("TOKEN_CLAIMS", f"no claim names the caller: none of {listed} is text")


def _scopes(claims: Claims, issuer: TokenGrants) -> frozenset[Scope]:
    scopes = issuer.scopes or _SCOPES
    names = [name for claim in issuer.scope_claims for name in _texts(claims, claim, split=True)]
    return frozenset(scope for name in names for scope in scopes.get(name, ()))


def _publishers(claims: Claims, issuer: TokenGrants) -> frozenset[str] | None:
    if claims.get(issuer.publishers_claim) == "*":
        return None
    return frozenset(_texts(claims, issuer.publishers_claim))


def _texts(claims: Claims, claim: str, *, split: bool = False) -> list[str]:
    """Return a claim that is a list of texts or one text. split: whether to split one at spaces."""
    value = claims.get(claim)
    if value is None:
        return []
    if isinstance(value, str):
        return value.split() if split else [value]
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        detail = f"the claim `{claim}` is neither text nor a list of texts"
        raise TokenRefusal("TOKEN_CLAIMS", detail)
    return value
