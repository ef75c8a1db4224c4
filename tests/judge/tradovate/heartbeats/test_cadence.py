"""Heartbeats in time, under load and in a quiet market: HBT-010 to HBT-040."""

from __future__ import annotations

from typing import Any

import pytest
from beating import logged_in
from brokercert.trace import records as r
from talks import S


def test_a_gap_is_a_gap_before_the_window_is_over() -> None:
    assert logged_in(45, beats=None).verdict("HBT-010") == "fail", "33 s are the most, of 70 s that are watched"
    assert logged_in(30, beats=None).verdict("HBT-010") == "not observed"
    assert logged_in(30, beats=None).verdict("HBT-020") == "warning", "5.5 s"


def loaded(
    beats: tuple[float, ...], *, until: float, every: float = 0.1, lasts: float = 40, asked: float | None = None
) -> str:
    """The last `h` comes at 10 s, messages from then on; heartbeats so many seconds after it. `asked`: the mock told
    that it could not make so many a second.
    """
    talk = logged_in(until, beats=None)
    talk.frame(10 * S, 1, "h")
    for number in range(int(lasts / every)):
        talk.broker(10 * S + round((number + 1) * every * S), 1, {"e": "clock", "d": "{}"})
    if asked is not None:
        talk.told.append(r.Load(t=15 * S, asked=asked, reached=1 / every, sent=50, dropped=1))
    talk.client(9 * S, 1, "[]")
    for at in beats:
        talk.client(round((10 + at) * S), 1, "[]")
    return talk.verdict("HBT-030")


def test_heartbeats_under_load_are_those_that_no_h_can_explain() -> None:
    assert loaded((2, 12), until=60) == "pass"
    assert loaded((), until=60) == "fail"
    assert loaded((2, 4), until=30, lasts=17) == "not observed", "an `h` may have brought them, and the load ended soon"
    assert loaded((8,), until=60, lasts=12) in ("not observed", "blocked"), "15 s are the least"
    assert loaded((8,), until=60, every=4) in ("not observed", "blocked"), "no load: the messages are 4 s apart"


@pytest.mark.parametrize("beats", [(2, 12), ()], ids=["beating", "not beating"])
def test_a_load_that_this_machine_could_not_make_neither_passes_nor_fails(beats: tuple[float, ...]) -> None:
    judged = "pass" if beats else "fail"
    assert loaded(beats, until=60, asked=100) == "not observed", "a tenth of it"
    assert loaded(beats, until=60, asked=25) == "not observed", "two fifths"
    assert loaded(beats, until=60, asked=19) == judged, "more than half"


def quiet(lasts: float, gone: float = 0, reads: int = 0, beside: bool = False) -> str:
    """Nothing but `h` for so long from 21 s on, and an event before and after; the client leaves at `gone`. It reads
    its orders every `reads` seconds; an event comes in the frame of each answer, where `beside`.
    """
    talk = logged_in(120)
    for number in range(48):
        talk.frame(round(2.5 * (number + 1) * S), 1, "h")
    for at in range(1, 121, 5):
        if not 20 < at < 20 + lasts:
            talk.broker(at * S, 1, {"e": "clock", "d": "{}"})
    for number, at in enumerate(range(3, 118, reads) if reads else (), start=100):
        talk.client(at * S, 1, f"order/list\n{number}\n\n")
        event: list[Any] = [{"e": "clock", "d": "{}"}] if beside else []
        talk.broker(at * S + 1000, 1, {"s": 200, "i": number, "d": []}, *event)
    if gone:
        talk.drop(lambda x: isinstance(x, r.Frame) and x.t > gone * S)
        talk.told.append(r.Ended(t=round(gone * S), conn=1, by="client", how="fin"))
    return talk.verdict("HBT-040")


def test_a_quiet_market_is_one_of_more_than_a_minute_and_nothing_to_leave_for() -> None:
    assert quiet(75) == "pass"
    assert quiet(75, gone=60) == "fail"
    assert quiet(40) in ("not observed", "blocked")


@pytest.mark.parametrize("reads", [2, 7, 10, 14])
def test_a_client_that_reads_all_the_time_has_a_quiet_market_as_well(reads: int) -> None:
    assert quiet(75, reads=reads) == "pass"
    assert quiet(75, gone=60, reads=reads) == "fail"
    assert quiet(75, reads=reads, beside=True) in ("not observed", "blocked"), "an event beside the answer is news"
