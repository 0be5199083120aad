"""Suggest a known name in an error message about an unknown name."""

import difflib
from collections.abc import Iterable


def meant(text: str, known: Iterable[str], cutoff: float = 0.6) -> str:
    """Return "; did you mean ...?" with the known name most similar to `text`, or an empty text.

    Args: cutoff = the least similarity, from 0 to 1.
    """
    near = difflib.get_close_matches(text, list(known), 1, cutoff)
    return f"; did you mean `{near[0]}`?" if near else ""
