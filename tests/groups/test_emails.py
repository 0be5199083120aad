"""One canonical form of an address, and the lists people paste. Source: design.md section 4."""

import unicodedata
from contextlib import suppress

import email_validator
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from groups.emails import (
    MAX_ADDRESS_OCTETS,
    canonical,
    canonical_or_none,
    canonical_together,
    parse,
)
from groups.errors import InvalidEmails

SAME = {
    "Ada@Example.COM": "ada@example.com",
    "  ada@example.com\t\n": "ada@example.com",
    "\u00a0ada@example.com\u3000": "ada@example.com",
    "a.d.a+beta@example.com": "a.d.a+beta@example.com",
    "o'neil@contoso.test": "o'neil@contoso.test",
    "a.b.c.d.e@a.b.c.d.e.example": "a.b.c.d.e@a.b.c.d.e.example",
    "ada@MÜNCHEN.example": "ada@xn--mnchen-3ya.example",
    "ada@mu\u0308nchen.example": "ada@xn--mnchen-3ya.example",
    "ada@XN--MNCHEN-3YA.example": "ada@xn--mnchen-3ya.example",
    "ada@faß.example": "ada@xn--fa-hia.example",
    "ada@例え。テスト": "ada@xn--r8jz45g.xn--zckzah",
    "ada@r3---sn.example": "ada@r3---sn.example",
    "JOSÉ@example.com": "josé@example.com",
    "jose\u0301@example.com": "josé@example.com",
    "\u212aim@example.com": "kim@example.com",  # KELVIN SIGN is K
}
REFUSED = {
    "": "is empty",
    "   ": "is empty",
    "ada": "has 0 `@`",
    "ada@b@example.com": "has 2 `@`",
    "ada\uff20example.com": "has `\uff20` (U+FF20), where `@` is meant",
    "@example.com": "nothing before",
    "ada@": "domain with a dot",
    "ada@localhost": "domain with a dot",
    "ada@contoso-com": "domain with a dot",
    "ada@127.0.0.1": "not an IP address",
    "ada@[127.0.0.1]": "no domain can have",
    "ada lovelace@example.com": "has ` ` before",
    "ada\u00a0b@example.com": "has `\\xa0` before",
    '"ada"@example.com': 'has `"` before',
    "<ada@example.com>": "has more than an address: write `ada@example.com`",
    "Lovelace, Ada <ada@example.com>": "has more than an address: write `ada@example.com`",
    "a..b@example.com": "two dots",
    ".ada@example.com": "two dots",
    "ada.@example.com": "two dots",
    "ada@example..com": "two dots",
    "ada@example.com.": "two dots",
    "ada@-example.com": "part of a domain",
    "ada@example-.com": "part of a domain",
    "ada@exa_mple.com": "no domain can have",
    "ada@exam ple.com": "no domain can have",
    "ada@xn--a.com": "part of a domain",
    f"ada@{'a' * 64}.com": "part of a domain",
    "ada@\u0301x.com": "part of a domain",
    f"{'a' * 65}@example.com": "more than 64 bytes",
    f"{'a' * 30}.{'b' * 34}@example.com": "more than 64 bytes",
    f"{'a' * 30}.{'b' * 16}.{'c' * 17}@example.com": "more than 64 bytes",
    f"{'a' * 30}.{'b' * 16}.{'c' * 8}.{'d' * 8}@example.com": "more than 64 bytes",
    f"{'é' * 33}@example.com": "more than 64 bytes",
    f"a@{'.'.join(['b' * 60] * 5)}.com": "is longer than 254 bytes",
    f"a@{'.'.join(['ü' * 29] * 7)}.com": "is longer than 254 bytes",
    "a\0da@example.com": "has `\\x00` before",
    "ada@exa\x1bmple.com": "invisible character after",
    "a\u200bda@example.com": "invisible character before",
    "ada@exam\u00adple.com": "invisible character after",
    "\ufeffada@example.com": "invisible character before",
    "\ud800da@example.com": "invisible character before",
    "ada@\udfff.com": "invisible character after",
}
NOBODYS = {
    "o\u2019brien@x.example": "has `\u2019` (U+2019, right single quotation mark)",
    "o\u02bcbrien@x.example": "write `'`",
    "o\u00b4brien@x.example": "write `'`",
    "jane\u2013doe@x.example": "write `-`",
    "jane\u2011doe@x.example": "write `-`",
    "jane\u2026@x.example": "U+2026",
    "\uff4aane@x.example": "write `j`",
    "\ufb01ona@x.example": "write `fi`",
    "user\u00b2@x.example": "write `2`",
    "\u017fara@x.example": "write `s`",
    "\U0001d41aida@x.example": "write `a`",
    "\U0001f600@x.example": "grinning face",
    "m\u00ba@x.example": "U+00BA",
    "ja\ufe0fne@x.example": "invisible character (U+FE0F)",
    "ja\u3164ne@x.example": "U+3164",
    "j\u0430ne@x.example": "mixes Cyrillic and Latin",
    "\u03b1lice@x.example": "mixes Greek and Latin",
    "p\u0585st@x.example": "mixes Armenian and Latin",
    "jane.d\u043ee@x.example": "mixes Cyrillic and Latin letters in `d\u043ee`",
    "ivan-\u0438\u0432\u0430\u043d@x.example": "mixes Cyrillic and Latin",
    "\u5c71\u0430@x.example": "mixes CJK and Cyrillic",
    "jane@c\u043entoso.example": "mixes Cyrillic and Latin letters in `c\u043entoso`",
    "jane@xn--cntoso-wqf.example": "mixes Cyrillic and Latin",
    "bob_fabrikam.example#EXT#@contoso.onmicrosoft.example": "perhaps bob@fabrikam.example",
    "bob.smith_mail_fabrikam.example#ext#@c.example": "perhaps bob.smith_mail@fabrikam.example",
    "live.com#jane@outlook.example": "perhaps jane@outlook.example",
    "'jane@x.example": "begins with an apostrophe",
    "'o'brien@x.example": "begins with an apostrophe",
}
SOMEBODYS = [
    "j\u00f6rg@x.example",
    "\u5c71\u7530@x.example",
    "\u5c71\u7530taro3@x.example",
    "\u3055\u304f\u3089\u30fc\u82b1@x.example",
    "\u4f50\u3005\u6728@x.example",
    "\uae40\ucca0\uc218@x.example",
    "\u0438\u0432\u0430\u043d.petrov+\u0431\u0435\u0442\u0430-2@x.example",
    "\u03bd\u03b9\u03ba\u03bf\u03c2@x.example",
    "\u0e2a\u0e21\u0e0a\u0e32\u0e22@x.example",
    "\u091c\u0949\u0928@x.example",
    "\u0645\u062d\u0645\u062f@x.example",
    "ti\u1ebfn\u0111\u1ea1t@x.example",
    "o'brien@x.example",
    "c#dev@x.example",
    "jane@xn--mnchen-3ya.example",
    "jane@xn--80a1acny.xn--p1ai",
    "jane@xn--r8jz45g.xn--zckzah",
]
# Plain enough for the fast path, or just beside it.
ASCII_ADDRESSES = st.from_regex(r"[aA0_.+'-]{1,5}@([aB1-]{1,4}\.){0,3}[a-z0]{1,3}", fullmatch=True)


