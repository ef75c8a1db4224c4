"""Whatever text a server sends, reading it gives items and raises nothing; what is written has four lines."""

import json

import pytest
from brokercert.reference.tradovate import wire
from brokercert.reference.tradovate.wire import Event, Opened, Reply, ServerBeat, ServerClosing, Unreadable
from hypothesis import example, given
from hypothesis import strategies as st

CASES = [
    ("o", [Opened()]),
    ("h", [ServerBeat()]),
    ('a[{"s":200,"i":2}]', [Reply(2, 200, None)]),
    ('a[{"s":200,"i":0,"d":{"a":[1]}}]', [Reply(0, 200, {"a": [1]})]),
    ('a[{"s":401,"i":0,"d":"Invalid access token"}]', [Reply(0, 401, "Invalid access token")]),
    ('a[{"e":"clock","d":"{}"},{"i":0,"s":200}]', [Event("clock", "{}"), Reply(0, 200, None)]),
    ('a["{\\"s\\":200,\\"i\\":7}"]', [Reply(7, 200, None)]),  # as real SockJS has its elements
    ('a[{"e":"hologram","x":1}]', [Event("hologram", None)]),
    ('a[{"s":200,"i":5,"e":"props","new":true}]', [Reply(5, 200, None)]),
    ("a[]", []),
    ('c[3000, "Go away!"]', [ServerClosing(3000, "Go away!")]),
    ("c[1000]", [ServerClosing(1000, "")]),
    ('c[1000,{"x":1}]', [ServerClosing(1000, "")]),
]
UNREADABLE = [
    *("", "a", "a[", "a{}", "anull", 'a"x"', 'a[{"s":200,"i":1}', 'a[{"s":200,"i":1}]x', "a[1]", "a[null]", 'a["{"]'),
    *("c", "c[]", "c{}", 'c["3000"]', "c[true]", "oo", "hh", "o ", "h\n", "z", "\u2603", '[{"s":200,"i":1}]'),
    *('a[{"s":200,"i":"1"}] a[{"s":"200","i":1}] a[{"s":200,"i":true}] a[{"s":200}] a[{"e":1}] a[{}]'.split()),
    *("a" + "[" * 100_000, 'a["\udc80"]', "a[\u2603]", "a[1e999]"),
]


@pytest.mark.parametrize(("text", "items"), CASES)
def test_what_a_frame_says(text: str, items: list[wire.Item]) -> None:
    assert list(wire.read(text)) == items


@pytest.mark.parametrize("text", UNREADABLE, ids=lambda text: ascii(text[:30]))
def test_what_says_nothing_is_unreadable_and_no_error(text: str) -> None:
    (item,) = wire.read(text)
    assert isinstance(item, Unreadable)


def test_one_unreadable_element_does_not_hide_its_neighbours() -> None:
    items = list(wire.read('a[7,{"s":200,"i":1},"{",{"e":"props","d":{}}]'))
    assert [type(item) for item in items] == [Unreadable, Reply, Unreadable, Event]


@given(st.sampled_from(["", "o", "h", "a", "c", "a[", "c[", 'a[{"s":200,"i":']), st.text(st.characters(), max_size=60))
@example("a", "[" * 3000 + "]" * 3000)
def test_no_text_raises(start: str, rest: str) -> None:
    for item in wire.read(start + rest):
        assert isinstance(item, wire.Item)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(st.characters(codec="utf-8"), max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", max_size=3), inner, max_size=3),
    max_leaves=10,
)


@given(st.lists(st.tuples(st.integers(0, 2**40), st.integers(100, 599), JSON), max_size=4))
def test_every_answer_of_a_batch_is_read_as_object_and_as_text(answers: list[tuple[int, int, object]]) -> None:
    objects = [{"s": status, "i": ident, "d": data} for ident, status, data in answers]
    expected = [Reply(ident, status, data) for ident, status, data in answers]
    assert list(wire.read("a" + json.dumps(objects))) == expected
    assert list(wire.read("a" + json.dumps([json.dumps(one) for one in objects]))) == expected


@given(JSON.filter(lambda value: value is not None and not isinstance(value, str)))
def test_a_body_comes_back_from_behind_the_third_newline(body: object) -> None:
    endpoint, ident, query, text = wire.write_request("order/placeorder", 12, "a=1", body).split("\n", 3)
    assert (endpoint, ident, query) == ("order/placeorder", "12", "a=1")
    assert json.loads(text) == body


def test_the_documented_requests_are_written_to_the_letter() -> None:
    assert wire.write_request("authorize", 0, body="tok.en-1") == "authorize\n0\n\ntok.en-1"  # bare, no quotes
    assert wire.write_request("executionReport/list", 4) == "executionReport/list\n4\n\n"
    assert wire.write_request("contract/item", 5, "id=7") == "contract/item\n5\nid=7\n"
    assert wire.HEARTBEAT == "[]"
