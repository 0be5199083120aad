"""What somebody may have meant by an unknown name."""

import difflib
from collections.abc import Iterable


def meant(text: str, known: Iterable[str]) -> str:
    """The end of a message about an unknown name: which known one it may have been."""
    near = difflib.get_close_matches(text, list(known), n=1)
    return f"; did you mean `{near[0]}`?" if near else ""
