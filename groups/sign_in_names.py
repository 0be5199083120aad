"""Addresses that nobody can sign in with, though they have the form of an address.

Such a member would count, and would never get anything. Source: RFC 8264 (identifiers have letters and
digits that NFKC keeps), UTS 39 (highly restrictive: one script in a label, or Latin with those of East
Asia), and the names that directories give to guests.
"""

import re
import unicodedata
from itertools import chain

import idna

_LOOK_ALIKE = dict(
    chain(
        zip("\u2018\u2019\u201b\u2032\u02b9\u02bb\u02bc\u00b4\ua78c", "'" * 9, strict=True),
        zip("\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "-" * 7, strict=True),
        zip("\u0251\u0261\u2024", "ag.", strict=True),
    )
)
_LETTERS = {"Ll", "Lo", "Lm", "Mn", "Mc", "Nd"}
_ALSO = "\u3007"  # the ideographic zero
_MODIFIERS = range(0x2B0, 0x300)  # apostrophes and the like, which Unicode counts as letters
_INVISIBLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\ufe00-\ufe0f\U000e0100-\U000e01ef]"
)
_EAST_ASIAN = {"CJK", "HIRAGANA", "KATAKANA", "HANGUL", "BOPOMOFO", "IDEOGRAPHIC", "VERTICAL"}
_LABEL_ENDS = re.compile(r"[.+]")
_GUEST = re.compile(r"(.+)_([^_]+)#ext#.*")
_PROVIDER = re.compile(r"[a-z0-9-]+(?:\.[a-z0-9-]+)+#(.+)")


def check_sign_in(address: str) -> None:
    """Check an address in canonical form. Raises: ValueError that says why nobody signs in with it."""
    local, _, domain = address.partition("@")
    if guest := _GUEST.fullmatch(local):
        raise ValueError(
            "is the name of a guest in a directory, not an address:"
            f" write the guest's own address, perhaps {guest[1]}@{guest[2]}"
        )
    if own := _PROVIDER.fullmatch(local):
        raise ValueError(
            "is a name in a directory, not an address:"
            f" write the person's own address, perhaps {own[1]}@{domain}"
        )
    if local.startswith("'"):
        raise ValueError("begins with an apostrophe, as spreadsheets mark text: leave it out")
    if not local.isascii():
        for letter in local:
            if not letter.isascii():
                _check_letter(letter)
        _check_scripts(local)
    for label in domain.split("."):
        if label.startswith("xn--"):
            _check_scripts(idna.ulabel(label))


def _check_letter(letter: str) -> None:
    plain = unicodedata.normalize("NFKC", letter)
    if _INVISIBLE.match(letter):
        raise ValueError(f"has an invisible character (U+{ord(letter):04X}) before the `@`")
    fits = unicodedata.category(letter) in _LETTERS and ord(letter) not in _MODIFIERS
    if letter == _ALSO or (fits and plain == letter and letter not in _LOOK_ALIKE):
        return
    instead = _LOOK_ALIKE.get(letter, plain if plain.isascii() else "").strip()
    name = unicodedata.name(letter, "a character").lower()
    raise ValueError(
        f"has `{letter}` (U+{ord(letter):04X}, {name}) before the `@`, with which nobody can sign in"
        + (f": write `{instead}`" if instead else "")
    )


def _check_scripts(text: str) -> None:
    """Check that each label is in one script. Raises: ValueError."""
    for label in _LABEL_ENDS.split(text):
        scripts = {_script(c) for c in label if unicodedata.category(c).startswith("L")}
        others = scripts - _EAST_ASIAN
        if len(others) > 1 or (others - {"LATIN"} and scripts & _EAST_ASIAN):
            mixed = " and ".join(
                sorted(name.capitalize().replace("Cjk", "CJK") for name in scripts)
            )
            raise ValueError(f"mixes {mixed} letters in `{label}`: nobody can sign in with that")


def _script(letter: str) -> str:
    """Return the script of a letter: the first word of its name, in capitals."""
    return unicodedata.name(letter, "UNKNOWN").replace("-", " ").split()[0]
