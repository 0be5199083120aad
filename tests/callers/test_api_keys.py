"""API keys as text: their form, their checksum, what scanners find, and that none is ever printed."""

import re
import zlib
from datetime import UTC, datetime
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eligibility.callers import api_keys
from eligibility.callers.errors import Unauthenticated
from eligibility.callers.model import Scope
from eligibility.callers.store import StoredKey

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
PINNED = "elg_0a1B2c3D4e5F0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefg4QJYL4"


def made() -> tuple[str, StoredKey]:
    text = api_keys.new_text()
    return text, StoredKey(
        key_id=text[api_keys.ID_PART],
        digest=api_keys.digest(text),
        name="store-backend",
        scopes=frozenset({Scope.QUERY}),
        publishers=frozenset({"contoso"}),
        created_at=NOW,
        created_by="cli:ann",
        rate_limit=7,
    )


def checksum(text: str) -> str:
    """CRC32 in base62, worked out another way than the code does."""
    number = zlib.crc32(text.encode())
    return "".join(BASE62[number // 62**place % 62] for place in range(5, -1, -1))


def test_a_key_has_prefix_id_secret_and_checksum() -> None:
    text, kept = made()
    assert re.fullmatch(r"elg_[0-9A-Za-z]{61}", text)
    assert (text[:4], text[4:16], text[59:]) == ("elg_", kept.key_id, checksum(text[:59]))
    assert 62 ** len(text[16:59]) >= 2**256


def test_a_key_of_the_past_is_still_one() -> None:
    """Deployed keys are full of them: the format is never changed, only a new one added."""
    assert api_keys.key_id_of(PINNED) == "0a1B2c3D4e5F"


def test_of_a_key_only_its_digest_is_kept() -> None:
    text, kept = made()
    assert kept.digest == sha256(text.encode()).digest()
    assert text[16:59] not in repr(kept)
    assert (kept.name, kept.publishers) == ("store-backend", frozenset({"contoso"}))
    assert kept.scopes == {Scope.QUERY}
    assert (kept.created_at, kept.created_by, kept.rate_limit) == (NOW, "cli:ann", 7)
    assert (kept.expires_at, kept.revoked_at, kept.replaced_by, kept.last_used_at) == (None,) * 4


def test_no_two_keys_are_alike() -> None:
    texts = [made()[0] for _ in range(200)]
    assert len(set(texts)) == len({text[4:16] for text in texts}) == 200
    assert set("".join(text[4:] for text in texts)) == set(BASE62)


def test_a_key_matches_itself_and_nothing_else() -> None:
    text, kept = made()
    assert kept.digest == api_keys.digest(text)
    assert kept.digest != api_keys.digest(text[:-1])
    assert kept.digest != api_keys.digest(made()[0])
    assert kept.digest != api_keys.digest("\ud800")


@given(st.integers(0, 64), st.sampled_from(BASE62 + "_- \n\u0661"))
def test_one_wrong_character_is_found(place: int, wrong: str) -> None:
    other = PINNED[:place] + wrong + PINNED[place + 1 :]
    assert api_keys.is_key(other) == (other == PINNED)


@pytest.mark.parametrize(
    "text",
    [
        *("", "elg_", PINNED[:-1], PINNED + "0", f" {PINNED}", f"{PINNED}\n", PINNED.upper()),
        *("ghp_" + PINNED[4:], "\ud800" * 65, "elg_" + "0" * 61),
    ],
)
def test_what_is_no_key_is_refused_without_being_repeated(text: str) -> None:
    with pytest.raises(Unauthenticated) as caught:
        api_keys.key_id_of(text)
    assert caught.value.code == "CREDENTIALS_UNREADABLE"
    assert "elg_` and 61" in str(caught.value)
    assert len(text) < 10 or text not in str(caught.value)


@given(st.text(max_size=100))
def test_any_text_is_a_key_or_is_not(text: str) -> None:
    assert not api_keys.is_key(text)


@pytest.mark.parametrize(
    "around", ["{}", "KEY={}\n", '{{"key": "{}"}}', "authorization: Bearer {}", "'{}',", "u:{}@h"]
)
def test_scanners_find_leaked_keys(around: str) -> None:
    text, _ = made()
    found = re.findall(api_keys.SCANNER_PATTERN, around.format(text))
    assert found == [text]
    assert api_keys.is_key(found[0])


def test_scanners_do_not_find_what_is_longer_or_shorter() -> None:
    text, _ = made()
    for other in (text + "0", text[:-1], "x" + text, text.replace("_", "-")):
        assert not re.findall(api_keys.SCANNER_PATTERN, other)
