"""Tokens that are turned away: why, and that no error tells what they hold."""

import base64
import json
import traceback
from collections.abc import Callable, Iterator
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from eligibility.callers.errors import Unauthenticated
from eligibility.callers.issuers import MICROSOFT_ACCOUNTS
from eligibility.callers.tokens import MAX_TOKEN_CHARACTERS
from tests.helpers.clock import Clock
from tests.helpers.tokens.issuers import (
    APP,
    CURVES,
    ISSUER,
    KEY,
    MANY,
    P256,
    SERVICE,
    STRANGER,
    TENANT,
    Bench,
    token_bench,
)

Make = Callable[[Bench], str]


@pytest.fixture
def bench(clock: Clock) -> Iterator[Bench]:
    with token_bench(clock) as made:
        yield made


def written(part: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")


def with_header(token: str, **header: Any) -> str:
    """A token whose header was changed after it was signed."""
    _, claims, signature = token.split(".")
    return ".".join((written(header), claims, signature))


def signed(header: dict[str, Any], claims: dict[str, Any], key: Any, algorithm: str) -> str:
    """A token rightly signed, whatever its header says."""
    signing_input = f"{written(header)}.{written(claims)}"
    signature = jwt.get_algorithm_by_name(algorithm).sign(signing_input.encode(), key)
    return f"{signing_input}.{base64.urlsafe_b64encode(signature).decode().rstrip('=')}"


def signed_with_the_public_key(bench: Bench) -> str:
    pem = KEY.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return signed({"alg": "HS256", "kid": "k1"}, claims_of(bench.service()), pem, "HS256")


def claims_of(token: str) -> dict[str, Any]:
    return jwt.decode(token, options={"verify_signature": False})


def many(tenant: str, **claims: Any) -> Make:
    return lambda b: b.account(iss=MANY.replace("{tenant}", tenant), **claims)


def headed(**headers: Any) -> Make:
    """A token rightly signed with that header beside the usual one; what is None is left out."""
    usual = {"alg": "RS256", "kid": "k1"}
    header = {name: value for name, value in {**usual, **headers}.items() if value is not None}
    return lambda b: signed(header, claims_of(b.service()), KEY.key, header["alg"])


REFUSED: dict[str, tuple[str, Make]] = {
    # form, algorithm, signature
    "garbage": ("TOKEN_INVALID", lambda b: "ada@example.com"),
    "garbage in three parts": ("TOKEN_INVALID", lambda b: "ada@example.com.x.y"),
    "nothing": ("TOKEN_INVALID", lambda b: ""),
    "not ASCII": ("TOKEN_INVALID", lambda b: f"{b.service()}é"),
    "half a character": ("TOKEN_INVALID", lambda b: f"{b.service()}\ud800"),
    "no object": ("TOKEN_INVALID", lambda b: f"{written({'alg': 'RS256'})}.W10.x"),
    "too long": ("TOKEN_INVALID", lambda b: b.service(more="x" * MAX_TOKEN_CHARACTERS)),
    "encrypted": ("TOKEN_INVALID", lambda b: f"{b.service()}.e30.e30"),
    "nested": ("TOKEN_INVALID", headed(cty="JWT")),
    "compressed": ("TOKEN_INVALID", headed(zip="DEF")),
    "encrypted by its header": ("TOKEN_INVALID", headed(enc="A256GCM")),
    "unencoded": ("TOKEN_INVALID", headed(b64=True)),
    "critical": ("TOKEN_INVALID", headed(crit=["exp"], exp=1)),
    "critical and known": ("TOKEN_INVALID", headed(crit=["b64"], b64=True)),
    "alg none": ("TOKEN_INVALID", lambda b: with_header(b.service(), alg="none")),
    "alg none, unsigned": (
        "TOKEN_INVALID",
        lambda b: with_header(b.service(), alg="none").rpartition(".")[0] + ".",
    ),
    "no alg": ("TOKEN_INVALID", lambda b: with_header(b.service(), kid="k1")),
    "alg a list": ("TOKEN_INVALID", lambda b: with_header(b.service(), alg=["RS256"])),
    "HS256 with the public key": ("TOKEN_INVALID", signed_with_the_public_key),
    "RS256 where ES256 is allowed": ("TOKEN_INVALID", lambda b: b.service(iss=CURVES)),
    "RS512 where RS256 is allowed": ("TOKEN_INVALID", headed(alg="RS512")),
    "another's key of that name": ("TOKEN_INVALID", lambda b: b.service(STRANGER)),
    "the issuer's key of another name": ("TOKEN_INVALID", headed(kid="k2")),
    "a key of no name": ("TOKEN_INVALID", headed(kid="k3")),
    "a key of another kind": ("TOKEN_INVALID", headed(kid="p256")),
    "a number for a key": ("TOKEN_INVALID", lambda b: with_header(b.service(), kid=1, alg="RS256")),
    "no key name, several keys": ("TOKEN_INVALID", headed(kid=None)),
    "signature of a curve cut": ("TOKEN_INVALID", lambda b: b.service(P256, iss=CURVES)[:-8]),
    "signature cut": ("TOKEN_INVALID", lambda b: b.service()[:-8]),
    "claims changed": (
        "TOKEN_INVALID",
        lambda b: ".".join(
            one.split(".")[position]
            for position, one in enumerate((b.service(), b.service(scope="admin"), b.service()))
        ),
    ),
    # issuer and audience
    "an issuer nobody knows": (
        "TOKEN_ISSUER_UNKNOWN",
        lambda b: b.service(iss="https://elsewhere.test"),
    ),
    "an issuer with more behind it": (
        "TOKEN_ISSUER_UNKNOWN",
        lambda b: b.service(iss=f"{ISSUER}/"),
    ),
    "a tenant with a path in it": ("TOKEN_ISSUER_UNKNOWN", many("a/b", tid="a/b")),
    "no issuer": ("TOKEN_CLAIMS", lambda b: b.service(iss=None)),
    "another audience": ("TOKEN_AUDIENCE", lambda b: b.service(aud="api://elsewhere")),
    "part of an audience": ("TOKEN_AUDIENCE", lambda b: b.service(aud="api://eligibilit")),
    "an account's audience elsewhere": (
        "TOKEN_AUDIENCE",
        lambda b: b.service(P256, iss=CURVES, aud=APP),
    ),
    "both audiences": ("TOKEN_AUDIENCE", lambda b: b.service(aud=[APP, SERVICE])),
    "no audience": ("TOKEN_CLAIMS", lambda b: b.service(aud=None)),
    "an audience of numbers": ("TOKEN_CLAIMS", lambda b: b.service(aud=[1])),
    # times
    "expired": ("TOKEN_EXPIRED", lambda b: b.service(exp=b.clock() - 60)),
    "no end": ("TOKEN_CLAIMS", lambda b: b.service(exp=None)),
    "an end in words": ("TOKEN_CLAIMS", lambda b: b.service(exp="tomorrow")),
    "an end that is true": ("TOKEN_CLAIMS", lambda b: b.service(exp=True)),
    "no number for an end": ("TOKEN_CLAIMS", lambda b: b.service(exp=float("nan"))),
    "no end ever": ("TOKEN_CLAIMS", lambda b: b.service(exp=float("inf"))),
    "not yet valid": ("TOKEN_NOT_YET_VALID", lambda b: b.service(nbf=b.clock() + 61)),
    "issued in the future": ("TOKEN_NOT_YET_VALID", lambda b: b.service(iat=b.clock() + 61)),
    "nbf in words": ("TOKEN_CLAIMS", lambda b: b.service(nbf="now")),
    # what a service's token has to say
    "no name": ("TOKEN_CLAIMS", lambda b: b.service(client_id=None)),
    "scopes as numbers": ("TOKEN_CLAIMS", lambda b: b.service(scope=[1])),
    "publishers as an object": ("TOKEN_CLAIMS", lambda b: b.service(publishers={"a": 1})),
    # what an account's token has to say
    "no email": ("TOKEN_CLAIMS", lambda b: b.account(email=None)),
    "email a list": ("TOKEN_CLAIMS", lambda b: b.account(email=["ada@example.com"])),
    "email no address": ("TOKEN_CLAIMS", lambda b: b.account(email="ada@@example.com")),
    "unverified": ("EMAIL_UNVERIFIED", lambda b: b.account(email_verified=False)),
    "unverified as text": ("EMAIL_UNVERIFIED", lambda b: b.account(email_verified="false")),
    "unverified as a number": ("EMAIL_UNVERIFIED", lambda b: b.account(email_verified=0)),
    "verified by a list": ("EMAIL_UNVERIFIED", lambda b: b.account(email_verified=[True])),
    "verified not told": ("EMAIL_UNVERIFIED", lambda b: b.account(email_verified=None)),
    "verified by another claim": (
        "EMAIL_UNVERIFIED",
        lambda b: b.account(email_verified=None, xms_edov=True),
    ),
    "no tenant": ("TOKEN_CLAIMS", lambda b: b.account(tid=None)),
    "no tenant at an issuer of many": ("TOKEN_CLAIMS", many(TENANT, tid=None)),
    "another tenant than its issuer's": ("TOKEN_CLAIMS", many(TENANT)),
    "an alias no address": ("TOKEN_CLAIMS", lambda b: b.account(aliases=["ada@@example.com"])),
    "aliases an object": ("TOKEN_CLAIMS", lambda b: b.account(aliases={"a": 1})),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_token_is_turned_away(bench: Bench, case: str) -> None:
    code, make = REFUSED[case]
    with pytest.raises(Unauthenticated) as caught:
        bench.verifier.caller_of(make(bench))
    assert (caught.value.code, caught.value.loc) == (code, "header.authorization")


@pytest.mark.parametrize("case", REFUSED)
def test_no_error_tells_what_a_token_holds(bench: Bench, case: str) -> None:
    token = REFUSED[case][1](bench)
    with pytest.raises(Unauthenticated) as caught:
        bench.verifier.account_of(token)
    told = "".join(traceback.format_exception(caught.value, limit=0)) + repr(caught.value.args)
    parts = {part for part in token.split(".") if len(part) > 3}
    for secret in {*parts, "ada", "Ada", "example.com", "backend", TENANT, MICROSOFT_ACCOUNTS}:
        assert secret not in told, case
