"""What the claims of a verified token make of a caller or an account."""

from typing import Any

import pytest

from eligibility.access.codes import AccountKind
from eligibility.access.model import Account
from eligibility.callers.claims import TokenRefusal, account_in, self_caller, service_caller
from eligibility.callers.issuers import MICROSOFT_ACCOUNTS, AccountIssuer, CallerIssuer
from eligibility.callers.model import Scope

HERE = {"issuer": "https://issuer.test", "jwks_url": "https://issuer.test/keys", "audience": "a"}
PLAIN = CallerIssuer.model_validate(HERE)
MAPPED = CallerIssuer.model_validate(
    {
        **HERE,
        "scope_claims": ["roles"],
        "scopes": {"Store.Backend": ["access:query", "access:assert"], "Reader": "groups:read"},
        "publishers_claim": "tenants",
        "name_claim": "app",
    }
)


def named(text: str) -> str:
    """A digest, as far as these tests care."""
    return f"digest-{len(text)}"


@pytest.mark.parametrize(
    ("issuer", "claims", "scopes"),
    [
        (PLAIN, {"scope": "access:query  groups:read"}, {Scope.QUERY, Scope.READ_GROUPS}),
        (PLAIN, {"scope": ["access:query", "admin"]}, {Scope.QUERY, Scope.ADMIN}),
        (PLAIN, {"scp": "metrics"}, {Scope.METRICS}),
        (PLAIN, {"scope": "metrics", "scp": ["simulate"]}, {Scope.METRICS, Scope.SIMULATE}),
        (PLAIN, {"scope": "openid access:query Access:Explain"}, {Scope.QUERY}),
        (PLAIN, {"scope": "access:"}, set()),
        (PLAIN, {"scope": ["access:query groups:read"]}, set()),
        (PLAIN, {"scope": ""}, set()),
        (PLAIN, {}, set()),
        (MAPPED, {"roles": ["Store.Backend"]}, {Scope.QUERY, Scope.ASSERT}),
        (MAPPED, {"roles": "Reader"}, {Scope.READ_GROUPS}),
        (MAPPED, {"roles": ["admin", "Reader"]}, {Scope.READ_GROUPS}),
        (MAPPED, {"scope": "admin"}, set()),
    ],
)
def test_scopes_are_those_that_mean_something_here(
    issuer: CallerIssuer, claims: dict[str, Any], scopes: set[Scope]
) -> None:
    caller = service_caller({"sub": "s", "app": "a", **claims}, issuer, named)
    assert caller.scopes == scopes


@pytest.mark.parametrize(
    ("issuer", "claims", "publishers"),
    [
        (PLAIN, {"publishers": ["contoso", "fabrikam"]}, {"contoso", "fabrikam"}),
        (PLAIN, {"publishers": "contoso"}, {"contoso"}),
        (PLAIN, {"publishers": "*"}, None),
        (PLAIN, {"publishers": ["*"]}, {"*"}),
        (PLAIN, {"publishers": []}, set()),
        (PLAIN, {}, set()),
        (MAPPED, {"tenants": "*"}, None),
        (MAPPED, {"publishers": "*"}, set()),
    ],
)
def test_publishers_are_those_named_and_none_otherwise(
    issuer: CallerIssuer, claims: dict[str, Any], publishers: set[str] | None
) -> None:
    caller = service_caller({"sub": "s", "app": "a", **claims}, issuer, named)
    assert caller.publishers == publishers


@pytest.mark.parametrize(
    ("claims", "name"),
    [
        ({"client_id": "store-backend", "azp": "b", "sub": "c"}, "token store-backend"),
        ({"azp": "b", "sub": "c"}, "token b"),
        ({"sub": "auth0|123"}, "token auth0|123"),
        ({"client_id": "", "azp": ["b"], "sub": "c"}, "token c"),
        ({"sub": "ada@example.com"}, "token digest-15"),
        ({"sub": "ada%40example.com"}, "token digest-17"),
        ({"sub": "ada\uff20example.com"}, "token digest-15"),
        ({"sub": "a\nb"}, "token digest-3"),
        ({"sub": "a b"}, "token digest-3"),
        ({"sub": "s" * 65}, "token digest-65"),
    ],
)
def test_a_name_is_fit_for_a_log(claims: dict[str, Any], name: str) -> None:
    assert service_caller(claims, PLAIN, named).name == name


