"""Cursors of pages of members: an address, but not to be read where URLs are kept."""

from base64 import urlsafe_b64encode
from collections.abc import Callable
from hashlib import blake2b

from cryptography.fernet import Fernet, InvalidToken

from eligibility.errors import Fault, InvalidInput


class AddressCursors:
    """Encrypts addresses as cursors, with a key made from a secret of the deployment.

    secret: gives the deployment's digest key; may ask the store.
    """

    def __init__(self, secret: Callable[[], bytes]) -> None:
        self._secret = secret

    def made(self, address: str | None) -> str | None:
        """The cursor that stands for an address; None for the end of the pages."""
        return None if address is None else self._cipher().encrypt(address.encode()).decode()

    def read(self, cursor: str | None) -> str | None:
        """The address that a cursor stands for. Raises InvalidInput for one that is not ours."""
        if cursor is None:
            return None
        try:
            return self._cipher().decrypt(cursor.encode("utf-8", "replace")).decode()
        except InvalidToken:
            detail = "is no `next_cursor` of a page of members"
            raise InvalidInput([Fault("cursor", "UNKNOWN_CURSOR", detail)]) from None

    def _cipher(self) -> Fernet:
        key = blake2b(digest_size=32, key=self._secret(), person=b"members' cursors").digest()
        return Fernet(urlsafe_b64encode(key))


class SealedLinks:
    """Encrypts addresses for links, with a key made from a secret of the deployment.

    secret: gives the deployment's digest key; may ask the store.
    """

    def __init__(self, secret: Callable[[], bytes]) -> None:
        self._secret = secret

    def made(self, address: str) -> str:
        """What stands for an address; "" for none."""
        return self._cipher().encrypt(address.encode()).decode() if address else ""

    def read(self, text: str) -> str | None:
        """The address; None for what is not ours."""
        if not text:
            return None
        try:
            return self._cipher().decrypt(text.encode("utf-8", "replace")).decode()
        except InvalidToken:
            return None

    def _cipher(self) -> Fernet:
        key = blake2b(digest_size=32, key=self._secret(), person=b"links").digest()
        return Fernet(urlsafe_b64encode(key))
