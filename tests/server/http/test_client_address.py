"""From where a request comes: forwarding headers count only as far as declared proxies wrote them."""

from ipaddress import ip_network

import pytest

from eligibility.server.http.client_address import ClientAddresses

PROXIES = [ip_network(one) for one in ("10.1.0.0/16", "192.0.2.7/32", "fd00:1::/32")]
PROXY, SECOND, CLIENT, LIAR = "10.1.0.5", "192.0.2.7", "198.51.100.20", "203.0.113.66"


def origin(peer: str | None, *headers: str, trusted: bool = True) -> str:
    scope = {
        "type": "http",
        "client": None if peer is None else (peer, 50_000),
        "headers": [(b"x-forwarded-for", one.encode("latin-1")) for one in headers],
    }
    return ClientAddresses(PROXIES if trusted else ()).of(scope)


@pytest.mark.parametrize(
    ("peer", "headers", "expected"),
    [
        # Nobody forwards.
        (CLIENT, (), CLIENT),
        (PROXY, (), PROXY),
        ("2001:db8::7", (), "2001:db8::7"),
        (None, (), "unknown"),
        # Who is no declared proxy may write what it likes.
        (CLIENT, (LIAR,), CLIENT),
        (CLIENT, (f"{LIAR}, {PROXY}",), CLIENT),
        ("10.2.0.5", (LIAR,), "10.2.0.5"),
        ("fd00:2::1", (LIAR,), "fd00:2::1"),
        (None, (LIAR,), "unknown"),
        # A declared proxy tells its own peer.
        (PROXY, (CLIENT,), CLIENT),
        (SECOND, ("2001:db8::7",), "2001:db8::7"),
        ("fd00:1::1", (CLIENT,), CLIENT),
        (PROXY, (f"  {CLIENT} ",), CLIENT),
        # What was there before is what the client wrote, however it is spread over headers.
        (PROXY, (f"{LIAR}, {CLIENT}",), CLIENT),
        (PROXY, (LIAR, CLIENT), CLIENT),
        (PROXY, (f"{LIAR}, {PROXY}, {CLIENT}",), CLIENT),
        # Several declared proxies in a row.
        (PROXY, (f"{CLIENT}, {SECOND}",), CLIENT),
        (PROXY, (f"{LIAR}, {CLIENT}, {SECOND}",), CLIENT),
        (PROXY, (f"{LIAR}, {CLIENT}", SECOND), CLIENT),
        (PROXY, (SECOND,), SECOND),
        (PROXY, (f"{SECOND}, {PROXY}",), SECOND),
        # What is no address ends it at the last hop that was one.
        (PROXY, ("",), PROXY),
        (PROXY, ("unknown",), PROXY),
        # Azure Application Gateway and Envoy append the port.
        (PROXY, (f"{CLIENT}:4711",), CLIENT),
        (PROXY, ("[2001:db8::7]:4711",), "2001:db8::7"),
        (PROXY, ("[2001:db8::7]",), "2001:db8::7"),
        (PROXY, ("[::ffff:203.0.113.9]:1",), "203.0.113.9"),
        (PROXY, (f"{LIAR}:1, {CLIENT}:4711, {SECOND}:80",), CLIENT),
        (PROXY, (f"{CLIENT}:",), PROXY),
        (PROXY, (f"{CLIENT}:port",), PROXY),
        (PROXY, (f"{CLIENT}:123456",), PROXY),
        (PROXY, (f"[{CLIENT}:4711",), PROXY),
        (PROXY, ("[fe80::1%eth0]:80",), PROXY),
        (PROXY, ("[]:80",), PROXY),
        (PROXY, (":80",), PROXY),
        (PROXY, ("127.1",), PROXY),
        (PROXY, (f"{CLIENT}, ",), PROXY),
        (PROXY, (f"{CLIENT}, \xff, {SECOND}",), SECOND),
        (PROXY, (f"{CLIENT}, ::ffff:zzzz, {SECOND}",), SECOND),
    ],
)
def test_an_origin_is_what_can_be_known(
    peer: str | None, headers: tuple[str, ...], expected: str
) -> None:
    assert origin(peer, *headers) == expected


@pytest.mark.parametrize("peer", [PROXY, SECOND, "127.0.0.1", "::1", CLIENT])
def test_without_declared_proxies_nobody_is_believed(peer: str) -> None:
    assert origin(peer, LIAR, trusted=False) == peer


def test_other_headers_of_proxies_do_not_count() -> None:
    names = (b"forwarded", b"x-real-ip", b"x-forwarded-host", b"x-client-ip", b"client-ip")
    headers = [(name, LIAR.encode()) for name in names]
    scope = {"type": "http", "client": (PROXY, 1), "headers": headers}
    assert ClientAddresses(PROXIES).of(scope) == PROXY


@pytest.mark.parametrize(
    ("peer", "said", "origin"),
    [
        ("::ffff:10.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("10.0.0.1", "::ffff:203.0.113.9", "203.0.113.9"),
        ("10.0.0.1", "fe80::1%anything goes here", "10.0.0.1"),
    ],
)
def test_addresses_are_read_and_never_repeated_as_text(peer: str, said: str, origin: str) -> None:
    scope = {"client": (peer, 1), "headers": [(b"x-forwarded-for", said.encode())]}
    assert ClientAddresses([ip_network("10.0.0.0/8")]).of(scope) == origin
