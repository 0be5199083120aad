"""Find the addresses in text that people paste: `"Doe, Jane" <jane@x.example>; bob@x.example`.

Mail programs, address books and word processors put names, brackets, quotes and `mailto:` around
addresses. Source: RFC 5322 (mailboxes and comments), RFC 6068 (mailto), and what they really write.
Every pattern takes linear time.
"""

import re
from collections.abc import Iterator
from urllib.parse import unquote

_SEPARATORS = re.compile("[\\s,;\u3001\uff0c\uff1b\u060c\u061b]+")  # full-width, Arabic
_AROUND = re.compile("[<>()\\[\\]\"':\u00ab\u00bb\u2018-\u201f]")
_LINK = re.compile(r"\[[^\[\]]*\]\(mailto:([^\s()]+)\)", re.IGNORECASE)
_BRACKETS = re.compile(r"[\[(]\s*([^\s,;<>()\[\]@]+@[^\s,;<>()\[\]]+)\s*[\])]")
_COMMENT = re.compile(r"(@[^\s,;<>()\[\]@]+>?)[ \t]*\([^()@]*\)")
_QUOTED_NAME = re.compile(
    r"(?<![\w@])(?:\"(?:[^\"\\\r\n]|\\.)*\"|'[^'\r\n]*'|[\u201c\u201e][^\u201c-\u201e\r\n]*[\u201c\u201d])"
    r"[ \t]*(?=<)"
)
_ANGLE = re.compile(r"<([^<>@]*@[^<>]*)>")
_HARD = re.compile("[;\uff1b\u061b\r\n]")
_WORD = re.compile(r"[^\s,]+")
_DOTTED = re.compile(r"[^\W\d]\.[^\W\d]")  # as in an address that lacks its `@`
_SCHEME = re.compile(r"(mailto|smtp):", re.IGNORECASE)
_QUOTES = '"\u201c\u201d\u201e\u201f\u00ab\u00bb'
_CLOSING = {
    "'": "'\u2019",
    "\u2018": "\u2019",
    "\u2019": "\u2019",
    "\u201a": "\u2018",
    "<": ">",
    "(": ")",
    "[": "]",
}


def addresses_in(text: str) -> Iterator[str]:
    """Iterate over the addresses of a text, without what is around them.

    Spaces, commas, semicolons and line breaks separate addresses. A name before `<address>`, and other
    cells in a line of a table, are left out; any other word comes too, so that the caller can name it
    as a fault.
    """
    if "\t" in text:
        text = "\n".join(map(_without_names, text.splitlines()))
    if not _AROUND.search(text):
        yield from filter(None, _SEPARATORS.split(text))
        return
    text = _COMMENT.sub(r"\1", _BRACKETS.sub(r"<\1>", _LINK.sub(r"<\1>", text)))
    text = _QUOTED_NAME.sub("", text)
    position = 0
    for angle in _ANGLE.finditer(text):
        yield from _named(text[position : angle.start()], _bare(angle[1]))
        position = angle.end()
    yield from _words(text[position:])


def _without_names(line: str) -> str:
    """Return the cell of a table's line that is like an address, if only one is; else the line."""
    addresses = [cell for cell in line.split("\t") if "@" in cell or _DOTTED.search(cell)]
    return addresses[0] if len(addresses) == 1 else line


def _named(before: str, address: str) -> Iterator[str]:
    """Iterate over the addresses before `<address>`, and over that one. What is left is its name."""
    *others, name = _HARD.split(before)
    for other in others:
        yield from _words(other)
    shown = [word for word in _WORD.finditer(name) if "@" in word[0][1:-1]]
    if shown:
        last = _bare(shown[-1][0])
        yield from _words(name[: shown[-1].start()])
        if name[shown[-1].end() :].strip():
            yield last
        elif last.casefold() != address.casefold():
            address = f"{last} <{address}>"  # which of them is meant would be a guess
    yield address


def _words(text: str) -> Iterator[str]:
    return filter(None, map(_bare, _SEPARATORS.split(text)))


def _bare(word: str) -> str:
    """Remove quotes and brackets around a word, and `mailto:` before it."""
    word = word.strip().strip(_QUOTES)
    while len(word) > 1 and word[-1] in _CLOSING.get(word[0], ""):
        word = word[1:-1].strip().strip(_QUOTES)
    scheme = _SCHEME.match(word)
    if not scheme:
        return word
    address, _, more = word[scheme.end() :].partition("?")
    return word if "@" in more else unquote(address)
