"""Every key that a Redis server is given, letter by letter: deployed stores are full of them."""

import pytest
from redis.crc import key_slot

from eligibility.catalog.keys import CatalogKeys
from groups.errors import InvalidStoreUrl
from groups.keys import Keys
from groups.open import shown
from groups.redis_url import RedisUrl, is_redis

KEYS = Keys()
CATALOG = CatalogKeys(KEYS)

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
}


def test_every_key_is_as_it_has_always_been() -> None:
    assert list(PINNED) == list(PINNED.values())


def test_all_keys_of_a_publisher_are_in_one_slot() -> None:
    slots = {key_slot(key.encode()) for key in PINNED if "{contoso}" in key}
    assert len(slots) == 1


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
        ("redis://h:no", "not"),
        ("redis://h/x", "number of a database"),
        ("redis+cluster://h/1", "0 in a cluster"),
        ("redis://h/0/1", "more than the number"),
        ("redis://a,b", "names several servers"),
        ("redis+sentinel://a", "needs the service"),
        ("redis://h?timeout=1", "unknown `timeout`"),
        ("redis://h?timeout_ms=5", "10 to 60000"),
        ("redis://h?prefix=A", "no prefix"),
        ("redis://h?ssl_ca_certs=/ca", "needs TLS"),
        ("rediss://h?ssl_check_hostname=1", "true or false"),
        ("redis://h#x", "%23"),
    ],
)
def test_a_url_that_cannot_be_read_says_why_and_never_the_password(url: str, because: str) -> None:
    with_secret = url.replace("://", "://ann:hunter2@", 1)
    with pytest.raises(InvalidStoreUrl, match=because) as caught:
        RedisUrl.parse(with_secret)
    assert "hunter2" not in str(caught.value)


def test_a_password_is_never_shown() -> None:
    url = "redis+cluster://ann:hunter2@a:1,b:2?prefix=mine"
    assert shown(url) == "redis+cluster://ann:***@a:1,b:2?prefix=mine"
    assert "hunter2" not in repr(RedisUrl.parse(url))
    assert shown("sqlite:////var/lib/a.db") == "sqlite:////var/lib/a.db"
