"""The catalogue: what is refused and in which words, revisions, history, and one writer at a time."""

import threading
from datetime import timedelta
from typing import Any

import pytest

from eligibility.catalog.catalog import Catalog, ExpectedRevision
from eligibility.catalog.errors import (
    CatalogRevisionMismatch,
    InvalidProduct,
    ProductRevisionMismatch,
    ProductTaken,
)
from eligibility.catalog.model import Product
from eligibility.catalog.store import CatalogEntry
from eligibility.catalog.validation import read_product
from eligibility.errors import UnknownProduct
from eligibility.service.service import Service
from groups.errors import StoreUnavailable
from tests.helpers.catalog.products import flight, group, package, product, put
from tests.helpers.clock import Clock


def faults_of(service: Service, declared: Product, product_id: str = "APP") -> set[tuple[str, str]]:
    with pytest.raises(InvalidProduct) as caught:
        put(service, product_id, declared)
    return {(fault.loc, fault.code) for fault in caught.value.faults}


def shape_faults(body: Any) -> list[tuple[str, str, str]]:
    with pytest.raises(InvalidProduct) as caught:
        read_product(body)
    return [(fault.loc, fault.code, fault.detail) for fault in caught.value.faults]


@pytest.fixture
def groups(service: Service) -> Service:
    group(service, "beta", "ada@example.com")
    return service


ROLLOUT = {"percentage": 25, "status": "in_progress"}
PRIVATE = {"audience": "private", "audience_groups": ["beta"]}


# --- what several fields mean together (design 4, "Refused") ---


@pytest.mark.parametrize(
    ("declared", "loc", "code"),
    [
        (product(flight("f", ["gone"], "2.0.0.0")), "flights.0.groups.0", "UNDECLARED_GROUP"),
        (
            product(audience="private", audience_groups=["beta", "gone"]),
            "submission.audience_groups.1",
            "UNDECLARED_GROUP",
        ),
        (product(audience="private"), "submission.audience_groups", "AUDIENCE_WITHOUT_GROUP"),
        (product(flight("f", [], "2.0.0.0")), "flights.0.groups", "FLIGHT_WITHOUT_GROUP"),
        (
            product(flight("f", ["beta"], "2.0.0.0"), flight("f", ["beta"], "2.0.0.0", name="g")),
            "flights.1.flight_id",
            "DUPLICATE_FLIGHT",
        ),
        (
            product(
                flight("f", ["beta"], "2.0.0.0", name="Canary"),
                flight("g", ["beta"], "2.0.0.0", name="CANARY"),
            ),
            "flights.0.name",
            "DUPLICATE_FLIGHT",
        ),
        (
            product(packages=[package("1.0.0.0"), package("1.0.0.0")]),
            "submission.packages.1",
            "DUPLICATE_PACKAGE",
        ),
        (
            product(packages=[package("0.9.0.0")]),
            "submission.packages.0.version",
            "PACKAGE_VERSION_ZERO",
        ),
        (
            product(rollout=ROLLOUT),
            "submission.rollout.previous_packages",
            "ROLLOUT_WITHOUT_PREVIOUS",
        ),
        (
            product(rollout=ROLLOUT | {"status": "halted"}),
            "submission.rollout.previous_packages",
            "ROLLOUT_WITHOUT_PREVIOUS",
        ),
        (
            product(flight("f", ["beta"], "2.0.0.0", rollout=ROLLOUT)),
            "flights.0.rollout.previous_packages",
            "ROLLOUT_WITHOUT_PREVIOUS",
        ),
        (
            product(rollout=ROLLOUT | {"previous_packages": [package("0.1.0.0")]}),
            "submission.rollout.previous_packages.0.version",
            "PACKAGE_VERSION_ZERO",
        ),
    ],
)
def test_what_contradicts_itself_is_refused(
    groups: Service, declared: Product, loc: str, code: str
) -> None:
    assert (loc, code) in faults_of(groups, declared)
    assert groups.catalog.store.revision("contoso") == 0


def test_all_faults_are_named_at_once(groups: Service) -> None:
    declared = product(flight("f", [], "0.1.0.0"), audience="private", rollout=ROLLOUT)
    assert len(faults_of(groups, declared)) == 4


def test_packages_of_one_version_for_different_architectures_are_fine(groups: Service) -> None:
    put(
        groups,
        "APP",
        product(
            packages=[
                package("1.0.0.0") | {"architectures": ["x64"]},
                package("1.0.0.0") | {"architectures": ["arm64"], "file_name": "arm64.msix"},
            ]
        ),
    )


