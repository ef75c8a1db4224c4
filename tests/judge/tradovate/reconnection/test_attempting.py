"""Attempts after losses and during outages: which losses are measured, and how attempts must back off."""

from __future__ import annotations

import pytest
from brokercert.trace import records as r
from talks import ROWS, S, Talk, attempts
from ways_back import back, ended, logged_in


@pytest.mark.parametrize(("second", "verdict"), [(30, "pass"), (80, "fail")])
def test_of_a_series_of_losses_only_the_first_is_measured_until_a_minute_went_well(second: int, verdict: str) -> None:
    talk = logged_in()
    talk.broker(9 * S, 1, {"e": "clock", "d": "{}"})
    ended(talk, 10)
    back(talk, 12)
    talk.broker((second - 1) * S, 2, {"e": "clock", "d": "{}"})
    ended(talk, second, 2)
    back(talk, second + 15, 3)
    assert talk.verdict("REC-010") == verdict


@pytest.mark.parametrize(
    ("quiet", "busy", "normal"),
    [
        (4.9, "fail", "blocked"),
        (5.1, "not observed", "blocked"),
        (9.9, "not observed", "blocked"),
        (10, "blocked", "warning"),
    ],
)
def test_a_fin_after_an_event_and_one_after_a_quiet_time_are_rows_of_their_own(
    quiet: float, busy: str, normal: str
) -> None:
    """A client that comes back too late breaks the row in whose words its loss is, and no other."""
    talk = logged_in()
    talk.broker(9 * S, 1, {"e": "clock", "d": "{}"})
    ended(talk, 9 + quiet)
    back(talk, 40)
    assert (talk.verdict("REC-010"), talk.verdict("REC-015")) == (busy, normal)


def test_in_a_trace_of_before_that_limit_a_fin_is_of_one_row_or_the_other() -> None:
    talk = logged_in()
    talk.broker(9 * S, 1, {"e": "clock", "d": "{}"})
    ended(talk, 16)
    back(talk, 40)
    older = {limit.name: limit.value for limit in ROWS.limits.values() if limit.name != "fin_after_event"}
    assert talk.verdict("REC-010", limits=older) == "fail"


def outage(delays: list[float], lasts: float = 95, name: str = "outage: unavailable") -> Talk:
    """From 10 s on no upgrade succeeds; attempts so long after one another."""
    talk = logged_in()
    ended(talk, 10)
    at = 10.0
    for number, delay in enumerate(delays):
        at += delay
        attempts(talk, round(at * S), 1, 0, first=100 + number)
    talk.told.append(r.Window(t=round((10 + lasts) * S), name=name, since=10 * S))
    return talk


@pytest.mark.parametrize(
    ("delays", "verdict"),
    [
        ([1, 2, 4, 8, 16, 32], "pass"),
        ([5] * 15, "pass"),
        ([1, 1.2, 1.4, 1.6, 1.8, 2, 2.2, 2.4, 2.6, 2.8], "pass"),
        ([2.6] * 20, "fail"),
        ([2, 2.5, 3, 2.5, 3, 3, 3, 3], "fail"),
        ([0.5] * 20, "fail"),
        ([0.5] * 9 + [5] * 6, "fail"),
        ([2.3] * 30, "fail"),
    ],
    ids=[
        "doubling",
        "5 s each",
        "twice the first",
        "never longer",
        "hardly longer",
        "fast",
        "fast at first",
        "too many",
    ],
)
def test_back_off_is_judged_by_what_a_server_bears(delays: list[float], verdict: str) -> None:
    assert outage(delays).verdict("REC-050") == verdict


def test_an_outage_lasts_long_enough_to_show_it() -> None:
    assert outage([1, 2, 4, 8], lasts=60).verdict("REC-050") == "not observed"
