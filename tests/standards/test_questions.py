"""What a standard's question means: which access query it is, and what of the decision answers it."""

from typing import Any

import pytest

from eligibility.access import wire
from eligibility.access.codes import Reason
from eligibility.access.wire import AccountFields
from eligibility.errors import InvalidInput
from eligibility.service.service import Service
from eligibility.standards import questions
from eligibility.standards.questions import (
    ACTIONS,
    UNKNOWN_ACTION,
    UNKNOWN_RESOURCE,
    DenialReason,
    Question,
    StandardVerdict,
    question_of,
    read_context,
)
from tests.helpers.catalog.products import flight, group, package, product, put
from tests.helpers.clock import Clock

DESKTOP = {"device_family": "desktop", "os_version": "10.0.22631.0"}
ADA, GRACE, STRANGER = "ada@example.com", "grace@example.com", "x@example.com"


@pytest.fixture
def world(service: Service, clock: Clock) -> Service:
    """APP is public, with two flights; SECRET is private; Ada is in everything, Grace in beta."""
    group(service, "canary", ADA)
    group(service, "beta", ADA, GRACE)
    flights = flight("canary", ["canary"], "3.0.0.0"), flight("beta", ["beta"], "2.0.0.0")
    put(service, "APP", product(*flights))
    put(service, "SECRET", product(audience="private", audience_groups=["beta"]))
    clock.advance(3_600)
    return service


def ask(
    service: Service, what: str, who: str | None = ADA, context: dict[str, Any] = DESKTOP
) -> StandardVerdict:
    """As `install product:APP`."""
    action, resource = what.split()
    resource_type, _, resource_id = resource.partition(":")
    question = question_of(resource_type, resource_id, action)
    if isinstance(question, StandardVerdict):
        return question
    read = read_context(context)
    account = AccountFields(who) if who else None
    query = wire.to_query(questions.query_fields(question, account, read))
    return questions.verdict(question, service.evaluator.decide(query), read.device_known)


@pytest.mark.parametrize(
    ("what", "who", "reason"),
    [
        ("view product:APP", None, "PUBLIC_AUDIENCE"),
        ("view submission:APP", STRANGER, "PUBLIC_AUDIENCE"),
        ("view product:SECRET", GRACE, "AUDIENCE_MEMBER"),
        ("install product:APP", STRANGER, "NON_FLIGHTED_SUBMISSION"),
        ("install product:APP", GRACE, "FLIGHT_MEMBER"),
        ("install flight:APP:beta", GRACE, "FLIGHT_MEMBER"),
        ("install flight:APP:canary", ADA, "FLIGHT_MEMBER"),
    ],
)
def test_yes(world: Service, what: str, who: str | None, reason: str) -> None:
    found = ask(world, what, who)
    assert found.allowed
    assert found.reason == reason
    assert not found.secret


@pytest.mark.parametrize(
    ("what", "who", "reason", "secret"),
    [
        ("view product:SECRET", STRANGER, "NOT_IN_AUDIENCE", True),
        ("view submission:SECRET", None, "NOT_SIGNED_IN", True),
        ("install product:SECRET", STRANGER, "NOT_IN_AUDIENCE", True),
        ("install flight:SECRET:beta", STRANGER, "NOT_IN_AUDIENCE", True),
        ("install flight:APP:beta", STRANGER, "OTHER_SOURCE", True),
        ("install flight:APP:nope", STRANGER, "OTHER_SOURCE", True),
        ("install flight:APP:beta", ADA, "OTHER_SOURCE", True),  # the higher flight is hers
        ("update product:APP", ADA, "NOT_INSTALLED", False),
        ("update flight:APP:canary", ADA, "NOT_INSTALLED", False),
        ("update flight:APP:beta", ADA, "OTHER_SOURCE", True),
        ("view flight:APP:beta", ADA, "UNKNOWN_ACTION", False),
        ("install submission:APP", ADA, "UNKNOWN_ACTION", False),
        ("delete product:APP", ADA, "UNKNOWN_ACTION", False),
        ("view record:APP", ADA, "UNKNOWN_RESOURCE", True),
    ],
)
def test_no(world: Service, what: str, who: str | None, reason: str, secret: bool) -> None:
    found = ask(world, what, who)
    assert not found.allowed
    assert found.reason == reason
    assert found.secret is secret
    assert found.selected is None


@pytest.mark.parametrize(
    ("installed", "allowed", "reason"),
    [
        ("2.9.9.9", True, "FLIGHT_MEMBER"),
        ("3.0.0.0", False, "UP_TO_DATE"),
        ("4.0.0.0", False, "UP_TO_DATE"),
    ],
)
@pytest.mark.parametrize("resource", ["product:APP", "flight:APP:canary"])
def test_an_update_is_a_newer_package(
    world: Service, installed: str, allowed: bool, reason: str, resource: str
) -> None:
    found = ask(world, f"update {resource}", ADA, {**DESKTOP, "installed_version": installed})
    assert (found.allowed, found.reason) == (allowed, reason)


