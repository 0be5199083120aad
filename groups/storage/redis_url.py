"""Parses Redis store URLs; redis_client.py connects to the server, sentinels or cluster they name.

    redis://user:password@host:6379/0                    one server; rediss:// with TLS
    redis+cluster://host:6379,host:6379                  a cluster, found by some of its nodes
    redis+sentinel://host:26379,host:26379/service/0     the master that the sentinels report

Options after `?`: prefix of all keys (default `eligibility`), timeout_ms of every call (default 1,000);
for sentinels with a password of their own sentinel_password_file, and sentinel_user if they have users;
for TLS the files ssl_ca_certs, ssl_certfile, ssl_keyfile, and ssl_check_hostname (true or false).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

from groups.errors import InvalidStoreUrl
from groups.model import is_id
from groups.storage.redis_keys import DEFAULT_PREFIX

_KINDS = {"redis": 6379, "redis+cluster": 6379, "redis+sentinel": 26379}
_TLS_FILES = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile")
_SENTINEL = {"sentinel_user": "username", "sentinel_password_file": "password"}
_OPTIONS = ("prefix", "timeout_ms", *_SENTINEL, "ssl_check_hostname", *_TLS_FILES)
_HIDDEN = "***"


@dataclass(frozen=True, slots=True)
class RedisUrl:
    """The parts of a store URL. tls: the options that start with ssl_; None without TLS.

    sentinel_login: username and password for the sentinels themselves, if they need them.
    """

    kind: str
    hosts: tuple[tuple[str, int], ...]
    username: str | None
    password: str | None = field(repr=False)
    database: int
    service: str
    prefix: str
    timeout_s: float
    tls: Mapping[str, Any] | None
    sentinel_login: Mapping[str, str] = field(default_factory=dict, repr=False)

    @classmethod
    def parse(cls, url: str, password: str | None = None) -> "RedisUrl":
        """Read a URL. password: if it has none. Raises: InvalidStoreUrl, without the password."""
        try:
            return _parsed(_split(url), password)
        except ValueError as error:
            raise InvalidStoreUrl(f"store URL `{shown(url)}`: {error}") from None


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
    login = {_SENTINEL[name]: value for name, value in options.items() if name in _SENTINEL}
    if login and (kind != "redis+sentinel" or "password" not in login):
        raise ValueError(
            "sentinel_user and sentinel_password_file are for redis+sentinel://, together"
        )
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
        sentinel_login=login,
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
        raise ValueError("names no file, but the option needs one")
    return text


def _password(text: str) -> str:
    try:
        password = Path(_file(text)).read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError):
        raise ValueError(f"sentinel_password_file: `{text}` cannot be read") from None
    if not password:
        raise ValueError(f"sentinel_password_file: `{text}` is empty")
    return password


def _user(text: str) -> str:
    if not text:
        raise ValueError("sentinel_user is empty")
    return text


def _truth(text: str) -> bool:
    if text not in ("true", "false"):
        raise ValueError(f"ssl_check_hostname must be true or false, not `{text}`")
    return text == "true"


_READ: dict[str, Callable[[str], Any]] = {
    "prefix": _prefix,
    "timeout_ms": _timeout,
    "ssl_check_hostname": _truth,
    "sentinel_user": _user,
    "sentinel_password_file": _password,
    **dict.fromkeys(_TLS_FILES, _file),
}
