"""Heartbeats: conversations made by hand, and what becomes of the row that each is about."""

from __future__ import annotations

import pytest
from arrow_talks import Talk


@pytest.mark.parametrize(
    ("beats", "verdict"),
    [
        ((31, 61, 91), "pass"),
        ((1.2, 31.2, 61.2, 91.2), "pass"),
        ((31, 61, 81), "fail"),
        ((31, 61, 101), "fail"),
        ((21, 51, 81), "fail"),
        ((31,), "fail"),
        ((), "fail"),
    ],
    ids=["from 30 s on", "at once", "too soon", "too late", "the first too soon", "it ends", "never"],
)
def test_pong_comes_every_thirty_seconds(beats: tuple[float, ...], verdict: str) -> None:
    talk = Talk(110)
    talk.asks(1, 1)
    talk.pongs(1, *beats)
    assert talk.verdict("AOH-010") == verdict


@pytest.mark.parametrize("word", ["pong", "Pong", "PONG\n", "ping"])
def test_pong_is_so_written(word: str) -> None:
    talk = Talk(80)
    talk.asks(1, 1)
    talk.pongs(1, 31, 61)
    talk.says(1, word, 40)
    assert talk.verdict("AOH-010") == "fail"


@pytest.mark.parametrize(
    ("gone", "back", "verdict"),
    [
        (30, 31, "pass"),
        (59, 60, "pass"),
        (10, 11, "warning"),
        (70, 71, "fail"),
        (30, None, "fail"),
        (None, None, "fail"),
    ],
)
def test_a_silent_socket_is_given_up_between_thirty_seconds_and_sixty(
    gone: float | None, back: float | None, verdict: str
) -> None:
    talk = Talk(150)
    talk.asks(1, 1)
    talk.says(1, "{}", 10, by="broker")
    talk.fault(10, "silent-application", 1)
    if gone is not None:
        talk.closes(10 + gone, 1, "client", 1000)
    if back is not None:
        talk.asks(10 + back, 2)
    assert talk.verdict("AOH-020") == verdict
