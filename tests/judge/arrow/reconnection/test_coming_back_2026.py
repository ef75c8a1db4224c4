"""Coming back, or staying away, by the third edition of the page: conversations made by hand."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from arrow_talks import Talk3


def climbed(*pauses: float, first: float = 0.05) -> Talk3:
    """An outage: the first attempt so long after the loss, and then these pauses between refused attempts."""
    talk = Talk3(0)
    talk.asks(1, 1)
    talk.ends(10, 1)
    at = 10 + first
    talk.asks(at, 2, status=503)
    for number, pause in enumerate(pauses, 3):
        at += pause
        talk.asks(at, number, status=503)
    talk.until = at + 30
    return talk


@pytest.mark.parametrize(
    ("pauses", "verdict"),
    [
        ((0, 0, 2, 4, 5), "pass"),
        ((0.1, 0.1, 1, 2, 4), "pass"),
        ((0, 2, 0, 4, 5), "warning"),
        ((2, 0, 0, 4, 5), "warning"),
        ((0, 0, 0, 2, 4), "warning"),
        ((2, 4, 5, 5), "warning"),
        ((0, 2, 4, 5), "warning"),
    ],
    ids=["the page's", "the vendor's client's", "a pause between", "a pause before", "four", "none", "two"],
)
@pytest.mark.parametrize("first", [0.05, 6.0], ids=["at once", "noticed late"])
def test_the_first_three_attempts_follow_each_other_and_the_fourth_waits(
    pauses: Sequence[float], verdict: str, first: float
) -> None:
    assert climbed(*pauses, first=first).verdict("AOR-315") == verdict


def told_to_stay_away(until: float = 120) -> Talk3:
    talk = Talk3(until, settings={"told": {"AUTO_RECONNECT": "false"}})
    talk.asks(1, 1)
    return talk


@pytest.mark.parametrize(("back", "verdict"), [(None, "pass"), (20.5, "fail"), (35, "fail")])
def test_after_a_loss_it_stays_away(back: float | None, verdict: str) -> None:
    talk = told_to_stay_away(60)
    talk.ends(20, 1)
    if back is not None:
        talk.asks(back, 2)
    assert talk.verdict("AOR-030") == verdict


@pytest.mark.parametrize(
    ("ended", "back", "verdict"),
    [
        (None, None, "pass"),
        (25, None, "pass"),
        (75, None, "pass"),
        (None, 25.2, "fail"),
        (None, 80, "fail"),
        (25.5, 25.2, "fail"),
        (25, 25.5, "fail"),
    ],
    ids=[
        "left open",
        "ended",
        "ended late",
        "another one beside it",
        "another one late",
        "another one first",
        "another one after it",
    ],
)
def test_after_silence_it_stays_away_whether_it_ends_the_connection_or_not(
    ended: float | None, back: float | None, verdict: str
) -> None:
    talk = told_to_stay_away()
    talk.fault(20, "silent-application", 1)
    if ended is not None:
        talk.closes(ended, 1, "client", 1000)
    if back is not None:
        talk.asks(back, 2)
    assert talk.verdict("AOR-030") == verdict


def test_a_silent_connection_that_stays_open_is_watched_until_it_must_have_been_noticed() -> None:
    talk = told_to_stay_away(60)
    talk.fault(20, "silent-application", 1)
    assert talk.verdict("AOR-030") == "not observed"
