"""From where a request comes, and how: the peer, or what a declared proxy says of its own peer.

Forwarding headers of anybody else are ignored: whoever sends a request can write what it likes.
"""

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from eligibility.server.http.asgi import AsgiScope

Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address


class ClientAddresses:
    """Tells where requests come from. trusted: networks of the declared proxies."""

    def __init__(self, trusted: Iterable[Network]) -> None:
        self._trusted = tuple(trusted)

    def of(self, scope: AsgiScope) -> str:
        """The address of the client as far as it is known; `unknown` over a Unix socket."""
        peer = _peer(scope)
        for hop in reversed(_said(scope, b"x-forwarded-for")):
            if peer is None or not self._trusts(peer):
                break
            said = _address(hop)
            if said is None:
                break
            peer = said
        return "unknown" if peer is None else str(peer)

    def by_tls(self, scope: AsgiScope) -> bool:
        """Whether the client came by TLS: to this server, or to the declared proxy that asks."""
        if scope.get("scheme") == "https":
            return True
        peer = _peer(scope)
        if peer is None or not self._trusts(peer):
            return False
        return _said(scope, b"x-forwarded-proto")[-1:] == ["https"]  # the nearest proxy's is last

    def _trusts(self, peer: Address) -> bool:
        return any(peer in one for one in self._trusted)


def _peer(scope: AsgiScope) -> Address | None:
    return _address((scope.get("client") or ("",))[0])


def _said(scope: AsgiScope, header: bytes) -> list[str]:
    """The values of a forwarding header, the nearest hop's last."""
    named = [value for name, value in scope["headers"] if name == header]
    return [one.strip() for value in named for one in value.decode("latin-1").split(",")]


def _address(text: str) -> Address | None:
    """Read an address; IPv4 that came over an IPv6 socket as IPv4; none with a scope, which is any text."""
    try:
        read = ip_address(text)
    except ValueError:
        return None
    if isinstance(read, IPv4Address):
        return read
    return None if read.scope_id else read.ipv4_mapped or read
