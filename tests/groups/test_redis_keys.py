"""Every key that a Redis server is given, letter by letter: deployed stores are full of them."""

from pathlib import Path
from traceback import format_exception
from typing import Any

import pytest
from redis.connection import SSLConnection
from redis.crc import key_slot

from eligibility.audit.redis_keys import AuditKeys
from eligibility.callers.redis_keys import CallerKeys
from eligibility.catalog.redis_keys import CatalogKeys
from groups.errors import InvalidStoreUrl
from groups.model import is_id
from groups.open import open_backend, shown
from groups.storage.redis_client import create_client
from groups.storage.redis_keys import Keys
from groups.storage.redis_url import RedisUrl, is_redis

KEYS = Keys()
CATALOG = CatalogKeys(KEYS)
CALLERS = CallerKeys(KEYS)
AUDIT = AuditKeys(KEYS)

PINNED = {
    KEYS.layout: "eligibility:layout",
    KEYS.secret: "eligibility:secret",
    KEYS.publishers: "eligibility:publishers",
    KEYS.changes: "eligibility:changes",
    KEYS.head("contoso"): "eligibility:{contoso}:head",
    KEYS.groups("contoso"): "eligibility:{contoso}:groups",
    KEYS.group_ids("contoso"): "eligibility:{contoso}:group-ids",
    KEYS.group_names("contoso"): "eligibility:{contoso}:group-names",
    KEYS.members("contoso", "beta"): "eligibility:{contoso}:members:beta",
    KEYS.edits("contoso"): "eligibility:{contoso}:edits",
    KEYS.edits_of("contoso", "beta"): "eligibility:{contoso}:edits:beta",
    CATALOG.publishers: "eligibility:catalog-publishers",
    CATALOG.owner("9NBLGGH4R315"): "eligibility:owner:9NBLGGH4R315",
    CATALOG.head("contoso"): "eligibility:{contoso}:head",
    CATALOG.products("contoso"): "eligibility:{contoso}:products",
    CATALOG.product_ids("contoso"): "eligibility:{contoso}:product-ids",
    CATALOG.versions("contoso"): "eligibility:{contoso}:versions",
    CATALOG.versions_of("contoso", "9NB"): "eligibility:{contoso}:versions:9NB",
    CALLERS.head: "eligibility:{-keys}:head",
    CALLERS.api_keys: "eligibility:{-keys}:api-keys",
    CALLERS.used: "eligibility:{-keys}:used",
    AUDIT.head: "eligibility:{-audit}:head",
    AUDIT.entries: "eligibility:{-audit}:entries",
}


def test_every_key_is_as_it_has_always_been() -> None:
    assert list(PINNED) == list(PINNED.values())


@pytest.mark.parametrize(
    ("mine", "keys", "of_no_key"),
    [
        ("KEYS", KEYS, {"prefix", "of"}),
        ("CATALOG", CATALOG, set()),
        ("CALLERS", CALLERS, set()),
        ("AUDIT", AUDIT, set()),
    ],
)
def test_no_key_is_left_out(mine: str, keys: object, of_no_key: set[str]) -> None:
    """Whoever adds a key pins it here."""
    names = {name for name in {*vars(keys), *vars(type(keys))} if not name.startswith("_")}
    source = Path(__file__).read_text("utf-8")
    assert [one for one in names - of_no_key if f"    {mine}.{one}" not in source] == []


def test_all_keys_of_a_publisher_are_in_one_slot() -> None:
    slots = {key_slot(key.encode()) for key in PINNED if "{contoso}" in key}
    assert len(slots) == 1


@pytest.mark.parametrize(("keys", "tag"), [(CALLERS, "-keys"), (AUDIT, "-audit")])
def test_all_keys_of_a_deployment_are_in_one_slot_under_what_no_publisher_can_be_called(
    keys: object, tag: str
) -> None:
    assert len({key_slot(key.encode()) for key in vars(keys).values()}) == 1
    assert all(f":{{{tag}}}:" in key for key in vars(keys).values())
    assert not is_id(tag)


def test_a_prefix_keeps_deployments_apart() -> None:
    assert Keys("mine").members("contoso", "beta") == "mine:{contoso}:members:beta"


