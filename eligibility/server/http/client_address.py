"""Find the client's address: the peer's, or what a declared proxy reports. Others are ignored."""

import re
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from eligibility.server.http.asgi import AsgiScope

Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address


_WITH_PORT = re.compile(r"\[([0-9A-Fa-f:.]+)\](?::[0-9]{1,5})?|([0-9.]+):[0-9]{1,5}")


class ClientAddresses:
    """Finds the addresses of clients. trusted: networks of the declared proxies."""

    def __init__(self, trusted: Iterable[Network]) -> None:
        self._trusted = tuple(trusted)

    def of(self, scope: AsgiScope) -> str:
        """Return the best known address of the client; `unknown` for a Unix socket."""
        peer = _peer(scope)
        for hop in reversed(_forwarded(scope, b"x-forwarded-for")):
            if peer is None or not self._trusts(peer):
                break
            address = _address(hop)
            if address is None:
                break
            peer = address
        return "unknown" if peer is None else str(peer)

    def by_tls(self, scope: AsgiScope) -> bool:
        """Return whether the client used TLS to this server or to the declared proxy in front of it."""
        if scope.get("scheme") == "https":
            return True
        peer = _peer(scope)
        if peer is None or not self._trusts(peer):
            return False
        return _forwarded(scope, b"x-forwarded-proto")[-1:] == [
            "https"
        ]  # the last value is the nearest proxy's

    def _trusts(self, peer: Address) -> bool:
        return any(peer in network for network in self._trusted)


def _peer(scope: AsgiScope) -> Address | None:
    return _address((scope.get("client") or ("",))[0])


def _forwarded(scope: AsgiScope, header: bytes) -> list[str]:
    """Return the values of a forwarding header; the last value comes from the nearest proxy."""
    named = [value for name, value in scope["headers"] if name == header]
    return [hop.strip() for value in named for hop in value.decode("latin-1").split(",")]


def _address(text: str) -> Address | None:
    """Read an IP address, IPv4 inside IPv6 as IPv4; None if it has a scope id, which could be any text.

    Some proxies append the port: `203.0.113.7:51234` or `[2001:db8::7]:51234`.
    """
    with_port = _WITH_PORT.fullmatch(text)
    try:
        read = ip_address((with_port[1] or with_port[2]) if with_port else text)
    except ValueError:
        return None
    if isinstance(read, IPv4Address):
        return read
    return None if read.scope_id else read.ipv4_mapped or read
