"""Whom a flag is about, and who may say so: asserted, by the account's token, or the account itself."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.helpers.clock import Clock
from tests.helpers.servers.process import bearer
from tests.helpers.standards import ofrep_schemas
from tests.helpers.standards.flags import BULK, DEVICE
from tests.helpers.tokens.application import ADA, ALIAS, GRACE, TokenApp, token_app

PATHS = (f"{BULK}/flight:APP:good", BULK)


@pytest.fixture
def world(store_url: str, clock: Clock) -> Iterator[TokenApp]:
    with token_app(store_url, clock) as made:
        yield made


def post(world: TokenApp, path: str, headers: dict[str, str], **context: Any) -> Any:
    answer = world.app.post(path, {"context": {**DEVICE, **context}}, headers)
    ofrep_schemas.check(answer)
    return answer


def value(answer: Any) -> Any:
    """Of the flight's flag, whether told alone or among others; None where it is not."""
    told = answer.json()
    found = [one for one in told.get("flags", [told]) if one["key"] == "flight:APP:good"]
    return found[0].get("value") if found else None


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("address", [ADA, ADA.upper(), ALIAS])
def test_an_account_asks_for_itself(world: TokenApp, path: str, address: str) -> None:
    own = world.own(aliases=[ALIAS])
    for _ in range(2):  # the second time from memory
        assert value(post(world, path, own, targetingKey=address)) is True


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("address", [GRACE, ALIAS, "nonsense", "-"])
def test_an_account_may_name_nobody_else(world: TokenApp, path: str, address: str) -> None:
    for _ in range(2):
        answer = post(world, path, world.own(), targetingKey=address)
        assert answer.status_code == 403
        assert "@" not in answer.text
        assert "targetingKey" in answer.text


@pytest.mark.parametrize("path", PATHS)
def test_who_may_not_assert_sends_the_accounts_token(world: TokenApp, path: str) -> None:
    token = world.bench.account()
    for _ in range(2):
        answer = post(world, path, world.plain, targetingKey=ADA, accountToken=token)
        assert value(answer) is True
    asserted = post(world, path, world.asserting, targetingKey=ADA)
    assert value(asserted) is True


@pytest.mark.parametrize("path", PATHS)
def test_without_the_token_it_is_a_401_that_says_what_to_send(world: TokenApp, path: str) -> None:
    answer = post(world, path, world.plain, targetingKey=ADA)
    assert answer.status_code == 401
    assert "context.accountToken" in answer.json()["errorDetails"]
    assert "www-authenticate" in answer.headers


@pytest.mark.parametrize("path", PATHS)
def test_a_token_of_another_account_is_refused(world: TokenApp, path: str) -> None:
    token = world.bench.account(email=GRACE)
    for caller in (world.plain, world.asserting, world.own()):
        for named in (ADA, "-"):
            answer = post(world, path, caller, targetingKey=named, accountToken=token)
            assert answer.status_code == 403


@pytest.mark.parametrize("path", PATHS)
def test_a_bad_token_is_nobody(world: TokenApp, path: str) -> None:
    answer = post(world, path, world.plain, targetingKey=ADA, accountToken="nonsense")
    assert answer.status_code == 401
    assert answer.json()["errorDetails"].startswith("context.accountToken: ")
    assert post(world, path, bearer("nonsense"), targetingKey=ADA).status_code == 401


@pytest.mark.parametrize("path", PATHS)
def test_nobody_signed_in_needs_no_token(world: TokenApp, path: str) -> None:
    for caller in (world.plain, world.asserting):
        answer = post(
            world, path.replace("flight:APP:good", "product:APP"), caller, targetingKey="-"
        )
        assert answer.status_code == 200


@pytest.mark.parametrize("path", PATHS)
def test_a_work_account_is_no_member(world: TokenApp, path: str) -> None:
    from tests.helpers.tokens.account_tokens import WRONG_TENANT

    own = world.own(**WRONG_TENANT)
    assert value(post(world, path, own, targetingKey=ADA)) is None
