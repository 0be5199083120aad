"""Whole numbers in text from outside."""

MOST_DIGITS = 18
"""What fits into 64 bits; Python refuses to read more than 4,300 digits with a ValueError."""


def whole_number(text: str) -> int | None:
    """Read a number of 1 to 18 ASCII digits; None for any other text."""
    readable = text.isascii() and text.isdecimal() and len(text) <= MOST_DIGITS
    return int(text) if readable else None
