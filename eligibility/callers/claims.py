"""What the claims of a verified token say: a Caller, or an Account. Pure.

No text here tells a claim's value: an error may be logged by whoever reads it.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from eligibility.access.model import Account, AccountKind
from eligibility.callers.issuers import AccountIssuer, TokenGrants
from eligibility.callers.model import Caller, Scope
from eligibility.errors import InvalidInput

Claims = Mapping[str, Any]
AddressPseudonym = Callable[[str], str]

_OURS = {str(scope): (scope,) for scope in Scope}
_PLAIN_NAME = re.compile(r"[A-Za-z0-9._:/|-]{1,64}")
_TRUE = (True, 1, "true", "1")


class TokenRefusal(Exception):
    """A token that is turned away: a code of eligibility.callers.errors.Unauthenticated, and why."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code, self.detail = code, detail


def service_caller(
    claims: Claims, issuer: TokenGrants, name_of: AddressPseudonym, called: str = "token"
) -> Caller:
    """The service, or the person, that a token is of.

    Args: name_of = the deployment's keyed digest of an address or other text; called = what its name
    begins with.
    Raises: Refusal.
    """
    name = _name_claim(claims, issuer)
    subject = claims.get("sub", name)
    return Caller(
        kind="token",
        # an address, or anything else that is not plain, does not belong into a log
        name=f"{called} {name if _PLAIN_NAME.fullmatch(name) else name_of(name)}",
        identity=name_of(f"{claims.get('iss')} {subject}"),
        scopes=_scopes(claims, issuer),
        publishers=_publishers(claims, issuer),
    )


def self_caller(account: Account, name_of: AddressPseudonym) -> Caller:
    """The caller that an account is when it asks for itself: about every publisher, and no more than that."""
    return Caller(
        kind="account",
        name=f"account {name_of(account.id)}",
        scopes=frozenset({Scope.QUERY}),
        publishers=None,
        account=account,
    )


def account_in(claims: Claims, issuer: AccountIssuer) -> Account:
    """The account that an ID token is of. Raises: Refusal."""
    email = claims.get(issuer.email_claim)
    if not isinstance(email, str):
        raise TokenRefusal(
            "TOKEN_CLAIMS", f"the claim `{issuer.email_claim}` is missing or no text"
        )
    if claims.get(issuer.verified_claim) not in _TRUE:
        detail = f"the claim `{issuer.verified_claim}` does not say that the address is verified"
        raise TokenRefusal("EMAIL_UNVERIFIED", detail)
    kind = _kind(claims, issuer)
    aliases = _texts(claims, issuer.aliases_claim)
    try:
        return Account.parse(email, kind, aliases)
    except InvalidInput as error:
        named = {
            "account.id": issuer.email_claim,
            "account.aliases": issuer.aliases_claim,
        }
        claim = named[error.faults[0].loc]
        raise TokenRefusal("TOKEN_CLAIMS", f"the claim `{claim}` holds no address") from None


def _kind(claims: Claims, issuer: AccountIssuer) -> AccountKind:
    if issuer.kind is not None:
        return issuer.kind
    tenant = claims.get(issuer.tenant_claim)
    if not isinstance(tenant, str) or not tenant:
        raise TokenRefusal(
            "TOKEN_CLAIMS", f"the claim `{issuer.tenant_claim}` is missing or no text"
        )
    consumer = tenant in issuer.consumer_tenants
    return AccountKind.MICROSOFT if consumer else AccountKind.WORK_OR_SCHOOL


def _name_claim(claims: Claims, issuer: TokenGrants) -> str:
    for claim in issuer.name_claim:
        name = claims.get(claim)
        if isinstance(name, str) and name:
            return name
    listed = ", ".join(f"`{claim}`" for claim in issuer.name_claim)
    raise TokenRefusal("TOKEN_CLAIMS", f"no claim names the caller: none of {listed} is a text")


def _scopes(claims: Claims, issuer: TokenGrants) -> frozenset[Scope]:
    ours = issuer.scopes or _OURS
    names = [name for claim in issuer.scope_claims for name in _texts(claims, claim, split=True)]
    return frozenset(scope for name in names for scope in ours.get(name, ()))


def _publishers(claims: Claims, issuer: TokenGrants) -> frozenset[str] | None:
    if claims.get(issuer.publishers_claim) == "*":
        return None
    return frozenset(_texts(claims, issuer.publishers_claim))


def _texts(claims: Claims, claim: str, *, split: bool = False) -> list[str]:
    """A claim that is a list of texts, or one text (with `split`, several with spaces between)."""
    value = claims.get(claim)
    if value is None:
        return []
    if isinstance(value, str):
        return value.split() if split else [value]
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise TokenRefusal(
            "TOKEN_CLAIMS", f"the claim `{claim}` is neither text nor a list of texts"
        )
    return value