def test_an_account_itself_may_query_and_no_more() -> None:
    caller = self_caller(Account("ada@example.com", aliases=("a@example.com",)), named)
    assert (caller.kind, caller.name) == ("account", "account digest-15")
    assert caller.scopes == {Scope.QUERY}
    assert caller.publishers is None


def account(claims: dict[str, Any], **settings: Any) -> Account:
    """The account of a token with these claims beside the usual ones; a claim of None is left out."""
    usual = {"email": "ada@example.com", "email_verified": True, "tid": MICROSOFT_ACCOUNTS}
    left = {name: value for name, value in {**usual, **claims}.items() if value is not None}
    return account_in(left, AccountIssuer.model_validate({**HERE, **settings}))


@pytest.mark.parametrize("verified", [True, "true", 1, "1"])
def test_a_verified_address_counts(verified: object) -> None:
    assert account({"email_verified": verified}).id == "ada@example.com"


@pytest.mark.parametrize(
    "verified", [False, "false", "True", "yes", 0, 2, None, "", [True], {"true": 1}]
)
def test_any_other_address_does_not(verified: object) -> None:
    with pytest.raises(TokenRefusal) as caught:
        account({"email_verified": verified})
    assert caught.value.code == "EMAIL_UNVERIFIED"


def test_a_missing_claim_is_not_taken_for_one_that_says_no() -> None:
    claims = {"email": "ada@example.com", "tid": MICROSOFT_ACCOUNTS}
    with pytest.raises(TokenRefusal, match="has no claim `xms_edov`"):
        account(claims, verified_claim="xms_edov")
    with pytest.raises(TokenRefusal, match="the claim `xms_edov` does not say"):
        account({**claims, "xms_edov": False}, verified_claim="xms_edov")


@pytest.mark.parametrize(
    ("tenant", "settings", "kind"),
    [
        (MICROSOFT_ACCOUNTS, {}, AccountKind.MICROSOFT),
        ("f8cdef31", {}, AccountKind.WORK_OR_SCHOOL),
        ("f8cdef31", {"consumer_tenants": ["f8cdef31"]}, AccountKind.MICROSOFT),
        (MICROSOFT_ACCOUNTS, {"consumer_tenants": []}, AccountKind.WORK_OR_SCHOOL),
        (None, {"kind": "microsoft"}, AccountKind.MICROSOFT),
        (MICROSOFT_ACCOUNTS, {"kind": "work_or_school"}, AccountKind.WORK_OR_SCHOOL),
    ],
)
def test_the_tenant_decides_the_kind(
    tenant: str | None, settings: dict[str, Any], kind: AccountKind
) -> None:
    assert account({"tid": tenant}, **settings).kind == kind


@pytest.mark.parametrize("tenant", [None, "", 7])
def test_without_a_tenant_the_kind_is_not_guessed(tenant: object) -> None:
    with pytest.raises(TokenRefusal, match="`tid`") as caught:
        account({"tid": tenant})
    assert caught.value.code == "TOKEN_CLAIMS"


@pytest.mark.parametrize(
    ("aliases", "read"),
    [
        (None, ()),
        ([], ()),
        (["Ada.L@Example.com", "a@example.com"], ("ada.l@example.com", "a@example.com")),
        ("a@example.com", ("a@example.com",)),
    ],
)
def test_aliases_are_the_issuers(aliases: object, read: tuple[str, ...]) -> None:
    assert account({"aliases": aliases}).aliases == read


def test_every_claim_has_the_name_of_the_settings() -> None:
    other = {
        "email_claim": "mail",
        "verified_claim": "xms_edov",
        "tenant_claim": "realm",
        "aliases_claim": "also",
    }
    claims = {"mail": "b@example.com", "xms_edov": "1", "realm": "r", "also": ["c@example.com"]}
    assert account({**claims, "email_verified": False}, **other) == Account(
        "b@example.com", AccountKind.WORK_OR_SCHOOL, ("c@example.com",)
    )
