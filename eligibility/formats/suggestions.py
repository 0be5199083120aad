"""Suggest a known name for an unknown one."""

import difflib
from collections.abc import Iterable


def meant(text: str, known: Iterable[str]) -> str:
    """End a message about an unknown name with the most similar known one, or with nothing."""
    near = difflib.get_close_matches(text, list(known), n=1)
    return f"; did you mean `{near[0]}`?" if near else ""