def test_one_architecture_twice_in_two_bundles_of_one_version_is_refused(groups: Service) -> None:
    bundles = [
        package("1.0.0.0") | {"architectures": list(names)}
        for names in (("x64", "x86"), ("x86", "arm"))
    ]
    assert ("submission.packages.1", "DUPLICATE_PACKAGE") in faults_of(
        groups, product(packages=bundles)
    )


def test_a_finalized_rollout_needs_no_previous_packages(groups: Service) -> None:
    put(groups, "APP", product(rollout=ROLLOUT | {"status": "finalized"}))


@pytest.mark.parametrize("product_id", ["", "a b", "ü", "-x", "x" * 101, "a/b"])
def test_a_product_id_is_plain(groups: Service, product_id: str) -> None:
    assert ("product_id", "WRONG_VALUE") in faults_of(groups, product(), product_id)


# --- the shape of each field ---


@pytest.mark.parametrize(
    ("change", "loc", "code", "words"),
    [
        ({"colour": "red"}, "colour", "UNKNOWN_FIELD", "is not a known field"),
        ({"name": ""}, "name", "WRONG_VALUE", "must not be empty"),
        ({"name": "a\nb"}, "name", "WRONG_VALUE", "a\nb"),
        ({"availability": "gone"}, "availability", "WRONG_VALUE", "gone"),
        ({"markets": ["usa"]}, "markets.0", "UNREADABLE_MARKET", "usa"),
        ({"markets": "US"}, "markets", "WRONG_TYPE", "US"),
        ({"submission": {"audience": "secret"}}, "submission.audience", "WRONG_VALUE", "secret"),
        ({"submission": {"public_at": 1}}, "submission.public_at", "UNREADABLE_MOMENT", "ISO 8601"),
        (
            {"submission": {"public_at": "2026-01-01T00:00:00"}},
            "submission.public_at",
            "UNREADABLE_MOMENT",
            "offset",
        ),
        (
            {"submission": {"public_at": "soon"}},
            "submission.public_at",
            "UNREADABLE_MOMENT",
            "soon",
        ),
        (
            {"submission": {"device_families": ["Zune"]}},
            "submission.device_families.0",
            "UNREADABLE_FAMILY",
            "Zune",
        ),
        (
            {"submission": {"packages": [package("1.x")]}},
            "submission.packages.0.version",
            "UNREADABLE_PACKAGE_VERSION",
            "1.x",
        ),
        (
            {"submission": {"packages": [package("1.0.65536.0")]}},
            "submission.packages.0.version",
            "UNREADABLE_PACKAGE_VERSION",
            "65535",
        ),
        (
            {"submission": {"packages": [package("1.0.0.0") | {"architectures": []}]}},
            "submission.packages.0.architectures",
            "WRONG_VALUE",
            "at least 1",
        ),
        (
            {"submission": {"packages": [package("1.0.0.0") | {"architectures": ["mips"]}]}},
            "submission.packages.0.architectures.0",
            "UNREADABLE_ARCHITECTURE",
            "mips",
        ),
        (
            {"submission": {"packages": [package("1.0.0.0") | {"targets": {}}]}},
            "submission.packages.0.targets",
            "WRONG_VALUE",
            "at least 1",
        ),
        (
            {"submission": {"packages": [package("1.0.0.0", Desktop="22H2")]}},
            "submission.packages.0.targets.Windows.Desktop",
            "AMBIGUOUS_OS_VERSION",
            "Windows 11 22H2",
        ),
        (
            {"submission": {"rollout": {"status": "in_progress"}}},
            "submission.rollout.percentage",
            "MISSING_FIELD",
            "required",
        ),
        (
            {"submission": {"rollout": ROLLOUT | {"percentage": 100.1}}},
            "submission.rollout.percentage",
            "WRONG_VALUE",
            "100",
        ),
        (
            {"submission": {"rollout": ROLLOUT | {"percentage": -1}}},
            "submission.rollout.percentage",
            "WRONG_VALUE",
            "-1",
        ),
        (
            {"submission": {"rollout": ROLLOUT | {"percentage": "25"}}},
            "submission.rollout.percentage",
            "WRONG_TYPE",
            "25",
        ),
        (
            {"submission": {"rollout": ROLLOUT | {"status": "paused"}}},
            "submission.rollout.status",
            "WRONG_VALUE",
            "paused",
        ),
        (
            {"flights": [{"flight_id": "f/1", "name": "f", "groups": []}]},
            "flights.0.flight_id",
            "WRONG_VALUE",
            "f/1",
        ),
        (
            {"flights": [{"name": "f", "groups": []}]},
            "flights.0.flight_id",
            "MISSING_FIELD",
            "required",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_misshapen_field_is_named(
    change: dict[str, Any], loc: str, code: str, words: str
) -> None:
    body = {"name": "Product", "submission": {}, **change}
    ((found_loc, found_code, detail),) = shape_faults(body)
    assert (found_loc, found_code) == (loc, code)
    assert words in detail


@pytest.mark.parametrize("body", [None, [], "product", 7])
def test_a_product_is_an_object(body: Any) -> None:
    assert len(shape_faults(body)) == 1


def test_texts_become_canonical_so_that_spellings_do_not_differ() -> None:
    spelt = product(
        packages=[
            package("1.0.0.0")
            | {"architectures": ["AMD64"], "targets": {"desktop": "Windows 10 1607"}}
        ],
        audience="private",
        audience_groups=["beta"],
        public_at="2026-06-01T14:00:00+02:00",
    )
    plain = product(
        packages=[
            package("1.0.0.0")
            | {
                "version": "1.0.0.0",
                "architectures": ["x64"],
                "targets": {"Windows.Desktop": "10.0.14393.0"},
            }
        ],
        audience="private",
        audience_groups=["beta"],
        public_at="2026-06-01T12:00:00Z",
    )
    assert spelt == plain


# --- public stays public ---


def test_a_product_once_public_is_never_private_again(groups: Service) -> None:
    put(groups, "APP", product())
    refused = faults_of(groups, product(**PRIVATE))
    assert refused == {("submission.audience", "PRIVATE_AFTER_PUBLIC")}


def test_not_after_its_public_date_either(groups: Service, clock: Clock) -> None:
    public_at = clock.moment + timedelta(days=1)
    put(groups, "APP", product(**PRIVATE, public_at=public_at.isoformat()))
    clock.advance(86_400)
    later = (public_at + timedelta(days=9)).isoformat()
    assert ("submission.audience", "PRIVATE_AFTER_PUBLIC") in faults_of(
        groups, product(**PRIVATE, public_at=later)
    )
    assert ("submission.audience", "PRIVATE_AFTER_PUBLIC") in faults_of(groups, product(**PRIVATE))


def test_a_declaration_whose_public_date_has_come_can_be_changed_otherwise(
    groups: Service, clock: Clock
) -> None:
    public_at = (clock.moment + timedelta(days=1)).isoformat()
    put(groups, "APP", product(**PRIVATE, public_at=public_at))
    clock.advance(86_400)
    put(groups, "APP", product(**PRIVATE, public_at=public_at, packages=[package("1.1.0.0")]))


def test_not_after_it_was_deleted_either(groups: Service) -> None:
    put(groups, "APP", product())
    groups.catalog.delete("contoso", "APP", actor="test")
    assert ("submission.audience", "PRIVATE_AFTER_PUBLIC") in faults_of(groups, product(**PRIVATE))


def test_before_its_public_date_a_product_may_stay_private(groups: Service, clock: Clock) -> None:
    soon, later = ((clock.moment + timedelta(days=d)).isoformat() for d in (1, 9))
    put(groups, "APP", product(**PRIVATE, public_at=soon))
    put(groups, "APP", product(**PRIVATE, public_at=later))
    put(groups, "APP", product(**PRIVATE))


# --- writing (the store itself: tests/catalog/test_store.py) ---


def test_an_id_belongs_to_one_publisher(groups: Service) -> None:
    put(groups, "APP", product())
    with pytest.raises(ProductTaken, match="APP"):
        put(groups, "APP", product(), publisher="fabrikam")
    with pytest.raises(UnknownProduct):
        groups.catalog.delete("fabrikam", "APP", actor="test")
    groups.catalog.delete("contoso", "APP", actor="test")
    with pytest.raises(ProductTaken):  # its history is still contoso's
        put(groups, "APP", product(), publisher="fabrikam")


def test_a_write_based_on_an_old_revision_is_refused(groups: Service) -> None:
    put(groups, "APP", product())
    put(groups, "APP", product())
    with pytest.raises(CatalogRevisionMismatch) as caught:
        groups.catalog.apply("contoso", {"APP": product()}, actor="test", if_revision=1)
    assert (caught.value.expected, caught.value.actual) == (1, 2)
    assert groups.catalog.apply("contoso", {"APP": product()}, actor="test", if_revision=2) == 3


class Overtaken:
    """A catalogue's store in which somebody else writes a product right after it was read."""

    def __init__(self, service: Service, product_id: str, times: int = 1) -> None:
        self._service, self._product_id, self._times = service, product_id, times

    def __getattr__(self, name: str) -> Any:
        return getattr(self._service.catalog.store, name)

    def get(self, product_id: str) -> tuple[CatalogEntry, int] | None:
        found = self._service.catalog.store.get(product_id)
        if self._times:
            self._times -= 1
            put(self._service, self._product_id, product(packages=[package("9.0.0.0")]))
        return found

    def catalog(self) -> Catalog:
        return Catalog(self, self._service.groups)


def put_as_seen(catalog: Catalog, seen: ExpectedRevision) -> int:
    return catalog.put("contoso", "APP", product(), actor="test", if_product_revision=seen)


def test_a_product_is_written_at_the_revision_it_was_checked_at_or_not_at_all(
    groups: Service,
) -> None:
    put(groups, "APP", product())
    with pytest.raises(ProductRevisionMismatch) as caught:
        put_as_seen(Overtaken(groups, "APP").catalog(), 1)
    assert (caught.value.expected, caught.value.actual) == (1, 2)
    with pytest.raises(ProductRevisionMismatch):
        Overtaken(groups, "APP").catalog().delete(
            "contoso", "APP", actor="test", if_product_revision=2
        )
    found = groups.catalog.store.get("APP")
    assert found is not None
    assert found[0].product.submission.packages[0].version == "9.0.0.0"


def test_a_write_of_another_product_meanwhile_is_no_mismatch(groups: Service) -> None:
    put(groups, "APP", product())
    assert put_as_seen(Overtaken(groups, "OTHER").catalog(), 1) == 3


def test_a_writer_whom_others_always_overtake_is_told_to_try_again(groups: Service) -> None:
    put(groups, "APP", product())
    with pytest.raises(StoreUnavailable, match="20 attempts failed"):
        put_as_seen(Overtaken(groups, "OTHER", times=99).catalog(), 1)


def test_a_product_expected_to_be_there_has_to_be(groups: Service) -> None:
    for seen in ("*", 3):
        with pytest.raises(ProductRevisionMismatch, match="product `APP` does not exist"):
            put_as_seen(groups.catalog, seen)
    put(groups, "APP", product())
    assert put_as_seen(groups.catalog, "*") == 2


def test_a_revision_of_another_publishers_product_is_not_told(groups: Service) -> None:
    put(groups, "APP", product(), publisher="fabrikam")
    for seen in (1, 9, "*"):
        with pytest.raises(ProductTaken):
            put_as_seen(groups.catalog, seen)
        with pytest.raises(UnknownProduct):
            groups.catalog.delete("contoso", "APP", actor="test", if_product_revision=seen)


def test_deleting_what_is_not_there_is_unknown_whatever_was_expected(groups: Service) -> None:
    with pytest.raises(UnknownProduct):
        groups.catalog.delete("contoso", "GONE", actor="test", if_product_revision=3)


def test_a_refused_write_of_several_products_writes_none(groups: Service) -> None:
    puts = {"A": product(), "B": product(audience="private")}
    with pytest.raises(InvalidProduct) as caught:
        groups.catalog.apply("contoso", puts, actor="test")
    assert [fault.loc for fault in caught.value.faults] == ["products.B.submission.audience_groups"]
    assert groups.catalog.store.get("A") is None


def test_deleting_what_is_not_there_writes_nothing(groups: Service) -> None:
    with pytest.raises(UnknownProduct):
        groups.catalog.apply("contoso", {"A": product()}, ("GONE",), actor="test")
    assert groups.catalog.store.get("A") is None
    assert groups.catalog.store.revision("contoso") == 0


def test_many_writers_at_once_lose_nothing(groups: Service) -> None:
    failures: list[Exception] = []

    def write(name: str) -> None:
        try:
            for _ in range(5):
                put(groups, name, product())
        except Exception as error:  # noqa: BLE001 - handed to the test
            failures.append(error)

    threads = [threading.Thread(target=write, args=(f"P{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert groups.catalog.store.revision("contoso") == 20
