"""Text that may hold an address, encrypted for URLs and pages, where others may keep it."""

from base64 import urlsafe_b64encode
from collections.abc import Callable
from hashlib import blake2b

from cryptography.fernet import Fernet, InvalidToken

from eligibility.errors import Fault, InvalidInput


class Seal:
    """Encrypts texts of one purpose, with a key made from a secret of the deployment.

    secret: gives the deployment's digest key; may ask the store. purpose: at most 16 bytes; a text that
    was sealed for another purpose cannot be opened.
    """

    def __init__(self, secret: Callable[[], bytes], purpose: bytes) -> None:
        self._secret, self._purpose = secret, purpose

    def sealed(self, text: str) -> str:
        """Encrypt a text."""
        return self._cipher().encrypt(text.encode()).decode()

    def opened(self, sealed: str) -> str | None:
        """Return the text again; None where it was not sealed here for this purpose."""
        try:
            return self._cipher().decrypt(sealed.encode("utf-8", "replace")).decode()
        except InvalidToken:
            return None

    def _cipher(self) -> Fernet:
        key = blake2b(digest_size=32, key=self._secret(), person=self._purpose).digest()
        return Fernet(urlsafe_b64encode(key))


class AddressCursors:
    """Makes cursors of pages of members: each stands for an address. secret: see Seal."""

    def __init__(self, secret: Callable[[], bytes]) -> None:
        self._seal = Seal(secret, b"members' cursors")

    def cursor_of(self, address: str | None) -> str | None:
        """Return the cursor that stands for an address; None for the end of the pages."""
        return None if address is None else self._seal.sealed(address)

    def read(self, cursor: str | None) -> str | None:
        """Return the address that a cursor stands for. Raises InvalidInput for one that is not ours."""
        if cursor is None:
            return None
        address = self._seal.opened(cursor)
        if address is None:
            detail = "is no `next_cursor` of a page of members"
            raise InvalidInput([Fault("cursor", "UNKNOWN_CURSOR", detail)])
        return address
