"""Whatever the schema allows is sent: times of each length, text of any script, every listed value (TP §8)."""

import datetime
import json
from itertools import pairwise

import pytest
from brokercert_mock.tradovate import wire
from brokercert_mock.tradovate.stamps import MICROSECONDS, MILLISECONDS, SECONDS, Stamps
from hypothesis import given
from hypothesis import strategies as st
from mock_bench import Bench

START = datetime.datetime(2026, 1, 5, 14, 30, 17, 123_456, datetime.UTC)


def _length(text: str) -> str:
    fraction = text.removesuffix("Z").partition(".")[2]
    return {0: SECONDS, 3: MILLISECONDS, 6: MICROSECONDS}[len(fraction)]


@given(st.lists(st.integers(0, 3_000_000), min_size=4, max_size=40), st.integers(0, 9))
def test_stamps_have_every_length_and_never_go_back(steps: list[int], first: int) -> None:
    now = [START]
    stamps = Stamps(lambda: now[0], first)
    told = []
    for step in steps:
        now[0] += datetime.timedelta(microseconds=step)
        told.append(stamps())
        ahead = datetime.datetime.fromisoformat(told[-1]) - now[0]
        assert datetime.timedelta(0) <= ahead < datetime.timedelta(seconds=1)
    assert {_length(text) for text in told} == {SECONDS, MILLISECONDS, MICROSECONDS}
    moments = [datetime.datetime.fromisoformat(text) for text in told]
    assert all(one <= other for one, other in pairwise(moments))


def test_a_minute_has_no_seconds() -> None:
    assert Stamps(lambda: START).minute() == "2026-01-05T14:30Z"


@given(st.lists(st.text(max_size=12), max_size=6))
def test_both_forms_of_a_text_are_one_text(texts: list[str]) -> None:
    """A lone surrogate is no text on the wire: hypothesis makes none."""
    packed = wire.pack([{"name": text} for text in texts])
    assert [x["name"] for x in json.loads(packed[1:])] == texts


def test_text_that_is_not_ascii_stands_raw_and_escaped() -> None:
    packed = wire.pack([{"one": "Счёт", "other": "🚀"}])
    assert packed == 'a[{"one":"Счёт","other":"\\ud83d\\ude80"}]'


@pytest.mark.asyncio
async def test_ids_are_beyond_32_bits_and_exact_in_a_double(bench: Bench) -> None:
    held = bench.broker.db.entities  # a currency has a number of its own: 1 is the dollar (TP §8)
    idents = [ident for kind, entities in held.items() if kind != "currency" for ident in entities]
    assert len(idents) > 50 and min(idents) > 1 << 32 and max(idents) < 1 << 53


@pytest.mark.asyncio
async def test_a_balance_lies_below_zero_and_a_name_beyond_ascii(bench: Bench) -> None:
    state = bench.broker.db
    assert min(x["amount"] for x in state.of("cashBalance")) < 0
    assert not all(x["name"].isascii() for x in state.of("account"))


@pytest.mark.asyncio
@pytest.mark.parametrize("before", [0, 1, 3])
async def test_numbers_go_over_a_power_of_ten_and_stay_exact_in_a_double(bench: Bench, before: int) -> None:
    state, told = bench.broker.db, [bench.broker.db.new_id()]
    for _ in range(8):
        state.number_over(before)
        told += [state.new_id() for _ in range(before + 1)]
    assert told == sorted(set(told)) and told[-1] < 1 << 53
    longer = [late for early, late in pairwise(told) if len(str(late)) > len(str(early))]
    assert len(longer) > 4 and all(str(late).strip("0") == "1" for late in longer)
    assert before == 0 or [early for early, late in pairwise(told) if late in longer] == [x - 1 for x in longer]
