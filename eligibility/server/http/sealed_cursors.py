"""Encrypt text that may contain an address for URLs and pages, which others may store."""

from base64 import urlsafe_b64encode
from collections.abc import Callable
from hashlib import blake2b

from cryptography.fernet import Fernet, InvalidToken

from eligibility.errors import Fault, InvalidInput


class Seal:
    """Encrypts texts for one purpose of at most 16 bytes. secret: returns the digest key."""

    def __init__(self, secret: Callable[[], bytes], purpose: bytes) -> None:
        self._secret, self._purpose = secret, purpose

    def sealed(self, text: str) -> str:
        """Encrypt a text."""
        return self._cipher().encrypt(text.encode()).decode()

    def opened(self, sealed: str) -> str | None:
        """Decrypt a text; return None if this deployment did not encrypt it for this purpose."""
        try:
            return self._cipher().decrypt(sealed.encode("utf-8", "replace")).decode()
        except InvalidToken:
            return None

    def _cipher(self) -> Fernet:
        key = blake2b(digest_size=32, key=self._secret(), person=self._purpose).digest()
        return Fernet(urlsafe_b64encode(key))


class AddressCursors:
    """Converts addresses to the cursors of member pages, and back. secret: see Seal."""

    def __init__(self, secret: Callable[[], bytes]) -> None:
        self._seal = Seal(secret, b"members' cursors")

    def cursor_of(self, address: str | None) -> str | None:
        """Encrypt an address as a cursor; None, the end of the pages, stays None."""
        return None if address is None else self._seal.sealed(address)

    def read(self, cursor: str | None) -> str | None:
        """Decrypt a cursor to an address. Raises: InvalidInput if the cursor is not ours."""
        if cursor is None:
            return None
        address = self._seal.opened(cursor)
        if address is None:
            detail = "is not the `next_cursor` of a page of members"
            raise InvalidInput([Fault("cursor", "UNKNOWN_CURSOR", detail)])
        return address
