"""The cache of bounded size: what was used lately stays, whatever else comes."""

from collections.abc import Callable
from threading import Thread

from hypothesis import given, settings
from hypothesis import strategies as st

from eligibility.formats.lru_cache import LruCache
from tests.helpers.examples import examples

MOST = 8


def filled(count: int, used: int = 0) -> LruCache[int, str]:
    """A cache into which more was put than it keeps, while the first entries are used again."""
    cache = LruCache[int, str](MOST)
    for key in range(count):
        cache.put(key, str(key))
        for again in range(used):
            cache.get(again)
    return cache


def test_what_was_put_is_found() -> None:
    cache = filled(3)
    assert [cache.get(key) for key in range(4)] == ["0", "1", "2", None]


def test_what_is_used_stays_and_the_rest_goes() -> None:
    cache = filled(100, used=2)
    assert [cache.get(key) for key in (0, 1, 99)] == ["0", "1", "99"]
    assert cache.get(50) is None
    assert len(cache) <= MOST


def test_a_value_is_replaced() -> None:
    cache = filled(MOST // 2)
    cache.put(0, "other")
    assert cache.get(0) == "other"
    assert len(cache) == MOST // 2


def test_methods_of_the_recent_generation_may_be_bound_once() -> None:
    cache = LruCache[int, str](MOST)
    lately = cache.recent.get
    for key in range(100):
        cache.put(key, str(key))
        assert lately(key) == str(key)


@settings(max_examples=examples(50))
@given(st.lists(st.integers(0, 12)))
def test_the_last_half_of_the_bound_is_always_kept(keys: list[int]) -> None:
    cache = LruCache[int, str](MOST)
    for key in keys:
        if cache.get(key) is None:
            cache.put(key, str(key))
        assert cache.get(key) == str(key)
        assert len(cache) <= MOST
    lately = list(dict.fromkeys(reversed(keys)))[: MOST // 2]
    assert [cache.get(key) for key in lately] == [str(key) for key in lately]


class Interrupted(dict[int, str]):
    """A generation during whose copying another thread runs, once."""

    def __init__(self, content: dict[int, str], other: Callable[[], object]) -> None:
        super().__init__(content)
        self.other: Thread | None = Thread(target=other)

    def copy(self) -> dict[int, str]:
        """Give a copy; meanwhile the other thread has gone as far as it can."""
        content = super().copy()
        if self.other is not None:
            other, self.other = self.other, None
            other.start()
            other.join(0.2)
        return content


def test_what_a_thread_puts_while_another_makes_room_is_not_lost() -> None:
    cache = filled(MOST // 2)
    cache.recent = Interrupted(cache.recent, lambda: cache.setdefault(100, "100"))
    other = cache.recent.other
    cache.put(50, "50")
    assert other is not None
    other.join()
    assert [cache.get(key) for key in (0, 3, 50, 100)] == ["0", "3", "50", "100"]
