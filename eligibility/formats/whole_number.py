"""Read whole numbers from text that a client or user sent."""

MOST_DIGITS = 18
"""Numbers up to this length fit into 64 bits. int() raises ValueError above 4,300 digits."""


def whole_number(text: str) -> int | None:
    """Read a number of 1 to 18 ASCII digits; return None for any other text."""
    readable = text.isascii() and text.isdecimal() and len(text) <= MOST_DIGITS
    return int(text) if readable else None
