"""POST /ofrep/v1/evaluate/flags: which flags, whose, and when an answer need not be sent again."""

from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from eligibility.callers.model import Scope
from groups.errors import StoreUnavailable
from groups.model import MembershipEdit
from tests.helpers.catalog.products import product, put
from tests.helpers.clock import Clock
from tests.helpers.standards import ofrep_schemas
from tests.helpers.standards.flags import ADA, BULK, DEVICE, GRACE, STRANGER, Flags, flag_world

CONTOSO = [
    "product:APP",
    "submission:APP",
    "flight:APP:later",
    "flight:APP:f",
    "product:ROLLED",
    "submission:ROLLED",
    "product:SECRET",
    "submission:SECRET",
    "flight:SECRET:f",
    "product:STOPPED",
    "submission:STOPPED",
]
FABRIKAM = ["product:THEIRS", "submission:THEIRS", "flight:THEIRS:f"]


@pytest.fixture
def flags(store_url: str, clock: Clock) -> Iterator[Flags]:
    with flag_world(store_url, clock) as made:
        yield made


def keys(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [one["key"] for one in answer.json()["flags"]]


def again(flags: Flags, tag: str, account: str = ADA, **context: Any) -> Any:
    """Ask with a tag; the answer."""
    body = {"context": {"targetingKey": account, **DEVICE, **context}}
    return flags.post(BULK, body, {**flags.admin, "if-none-match": tag})


def test_bulk_tells_what_each_flag_tells_on_its_own(flags: Flags) -> None:
    for account in (ADA, GRACE, STRANGER, "-", "nobody"):
        answer = flags.all(account)
        assert keys(answer) == CONTOSO + FABRIKAM
        assert answer.json()["flags"] == [flags.told(key, account) for key in keys(answer)]
        assert "metadata" not in answer.json()


def test_bulk_tells_of_the_callers_publishers_only(flags: Flags) -> None:
    backend = flags.backend
    assert keys(flags.all(headers=backend)) == CONTOSO
    assert keys(flags.all(headers=backend, publisher="contoso")) == CONTOSO
    for other in ("fabrikam", "nowhere"):
        assert keys(flags.all(headers=backend, publisher=other)) == []


def test_the_context_may_name_a_publisher_and_need_not(flags: Flags) -> None:
    assert keys(flags.all(publisher="fabrikam")) == FABRIKAM
    assert keys(flags.all(publisher="contoso")) == CONTOSO
    assert keys(flags.all(publisher="nowhere")) == []


def test_a_caller_of_nothing_gets_no_flags(flags: Flags) -> None:
    caller = flags.app.key(Scope.QUERY, Scope.ASSERT, publishers=["nowhere"])
    answer = flags.all(headers=caller)
    assert answer.json() == {"flags": []}
    assert answer.headers["etag"]


@pytest.mark.parametrize(("most", "cut"), [(1, True), (4, True), (5, False), (6, False)])
def test_too_many_products_are_cut_off_and_told_so(
    store_url: str, clock: Clock, most: int, cut: bool
) -> None:
    with flag_world(store_url, clock, ofrep_bulk_products=most) as flags:
        answer = flags.all()
        products = [key for key in keys(answer) if key.startswith("product:")]
        whole = [key for key in CONTOSO + FABRIKAM if key.startswith("product:")]
        assert products == whole[:most]
        assert answer.json().get("metadata") == ({"truncated": True} if cut else None)


def test_more_products_than_a_page_of_the_catalogue_holds(flags: Flags) -> None:
    for number in range(150):
        put(flags.app.service, f"P{number:03}", product(), "many")
    assert len(keys(flags.all(publisher="many"))) == 300


def test_a_product_that_comes_or_goes_is_seen_at_once(flags: Flags) -> None:
    assert keys(flags.all(publisher="fabrikam")) == FABRIKAM
    put(flags.app.service, "NEW", product(), "fabrikam")
    assert keys(flags.all(publisher="fabrikam"))[:2] == ["product:NEW", "submission:NEW"]
    flags.app.service.catalog.delete("fabrikam", "NEW", actor="test")
    assert keys(flags.all(publisher="fabrikam")) == FABRIKAM


def test_flags_of_a_past_moment(flags: Flags, clock: Clock) -> None:
    then = clock.moment.isoformat()
    clock.advance(60)
    put(flags.app.service, "NEW", product(), "fabrikam")
    assert keys(flags.all(publisher="fabrikam", time=then)) == FABRIKAM


# --- ETag ---


def test_the_same_answer_is_not_sent_again(flags: Flags) -> None:
    first = flags.all()
    tag = first.headers["etag"]
    assert tag.startswith('"')
    assert tag.endswith('"')
    for sent in (tag, f'"other", {tag}', f"W/{tag}", f'"a","b",{tag},"c"'):
        answer = again(flags, sent)
        assert answer.status_code == 304
        assert answer.headers["etag"] == tag
        assert "content-type" not in answer.headers


@pytest.mark.parametrize("sent", ["", '"other"', "*", '""', "nonsense", 'W/"x", "y"'])
def test_another_tag_gets_the_answer(flags: Flags, sent: str) -> None:
    assert again(flags, sent).json() == flags.all().json()


def test_a_tag_in_a_header_of_its_own_counts(flags: Flags) -> None:
    tag = flags.all().headers["etag"]
    headers = [*flags.admin.items(), ("if-none-match", '"x"'), ("if-none-match", tag)]
    body = {"context": {"targetingKey": ADA, **DEVICE}}
    answer = flags.app.ask("POST", BULK, headers, json=body)  # type: ignore[arg-type]
    assert answer.status_code == 304


def test_a_poll_that_finds_nothing_new_is_not_worth_a_line_of_log(flags: Flags) -> None:
    with structlog.testing.capture_logs() as lines:
        assert again(flags, flags.all().headers["etag"]).status_code == 304
    assert lines == []


def test_no_account_gets_the_304_of_another(flags: Flags) -> None:
    tags = {account: flags.all(account).headers["etag"] for account in (ADA, GRACE, STRANGER)}
    assert len(set(tags.values())) == 3
    for account in tags:
        for other, tag in tags.items():
            assert again(flags, tag, account).status_code == (304 if account == other else 200)


def test_another_device_caller_or_rule_gets_the_answer(flags: Flags) -> None:
    tag = flags.all().headers["etag"]
    assert again(flags, tag, device_family="mobile").status_code == 200
    body = {"context": {"targetingKey": ADA, **DEVICE}}
    assert flags.post(BULK, body, {**flags.backend, "if-none-match": tag}).status_code == 200
    service = flags.app.service
    edit = MembershipEdit(add=(GRACE,), remove=(ADA,))
    service.groups.edit("contoso", "testers", edit, actor="test")
    assert again(flags, tag).status_code == 200


def test_where_a_push_came_from_is_taken_and_means_nothing(flags: Flags) -> None:
    body = {"context": {"targetingKey": ADA, **DEVICE}}
    path = f"{BULK}?flagConfigEtag=%22x%22&flagConfigLastModified=1771622898&more=1"
    answer = flags.post(path, body)
    ofrep_schemas.check(answer)
    assert answer.content == flags.all().content


def test_while_the_store_is_away_what_is_in_memory_goes_on(
    flags: Flags, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object, **__: object) -> None:
        raise StoreUnavailable("away")

    everything = keys(flags.all())
    store, groups = flags.app.service.catalog.store, flags.app.service.groups
    for name in ("get", "owner", "list_products", "publishers"):
        monkeypatch.setattr(store, name, away)
    monkeypatch.setattr(groups, "change_token", away)
    assert keys(flags.all(headers=flags.backend)) == CONTOSO
    assert keys(flags.all()) == everything == CONTOSO + FABRIKAM
    answer = flags.all(headers=flags.app.key(Scope.QUERY, Scope.ASSERT, publishers=["nobodys"]))
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "1"
