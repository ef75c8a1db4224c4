"""What is not ASCII stands in a frame in both forms of JSON, in turn, however long the frame is."""

from __future__ import annotations

import json

import pytest
from brokercert_mock.tradovate.wire import SLICE, pack
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize("before", [0, SLICE - 8, SLICE - 7, SLICE - 6, SLICE - 5, SLICE - 4, SLICE, 3 * SLICE])
def test_the_same_message_comes_out_where_a_slice_ends(before: int) -> None:
    messages = ["x" * before, "żółw 🚀 ß", "x" * SLICE, "é", "è"]
    frame = pack(messages)
    assert json.loads(frame[1:]) == messages
    assert "\\u" in frame
    assert not frame.isascii()


@given(st.lists(st.text(min_size=1), min_size=1))
def test_any_text_comes_out_as_it_was(texts: list[str]) -> None:
    assert json.loads(pack(texts)[1:]) == texts
