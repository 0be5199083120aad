"""The ACL user of docker-compose.yml: what it may, what it may not, and what a missing right does."""

import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from redis.exceptions import NoPermissionError

from eligibility.activity.model import Batch, CountKey, LastAnswer, RecentDecision
from eligibility.service.service import Service
from eligibility.service.settings import Settings
from groups.errors import StoreForbidden
from groups.model import MembershipEdit
from groups.storage.redis_errors import RIGHTS
from tests.helpers.machine import linux_only
from tests.helpers.servers.deployment import Store, valkey_of_compose, valkey_process, write_secrets
from tests.helpers.stores.redis_servers import free_port, valkey, valkey_cluster

GIVEN = RIGHTS.replace("PREFIX", "eligibility").split()


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with valkey_of_compose(tmp_path_factory.mktemp("rights")) as started:
        yield started


def use(url: str, password_file: Path) -> str:
    """Edit a group and read it back, as `serve` does; the last address of it."""
    settings = Settings(store=url, store_password_file=password_file)
    with Service(settings) as service:
        groups = service.groups
        groups.create("contoso", "beta", ["ada@example.com"], actor="test")
        groups.change_token("contoso")
        edit = MembershipEdit(add=("grace@example.com",))
        groups.edit("contoso", "beta", edit, actor="test")
        groups.catch_up("contoso")
        service.evaluator.check_ready()
        groups.member_set("contoso", "beta")
        assert groups.history("contoso").items
        note_activity(service)
        return groups.members("contoso", "beta").items[-1]


def note_activity(service: Service) -> None:
    """All that is done with activity: noting it, reading it, forgetting somebody, removing the old."""
    activity, now = service.activity, service.now()
    key = CountKey("APP", "denied", "", "NOT_IN_AUDIENCE")
    last = LastAnswer(now.timestamp(), "denied", "", "", ("NOT_IN_AUDIENCE",), "Windows.X", "1", "")
    minute = int(now.timestamp()) // 60 * 60
    seen = [RecentDecision("APP", 7, True, last)]
    activity.add("contoso", Batch({(minute, key): 1}, {("APP", 7): last, ("APP", 8): last}, seen))
    long = timedelta(days=3)
    assert activity.counts("contoso", now - long, now, by_minute=True)
    assert activity.counts("contoso", now - long, now, by_minute=False)
    activity.forget("contoso", 7)
    assert set(activity.last_answers("contoso", "APP")) == {8}
    assert activity.publishers() == ("contoso",)
    activity.prune("contoso", long, now + 2 * long)
    activity.clear("contoso")
    assert activity.publishers() == ()


def test_the_evaluators_user_can_do_what_an_evaluator_does(store: Store) -> None:
    assert use(store.url, store.password_file) == "grace@example.com"


def test_the_same_rights_do_for_a_cluster(tmp_path: Path) -> None:
    password = tmp_path / "password"
    password.write_text("secret")
    with valkey_cluster() as cluster:
        for node in cluster.nodes:
            with node.client() as client:
                client.execute_command("ACL", "SETUSER", "evaluator", "on", ">secret", *GIVEN)
        assert use(cluster.url.replace("//", "//evaluator@"), password) == "grace@example.com"


@pytest.mark.parametrize(
    "command",
    ["FLUSHALL", "KEYS *", "CONFIG GET *", "ACL LIST", "SHUTDOWN", "GET other:key", "SAVE"],
)
def test_the_evaluators_user_can_do_nothing_to_others(store: Store, command: str) -> None:
    with store.client("evaluator", store.password()) as client, pytest.raises(NoPermissionError):
        client.execute_command(*command.split())


def test_who_gives_no_password_can_ping_and_nothing_else(store: Store) -> None:
    with store.client() as client:
        assert client.ping()
        for command in ("GET eligibility:layout", "INFO", "CLIENT LIST"):
            with pytest.raises(NoPermissionError):
                client.execute_command(*command.split())


def test_the_operators_user_saves_and_looks_but_reads_no_members(store: Store) -> None:
    with store.client("operator", store.password("store_operator_password")) as client:
        client.execute_command("BGREWRITEAOF")
        assert client.execute_command("INFO")
        assert client.execute_command("LASTSAVE")
        with pytest.raises(NoPermissionError):
            client.execute_command("GET", "eligibility:layout")


@linux_only
def test_no_password_is_in_the_process_list_or_the_acl_file(store: Store) -> None:
    processes = [Path("/proc") / one for one in os.listdir("/proc") if one.isdigit()]
    listed = b"".join(_read(one / of) for one in processes for of in ("cmdline", "environ"))
    assert f"valkey-server 127.0.0.1:{store.port}".encode() in listed
    for name in ("store_password", "store_operator_password"):
        assert store.password(name).encode() not in listed
        assert store.password(name) not in store.users.read_text("utf-8")


@pytest.mark.parametrize("content", [None, ""])
def test_without_a_password_the_store_does_not_start(tmp_path: Path, content: str | None) -> None:
    secrets = write_secrets(tmp_path)
    (secrets / "store_password").unlink()
    if content is not None:
        (secrets / "store_password").write_text(content)
    process = valkey_process(tmp_path, Store(free_port(), secrets, tmp_path / "users.acl"))
    assert process.wait(20) == 1
    log = (tmp_path / "valkey.log").read_text("utf-8")
    assert log == "the password file store_password is missing or empty\n"


@pytest.mark.parametrize(
    ("missing", "named"),
    [
        ("+@read", "'get'"),
        ("+@write", "'set'"),
        ("+@scripting", "'eval'"),
        ("~eligibility:*", "access a key"),
    ],
)
def test_a_missing_right_is_named(tmp_path: Path, missing: str, named: str) -> None:
    with pytest.raises(StoreForbidden, match=named) as caught:
        used_without(missing, tmp_path)
    assert RIGHTS in str(caught.value)


@pytest.mark.parametrize("missing", ["&eligibility:changes", "+subscribe", "+publish"])
def test_without_the_push_of_changes_it_works_more_slowly(tmp_path: Path, missing: str) -> None:
    assert used_without(missing, tmp_path) == "grace@example.com"


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:  # ended meanwhile
        return b""


def used_without(missing: str, directory: Path) -> str:
    password = directory / "password"
    password.write_text("secret")
    left = [right for right in GIVEN if right != missing]
    assert len(left) == len(GIVEN) - 1
    with valkey() as server:
        with server.client() as client:
            client.execute_command("ACL", "SETUSER", "evaluator", "on", ">secret", *left)
        return use(server.url.replace("//", "//evaluator@"), password)
