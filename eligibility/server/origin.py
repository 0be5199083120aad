"""From where a request comes: the peer, or what a declared proxy says of its own peer.

Forwarding headers of anybody else are ignored: whoever sends a request can write what it likes.
"""

from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Network, ip_address

from eligibility.server.asgi import Scope

Network = IPv4Network | IPv6Network


class Origins:
    """Tells where requests come from. trusted: networks of the declared proxies."""

    def __init__(self, trusted: Iterable[Network]) -> None:
        self._trusted = tuple(trusted)

    def of(self, scope: Scope) -> str:
        """The address of the client as far as it is known; `unknown` over a Unix socket."""
        peer = (scope.get("client") or ("unknown",))[0]
        if not self._is_trusted(peer):
            return peer
        for hop in reversed(_forwarded_for(scope)):
            if not _is_address(hop):
                return peer
            if not self._is_trusted(hop):
                return hop
            peer = hop
        return peer

    def _is_trusted(self, address: str) -> bool:
        return _is_address(address) and any(ip_address(address) in one for one in self._trusted)


def _forwarded_for(scope: Scope) -> list[str]:
    """The hops that X-Forwarded-For names, the nearest last."""
    named = [value for name, value in scope["headers"] if name == b"x-forwarded-for"]
    return [one.strip() for value in named for one in value.decode("latin-1").split(",")]


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
