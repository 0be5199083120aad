"""Suggest a known name in an error message about an unknown name."""

import difflib
from collections.abc import Iterable


def meant(text: str, known: Iterable[str]) -> str:
    """Return "; did you mean ...?" with the known name most similar to `text`, or an empty text."""
    near = difflib.get_close_matches(text, list(known), n=1)
    return f"; did you mean `{near[0]}`?" if near else ""
