"""Redis store URLs: what is in them, and a client of the server, sentinels or cluster they name.

    redis://user:password@host:6379/0                    one server; rediss:// with TLS
    redis+cluster://host:6379,host:6379                  a cluster, by some of its nodes
    redis+sentinel://host:26379,host:26379/service/0     the master that sentinels know

After `?`: prefix (of all keys, by default `eligibility`), timeout_ms (of every call, 1,000), and
for TLS ssl_ca_certs, ssl_certfile, ssl_keyfile (files) and ssl_check_hostname (true, false).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from redis import Redis, RedisCluster, Sentinel
from redis.backoff import ExponentialWithJitterBackoff
from redis.cluster import ClusterNode
from redis.retry import Retry

from groups.errors import InvalidStoreUrl
from groups.keys import DEFAULT_PREFIX
from groups.model import is_id

_KINDS = {"redis": 6379, "redis+cluster": 6379, "redis+sentinel": 26379}
_TLS_FILES = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile")
_OPTIONS = ("prefix", "timeout_ms", "ssl_check_hostname", *_TLS_FILES)
_TRIES, _FIRST_WAIT_S, _LONGEST_WAIT_S = 2, 0.02, 0.2


@dataclass(frozen=True, slots=True)
class RedisUrl:
    """A store URL taken apart. tls: the options that start with ssl."""

    kind: str
    hosts: tuple[tuple[str, int], ...]
    username: str | None
    password: str | None = field(repr=False)
    database: int
    service: str
    prefix: str
    timeout_s: float
    tls: Mapping[str, Any] | None

    @classmethod
    def parse(cls, url: str, password: str | None = None) -> "RedisUrl":
        """Read a URL; password = where it is not in the URL. Raises: InvalidStoreUrl, without it."""
        try:
            parts = urlsplit(url)
            return _parsed(parts, password)
        except ValueError as error:
            raise InvalidStoreUrl(f"store URL `{shown(url)}`: {error}") from None

    def client(self) -> "Redis | RedisCluster":
        """Make a client; single and cluster ones connect later, when first used.

        Raises: redis.RedisError.
        """
        common = {**self._common(), "retry": _retry()}
        if self.kind == "redis+cluster":
            nodes = [ClusterNode(host, port) for host, port in self.hosts]
            return RedisCluster(startup_nodes=nodes, require_full_coverage=False, **common)
        if self.kind == "redis+sentinel":
            own = self._common()
            asked = {k: v for k, v in own.items() if k not in ("username", "password")}
            sentinel = Sentinel(self.hosts, sentinel_kwargs=asked, **own)
            master: Redis = sentinel.master_for(self.service, db=self.database, retry=_retry())
            return master
        ((host, port),) = self.hosts
        return Redis(host=host, port=port, db=self.database, **common)

    def _common(self) -> dict[str, Any]:
        tls = {} if self.tls is None else {"ssl": True, **self.tls}
        return {
            "username": self.username,
            "password": self.password,
            "socket_timeout": self.timeout_s,
            "socket_connect_timeout": self.timeout_s,
            **tls,
        }


def is_redis(url: str) -> bool:
    """Tell whether a store URL is for this module."""
    return _kind(url.partition("://")[0])[0] in _KINDS


def shown(url: str) -> str:
    """Give a store URL that may be printed: without the password."""
    scheme, separator, rest = url.partition("://")
    address, slash, path = rest.partition("/")
    credentials, at, hosts = address.rpartition("@")
    user, colon, _ = credentials.partition(":")
    return f"{scheme}{separator}{user}{colon}{'***' if colon else ''}{at}{hosts}{slash}{path}"


def _retry() -> Retry:
    """Again after a lost connection, a little later each time: writes may be sent twice safely."""
    return Retry(ExponentialWithJitterBackoff(_LONGEST_WAIT_S, _FIRST_WAIT_S), _TRIES)


def _kind(scheme: str) -> tuple[str, bool]:
    name, plus, rest = scheme.partition("+")
    return name.replace("rediss", "redis") + plus + rest, name == "rediss"


def _parsed(parts: SplitResult, password: str | None) -> RedisUrl:
    kind, encrypted = _kind(parts.scheme)
    credentials, _, hosts = parts.netloc.rpartition("@")
    user, _, secret = credentials.partition(":")
    options = _options(parts.query)
    if parts.fragment:
        raise ValueError("a `#` in it has to be written %23")
    *service, number = parts.path.strip("/").split("/")
    if kind == "redis+sentinel":
        service, number = ([number], "0") if not service else (service, number)
    tls = {name: value for name, value in options.items() if name.startswith("ssl_")}
    if tls and not encrypted:
        raise ValueError(f"`{next(iter(tls))}` needs TLS: a scheme that begins with rediss")
    return RedisUrl(
        kind=kind,
        hosts=_hosts(hosts, kind),
        username=unquote(user) or None,
        password=unquote(secret) or password,
        database=_database(number, kind),
        service=_service(service, kind),
        prefix=options.get("prefix", DEFAULT_PREFIX),
        timeout_s=options.get("timeout_ms", 1_000) / 1_000,
        tls=tls if encrypted else None,
    )


def _hosts(text: str, kind: str) -> tuple[tuple[str, int], ...]:
    hosts = tuple(_host(one, _KINDS[kind]) for one in text.split(","))
    if kind == "redis" and len(hosts) > 1:
        raise ValueError("names several servers: write redis+cluster:// or redis+sentinel://")
    return hosts


def _host(text: str, default_port: int) -> tuple[str, int]:
    read = urlsplit(f"//{text}")
    if not read.hostname:
        raise ValueError(f"`{text}` is not host:port")
    return read.hostname, read.port or default_port


def _database(text: str, kind: str) -> int:
    if not text:
        return 0
    if not text.isascii() or not text.isdigit() or (kind == "redis+cluster" and text != "0"):
        raise ValueError(f"`/{text}` is not the number of a database, 0 in a cluster")
    return int(text)


def _service(names: list[str], kind: str) -> str:
    if kind != "redis+sentinel":
        if names:
            raise ValueError("has more than the number of a database after the host")
        return ""
    if len(names) != 1 or not names[0]:
        raise ValueError("needs the service that sentinels know, as in /mymaster")
    return unquote(names[0])


def _options(query: str) -> dict[str, Any]:
    options: dict[str, Any] = dict(parse_qsl(query, strict_parsing=True)) if query else {}
    for name, value in options.items():
        if name not in _OPTIONS:
            raise ValueError(f"has an unknown `{name}`; known are {', '.join(_OPTIONS)}")
        options[name] = _READ.get(name, str)(value)
    return options


def _prefix(text: str) -> str:
    if not is_id(text):
        raise ValueError(f"`{text}` is no prefix: a-z, 0-9, `.`, `_`, `-`")
    return text


def _timeout(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 10 <= int(text) <= 60_000:
        raise ValueError(f"timeout_ms is 10 to 60000, not `{text}`")
    return int(text)


def _truth(text: str) -> bool:
    if text not in ("true", "false"):
        raise ValueError(f"ssl_check_hostname is true or false, not `{text}`")
    return text == "true"


_READ = {"prefix": _prefix, "timeout_ms": _timeout, "ssl_check_hostname": _truth}
