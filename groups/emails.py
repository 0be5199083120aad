"""The canonical form of an e-mail address, and a parser for lists of addresses that people paste.

Canonical: trimmed, Unicode NFC, lower case, an international domain in its ASCII form
(UTS 46, then IDNA 2008). Dots and plus tags stay: `a.b+c@x.com` and `ab@x.com` are two people.
Source: design.md section 4; RFC 5321 and 5322 (dot-atom only, no quoted names), RFC 6531, RFC 5891.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence

import idna

from groups.errors import Fault, InvalidEmails
from groups.mailboxes import addresses_in
from groups.sign_in_names import check_sign_in

MAX_ADDRESS_OCTETS = 254
MAX_LOCAL_OCTETS = 64

_ATOM = r"[a-z0-9!#$%&'*+/=?^_`{|}~\-\x80-\U0010ffff]"
_LOCAL = re.compile(rf"{_ATOM}+(?:\.{_ATOM}+)*")
_NOT_ATOM = re.compile(rf"(?!{_ATOM}|\.)[\s\S]|\s")
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_JOINERS = str.maketrans("", "", "\u200c\u200d")  # invisible, but domains in some scripts need them
_TOO_LONG = f"is longer than {MAX_ADDRESS_OCTETS} bytes"
_SHOWN = 100

# Matches nearly every address. A match only needs lower case to be canonical, because the bounds of the
# pattern keep it within the limits above. Any other address is examined rule by rule.
_PLAIN = (
    r"[a-z0-9_+-]{1,30}+(?:\.[a-z0-9_+-]{1,16}+){0,2}+"
    r"@(?:[a-z0-9]{1,20}+[.-]){1,3}+(?<=\.)[a-z]{2,20}+"
)
_is_plain = re.compile(_PLAIN).fullmatch
_are_plain = re.compile(rf"(?:{_PLAIN}\n)*+").fullmatch


def canonical(address: str, *, strict: bool = True) -> str:
    """Return the form in which an address is stored and compared. Raises: InvalidEmails.

    Args: strict = refuse an address that nobody can sign in with (sign_in_names.py); False to look
        for an address, because earlier releases stored such ones.
    """
    lowered = address.lower()
    if _is_plain(lowered):
        return lowered
    try:
        return _examined(address, strict)
    except ValueError as error:
        raise InvalidEmails([Fault("", "INVALID_EMAIL", f"`{_shown(address)}` {error}")]) from None


def canonical_or_none(address: str) -> str | None:
    """Return the canonical form of an ordinary address; None if it needs the slower `canonical`."""
    if _is_plain(address):
        return address
    lowered = address.lower()
    return lowered if _is_plain(lowered) else None


def canonical_together(addresses: Sequence[str]) -> list[str] | None:
    """Return the canonical form of each address; None if any address is not ordinary (see _PLAIN).

    One regular expression match over all addresses takes half the time of a match for each.
    """
    lines = "\n".join((*addresses, "")).lower()
    if not _are_plain(lines):
        return None
    plain = lines.split("\n")
    plain.pop()
    return plain if len(plain) == len(addresses) else None


def parse(emails: str | Iterable[str], *, loc: str = "", strict: bool = True) -> tuple[str, ...]:
    """Read addresses from pasted text or from a list.

    Args: emails = text in which spaces, commas, semicolons or line breaks separate the addresses,
        which may have names (mailboxes.py), or an iterable with one address per item; loc = path of
        the field, for faults; strict = as for `canonical`.
    Returns: canonical addresses without duplicates, in order of first appearance; empty for blank text.
    Raises: InvalidEmails with every bad address. The third address has the loc `3`, or `loc.3`.
    """
    texts = addresses_in(emails) if isinstance(emails, str) else emails
    addresses: dict[str, None] = {}
    faults: list[Fault] = []
    for position, text in enumerate(texts, 1):
        lowered = text.lower()
        if _is_plain(lowered):
            addresses[lowered] = None
            continue
        try:
            addresses[_examined(text, strict)] = None
        except ValueError as error:
            detail = f"address {position} `{_shown(text)}` {error}"
            path = f"{loc}.{position}" if loc else str(position)
            faults.append(Fault(path, "INVALID_EMAIL", detail))
    if faults:
        raise InvalidEmails(faults)
    return tuple(addresses)


def _examined(address: str, strict: bool) -> str:
    """Return the canonical form after checking every rule. Raises: ValueError that names the fault."""
    text = address.strip()
    if not text:
        raise ValueError("is empty")
    if len(text) > MAX_ADDRESS_OCTETS:
        raise ValueError(_TOO_LONG)
    if "<" in text and len(addresses := [*addresses_in(text)]) == 1 and addresses[0] != text:
        raise ValueError(f"has more than an address: write `{_shown(addresses[0])}`")
    if "\uff20" in text:
        raise ValueError("has `\uff20` (U+FF20), where `@` is meant")
    if text.count("@") != 1:
        raise ValueError(f"has {text.count('@')} `@`, but must have exactly one")
    local, domain = text.split("@")
    whole = f"{_local(local)}@{_domain(domain)}"
    if len(whole.encode()) > MAX_ADDRESS_OCTETS:
        raise ValueError(_TOO_LONG)
    if strict:
        check_sign_in(whole)
    return whole


def _local(text: str) -> str:
    if not text:
        raise ValueError("has nothing before the `@`")
    local = unicodedata.normalize("NFC", text.lower())
    unfit = _NOT_ATOM.search(local)
    if unfit or not local.isprintable():
        shown = f"`{_shown(unfit.group())}`" if unfit else "an invisible character"
        raise ValueError(f"has {shown} before the `@`")
    if not _LOCAL.fullmatch(local):
        raise ValueError("has two dots in a row, or one at the start or end, before the `@`")
    if len(local.encode()) > MAX_LOCAL_OCTETS:
        raise ValueError(f"has more than {MAX_LOCAL_OCTETS} bytes before the `@`")
    return local


def _domain(text: str) -> str:
    if not text.translate(_JOINERS).isprintable():
        raise ValueError("has an invisible character after the `@`")
    try:
        labels = idna.uts46_remap(text, std3_rules=True, transitional=False).split(".")
    except (idna.IDNAError, UnicodeError):
        raise ValueError("has a character after the `@` that no domain can have") from None
    if len(labels) < 2:
        raise ValueError("needs a domain with a dot after the `@`")
    if "" in labels:
        raise ValueError("has two dots in a row, or one at the start or end, after the `@`")
    if labels[-1].isdigit():
        raise ValueError("needs a domain, not an IP address, after the `@`")
    return ".".join(map(_label, labels))


def _label(text: str) -> str:
    """Return the ASCII form of one label of a domain. A label in ASCII is checked, not changed."""
    if text.isascii() and not text.startswith("xn--"):
        if not _LABEL.fullmatch(text):
            raise ValueError(f"has `{_shown(text)}`, which cannot be part of a domain")
        return text
    try:
        return idna.alabel(text).decode("ascii")
    except (idna.IDNAError, UnicodeError):
        raise ValueError(f"has `{_shown(text)}`, which cannot be part of a domain") from None


def _shown(text: str) -> str:
    """Make text safe to print: shorten it and escape invisible characters."""
    cut = text if len(text) <= _SHOWN else text[:_SHOWN] + "..."
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in cut)
