"""Reading queries strictly: whatever the layout, a name that stands twice is found, and only that."""

import json
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eligibility.access import wire
from eligibility.errors import InvalidInput
from eligibility.formats.strict_json import InvalidJson
from tests.helpers.catalog.strategies import queries
from tests.helpers.examples import examples

Pairs = list[tuple[str, Any]]

layouts = st.sampled_from([(",", ":"), (", ", ": "), (" ,\n", " :\t"), (",  ", ":")])
texts = st.sampled_from(["APP", "a:b", 'say "hi"', "back\\slash", "ümlaut", "{}", ":", "::,::"])


def pairs_of(body: dict[str, Any]) -> Pairs:
    """A body as lists of pairs, which can hold a name twice."""
    return [(k, pairs_of(v) if isinstance(v, dict) else v) for k, v in body.items()]


def dumps(pairs: Pairs, layout: tuple[str, str], escaped: bool) -> str:
    comma, colon = layout
    written = []
    for name, value in pairs:
        key = "".join(f"\\u{ord(c):04x}" for c in name) if escaped else name
        nested = isinstance(value, list) and value and isinstance(value[0], tuple)
        text = dumps(value, layout, escaped) if nested else json.dumps(value, ensure_ascii=False)
        written.append(f'"{key}"{colon}{text}')
    return "{" + comma.join(written) + "}"


def outcome(body: str) -> Any:
    """The query, or the codes of what is wrong."""
    try:
        return wire.to_query(wire.decode_query(body.encode()))
    except InvalidInput as error:
        return [fault.code for fault in error.faults]


@given(queries, texts, layouts, st.booleans())
@settings(max_examples=examples(300))
def test_every_layout_is_read_alike(
    query: dict[str, Any], product_id: str, layout: tuple[str, str], escaped: bool
) -> None:
    query = query | {"product_id": product_id}
    plain = outcome(json.dumps(query))
    assert not isinstance(plain, list)
    assert outcome(dumps(pairs_of(query), layout, escaped)) == plain


@given(queries, texts, layouts, st.booleans(), st.randoms(use_true_random=False))
@settings(max_examples=examples(400))
def test_a_name_twice_is_refused_in_every_layout(
    query: dict[str, Any],
    product_id: str,
    layout: tuple[str, str],
    escaped: bool,
    rng: random.Random,
) -> None:
    pairs = pairs_of(query | {"product_id": product_id})
    objects = [pairs, *(value for _, value in pairs if isinstance(value, list))]
    chosen = rng.choice(objects)
    chosen.insert(rng.randrange(len(chosen) + 1), rng.choice(chosen))
    assert outcome(dumps(pairs, layout, escaped)) == ["DUPLICATE_NAME"]


@given(st.lists(st.tuples(queries, st.booleans(), st.booleans()), min_size=1, max_size=5), layouts)
@settings(max_examples=examples(200))
def test_in_a_batch_only_the_query_with_a_name_twice_is_refused(
    asked: list[tuple[dict[str, Any], bool, bool]], layout: tuple[str, str]
) -> None:
    written = []
    for query, spoilt, escaped in asked:
        pairs = pairs_of(query)
        written.append(dumps(pairs + pairs[-1:] if spoilt else pairs, layout, escaped))
    body = '{"queries":[' + ",".join(written) + "]}"
    read = list(wire.decode_batch(body.encode()))
    assert [isinstance(one, InvalidInput) for one in read] == [spoilt for _, spoilt, _ in asked]


@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
def test_any_bytes_are_read_or_refused_never_a_crash(body: bytes) -> None:
    with pytest.raises(InvalidInput):
        wire.to_query(wire.decode_query(body))
    with pytest.raises(InvalidInput):
        list(wire.decode_batch(body))


DEVICE = '"device":{"family":"Xbox","os_version":"1607"}'


def test_an_escaped_colon_does_not_hide_a_name_that_stands_twice() -> None:
    """Written again, the escape is one colon more, and the name once is one less."""
    body = '{"product_id":"a\\u003ab","owned":true,"owned":false,' + DEVICE + "}"
    assert outcome(body) == ["DUPLICATE_NAME"]
    (read,) = wire.decode_batch(('{"queries":[' + body + "]}").encode())
    assert isinstance(read, InvalidInput)
    assert outcome(body.replace('"owned":true,', "")) == outcome(
        '{"product_id":"a:b","owned":false,' + DEVICE + "}"
    )


@pytest.mark.parametrize(
    "body",
    [
        '{"queries":[{"product_id":"A"}],"queries":[]}',
        '{"queries":[],"queries":[{"product_id":"A"}]}',
        '{"queries":[{"product_id":"\\u0041"}],"queries":[{"product_id":"\\u0041"}]}',
        '{"queries":["queries", "\\u0041"], "\\u0071ueries":["queries"]}',
    ],
)
def test_a_batch_that_has_a_name_twice_itself_is_refused(body: str) -> None:
    with pytest.raises(InvalidJson, match="queries"):
        wire.decode_batch(body.encode())


@pytest.mark.parametrize("odd", ["1", '"queries"', "[1,2]", "null", "{}", '{"a":"\\u0041"}'])
def test_whatever_stands_in_the_place_of_a_query_is_a_fault_in_its_place(odd: str) -> None:
    good = '{"product_id":"A",' + DEVICE + "}"
    read = list(wire.decode_batch(f'{{"queries":[{good},{odd},{odd},{good}]}}'.encode()))
    assert [isinstance(one, InvalidInput) for one in read] == [False, True, True, False]
