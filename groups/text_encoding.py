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
    """The bytes are not text, or in an encoding that cannot be recognized. line: counted from 1."""

    def __init__(self, detail: str, line: int) -> None:
        super().__init__(f"{detail}: save the file as UTF-8")
        self.line = line


def decode(data: bytes) -> str:
    """Decode UTF-8, UTF-16 or UTF-32 with a byte order mark, or UTF-8 or UTF-16 without one.

    Raises: NotText; also if there is a mark and nothing after it.
    """
    mark, encoding = next(
        ((mark, name) for mark, name in _MARKS if data.startswith(mark)), (b"", _unmarked(data))
    )
    try:
        text = data[len(mark) :].decode(encoding)
    except UnicodeDecodeError as error:
        start = len(mark) + error.start
        line = data[:start].count(b"\n") + 1
        raise NotText(f"not {encoding.upper()} at byte {start}", line) from None
    if mark and not text:
        raise NotText("contains only a byte order mark", 1)
    return text


def _unmarked(data: bytes) -> str:
    """Recognize UTF-16 without a mark: every second byte of its ASCII characters is NUL."""
    even, odd = data[0::2].count(0), data[1::2].count(0)
    if max(even, odd) * 4 <= len(data):
        return "utf-8"
    return "utf-16-le" if odd > even else "utf-16-be"
