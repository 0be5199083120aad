"""Tokens of accounts that do not count."""

from collections.abc import Callable

from tests.helpers.tokens.application import ADA, TokenApp
from tests.helpers.tokens.issuers import MANY, STRANGER, TENANT

WRONG_TENANT = {"iss": MANY.replace("{tenant}", TENANT), "tid": TENANT}

Make = Callable[[TokenApp], str]

REFUSED: dict[str, tuple[str, Make]] = {
    "expired": ("TOKEN_EXPIRED", lambda w: w.bench.account(exp=w.bench.clock() - 61)),
    "not yet valid": ("TOKEN_NOT_YET_VALID", lambda w: w.bench.account(nbf=w.bench.clock() + 61)),
    "another issuer": ("TOKEN_ISSUER_UNKNOWN", lambda w: w.bench.account(iss="https://evil.test")),
    "another app": ("TOKEN_AUDIENCE", lambda w: w.bench.account(aud="other-app")),
    "a service's": ("TOKEN_AUDIENCE", lambda w: w.bench.service()),
    "a stranger's signature": ("TOKEN_INVALID", lambda w: w.bench.account(STRANGER)),
    "not signed": (
        "TOKEN_INVALID",
        lambda w: w.bench.account().rpartition(".")[0] + ".",
    ),
    "no token": ("TOKEN_INVALID", lambda _: ADA),
    "empty": ("TOKEN_INVALID", lambda _: ""),
    "not verified": ("EMAIL_UNVERIFIED", lambda w: w.bench.account(email_verified=False)),
    "no address": ("TOKEN_CLAIMS", lambda w: w.bench.account(email="nobody")),
}
