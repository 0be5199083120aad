"""A person is forgotten in one place: in one order, named who did it, with a note in the audit log."""

from collections.abc import Callable

import pytest

from eligibility.activity.sqlite_store import SqliteActivityStore
from eligibility.audit.log import LogEntry
from eligibility.audit.sqlite_log import SqliteAuditLog
from eligibility.callers.model import Scope
from eligibility.service.service import Service
from eligibility.service.settings import Settings
from groups.errors import StoreUnavailable, WouldBeEmpty
from groups.sqlite.store import SqliteGroupStore
from tests.helpers.catalog.products import group, product, put
from tests.helpers.clock import Clock
from tests.helpers.commands import Run, runner
from tests.helpers.servers.application import asking

ADA, BOB, STRANGER = "ada@example.com", "bob@example.com", "stranger@example.com"
STEPS = ["activity", "groups", "note"]


@pytest.fixture
def stocked(service: Service) -> Service:
    """Ada and Bob in a group of contoso, Ada alone in one of fabrikam, a product of contoso."""
    group(service, "beta", ADA, BOB)
    group(service, "only", ADA, publisher="fabrikam")
    put(service, "APP", product())
    return service


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], store_url: str) -> Run:
    return runner(monkeypatch, capsys, store_url)


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is done of a forgetting, in order."""
    done = list[str]()

    def watch(owner: type, name: str, step: str, counts: Callable[..., bool]) -> None:
        original = getattr(owner, name)

        def watched(*args: object, **named: object) -> object:
            if counts(*args, **named):
                done.append(step)
            return original(*args, **named)

        monkeypatch.setattr(owner, name, watched)

    watch(SqliteActivityStore, "forget", "activity", lambda *_, **__: True)
    watch(SqliteGroupStore, "forget", "groups", lambda *_, **named: not named.get("dry_run"))
    watch(SqliteAuditLog, "append", "note", lambda _, kind, *__: kind == "person.forgotten")
    return done


def notes(service: Service) -> list[tuple[str, str]]:
    """Who forgot somebody, and of which publisher, by the audit log."""
    entries = service.audit.entries(1, service.audit.head().revision)
    return [
        (entry.who.split()[0], entry.what["publisher"])
        for entry in entries
        if isinstance(entry, LogEntry) and entry.kind == "person.forgotten"
    ]


@pytest.mark.parametrize("address", [ADA, STRANGER])
def test_the_route_and_the_command_forget_in_the_same_order(
    stocked: Service, run: Run, steps: list[str], address: str
) -> None:
    with asking(stocked) as app:
        body = {"address": address}
        answer = app.post("/v1/publishers/contoso/forget", body, app.key(Scope.ADMIN))
        assert answer.status_code == 200
    assert steps == STEPS
    steps.clear()
    more = ("--replace-with", BOB, "--yes")
    assert run("groups", "forget", address, "-P", "contoso", *more).code == 0
    assert steps == STEPS


def test_forgetting_a_stranger_on_the_command_line_asks_and_leaves_a_note(
    stocked: Service, run: Run
) -> None:
    """A stranger may have asked: activity goes, for good, so the command asks and notes as ever."""
    refused = run("groups", "forget", STRANGER)
    assert (refused.code, notes(stocked)) == (1, [])
    assert "no group and no history contains that address" in refused.out
    assert run("groups", "forget", STRANGER, "--yes").code == 0
    assert notes(stocked) == [("cli", "contoso"), ("cli", "fabrikam")]


def test_a_dry_run_does_nothing_and_leaves_no_note(
    stocked: Service, run: Run, steps: list[str]
) -> None:
    assert run("groups", "forget", ADA, "--dry-run").code == 0
    assert (steps, notes(stocked)) == ([], [])


def test_no_publisher_is_begun_with_where_another_would_refuse(
    stocked: Service, steps: list[str]
) -> None:
    with pytest.raises(WouldBeEmpty, match="fabrikam/only"):
        stocked.forget(None, ADA, actor="t")
    assert (steps, stocked.groups.revision("contoso")) == ([], 1)
    done = stocked.forget(None, ADA, actor="t", replacement=BOB)
    assert [(one.publisher, one.groups) for one in done] == [
        ("contoso", ("beta",)),
        ("fabrikam", ("only",)),
    ]
    assert steps == STEPS * 2


def test_what_was_cut_off_is_completed_by_asking_again(
    stocked: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise StoreUnavailable("no space left")

    with monkeypatch.context() as broken:
        broken.setattr(SqliteActivityStore, "forget", away)
        with pytest.raises(StoreUnavailable):
            stocked.forget("contoso", ADA, actor="t")
    assert stocked.groups.get("contoso", "beta").member_count == 2
    assert notes(stocked) == []
    (done,) = stocked.forget("contoso", ADA, actor="t")
    assert (done.groups, notes(stocked)) == (("beta",), [("t", "contoso")])


def test_a_note_of_consent_alone_is_scrubbed_by_every_way(
    store_url: str, clock: Clock, run: Run
) -> None:
    """Who was named in a consent note alone is in no group and in no count of history."""
    with Service(Settings(store=store_url), clock) as service:
        group(service, "beta", ADA)
        assert run("groups", "consent", "beta", "-P", "contoso", "--confirmed-by", BOB).code == 0
        assert run("groups", "forget", BOB, "--yes").code == 0
        note = service.groups.get("contoso", "beta").consent
        assert note is not None
        assert note.confirmed_by.startswith("forgotten:")