def test_a_product_tells_where_its_package_comes_from_and_a_flight_does_not(
    world: Service,
) -> None:
    found = ask(world, "install product:APP").selected
    assert found is not None
    assert (found.kind, found.flight_id, found.rank) == ("flight", "canary", 3)
    assert ask(world, "install flight:APP:canary").selected is None
    assert ask(world, "view product:APP").selected is None


@pytest.mark.parametrize(
    "context",
    [{}, {"device_family": "desktop"}, {"os_version": "10.0.22631.0"}, {"device_family": None}],
)
def test_without_a_device_only_a_public_listing_may_be_seen(
    world: Service, context: dict[str, Any]
) -> None:
    assert ask(world, "view product:APP", None, context).allowed
    for what in ("install product:APP", "update product:APP", "install flight:APP:canary"):
        found = ask(world, what, ADA, context)
        assert found == StandardVerdict(False, (DenialReason.DEVICE_UNKNOWN,))
    member = ask(world, "view product:SECRET", ADA, context)
    assert member == StandardVerdict(False, (DenialReason.DEVICE_UNKNOWN,), None, True)
    stranger = ask(world, "view product:SECRET", STRANGER, context)
    assert stranger.reasons == (Reason.NOT_IN_AUDIENCE, DenialReason.DEVICE_UNKNOWN)


def test_no_device_is_not_taken_for_one_that_suits(service: Service, clock: Clock) -> None:
    """Not even where a package runs on everything."""
    anything = package("1.0.0.0") | {"targets": {"Windows.Universal": "10.0.0.0"}}
    put(service, "ANY", product(packages=[anything]))
    assert ask(service, "install product:ANY", None, {}).reasons == (DenialReason.DEVICE_UNKNOWN,)


@pytest.mark.parametrize(
    "parts",
    [
        ("product", "A:b"),
        ("submission", "A:b"),
        ("flight", "A"),
        ("flight", "A:"),
        ("flight", ":b"),
        ("flight", "A:b:c"),
        ("product", ""),
        ("product", "A b"),
        ("product", "A\n"),
        ("product", "ä"),
    ],
)
def test_an_id_that_nothing_can_have_is_unknown(parts: tuple[str, str]) -> None:
    action = "install" if parts[0] == "flight" else "view"
    assert question_of(*parts, action) == UNKNOWN_RESOURCE


def test_actions_of_each_resource() -> None:
    for resource_type, actions in ACTIONS.items():
        resource_id = "A:b" if resource_type == "flight" else "A"
        for action in actions:
            flight_id = "b" if resource_type == "flight" else None
            question = question_of(resource_type, resource_id, action)
            assert question == Question(resource_type, action, "A", flight_id)
        assert question_of(resource_type, resource_id, "Install") == UNKNOWN_ACTION
        assert list(actions) == sorted(actions)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("device_family", "Toaster"),
        ("device_family", 7),
        ("os_version", "22H2"),
        ("os_version", 19045),
        ("architecture", "neutral"),
        ("installed_version", "1.0"),
        ("owned", "yes"),
        ("market", "us"),
        ("promotional_code", 1),
        ("manual_check", []),
        ("time", "yesterday"),
        ("time", {"deep": [1]}),
    ],
)
def test_a_malformed_value_is_named_by_its_key(key: str, value: Any) -> None:
    with pytest.raises(InvalidInput) as caught:
        read_context({**DESKTOP, key: value})
    assert [fault.loc for fault in caught.value.faults] == [f"context.{key}"]


def test_unknown_keys_and_nulls_are_as_absent() -> None:
    plain = read_context(DESKTOP)
    more = {"mood": {"deep": [1]}, "product_id": 7, "device": 1, "at": 1, "market": None}
    assert read_context({**DESKTOP, **more}) == plain


def test_every_key_reaches_the_query() -> None:
    told = {
        **DESKTOP,
        "architecture": "x64",
        "installed_version": "1.0.0.0",
        "owned": True,
        "market": "US",
        "promotional_code": True,
        "manual_check": True,
        "time": "2026-06-01T12:00:00Z",
    }
    assert set(told) == set(questions.CONTEXT_KEYS)
    question = Question("product", "install", "APP")
    account = AccountFields(ADA)
    query = wire.to_query(questions.query_fields(question, account, read_context(told)))
    assert query == wire.query_of(
        product_id="APP",
        account={"id": ADA},
        device={"family": "desktop", "os_version": "10.0.22631.0", "architecture": "x64"},
        installed_version="1.0.0.0",
        owned=True,
        market="US",
        promotional_code=True,
        manual_check=True,
        at="2026-06-01T12:00:00Z",
    )
