"""Names of columns with addresses, from config/list_headers.toml."""

import re
import tomllib
import unicodedata
from collections.abc import Mapping
from functools import cache
from pathlib import Path

_HERE = Path(__file__).parent
_FILE = "list_headers.toml"
_KINDS = ("email", "sign_in", "address")
_NOTE = re.compile(r"\([^()]*\)|\[[^\[\]]*\]")

HeaderRanks = Mapping[str, int]
"""Key of a header (see `header_key`) -> rank of a column with that header; 0 is the best."""


def header_key(text: str) -> str:
    """Return the form in which headers are compared: the letters, in lower case, without accents.

    `E-Mail 2:` and `email [required]` have the same key.
    """
    letters = unicodedata.normalize("NFKD", _NOTE.sub("", text).casefold()).casefold()
    return "".join(filter(str.isalpha, letters))


@cache
def header_ranks(more: Path | None = None) -> HeaderRanks:
    """Read the names that come with the program. Args: more = a file with further names.

    Raises: OSError; ValueError that names what is wrong in the file.
    """
    packaged = _HERE / "_config" / _FILE  # in a wheel
    ranks: dict[str, int] = {}
    for path in (packaged if packaged.is_file() else _HERE.parent / "config" / _FILE, more):
        if path is not None:
            _add_file(ranks, path)
    return ranks


def _add_file(ranks: dict[str, int], path: Path) -> None:
    for kind, names in tomllib.loads(path.read_text("utf-8")).items():
        if kind not in _KINDS:
            raise ValueError(f"`{kind}` is not a kind of column; the kinds are {', '.join(_KINDS)}")
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise ValueError(f"`{kind}` must be a list of texts")
        for key in map(header_key, names):
            if not key:
                raise ValueError(f"`{kind}` has a name without letters")
            ranks[key] = min(_KINDS.index(kind), ranks.get(key, len(_KINDS)))