@pytest.mark.parametrize("odd", ["", "a}b", "{x}", "A", "\ud800", "-"])
def test_an_id_that_nobody_can_have_leads_where_nothing_is_written(odd: str) -> None:
    assert KEYS.head(odd) == "eligibility:{-}:head"
    assert KEYS.members("contoso", odd) == "eligibility:{contoso}:members:-"


# URLs


@pytest.mark.parametrize(
    ("url", "hosts", "service", "database", "tls"),
    [
        ("redis://h", (("h", 6379),), "", 0, False),
        ("redis://u:p@h:1/3", (("h", 1),), "", 3, False),
        ("rediss://h:1/0", (("h", 1),), "", 0, True),
        ("redis+cluster://a:1,b:2", (("a", 1), ("b", 2)), "", 0, False),
        ("rediss+cluster://a,b", (("a", 6379), ("b", 6379)), "", 0, True),
        ("redis+sentinel://a,b:2/mine", (("a", 26379), ("b", 2)), "mine", 0, False),
        ("redis+sentinel://a/mine/4", (("a", 26379),), "mine", 4, False),
        ("redis://[::1]:7/0", (("::1", 7),), "", 0, False),
    ],
)
def test_a_url_is_taken_apart(
    url: str, hosts: tuple[tuple[str, int], ...], service: str, database: int, tls: bool
) -> None:
    read = RedisUrl.parse(url)
    assert is_redis(url)
    assert (read.hosts, read.service, read.database) == (hosts, service, database)
    assert (read.tls is not None) == tls


def test_options_are_read_and_a_password_may_come_from_elsewhere() -> None:
    read = RedisUrl.parse(
        "rediss://ann:p%40ss@h?prefix=mine&timeout_ms=250&ssl_ca_certs=/ca.pem"
        "&ssl_check_hostname=false"
    )
    assert (read.username, read.password) == ("ann", "p@ss")
    assert (read.prefix, read.timeout_s) == ("mine", 0.25)
    assert read.tls == {"ssl_ca_certs": "/ca.pem", "ssl_check_hostname": False}
    assert RedisUrl.parse("redis://ann@h", "from a file").password == "from a file"
    assert RedisUrl.parse("redis://ann:own@h", "from a file").password == "own"


@pytest.mark.parametrize(
    ("url", "because"),
    [
        ("redis://", "host:port"),
        ("redis://h:no", "`h:no` is not host:port"),
        ("redis://h:0", "not host:port"),
        ("redis://h:70000", "not host:port"),
        ("redis://[::1", "is not a URL"),
        ("redis://[::1]:1]", "not host:port"),
        ("redis+cluster://a,,b", "`` is not host:port"),
        ("redis://h/x", "number of a database"),
        ("redis+cluster://h/1", "a cluster has only"),
        ("redis://h/0/1", "only the number"),
        ("redis://a,b", "names several servers"),
        ("redis+sentinel://a", "needs the name of the service"),
        ("redis://h?timeout=1", "unknown `timeout`"),
        ("redis://h?timeout_ms=5", "10 to 60000"),
        ("redis://h?prefix=A", "not a prefix"),
        ("redis://h?prefix=", "not a prefix"),
        ("redis://h?prefix=a&prefix=b", "`prefix` twice"),
        ("redis://h?prefix", "name=value"),
        ("redis://h?&", "name=value"),
        ("redis://h?ssl_ca_certs=/ca", "needs TLS"),
        ("rediss://h?ssl_check_hostname=1", "true or false"),
        ("rediss://h?ssl_ca_certs=", "names no file"),
        ("redis+sentinel://h/m?sentinel_password_file=", "names no file"),
        ("redis+sentinel://h/m?sentinel_password_file=/none", "`/none` cannot be read"),
        ("redis+sentinel://h/m?sentinel_password_file=/dev/null", "`/dev/null` is empty"),
        ("redis+sentinel://h/m?sentinel_user=ann", "together"),
        ("redis://h?sentinel_password_file=/etc/hostname", "are for redis\\+sentinel"),
        ("redis://h#x", "%23"),
        ("redis://h?password=hunter2", "unknown `password`"),
        ("redis://h?hunter2", "name=value"),
    ],
)
def test_a_url_that_cannot_be_read_says_why_and_never_the_password(url: str, because: str) -> None:
    with_secret = url.replace("://", "://ann:hunter2@", 1)
    with pytest.raises(InvalidStoreUrl, match=because) as caught:
        RedisUrl.parse(with_secret)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    "password",
    [
        "hunter2",
        "/hunter2",
        "hunter/2",
        "hunter?2",
        "hunter#2",
        "hunter[2",
        "hunt:er@2",
        "hunter2\u2100",
    ],
)
@pytest.mark.parametrize("kind", ["redis", "redis+cluster", "redis+sentinel"])
def test_no_part_of_a_password_is_printed_though_it_is_not_escaped(
    kind: str, password: str
) -> None:
    url = f"{kind}://ann:{password}@h:1/x/y/z?timeout=9"  # wrong in many ways beside
    with pytest.raises(InvalidStoreUrl) as caught:
        open_backend(url)
    printed = "".join(format_exception(caught.value)) + shown(url)
    assert "hunt" not in printed
    assert "er2" not in printed
    assert "h:1/x/y/z" in printed