@pytest.mark.parametrize(("written", "meant"), SAME.items())
def test_an_address_has_one_canonical_form(written: str, meant: str) -> None:
    assert canonical(written) == meant
    assert canonical(meant) == meant


@pytest.mark.parametrize(("written", "why"), REFUSED.items())
def test_what_is_no_address_is_refused_with_the_reason(written: str, why: str) -> None:
    with pytest.raises(InvalidEmails) as caught:
        canonical(written)
    assert why in caught.value.faults[0].detail
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(("written", "why"), NOBODYS.items())
def test_an_address_nobody_can_sign_in_with_is_refused_but_found_where_it_is_stored(
    written: str, why: str
) -> None:
    for read in (canonical, parse, lambda text: parse([text])):
        with pytest.raises(InvalidEmails) as caught:
            read(written)
        assert why in caught.value.faults[0].detail
        assert str(caught.value).replace("\ufe0f", "").isprintable()
    stored = canonical(written, strict=False)
    assert parse([written], strict=False) == (stored,)
    assert canonical(stored, strict=False) == stored


@pytest.mark.parametrize("address", SOMEBODYS)
def test_an_address_of_one_script_is_somebodys(address: str) -> None:
    assert canonical(address) == canonical(address, strict=False) == address


@given(st.text(max_size=8), st.text(max_size=8))
def test_strict_refuses_more_and_reads_the_same(local: str, label: str) -> None:
    address = f"{local}@{label}x.example"
    with suppress(InvalidEmails):
        read = canonical(address)
        assert canonical(address, strict=False) == read


@pytest.mark.parametrize(
    ("one", "other"),
    [("a.da@x.com", "ada@x.com"), ("ada+b@x.com", "ada@x.com"), ("ada@x.com", "ada@www.x.com")],
)
def test_dots_and_tags_tell_people_apart(one: str, other: str) -> None:
    assert canonical(one) != canonical(other)


def test_the_longest_address_is_accepted_and_one_byte_more_is_not() -> None:
    labels = ".".join(["b" * 62] * 3)
    longest = f"{'a' * 60}@{labels}.com"
    spare = MAX_ADDRESS_OCTETS - len(longest)
    longest = f"{'a' * (60 + spare)}@{labels}.com"
    assert len(canonical(longest)) == MAX_ADDRESS_OCTETS
    with pytest.raises(InvalidEmails):
        canonical(longest.replace(".com", ".comm"))


