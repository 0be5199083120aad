"""The contract of CatalogStore (eligibility/catalog/store.py), sentence by sentence, on every backend."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from threading import Barrier, Thread
from typing import Any

import pytest

from eligibility.catalog.errors import CatalogRevisionMismatch, ProductTaken
from eligibility.catalog.model import Product
from eligibility.catalog.store import CatalogEntry, CatalogStore, ProductVersion
from eligibility.errors import UnknownProduct
from groups.errors import InvalidGroup, NotEmpty, StoreUnavailable
from tests.helpers.catalog.products import flight, package, product
from tests.helpers.stores.backends import BACKENDS, Clock, Deployment

P = "contoso"
TICK = timedelta(microseconds=1)
PLAIN = product()
NEWER = product(packages=[package("1.1.0.0")])


@pytest.fixture
def store(deployment: Deployment) -> CatalogStore:
    return deployment.open_both().catalog


@pytest.fixture
def clock(deployment: Deployment) -> Clock:
    return deployment.clock


def put(
    store: CatalogStore, product_id: str = "APP", declared: Product = PLAIN, publisher: str = P
) -> int:
    return store.apply(publisher, {product_id: declared}, actor="tests")


def delete(store: CatalogStore, product_id: str = "APP") -> int:
    return store.apply(P, {}, [product_id], actor="tests")


def told(versions: tuple[ProductVersion, ...]) -> list[tuple[int, str, Product | None]]:
    return [(one.revision, one.product_id, one.product) for one in versions]


# The present


def test_a_store_never_written_has_nothing(store: CatalogStore, clock: Clock) -> None:
    assert (store.revision(P), store.publishers()) == (0, ())
    assert (store.get("APP"), store.owner("APP"), store.as_of("APP", clock.now)) == (None,) * 3
    assert store.list_products(P).items == ()
    assert store.history("APP").items == store.changes_since(P, 0) == ()


def test_what_is_stored_comes_back_equal(store: CatalogStore, clock: Clock) -> None:
    rollout: dict[str, Any] = {"percentage": 25.55, "status": "in_progress"}
    declared = product(
        flight("f", ["beta"], "2.0.0.0", publish_at="2026-07-01T00:00:00Z", name="Ring 1 Ö"),
        rollout=rollout | {"previous_packages": [package("1.0.0.0")]},
        packages=[package("3.0.0.0")],
        device_families=["Xbox"],
    ).model_copy(update={"markets": ("US",)})
    assert put(store, declared=declared) == 1
    assert store.get("APP") == (
        CatalogEntry(
            publisher=P,
            product_id="APP",
            product=declared,
            revision=1,
            updated_at=clock.now,
        ),
        1,
    )


def test_each_write_raises_the_publishers_revision_by_one(store: CatalogStore) -> None:
    assert [put(store, name) for name in ("A", "B", "A")] == [1, 2, 3]
    assert (delete(store, "A"), store.revision(P)) == (4, 4)
    assert store.revision("fabrikam") == 0


def test_a_product_comes_with_its_own_revision_and_its_publishers(store: CatalogStore) -> None:
    put(store, "A")
    put(store, "B")
    found = store.get("A")
    assert found
    assert (found[0].revision, found[1]) == (1, 2)


def test_product_ids_are_case_sensitive(store: CatalogStore) -> None:
    put(store, "APP")
    put(store, "app", NEWER, "fabrikam")
    assert (store.owner("APP"), store.owner("app"), store.owner("App")) == (P, "fabrikam", None)
    assert store.get("App") is None


def test_products_are_listed_by_id_page_by_page(store: CatalogStore) -> None:
    ids = ["B", "a", "A.1", "A", "A-1", "A~", "0"]
    for product_id in ids:
        put(store, product_id)
    put(store, "Theirs", publisher="fabrikam")
    seen, cursor = list[str](), None
    while True:
        page = store.list_products(P, cursor=cursor, limit=3)
        seen += [entry.product_id for entry in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert seen == sorted(ids)
    assert store.list_products(P, limit=7).next_cursor is None
    delete(store, "A")
    assert "A" not in [entry.product_id for entry in store.list_products(P).items]


def test_every_publisher_that_ever_wrote_is_told(store: CatalogStore) -> None:
    put(store, "A", publisher="fabrikam")
    put(store, "B")
    delete(store, "B")
    assert store.publishers() == (P, "fabrikam")


# Writing


def test_several_products_are_one_write(store: CatalogStore) -> None:
    put(store, "OLD")
    puts = {"B": NEWER, "A": PLAIN}
    assert store.apply(P, puts, ["OLD"], actor="tests") == store.revision(P) == 2
    assert told(store.changes_since(P, 1)) == [(2, "A", PLAIN), (2, "B", NEWER), (2, "OLD", None)]


def test_with_nothing_to_do_nothing_is_written(store: CatalogStore) -> None:
    assert store.apply(P, {}, actor="tests") == 0
    put(store)
    assert store.apply(P, {}, actor="tests", if_revision=1) == store.revision(P) == 1
    with pytest.raises(CatalogRevisionMismatch):
        store.apply(P, {}, actor="tests", if_revision=2)


def test_a_write_based_on_another_revision_is_refused_whole(store: CatalogStore) -> None:
    put(store)
    put(store)
    for if_revision in (0, 1, 3, 2**70):
        with pytest.raises(CatalogRevisionMismatch) as caught:
            store.apply(P, {"A": PLAIN}, ["APP"], actor="tests", if_revision=if_revision)
        assert (caught.value.expected, caught.value.actual) == (if_revision, 2)
    assert store.get("A") is None
    assert store.apply(P, {"A": PLAIN}, ["APP"], actor="tests", if_revision=2) == 3


def test_an_id_belongs_to_one_publisher_for_ever(store: CatalogStore) -> None:
    put(store)
    for _ in range(2):  # while it is there, and when it is deleted
        with pytest.raises(ProductTaken, match="APP"):
            store.apply("fabrikam", {"OTHER": PLAIN, "APP": PLAIN}, actor="tests")
        with pytest.raises(UnknownProduct):
            store.apply("fabrikam", {}, ["APP"], actor="tests")
        assert (store.owner("APP"), store.revision("fabrikam")) == (P, 0)
        assert store.get("OTHER") is None
        if store.get("APP"):
            delete(store)
    assert put(store, declared=NEWER) == 3
    assert store.publishers() == (P,)


def test_deleting_what_is_not_there_writes_nothing(store: CatalogStore) -> None:
    put(store)
    delete(store)
    for gone in ("GONE", "APP"):
        with pytest.raises(UnknownProduct, match=gone):
            store.apply(P, {"A": PLAIN}, [gone], actor="tests")
    assert (store.get("A"), store.revision(P)) == (None, 2)


def test_many_writers_at_once_each_get_a_revision(deployment: Deployment) -> None:
    barrier, revisions = Barrier(4), list[int]()

    def write(store: CatalogStore, name: str) -> None:
        barrier.wait()
        revisions.extend(put(store, name) for _ in range(5))

    stores = [deployment.open_both().catalog for _ in range(2)]
    threads = [Thread(target=write, args=(stores[n % 2], f"P{n}")) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(revisions) == list(range(1, 21))
    assert [one.revision for one in stores[0].changes_since(P, 0)] == list(range(1, 21))


def test_of_many_claiming_one_id_one_succeeds(deployment: Deployment) -> None:
    barrier, outcomes = Barrier(4), list[str]()

    def claim(store: CatalogStore, publisher: str) -> None:
        barrier.wait()
        try:
            put(store, publisher=publisher)
            outcomes.append("put")
        except ProductTaken as error:
            outcomes.append(error.code)

    threads = [
        Thread(target=claim, args=(deployment.open_both().catalog, f"p{number}"))
        for number in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["PRODUCT_TAKEN"] * 3 + ["put"]


# The past


def test_history_keeps_every_version_with_who_and_when(store: CatalogStore, clock: Clock) -> None:
    made = clock.now
    put(store)
    changed = clock.move(60)
    store.apply(P, {"APP": NEWER, "OTHER": PLAIN}, actor="Eve Ö")
    gone = clock.move(60)
    store.apply(P, {}, ["APP"], actor="bob")
    versions = store.history("APP").items
    assert told(versions) == [(3, "APP", None), (2, "APP", NEWER), (1, "APP", PLAIN)]
    assert [(one.publisher, one.at, one.actor) for one in versions] == [
        (P, gone, "bob"),
        (P, changed, "Eve Ö"),
        (P, made, "tests"),
    ]


@pytest.mark.parametrize("limit", [1, 2, 4, 5])
def test_history_comes_page_by_page(store: CatalogStore, limit: int) -> None:
    for number in range(4):
        put(store)
        put(store, f"OTHER{number}")
    seen, cursor = list[int](), None
    while True:
        page = store.history("APP", cursor=cursor, limit=limit)
        assert 1 <= len(page.items) <= limit
        seen += [one.revision for one in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert seen == [7, 5, 3, 1]


def test_a_product_of_a_moment_is_the_version_of_then_that_instant_included(
    store: CatalogStore, clock: Clock
) -> None:
    made = clock.now
    put(store)
    elsewhere = clock.move(60)
    put(store, "OTHER")
    changed = clock.move(60)
    put(store, declared=NEWER)
    gone = clock.move(60)
    delete(store)
    back = clock.move(60)
    put(store)

    def at(moment: datetime) -> tuple[int, Product | None, int] | None:
        found = store.as_of("APP", moment)
        return found and (found[0].revision, found[0].product, found[1])

    assert at(made - TICK) is None
    assert at(made) == at(elsewhere - TICK) == (1, PLAIN, 1)
    assert at(elsewhere) == at(changed - TICK) == (1, PLAIN, 2)
    assert at(changed) == at(gone - TICK) == (3, NEWER, 3)
    assert at(gone) == at(back - TICK) == (4, None, 4)
    assert at(back) == at(datetime(9999, 12, 31, tzinfo=UTC)) == (5, PLAIN, 5)
    assert at(datetime(1900, 1, 1, tzinfo=UTC)) is None
    assert store.as_of("NEVER", back) is None


def test_the_revision_of_a_moment_is_that_of_the_publisher(
    store: CatalogStore, clock: Clock
) -> None:
    put(store)
    put(store, "THEIRS", publisher="fabrikam")
    put(store, "THEIRS", publisher="fabrikam")
    found, theirs = store.as_of("APP", clock.now), store.as_of("THEIRS", clock.now)
    assert found
    assert theirs
    assert (found[1], theirs[1], theirs[0].revision) == (1, 2, 2)


def test_changes_after_a_revision_come_oldest_first_and_by_product_id(
    store: CatalogStore,
) -> None:
    store.apply(P, {"b": PLAIN, "B": PLAIN, "a": PLAIN}, actor="tests")
    put(store, "THEIRS", publisher="fabrikam")
    put(store, "a", NEWER)
    delete(store, "B")
    assert told(store.changes_since(P, 0)) == [
        (1, "B", PLAIN),
        (1, "a", PLAIN),
        (1, "b", PLAIN),
        (2, "a", NEWER),
        (3, "B", None),
    ]
    assert told(store.changes_since(P, 2)) == [(3, "B", None)]
    assert store.changes_since(P, 3) == store.changes_since(P, 99) == ()


def test_moments_never_go_back_whatever_the_clocks_say(
    deployment: Deployment, store: CatalogStore, clock: Clock
) -> None:
    late = Clock(clock.now - timedelta(minutes=5))
    behind = deployment.open_both(late).catalog
    put(store)
    put(behind, declared=NEWER)
    ahead = late.move(301)
    put(behind, "OTHER")
    put(store)
    moments = [one.at for one in store.changes_since(P, 0)]
    assert moments == [clock.now, clock.now, ahead, ahead]
    found = store.as_of("APP", clock.now)
    assert found
    assert (found[0].product, found[1]) == (NEWER, 2)
    put(behind, "FIRST", publisher="fabrikam")
    assert behind.changes_since("fabrikam", 0)[0].at == ahead


def test_what_one_store_wrote_another_reads(deployment: Deployment, store: CatalogStore) -> None:
    put(store)
    other = deployment.open_both().catalog
    assert other.get("APP") == store.get("APP")
    put(other, declared=NEWER)
    assert store.history("APP") == other.history("APP")


# Taking over


@pytest.fixture(params=BACKENDS)
def target(request: pytest.FixtureRequest) -> Iterator[CatalogStore]:
    with BACKENDS[request.param]() as made:
        made.clock.move(86_400)
        yield made.open_both().catalog


@pytest.fixture
def source(store: CatalogStore, clock: Clock) -> CatalogStore:
    store.apply(P, {"B": PLAIN, "A": PLAIN}, actor="Eve Ö")
    clock.move(60)
    put(store, "A", NEWER)
    clock.move(60)
    store.apply(P, {"C": PLAIN}, ["B"], actor="bob")
    return store


def test_a_store_that_took_everything_over_answers_every_question_alike(
    source: CatalogStore, target: CatalogStore, clock: Clock
) -> None:
    target.record(P, source.changes_since(P, 0))
    moments = [clock.now - timedelta(seconds=30 * number) for number in range(6)]
    questions: list[Callable[[CatalogStore], object]] = [
        lambda store: (store.publishers(), store.revision(P), store.list_products(P)),
        lambda store: [(store.get(one), store.owner(one)) for one in "ABCD"],
        lambda store: [store.history(one) for one in "ABCD"],
        lambda store: [store.as_of(one, at) for one in "ABCD" for at in moments],
        lambda store: store.changes_since(P, 0),
    ]
    for question in questions:
        assert question(target) == question(source)
    assert put(target, "B", NEWER) == 4


def test_only_the_next_write_is_taken_over(source: CatalogStore, target: CatalogStore) -> None:
    versions = source.changes_since(P, 0)
    with pytest.raises(NotEmpty):
        target.record(P, versions[2:])
    assert (target.revision(P), target.get("A")) == (0, None)
    target.record(P, versions[:2])
    with pytest.raises(NotEmpty):
        target.record(P, versions)
    target.record(P, versions[2:])
    target.record(P, [])
    assert target.changes_since(P, 0) == versions


def test_an_id_of_another_publisher_is_not_taken_over(
    source: CatalogStore, target: CatalogStore
) -> None:
    put(target, "A", publisher="fabrikam")
    with pytest.raises(ProductTaken):
        target.record(P, source.changes_since(P, 0))
    assert (target.owner("A"), target.revision(P)) == ("fabrikam", 0)


# Closing


def test_a_closed_store_is_unavailable(deployment: Deployment) -> None:
    stores = deployment.open_both()
    store = stores.catalog
    put(store)
    stores.close()
    uses: list[Callable[[], object]] = [
        lambda: store.get("APP"),
        lambda: store.list_products(P),
        lambda: store.revision(P),
        store.publishers,
        lambda: put(store),
        lambda: store.history("APP"),
        lambda: store.as_of("APP", datetime.now(UTC)),
        lambda: store.owner("APP"),
        lambda: store.changes_since(P, 0),
    ]
    for use in uses:
        with pytest.raises(StoreUnavailable):
            use()


@pytest.mark.parametrize("cursor", ["9" * 5_000, "-1", "x"])
def test_a_cursor_that_no_page_of_history_gave_is_refused(store: CatalogStore, cursor: str) -> None:
    put(store)
    with pytest.raises(InvalidGroup, match="not the `next_cursor` of a page of history"):
        store.history("APP", cursor=cursor)
    assert len(store.history("APP", cursor=str(2**80)).items) == 1
