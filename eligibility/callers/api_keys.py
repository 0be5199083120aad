"""The text form of API keys: create, recognize and hash a key. It has 65 characters, no spaces:

    elg_ <12 characters of key id> <43 characters of secret> <6 characters of checksum>

Everything after the prefix is base62 (0-9, A-Z, a-z). The key id is public. The secret has 256
random bits. The checksum is the CRC32 of everything before it, so that anybody can distinguish keys
from similar texts without the server. Secret scanners search for SCANNER_PATTERN.
"""

import re
import secrets
import zlib
from hashlib import sha256

from eligibility.callers.errors import Unauthenticated

PREFIX = "elg_"
ID_LENGTH, SECRET_LENGTH, CHECKSUM_LENGTH = 12, 43, 6
LENGTH = len(PREFIX) + ID_LENGTH + SECRET_LENGTH + CHECKSUM_LENGTH
ID_PART = slice(len(PREFIX), len(PREFIX) + ID_LENGTH)
"""The position of the key id in a key."""

SCANNER_PATTERN = r"\belg_[0-9A-Za-z]{61}\b"
"""Finds leaked keys in any text. Check each match with `is_key`."""

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_FORM = re.compile(SCANNER_PATTERN.removeprefix(r"\b").removesuffix(r"\b"))


def new_text() -> str:
    """Return the text of a new random key. The text is never stored; StoredKey has its digest."""
    unchecked = PREFIX + _random(ID_LENGTH) + _random(SECRET_LENGTH)
    return unchecked + _checksum(unchecked)


def is_key(text: str) -> bool:
    """Return whether a text has the form and checksum of a key. The store is not read."""
    if _FORM.fullmatch(text) is None:
        return False
    return text[-CHECKSUM_LENGTH:] == _checksum(text[:-CHECKSUM_LENGTH])


def key_id_of(text: str) -> str:
    """Return the id in a key. Raises: Unauthenticated CREDENTIALS_UNREADABLE if it is not a key."""
    if not is_key(text):
        detail = (
            f"not an API key, which is `{PREFIX}` and 61 letters and digits: is a part missing?"
        )
        raise Unauthenticated("CREDENTIALS_UNREADABLE", detail)
    return text[ID_PART]


def digest(text: str) -> bytes:
    """Return the SHA-256 of a key for the store. StoredKey explains why a fast hash is enough."""
    return sha256(text.encode("utf-8", "replace")).digest()


def _random(length: int) -> str:
    return "".join(secrets.choice(_DIGITS) for _ in range(length))


def _checksum(text: str) -> str:
    rest, digits = zlib.crc32(text.encode()), ""
    for _ in range(CHECKSUM_LENGTH):
        rest, digit = divmod(rest, len(_DIGITS))
        digits = _DIGITS[digit] + digits
    return digits