@pytest.mark.parametrize(
    ("url", "as_shown"),
    [
        (
            "redis+cluster://ann:hunter2@a:1,b:2?prefix=mine",
            "redis+cluster://ann:***@a:1,b:2?prefix=mine",
        ),
        ("redis://:hunter2@h/0", "redis://:***@h/0"),
        ("redis://ann@h:1/0", "redis://ann@h:1/0"),
        ("redis://ann:hun/ter@2@h:1/0", "redis://ann:***@h:1/0"),
        ("redis://h?prefix=a&password=hunter2", "redis://h?prefix=a&password=***"),
        ("redis://h?hunter2", "redis://h?***"),
        ("redis:ann:hunter2@h", "redis:***"),
        ("sqlite:////var/lib/a.db", "sqlite:////var/lib/a.db"),
        ("sqlite:///a%20b.db", "sqlite:///a%20b.db"),
        ("a.db", "a.db"),
    ],
)
def test_a_url_is_shown_without_its_password(url: str, as_shown: str) -> None:
    assert shown(url) == as_shown


def test_a_url_that_was_read_prints_no_password() -> None:
    read = RedisUrl.parse("redis://ann:hunter2@h:1/0")
    assert "hunter2" not in f"{read} {read!r} {create_client(read)!r}"


# Clients


def connection_of(url: str) -> dict[str, Any]:
    client: Any = create_client(RedisUrl.parse(url))
    told: dict[str, Any] = client.connection_pool.connection_kwargs
    return told


def test_a_client_is_made_as_the_url_says() -> None:
    told = connection_of("redis://ann:p%40ss@h:7/3?timeout_ms=250")
    assert (told["host"], told["port"], told["db"]) == ("h", 7, 3)
    assert (told["username"], told["password"]) == ("ann", "p@ss")
    assert told["socket_timeout"] == told["socket_connect_timeout"] == 0.25
    assert not told.get("ssl_ca_certs")


def test_tls_is_as_the_url_says(tmp_path: Path) -> None:
    files = {name: tmp_path / name for name in ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile")}
    options = "&".join(f"{name}={path}" for name, path in files.items())
    client: Any = create_client(RedisUrl.parse(f"rediss://h?{options}&ssl_check_hostname=false"))
    assert client.connection_pool.connection_class is SSLConnection
    told = client.connection_pool.connection_kwargs
    assert {name: told[name] for name in files} == {name: str(path) for name, path in files.items()}
    assert told["ssl_check_hostname"] is False


def test_sentinels_are_asked_without_the_servers_password() -> None:
    url = "redis+sentinel://ann:hunter2@a:1,b/mine/4"
    client: Any = create_client(RedisUrl.parse(url))
    pool = client.connection_pool
    assert (pool.service_name, pool.connection_kwargs["db"]) == ("mine", 4)
    assert pool.connection_kwargs["password"] == "hunter2"
    asked = [one.connection_pool.connection_kwargs for one in pool.sentinel_manager.sentinels]
    assert [(one["host"], one["port"]) for one in asked] == [("a", 1), ("b", 26379)]
    assert not any(one.get("password") or one.get("username") for one in asked)
