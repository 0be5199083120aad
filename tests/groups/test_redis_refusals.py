"""Servers that are not to be worked with, and what people are told of them."""

import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from groups.errors import (
    NewerDatabase,
    NotOurDatabase,
    StoreForbidden,
    StoreUnavailable,
    UnsupportedStore,
)
from groups.model import MembershipEdit
from groups.storage.redis_errors import RIGHTS
from tests.helpers.stores.backends import open_store
from tests.helpers.stores.redis_servers import ServerProcess, user, valkey

SECRET = "hunter2-and-more"
HELLO = b"%2\r\n$6\r\nserver\r\n$5\r\nredis\r\n$5\r\nproto\r\n:3\r\n"


@pytest.fixture(scope="module")
def server() -> Iterator[ServerProcess]:
    with valkey() as started:
        yield started


@contextmanager
def answering(answer: bytes) -> Iterator[str]:
    """A server that says +OK to everything but EVAL, to which it gives one answer."""
    listening = socket.create_server(("127.0.0.1", 0))

    def serve(client: socket.socket) -> None:
        with client:
            while data := client.recv(65_536):
                said = HELLO if b"HELLO" in data else b"+OK\r\n" * data.count(b"*")
                client.sendall(answer if b"EVAL" in data else said)

    def accept() -> None:
        while True:
            try:
                client, _ = listening.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(client,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield f"redis://127.0.0.1:{listening.getsockname()[1]}/0"
    finally:
        listening.close()


@pytest.mark.parametrize(
    ("answer", "known"), [(b"$-1\r\n", "before 7"), (b"$6\r\n6.2.14\r\n", "6.2.14")]
)
def test_an_older_server_is_refused_with_what_is_needed(answer: bytes, known: str) -> None:
    with answering(answer) as url, pytest.raises(UnsupportedStore, match=f"version {known}.*7"):
        open_store(url)


def test_keys_of_another_program_are_left_alone(server: ServerProcess) -> None:
    with server.client() as client:
        client.set("theirs:layout", "<html>")
        client.rpush("list:layout", "theirs")
        for prefix in ("theirs", "list"):
            with pytest.raises(NotOurDatabase, match=f"{prefix}:layout"):
                open_store(f"{server.url}?prefix={prefix}")
        assert client.get("theirs:layout") == b"<html>"


def test_a_newer_layout_is_refused(server: ServerProcess) -> None:
    with server.client() as client:
        client.set("newer:layout", "2")
    with pytest.raises(
        NewerDatabase, match="layout version 2, but this program knows versions only up to 1"
    ):
        open_store(f"{server.url}?prefix=newer")


def test_a_wrong_password_is_told_and_never_printed(server: ServerProcess) -> None:
    with server.client() as client:
        client.execute_command("ACL", "SETUSER", "known", "on", ">right", "~*", "+@all")
    url = f"redis://known:{SECRET}@127.0.0.1:{server.port}/0"
    with pytest.raises(StoreForbidden) as caught:
        open_store(url)
    assert SECRET not in str(caught.value)
    assert SECRET not in repr(caught.value)
    assert f"127.0.0.1:{server.port}" in str(caught.value)


def test_a_server_that_is_not_there_is_unavailable_by_name() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(StoreUnavailable, match=f"127.0.0.1:{port}"):
        open_store(f"redis://:{SECRET}@127.0.0.1:{port}/0")


def test_the_rights_that_are_named_are_all_it_takes(server: ServerProcess) -> None:
    with closing(open_store(user(server, RIGHTS, "just"))) as store:
        store.create("contoso", "Beta", ["ada@x.com"], actor="tests")
        store.edit("contoso", "beta", MembershipEdit(add=("bob@x.com",)), actor="tests")
        store.forget("contoso", "bob@x.com", actor="tests")
        store.change_token("contoso")
        store.catch_up("contoso")
        assert store.member_set("contoso", "beta")[0].revision == 3


@pytest.mark.parametrize("right", ["+@scripting", "+@write", "~PREFIX:*"])
def test_without_a_right_the_error_names_it_at_the_start(server: ServerProcess, right: str) -> None:
    url = user(server, RIGHTS.replace(right, ""), "less")
    with pytest.raises(StoreForbidden) as caught, closing(open_store(url)):
        pass
    assert RIGHTS in str(caught.value)


def test_without_the_right_to_the_channel_changes_are_seen_by_the_poll(
    server: ServerProcess,
) -> None:
    url = user(server, RIGHTS.replace("&PREFIX:changes", ""), "mute")
    with closing(open_store(url)) as store, closing(open_store(url)) as other:
        store.create("contoso", "Beta", ["ada@x.com"], actor="tests")
        before = store.change_token("contoso")
        other.edit("contoso", "beta", MembershipEdit(add=("bob@x.com",)), actor="tests")
        store.catch_up("contoso")
        assert store.change_token("contoso") != before
