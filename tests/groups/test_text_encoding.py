"""Text in the encodings that Windows programs write: read as it was written, or refused."""

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groups.text_encoding import NotText, decode

MARKED = {
    "utf-8": codecs.BOM_UTF8,
    "utf-16-le": codecs.BOM_UTF16_LE,
    "utf-16-be": codecs.BOM_UTF16_BE,
    "utf-32-le": codecs.BOM_UTF32_LE,
    "utf-32-be": codecs.BOM_UTF32_BE,
}
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1)


@given(text=TEXT, encoding=st.sampled_from(sorted(MARKED)))
def test_a_text_with_a_mark_is_read_as_it_was_written(text: str, encoding: str) -> None:
    assert decode(MARKED[encoding] + text.encode(encoding)) == text


@given(text=TEXT.filter(lambda text: not text.startswith("\ufeff")))
def test_utf_8_needs_no_mark(text: str) -> None:
    assert decode(text.encode()) == text


@given(text=st.text(st.characters(codec="latin-1", exclude_characters="\0"), min_size=1))
@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_of_western_texts_needs_no_mark(encoding: str, text: str) -> None:
    assert decode(text.encode(encoding)) == text


@given(data=st.binary() | TEXT.map(lambda text: text.encode("utf-16-le")[:-1]))
def test_any_bytes_are_a_text_or_are_refused_with_what_would_be_right(data: bytes) -> None:
    detail = "UTF-8"
    try:
        decode(data)
    except NotText as error:
        detail = str(error)
    assert "UTF-8" in detail


@pytest.mark.parametrize("mark", MARKED.values())
def test_a_mark_alone_is_no_text(mark: bytes) -> None:
    with pytest.raises(NotText, match="only a byte order mark"):
        decode(mark)
