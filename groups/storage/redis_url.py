"""Parses Redis store URLs, and creates a client of the server, sentinels or cluster that they name.

    redis://user:password@host:6379/0                    one server; rediss:// with TLS
    redis+cluster://host:6379,host:6379                  a cluster, found by some of its nodes
    redis+sentinel://host:26379,host:26379/service/0     the master that the sentinels report

Options after `?`: prefix of all keys (default `eligibility`), timeout_ms of every call (default 1,000);
for TLS the files ssl_ca_certs, ssl_certfile, ssl_keyfile, and ssl_check_hostname (true or false).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

from redis import Redis, RedisCluster, Sentinel
from redis.backoff import ExponentialWithJitterBackoff
from redis.cluster import ClusterNode
from redis.retry import Retry

from groups.errors import InvalidStoreUrl
from groups.model import is_id
from groups.storage.redis_keys import DEFAULT_PREFIX

_KINDS = {"redis": 6379, "redis+cluster": 6379, "redis+sentinel": 26379}
_TLS_FILES = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile")
_OPTIONS = ("prefix", "timeout_ms", "ssl_check_hostname", *_TLS_FILES)
_HIDDEN = "***"
_TRIES, _FIRST_WAIT_S, _LONGEST_WAIT_S = 2, 0.02, 0.2


@dataclass(frozen=True, slots=True)
class RedisUrl:
    """The parts of a store URL. tls: the options that start with ssl_; None without TLS."""

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
        """Read a URL. password: if it has none. Raises: InvalidStoreUrl, without the password."""
        try:
            return _parsed(_split(url), password)
        except ValueError as error:
            raise InvalidStoreUrl(f"store URL `{shown(url)}`: {error}") from None

    def client(self) -> "Redis | RedisCluster":
        """Create a client. It connects when it is first used, but a client of a cluster connects now.

        Raises: redis.RedisError.
        """
        common = {**self._common(), "retry": _retry()}
        if self.kind == "redis+cluster":
            nodes = [ClusterNode(host, port) for host, port in self.hosts]
            return RedisCluster(startup_nodes=nodes, require_full_coverage=False, **common)
        if self.kind == "redis+sentinel":
            own = self._common()
            without_login = {k: v for k, v in own.items() if k not in ("username", "password")}
            sentinel = Sentinel(self.hosts, sentinel_kwargs=without_login, **own)
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
    """Return whether a store URL names a Redis or Valkey server."""
    return _kind(url.partition("://")[0])[0] in _KINDS


def shown(url: str) -> str:
    """Return a store URL without its password, so that it can be printed.

    An unescaped password may contain any character, so everything before the last `@` may belong to it.
    """
    scheme, separator, rest = url.partition("://")
    if not separator:
        scheme, colon, rest = url.partition(":")
        return f"{scheme}{colon}{_HIDDEN if rest else ''}"
    credentials, at, address = rest.rpartition("@")
    user, colon, _ = credentials.partition(":")
    address, question, query = address.partition("?")
    options = "&".join(map(_shown_option, query.split("&")))
    return f"{scheme}://{user}{colon}{_HIDDEN if colon else ''}{at}{address}{question}{options}"


def _shown_option(text: str) -> str:
    name, equals, _ = text.partition("=")
    return text if name in _OPTIONS or not text else f"{name if equals else ''}{equals}{_HIDDEN}"


def _retry() -> Retry:
    """Retry after a lost connection, with growing waits. It is safe to send a write twice."""
    return Retry(ExponentialWithJitterBackoff(_LONGEST_WAIT_S, _FIRST_WAIT_S), _TRIES)


def _kind(scheme: str) -> tuple[str, bool]:
    name, plus, rest = scheme.partition("+")
    return name.replace("rediss", "redis") + plus + rest, name == "rediss"


def _split(url: str) -> SplitResult:
    """Split a URL. Replace errors of urlsplit, because they contain the password."""
    try:
        parts = urlsplit(url)
    except ValueError:
        raise ValueError(
            "is not a URL: percent-encode special characters, for example `@` as %40"
        ) from None
    if "@" in f"{parts.path}{parts.query}{parts.fragment}":
        raise ValueError(
            "has an `@` after the host; in a user or password write `/`, `?`, `#` as %2F, %3F, %23,"
            " and elsewhere `@` as %40"
        )
    return parts


def _parsed(parts: SplitResult, password: str | None) -> RedisUrl:
    kind, encrypted = _kind(parts.scheme)
    credentials, _, hosts = parts.netloc.rpartition("@")
    user, _, secret = credentials.partition(":")
    options = _options(parts.query)
    if parts.fragment:
        raise ValueError("must contain `#` only as %23")
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
    hosts = tuple(_host(host, _KINDS[kind]) for host in text.split(","))
    if kind == "redis" and len(hosts) > 1:
        raise ValueError("names several servers: write redis+cluster:// or redis+sentinel://")
    return hosts


def _host(text: str, default_port: int) -> tuple[str, int]:
    try:
        read = urlsplit(f"//{text}")
        host, port = read.hostname, default_port if read.port is None else read.port
    except ValueError:
        host, port = None, 0
    if not host or not port:
        raise ValueError(f"`{text}` is not host:port")
    return host, port


def _database(text: str, kind: str) -> int:
    if not text:
        return 0
    if not text.isascii() or not text.isdigit() or (kind == "redis+cluster" and text != "0"):
        raise ValueError(f"`/{text}` is not the number of a database; a cluster has only /0")
    return int(text)


def _service(names: list[str], kind: str) -> str:
    if kind != "redis+sentinel":
        if names:
            raise ValueError("may have only the number of a database after the host")
        return ""
    if len(names) != 1 or not names[0]:
        raise ValueError("needs the name of the service that the sentinels watch, as in /mymaster")
    return unquote(names[0])


def _options(query: str) -> dict[str, Any]:
    options: dict[str, Any] = {}
    for text in query.split("&") if query else ():
        name, equals, value = text.partition("=")
        if name not in _OPTIONS or not equals:
            named = f"an unknown `{name}`" if equals else "no name=value"
            raise ValueError(f"has {named} after the `?`; the options are {', '.join(_OPTIONS)}")
        if name in options:
            raise ValueError(f"has `{name}` twice")
        options[name] = _READ[name](unquote(value))
    return options


def _prefix(text: str) -> str:
    if not is_id(text):
        raise ValueError(f"`{text}` is not a prefix: use a-z, 0-9, `.`, `_`, `-`")
    return text


def _timeout(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 10 <= int(text) <= 60_000:
        raise ValueError(f"timeout_ms must be 10 to 60000, not `{text}`")
    return int(text)


def _file(text: str) -> str:
    if not text:
        raise ValueError("names no file, but the TLS option needs one")
    return text


def _truth(text: str) -> bool:
    if text not in ("true", "false"):
        raise ValueError(f"ssl_check_hostname must be true or false, not `{text}`")
    return text == "true"


_READ: dict[str, Callable[[str], Any]] = {
    "prefix": _prefix,
    "timeout_ms": _timeout,
    "ssl_check_hostname": _truth,
    **dict.fromkeys(_TLS_FILES, _file),
}
