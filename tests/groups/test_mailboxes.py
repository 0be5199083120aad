"""Addresses as mail programs and people paste them."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groups.emails import parse
from groups.errors import Fault, InvalidEmails
from groups.mailboxes import addresses_in

JANE, BOB = "jane@x.example", "bob@x.example"

PASTED = {
    '"Doe, Jane" <jane@x.example>; Smith, Bob <bob@x.example>': (JANE, BOB),
    "Jane Doe <jane@x.example>, Bob <bob@x.example>": (JANE, BOB),
    "Doe, Jane <jane@x.example>, Smith, Bob <bob@x.example>": (JANE, BOB),
    "<jane@x.example>,<bob@x.example>": (JANE, BOB),
    "< jane@x.example > <bob@x.example>": (JANE, BOB),
    "jane@x.example<mailto:jane@x.example>; Bob <MAILTO:bob@x.example>": (JANE, BOB),
    "mailto:jane@x.example?subject=Beta, smtp:bob@x.example": (JANE, BOB),
    "Jane Doe [mailto:jane@x.example]\r\nBob [bob@x.example]": (JANE, BOB),
    "[Jane](mailto:jane@x.example) [bob@x.example](mailto:bob@x.example)": (JANE, BOB),
    "Jane Doe (jane@x.example)\nbob@x.example (Bob Smith)": (JANE, BOB),
    "'jane@x.example'; \"bob@x.example\"": (JANE, BOB),
    "'jane@x.example' <jane@x.example>; \"bob@x.example\" <bob@x.example>": (JANE, BOB),
    "\u201cjane@x.example\u201d, \u2018bob@x.example\u2019": (JANE, BOB),
    "\u201eDoe, Jane\u201c <jane@x.example>; \u00abbob@x.example\u00bb": (JANE, BOB),
    '"jane@x.example, bob@x.example"': (JANE, BOB),
    "jane@x.example, Smith, Bob <bob@x.example>": (JANE, BOB),
    "To: Jane <jane@x.example>\n\tBob <bob@x.example>;": (JANE, BOB),
    "O'Neil, Jane <jane@x.example>; D'Arcy <bob@x.example>": (JANE, BOB),
    "mailto:o%27brien@x.example": ("o'brien@x.example",),
    "Jane Doe\tjane@x.example\tRed\r\nBob\tbob@x.example\tBlue\r\n": (JANE, BOB),
    "jane@x.example\tbob@x.example": (JANE, BOB),
    "jane@x.example\u3001\uff1bbob@x.example\uff0c": (JANE, BOB),
    "o'brien@x.example; o'neil@x.example": ("o'brien@x.example", "o'neil@x.example"),
}
REFUSED = {
    "jane@x.example <bob@x.example>": "`jane@x.example <bob@x.example>` has 2 `@`",
    "nobody, jane@x.example, Bob <bob@x.example>": "address 1 `nobody`",
    "Jane Doe jane@x.example": "address 1 `Jane`",
    "(nobody)": "`nobody`",
    "mailto:jane@x.example?cc=bob@x.example": "has 2 `@`",
    "jane.x.example\tbob@x.example": "`jane.x.example`",
    "<>nobody": "`<>nobody`",
    "Jane <jane@x.example": "`Jane`",
    '"Doe, Jane" jane@x.example': "`Doe`",
    "o\u2019brien@x.example; Bob <bob@x.example>": "U+2019",
}


@pytest.mark.parametrize(("text", "addresses"), PASTED.items())
def test_names_quotes_and_brackets_are_left_out(text: str, addresses: tuple[str, ...]) -> None:
    assert parse(text) == addresses


@pytest.mark.parametrize(("text", "said"), REFUSED.items())
def test_what_is_not_clear_is_a_fault(text: str, said: str) -> None:
    with pytest.raises(InvalidEmails) as refused:
        parse(text)
    assert said in str(refused.value)


_NAMES = st.sampled_from(["Jane", "Doe, Jane", "O'Neil, Pat", "J\u00f6rg M.", "Beta (team)"])
_STYLES = st.sampled_from(
    ['"{0}" <{1}>', "{0} <{1}>", "{0} <mailto:{1}>", "{1}", "<{1}>", "'{1}'", "{1} ({0})", "[{1}]"]
)
_ADDRESSES = st.sampled_from([JANE, BOB, "o'neil@x.example", "j\u00f6rg@x.example"])


@given(st.lists(st.tuples(_STYLES, _NAMES, _ADDRESSES)), st.sampled_from(["; ", ";", "\r\n"]))
def test_mailboxes_of_any_style_are_read(
    mailboxes: list[tuple[str, str, str]], separator: str
) -> None:
    plain = [(style, name.partition(" (")[0], address) for style, name, address in mailboxes]
    text = separator.join(style.format(name, address) for style, name, address in plain)
    assert parse(text) == tuple(dict.fromkeys(address for _, _, address in plain))


_PIECES = st.sampled_from([JANE, BOB, "Jane", *"\"'<>()[],; \n"])


@given(st.lists(_PIECES | st.text(max_size=3), max_size=12).map("".join))
def test_any_text_gives_its_addresses_or_faults(text: str) -> None:
    addresses: tuple[str, ...] = ()
    faults: list[Fault] = []
    try:
        addresses = parse(text)
    except InvalidEmails as error:
        faults = error.faults
    assert all(fault.loc and fault.detail for fault in faults)
    assert all(parse(address) == (address,) for address in addresses)
    assert addresses or faults or "jane" not in text.casefold()


@pytest.mark.parametrize(
    "piece", ["<@", "@", "(", '"', "'", "a@b(", "[a@b", "<a@b", "x", "\u201c", "<", "a@b <"]
)
def test_a_long_text_takes_linear_time(piece: str) -> None:
    started = time.process_time()
    list(addresses_in("'" + piece * 200_000))
    assert time.process_time() - started < 5
