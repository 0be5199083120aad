"""Tokens as tests need them: issuers of every kind, their keys, and a verifier that knows them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from eligibility.callers.issuers import MICROSOFT_ACCOUNTS, AccountIssuer, CallerIssuer
from eligibility.callers.tokens import Verifier
from tests.helpers.clock import Clock
from tests.helpers.tokens.jwks_server import JwksServer, Signer, jwks_server

KEY, OTHER, STRANGER = Signer("k1"), Signer("k2"), Signer("k1")
P256, ED = Signer("p256", "ES256"), Signer("ed", "EdDSA")
NAMELESS = Signer(None)

ISSUER = "https://issuer.test"  # of services and of accounts
CURVES = "https://curves.test"  # allows ES256 and EdDSA only
MANY = "https://many.test/{tenant}/v2.0"
SERVICE, APP = "api://eligibility", "store-app"
TENANT = "f8cdef31-a31e-4b4a-93e4-5f571e91255a"


def named(text: str) -> str:
    """A digest, as far as these tests care."""
    return f"digest-{len(text)}"


@dataclass
class Bench:
    """A verifier, the server of its issuers' keys, and the clock of both."""

    server: JwksServer
    clock: Clock
    verifier: Verifier

    def service(self, signer: Signer = KEY, /, **claims: Any) -> str:
        """A service's token; a claim of None is left out."""
        usual = {"aud": SERVICE, "client_id": "backend", "scope": "access:query"}
        return signer.sign(self._claims({**usual, **claims}))

    def account(self, signer: Signer = KEY, /, **claims: Any) -> str:
        """An account's ID token; a claim of None is left out."""
        usual = {"aud": APP, "email": "Ada@Example.com", "email_verified": True}
        return signer.sign(self._claims({**usual, "tid": MICROSOFT_ACCOUNTS, **claims}))

    def _claims(self, claims: dict[str, Any]) -> dict[str, Any]:
        now = int(self.clock())
        written = {"iss": ISSUER, "exp": now + 3_600, "iat": now, **claims}
        return {name: value for name, value in written.items() if value is not None}


@contextmanager
def token_bench(clock: Clock) -> Iterator[Bench]:
    """A bench with four keys shown."""
    shown = [one.jwk() for one in (KEY, OTHER, P256, ED)]
    with jwks_server(*shown) as server:
        here = {"jwks_url": server.url}
        callers = [
            CallerIssuer(issuer=ISSUER, audience=(SERVICE, "api://other"), **here),
            CallerIssuer(issuer=CURVES, audience=SERVICE, algorithms=("ES256", "EdDSA"), **here),
        ]
        accounts = [
            AccountIssuer(issuer=MANY, audience=APP, **here),
            AccountIssuer(issuer=ISSUER, audience=APP, **here),
        ]
        verifier = Verifier(callers, accounts, name_of=named, clock=clock, monotonic=clock)
        yield Bench(server, clock, verifier)
