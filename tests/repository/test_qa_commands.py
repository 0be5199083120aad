"""docs/qa.md: every command runs, in the order of the page, and prints what stands there."""

import re

from docs.qa_outputs import PAGE, filled

_VARIES = (
    (re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d(:\d\d)?"), "MOMENT"),
    (re.compile(r"until \d\d:\d\d UTC"), "until MOMENT"),
    (re.compile(r"by cli \S+ from \S+"), "by WHOM"),
    (re.compile(r"in (2\d|30) minutes|in half an hour"), "SOON"),
    (re.compile(r"[ ]+$", re.MULTILINE), ""),
    (re.compile(r"\b\d+(\.\d+)? m?s\b"), "TIME"),
)


def steady(text: str) -> str:
    """A text without what differs from run to run: moments, and who runs it where."""
    for pattern, instead in _VARIES:
        text = pattern.sub(instead, text)
    return text


def test_the_page_shows_what_its_commands_print() -> None:
    page = PAGE.read_text("utf-8")
    assert page.count("$ eligibility ") > 10
    assert steady(filled(page)) == steady(page), "run `python -m docs.qa_outputs`"