@given(st.text())
@example("İ@x.de")
@example("ΝΕΟΣ@ΝΕΟΣ.example")
def test_any_text_is_read_or_refused_and_the_canonical_form_is_its_own(text: str) -> None:
    try:
        once = canonical(text)
    except InvalidEmails:
        return
    assert canonical(once) == once


@given(st.text(min_size=1, max_size=8), st.text(min_size=1, max_size=8))
def test_canonical_is_idempotent_on_addresses_of_any_script(local: str, label: str) -> None:
    try:
        once = canonical(f"{local}@{label}.example")
    except InvalidEmails:
        return
    assert canonical(once) == once
    assert once == unicodedata.normalize("NFC", once)
    assert once.partition("@")[2].isascii()


@given(st.text(min_size=1, max_size=8), st.text(min_size=1, max_size=8))
def test_composed_and_decomposed_letters_are_the_same(local: str, label: str) -> None:
    found = []
    for form in ("NFC", "NFD"):
        with suppress(InvalidEmails):
            found.append(canonical(unicodedata.normalize(form, f"{local}@{label}.example")))
    assert len(found) != 1
    assert len(set(found)) <= 1


def test_canonical_is_idempotent_on_every_letter_that_changes() -> None:
    letters = map(chr, range(0x80, 0x110000))
    changing = [one for one in letters if unicodedata.normalize("NFC", one.lower()) != one]
    assert len(changing) > 1_000
    for letter in changing:
        with suppress(InvalidEmails):
            once = canonical(f"a{letter}b@example.com")
            assert canonical(once) == once


@given(ASCII_ADDRESSES)
def test_the_library_email_validator_agrees_on_ascii_addresses(address: str) -> None:
    try:
        read = email_validator.validate_email(
            address, check_deliverability=False, test_environment=True
        )
        theirs = read.normalized.lower()
    except email_validator.EmailNotValidError:
        return  # it refuses more: reserved names, one-letter tops, `ab--c.com`
    assert canonical(address, strict=False) == theirs


@given(ASCII_ADDRESSES.filter(lambda address: "--" not in address))
def test_what_is_accepted_has_the_syntax_email_validator_demands(address: str) -> None:
    try:
        ours = canonical(address)
    except InvalidEmails:
        return
    email_validator.validate_email(
        ours, check_deliverability=False, globally_deliverable=False, test_environment=True
    )


def test_pasted_text_is_split_at_any_run_of_separators() -> None:
    text = " a@x.com,b@x.com;\r\n c@x.com\t;,; d@x.com\u00a0e@x.com\n\n"
    assert parse(text) == ("a@x.com", "b@x.com", "c@x.com", "d@x.com", "e@x.com")


def test_blank_text_and_an_empty_list_hold_no_address() -> None:
    assert parse(" ,;\n") == ()
    assert parse([]) == ()


def test_the_first_of_equal_addresses_gives_the_order() -> None:
    assert parse(["b@x.com", "A@x.com", "B@X.COM", " a@x.com"]) == ("b@x.com", "a@x.com")


def test_an_item_of_a_list_is_one_address_even_with_separators_in_it() -> None:
    with pytest.raises(InvalidEmails):
        parse(["a@x.com, b@x.com"])


def test_every_invalid_address_is_named_with_its_position_and_value() -> None:
    with pytest.raises(InvalidEmails) as caught:
        parse("a@x.com; nobody, b@x.com c@@x.com")
    assert [fault.loc for fault in caught.value.faults] == ["2", "4"]
    assert "address 2 `nobody`" in str(caught.value)
    assert "address 4 `c@@x.com`" in str(caught.value)


def test_empty_items_of_a_list_are_named_too_and_under_the_name_of_the_field() -> None:
    with pytest.raises(InvalidEmails) as caught:
        parse(["a@x.com", "", "x" * 5_000], loc="add")
    assert [fault.loc for fault in caught.value.faults] == ["add.2", "add.3"]
    assert len(str(caught.value)) < 400


@given(st.lists(st.sampled_from(sorted(SAME))), st.text(" ,;\n\r\t", min_size=1))
def test_text_and_list_of_the_same_addresses_read_the_same(
    addresses: list[str], separator: str
) -> None:
    assert parse(separator.join(addresses)) == parse(addresses)
    assert set(parse(addresses)) == {SAME[address] for address in addresses}
    assert parse(parse(addresses)) == parse(addresses)


_usual = st.sampled_from(["ada@example.com", "Grace.Hopper@Example.COM", "l_t+x@mail.example.org"])
_odd = st.sampled_from(
    ["a@b", "", "a@b.com\nc@d.com", "\n", "é@x.com", "\u212aate@x.com", "a b@x.com"]
)


@given(st.lists(_usual | _odd, max_size=4))
def test_together_addresses_have_the_form_each_has_alone_or_none(addresses: list[str]) -> None:
    each = [canonical_or_none(address) for address in addresses]
    assert canonical_together(addresses) == (None if None in each else each)
