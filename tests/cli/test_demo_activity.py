"""The demo's made-up activity: the same every time, and of nobody but members and strangers."""

from datetime import timedelta

from eligibility.cli.demo.activity import HOURS, invent_activity
from eligibility.cli.demo.demo import load_sample
from eligibility.service.service import Service
from tests.helpers.clock import Clock


def test_two_days_of_queries_are_noted_and_nothing_else_is_touched(
    service: Service, clock: Clock
) -> None:
    load_sample(service)
    before = service.groups.revision("contoso")
    invent_activity(service, "contoso", 300)
    now = service.now()
    counted = service.activity.counts(
        "contoso", now - timedelta(hours=HOURS + 1), now, by_minute=True
    )
    assert sum(one.decisions for one in counted) == 300
    assert {one.key.product_id for one in counted} == {
        "9NCONTOSORDR",
        "9NCONTOSOSKT",
        "9NCONTOSOMAP",
    }
    assert len(service.activity.last_answers("contoso", "9NCONTOSORDR")) == 3
    assert all(one.answer.at <= clock.seconds for one in service.activity.seen("contoso", 0.0))
    assert service.groups.revision("contoso") == before


def test_a_publisher_without_products_has_none(service: Service) -> None:
    invent_activity(service, "nobody")
    assert service.activity.publishers() == ()
