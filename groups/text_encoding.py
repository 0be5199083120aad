"""Decode text files in the encodings that Windows programs write."""

import codecs

_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


class NotText(ValueError):
    """The bytes are not text, or in an encoding that cannot be recognized."""


def decode(data: bytes) -> str:
    """Decode UTF-8, UTF-16 or UTF-32 with a byte order mark, or UTF-8 or UTF-16 without one.

    Raises: NotText; also if there is a mark and nothing after it.
    """
    mark, encoding = byte_order_mark(data)
    if not mark:
        encoding = _unmarked(data)
    try:
        text = data[len(mark) :].decode(encoding)
    except UnicodeDecodeError as error:
        start = len(mark) + error.start
        detail = f"not {encoding.upper()} at byte {start}: save the file as UTF-8"
        raise NotText(detail) from None
    if mark and not text:
        raise NotText("contains only a byte order mark: save the file as UTF-8")
    return text


def byte_order_mark(data: bytes) -> tuple[bytes, str]:
    """Return the byte order mark and its encoding; no bytes and `utf-8` if there is none."""
    marks = ((mark, encoding) for mark, encoding in _MARKS if data.startswith(mark))
    return next(marks, (b"", "utf-8"))


def _unmarked(data: bytes) -> str:
    """Recognize UTF-16 without a mark: every second byte of its ASCII characters is NUL."""
    even, odd = data[0::2].count(0), data[1::2].count(0)
    if max(even, odd) * 4 <= len(data):
        return "utf-8"
    return "utf-16-le" if odd > even else "utf-16-be"
