"""API keys as text: make one, recognize one, and compare it with its stored digest.

    elg_ 0a1B2c3D4e5F <43 characters of secret> <6 of checksum>     without the spaces: 65 characters

Everything after the prefix is base62 (0-9, A-Z, a-z). The key id is public. The secret holds 256
random bits. The checksum is the CRC32 of everything before it, so that anybody can tell a real key
from a similar text without asking the server. Secret scanners search for SCANNER_PATTERN.
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
"""The part of a key that is its id."""

SCANNER_PATTERN = r"\belg_[0-9A-Za-z]{61}\b"
"""Finds leaked keys in any text; `is_key` then tells real keys from similar texts."""

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_FORM = re.compile(SCANNER_PATTERN.removeprefix(r"\b").removesuffix(r"\b"))


def new_text() -> str:
    """Make the text of a new key, which is never stored; see StoredKey for what is."""
    unchecked = PREFIX + _random(ID_LENGTH) + _random(SECRET_LENGTH)
    return unchecked + _checksum(unchecked)


def is_key(text: str) -> bool:
    """Whether a text has the form and checksum of a key; it need not exist in the store."""
    if _FORM.fullmatch(text) is None:
        return False
    return text[-CHECKSUM_LENGTH:] == _checksum(text[:-CHECKSUM_LENGTH])


def key_id_of(text: str) -> str:
    """Read the id in a key. Raises: Unauthenticated CREDENTIALS_UNREADABLE if it is not a key."""
    if not is_key(text):
        detail = f"not an API key, which is `{PREFIX}` and 61 letters and digits: was it cut?"
        raise Unauthenticated("CREDENTIALS_UNREADABLE", detail)
    return text[ID_PART]


def digest(text: str) -> bytes:
    """Hash a key for the store: SHA-256, 32 bytes. StoredKey says why a fast hash is enough."""
    return sha256(text.encode("utf-8", "replace")).digest()


def _random(length: int) -> str:
    return "".join(secrets.choice(_DIGITS) for _ in range(length))


def _checksum(text: str) -> str:
    rest, digits = zlib.crc32(text.encode()), ""
    for _ in range(CHECKSUM_LENGTH):
        rest, digit = divmod(rest, len(_DIGITS))
        digits = _DIGITS[digit] + digits
    return digits
