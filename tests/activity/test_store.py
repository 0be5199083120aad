"""Activity as ActivityStore promises it (eligibility/activity/store.py), on every backend."""

from datetime import UTC, datetime, timedelta
from itertools import count

import pytest

from eligibility.activity.model import Batch, CountKey, DecisionCount, LastAnswer, RecentDecision
from eligibility.activity.store import FORGOTTEN_FOR, MINUTES_KEPT, SEEN_KEPT, ActivityStore
from tests.helpers.stores.backends import Clock, Deployment

P = "contoso"
ADA, BOB = 0x0102030405060708, 2**64 - 1
FLIGHT = CountKey("APP", "flight", "canary", "FLIGHT_MEMBER")
DENIED = CountKey("APP", "denied", "", "NOT_IN_AUDIENCE")
ODD = CountKey("a|b:c", "submission", "", "NOT_FLIGHT_MEMBER")
EVER = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def clock(deployment: Deployment) -> Clock:
    return deployment.clock


@pytest.fixture
def store(deployment: Deployment) -> ActivityStore:
    return deployment.open_both().activity


def minute(clock: Clock, ago: timedelta = timedelta(0)) -> int:
    """The second at which the minute begins."""
    second = int((clock.now - ago).timestamp())
    return second - second % 60


def told(clock: Clock, ago: timedelta = timedelta(0), version: str = "2.0.0.0") -> LastAnswer:
    at = (clock.now - ago).timestamp()
    device = ("Windows.Desktop", "10.0.22631.1", "x64")
    return LastAnswer(at, "flight", "canary", version, ("FLIGHT_MEMBER",), *device)


def seen(answer: LastAnswer, digest: int | None = ADA) -> RecentDecision:
    return RecentDecision("APP", digest, digest is not None, answer)


def counted(store: ActivityStore, *, by_minute: bool, publisher: str = P) -> list[DecisionCount]:
    return store.counts(publisher, *EVER, by_minute=by_minute)


def test_counts_of_a_minute_add_up_and_are_there_by_hour_too(
    store: ActivityStore, clock: Clock
) -> None:
    now, before = minute(clock), minute(clock, timedelta(minutes=1))
    store.add(P, Batch({(now, FLIGHT): 3, (before, FLIGHT): 1, (now, DENIED): 2}))
    store.add(P, Batch({(now, FLIGHT): 4}))
    assert counted(store, by_minute=True) == [
        DecisionCount(clock.now - timedelta(minutes=1), FLIGHT, 1),
        DecisionCount(clock.now, DENIED, 2),
        DecisionCount(clock.now, FLIGHT, 7),
    ]
    hour = timedelta(hours=1)
    assert counted(store, by_minute=False) == [
        DecisionCount(clock.now - hour, FLIGHT, 1),
        DecisionCount(clock.now, DENIED, 2),
        DecisionCount(clock.now, FLIGHT, 7),
    ]


def test_counts_are_those_that_begin_within_the_bounds(store: ActivityStore, clock: Clock) -> None:
    minutes = [minute(clock, timedelta(minutes=ago)) for ago in (0, 1, 2, 1_500)]
    store.add(P, Batch({(one, FLIGHT): 1 for one in minutes}))
    since, until = clock.now - timedelta(minutes=2), clock.now
    found = store.counts(P, since, until, by_minute=True)
    assert [one.at for one in found] == [since, clock.now - timedelta(minutes=1)]
    found = store.counts(P, clock.now - 2 * DAY, clock.now, by_minute=False)
    assert [one.at for one in found] == [clock.now - timedelta(hours=25), clock.now - DAY / 24]


def test_a_key_is_kept_as_it_is_whatever_is_in_it(store: ActivityStore, clock: Clock) -> None:
    store.add(P, Batch({(minute(clock), ODD): 1}, {("a|b:c", ADA): told(clock)}))
    assert [one.key for one in counted(store, by_minute=True)] == [ODD]
    assert store.last_answers(P, "a|b:c") == {ADA: told(clock)}
    assert store.last_answers(P, "a") == {}


def test_a_last_answer_takes_the_place_of_an_earlier_one(
    store: ActivityStore, clock: Clock
) -> None:
    store.add(P, Batch(last={("APP", ADA): told(clock), ("APP", BOB): told(clock)}))
    store.add(P, Batch(last={("OTHER", ADA): told(clock)}))
    clock.move(60)
    store.add(P, Batch(last={("APP", ADA): told(clock, version="3.0.0.0")}))
    assert store.last_answers(P, "APP") == {
        ADA: told(clock, version="3.0.0.0"),
        BOB: told(clock, timedelta(minutes=1)),
    }
    assert store.last_answers(P, "OTHER") == {ADA: told(clock, timedelta(minutes=1))}
    store.add(P, Batch(last={("APP", ADA): told(clock, timedelta(seconds=1))}))  # by a slow server
    assert store.last_answers(P, "APP")[ADA] == told(clock, version="3.0.0.0")


def test_the_latest_decisions_come_in_order_and_are_bounded(
    store: ActivityStore, clock: Clock
) -> None:
    numbers = count()
    for _ in range(6):
        clock.move(1)
        batch = [seen(told(clock, version=f"1.0.{next(numbers)}.0"), None) for _ in range(100)]
        store.add(P, Batch(seen=batch))
    found = [one.answer.version for one in store.seen(P, 0)]
    assert found == [f"1.0.{number}.0" for number in range(600 - SEEN_KEPT, 600)]
    later = store.seen(P, clock.now.timestamp() - 1)
    assert [one.answer.version for one in later] == found[-100:]
    assert later[0].digest is None
    assert store.seen(P, clock.now.timestamp()) == []


