"""The document's operations, tried at random by every kind of caller: no failure, nothing foreign."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from eligibility.callers.model import Scope
from eligibility.service.service import Service
from eligibility.service.settings import Settings
from tests.helpers.catalog.products import flight, group, package, product, put
from tests.helpers.servers.document import CHECKS, OPERATIONS
from tests.helpers.servers.process import Server, bearer, make_key, running
from tests.helpers.tokens.jwks_server import Signer, jwks_server

SIGNER = Signer("k1")
ISSUER = "https://accounts.test"
FOREIGN = "9NBLGGH4R315"
"""The product of the document's examples: here it is of a publisher that most callers do not see."""


@dataclass(frozen=True)
class Kind:
    """A kind of caller: what it sends, and what must not be in any answer to it."""

    headers: dict[str, str]
    never: str
    examples: int


@dataclass(frozen=True)
class Fuzzed:
    """A server, its document as a schema, and the callers."""

    server: Server
    schema: Any
    kinds: dict[str, Kind]


def stock(url: str) -> None:
    """A product and a group each; in fabrikam all that has a name is a sentinel."""
    with Service(Settings(store=url)) as service:
        for publisher, group_id, product_id, named in (
            ("contoso", "beta", "MINE", "ours"),
            ("fabrikam", "sentinel-group", FOREIGN, "sentinel"),
        ):
            group(service, group_id, f"{named}@example.com", publisher=publisher)
            declared = product(
                flight(f"{named}-flight", [group_id], "2.0.0.0"),
                packages=[package("1.0.0.0") | {"file_name": f"{named}.msix"}],
            )
            put(service, product_id, declared, publisher)


def token() -> str:
    """The ID token of an account."""
    now = int(time.time())
    account = {"email": "ada@example.com", "email_verified": True}
    return SIGNER.sign({"iss": ISSUER, "aud": "app", "iat": now, "exp": now + 3_600, **account})


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fuzzed]:
    url = f"sqlite:///{tmp_path_factory.mktemp('fuzz') / 'store.db'}"
    stock(url)
    with jwks_server(SIGNER.jwk()) as keys:
        issuer = {"issuer": ISSUER, "jwks_url": keys.url, "audience": "app", "kind": "microsoft"}
        env = {
            "ELIGIBILITY_ACCOUNT_ISSUERS": json.dumps([issuer]),
            "ELIGIBILITY_ACCOUNT_RATE_LIMIT": "0",
        }
        one = make_key(url, Scope.ADMIN, publishers=["contoso"], env=env)
        query = make_key(url, Scope.QUERY, publishers=["contoso"], env=env)
        kinds = {
            "admin of one": Kind(bearer(one), "sentinel", 15),
            "query of one": Kind(bearer(query), "sentinel", 8),
            "account": Kind(bearer(token()), "sentinel-group", 8),
            "nobody": Kind({}, "sentinel", 4),
        }
        with running(url, **env) as server:
            schema = schemathesis.openapi.from_url(f"{server.url}/openapi.json")
            yield Fuzzed(server, schema, kinds)


@pytest.mark.parametrize("kind", ["admin of one", "query of one", "account", "nobody"])
@pytest.mark.parametrize("operation", OPERATIONS)
def test_nothing_fails_and_nothing_foreign_is_told(
    fuzzed: Fuzzed, operation: str, kind: str
) -> None:
    method, path = operation.split()
    caller = fuzzed.kinds[kind]

    @settings(
        max_examples=caller.examples,
        derandomize=True,
        deadline=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(
        fuzzed.schema[path][method].as_strategy(),
        st.sampled_from([None, "fabrikam", "contoso"]),
        st.sampled_from([None, FOREIGN, "MINE"]),
    )
    def run(case: Any, publisher: str | None, product_id: str | None) -> None:
        """Random requests, most of which name publishers and products that there are."""
        if publisher and "publisher" in (case.path_parameters or {}):
            case.path_parameters["publisher"] = publisher
        for asked in (case.body, case.path_parameters):
            if product_id and isinstance(asked, dict) and "product_id" in asked:
                asked["product_id"] = product_id
        answer = case.call(headers=caller.headers)
        case.validate_response(answer, checks=CHECKS)
        # Hypothesis may take the word from this file, and what was sent may be told back.
        sent = repr((case.body, case.path_parameters, case.query))
        assert caller.never not in answer.text or caller.never in sent
        if kind == "nobody" and path.startswith("/v1/"):
            assert answer.status_code == 401

    run()


def test_the_sentinels_would_be_seen(fuzzed: Fuzzed) -> None:
    """By whoever sees every publisher and reads groups."""
    everywhere = fuzzed.server.http
    groups = everywhere.get("/v1/publishers/fabrikam/groups").text
    members = everywhere.get("/v1/publishers/fabrikam/groups/sentinel-group/members").text
    asked = {"product_id": FOREIGN, "device": {"family": "Desktop", "os_version": "22631"}}
    access = everywhere.post("/v1/access", json=asked).text
    assert "sentinel-group" in groups
    assert "sentinel@" in members
    assert "sentinel-group" in access
    assert "sentinel.msix" in access
