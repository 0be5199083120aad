"""Permanent links to a question: the account is in them, but not to be read by anybody but us."""

from base64 import urlsafe_b64encode
from collections.abc import Callable
from hashlib import blake2b

from cryptography.fernet import Fernet, InvalidToken


class Links:
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