def test_publishers_share_nothing(store: ActivityStore, clock: Clock) -> None:
    store.add(P, Batch({(minute(clock), FLIGHT): 1}, {("APP", ADA): told(clock)}))
    assert store.publishers() == (P,)
    store.add("fabrikam", Batch(seen=[seen(told(clock))]))
    assert store.publishers() == (P, "fabrikam")
    assert counted(store, by_minute=True, publisher="fabrikam") == []
    assert store.last_answers("fabrikam", "APP") == {}
    assert store.seen(P, 0) == []
    store.forget("fabrikam", ADA)
    store.clear("fabrikam")
    assert store.last_answers(P, "APP") == {ADA: told(clock)}
    assert store.publishers() == (P,)


def test_who_is_forgotten_is_nowhere_and_the_counts_stay(
    store: ActivityStore, clock: Clock
) -> None:
    products = ("APP", "OTHER")
    last = {(product, who): told(clock) for product in products for who in (ADA, BOB)}
    both = [seen(told(clock), who) for who in (ADA, BOB, ADA, None)]
    store.add(P, Batch({(minute(clock), FLIGHT): 4}, last, both))
    store.forget(P, ADA)
    for product in products:
        assert store.last_answers(P, product) == {BOB: told(clock)}
    assert [one.digest for one in store.seen(P, 0)] == [BOB, None]
    assert [one.decisions for one in counted(store, by_minute=True)] == [4]


def test_what_another_server_still_had_of_somebody_forgotten_is_not_noted(
    deployment: Deployment, store: ActivityStore, clock: Clock
) -> None:
    other = deployment.open_both().activity
    late = Batch({(minute(clock), FLIGHT): 1}, {("APP", ADA): told(clock)}, [seen(told(clock))])
    store.add(P, Batch({(minute(clock), FLIGHT): 1}))
    store.forget(P, ADA)
    clock.move(FORGOTTEN_FOR.total_seconds() - 1)
    other.add(P, late)
    assert store.last_answers(P, "APP") == {}
    assert store.seen(P, 0) == []
    assert [one.decisions for one in counted(store, by_minute=True)] == [2]
    clock.move(1)
    other.add(P, late)  # after that it is somebody who asks again
    assert len(store.last_answers(P, "APP")) == len(store.seen(P, 0)) == 1


def test_what_is_older_than_it_may_be_goes(store: ActivityStore, clock: Clock) -> None:
    ages = [timedelta(days=days) for days in (0, 1, 4, 11)]
    counts = {(minute(clock, age), FLIGHT): 1 for age in ages}
    last = {("APP", who): told(clock, age) for who, age in enumerate(ages)}
    store.add(P, Batch(counts, last, [seen(told(clock, age)) for age in reversed(ages)]))
    store.prune(P, 10 * DAY, clock.now)
    assert [one.at for one in counted(store, by_minute=False)] == [
        clock.now - age for age in (ages[2], ages[1], ages[0])
    ]
    assert [one.at for one in counted(store, by_minute=True)] == [clock.now - DAY, clock.now]
    assert set(store.last_answers(P, "APP")) == {0, 1, 2}
    assert [one.answer.at for one in store.seen(P, 0)] == [
        (clock.now - age).timestamp() for age in (ages[2], ages[1], ages[0])
    ]


def test_counts_go_by_whole_hours_and_days(store: ActivityStore, clock: Clock) -> None:
    store.add(P, Batch({(minute(clock), FLIGHT): 1}))
    store.prune(P, 10 * DAY, clock.move(MINUTES_KEPT.total_seconds()))
    assert counted(store, by_minute=True)
    store.prune(P, 10 * DAY, clock.move(3_600))
    assert not counted(store, by_minute=True)
    store.prune(P, 3 * DAY, clock.move(DAY.total_seconds()))
    assert counted(store, by_minute=False)
    store.prune(P, 3 * DAY, clock.move(DAY.total_seconds()))
    assert not counted(store, by_minute=False)


@pytest.mark.parametrize("how", ["pruned", "cleared"])
def test_a_publisher_of_whom_nothing_is_left_is_none(
    store: ActivityStore, clock: Clock, how: str
) -> None:
    counts = {(minute(clock), FLIGHT): 1}
    store.add(P, Batch(counts, {("APP", ADA): told(clock)}, [seen(told(clock))]))
    if how == "pruned":
        store.prune(P, DAY, clock.move(3 * DAY.total_seconds()))
    else:
        store.clear(P)
    assert store.publishers() == ()
    assert (store.last_answers(P, "APP"), store.seen(P, 0)) == ({}, [])
    assert counted(store, by_minute=True) == counted(store, by_minute=False) == []


def test_where_nothing_was_ever_added_there_is_nothing(store: ActivityStore, clock: Clock) -> None:
    store.forget(P, ADA)
    store.prune(P, DAY, clock.now)
    store.clear(P)
    assert store.publishers() == ()
    assert counted(store, by_minute=False) == []
    assert (store.last_answers(P, "APP"), store.seen(P, 0)) == ({}, [])
