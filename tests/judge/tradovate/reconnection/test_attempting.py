"""Attempts after losses and during outages: which losses are measured, and how attempts must back off."""

from __future__ import annotations

import pytest
from brokercert.trace import records as r
from talks import ROWS, S, Talk, alone, attempts, authorize
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
        (4.9, "fail", "not observed"),
        (5.1, "not observed", "not observed"),
        (9.9, "not observed", "not observed"),
        (10, "not observed", "warning"),
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


@pytest.mark.parametrize(
    ("code", "busy", "normal"),
    [
        (None, "not observed", "warning"),
        (1000, "not observed", "warning"),
        (1001, "fail", "not observed"),
        (1008, "fail", "not observed"),
        (1013, "fail", "not observed"),
        (3000, "fail", "not observed"),
        (4000, "not observed", "warning"),
        (4999, "not observed", "warning"),
    ],
)
def test_a_close_frame_is_of_the_row_that_names_its_code(code: int | None, busy: str, normal: str) -> None:
    talk = logged_in()
    talk.broker(9 * S, 1, {"e": "clock", "d": "{}"})
    talk.close(10 * S, 1, "broker", code)
    ended(talk, 10)
    back(talk, 40)
    assert (talk.verdict("REC-010"), talk.verdict("REC-015")) == (busy, normal)


@pytest.mark.parametrize(
    ("said", "busy", "normal"),
    [
        ('c[1000,"Normal closure"]', "not observed", "warning"),
        ('c[1000, "Normal closure"]', "not observed", "warning"),
        ('c[2010,"Another connection still open"]', "fail", "not observed"),
        ('c[3000,"Go away!"]', "fail", "not observed"),
    ],
)
def test_so_is_the_protocols_own_end(said: str, busy: str, normal: str) -> None:
    talk = logged_in()
    talk.broker(9 * S, 1, {"e": "clock", "d": "{}"})
    talk.frame(10 * S, 1, said)
    ended(talk, 10)
    back(talk, 40)
    assert (talk.verdict("REC-010"), talk.verdict("REC-015")) == (busy, normal)


@pytest.mark.parametrize(("waits", "verdict"), [(9.9, "pass"), (10.1, "fail"), (14.9, "fail")])
def test_the_brokers_answer_to_a_client_that_leaves_excuses_no_delay(waits: float, verdict: str) -> None:
    """The frame `c[...]` was missed, and the client's watchdog ended the socket, which the broker then ended too."""
    talk = logged_in()
    talk.broker(9 * S, 1, {"e": "clock", "d": "{}"})
    talk.frame(10 * S, 1, 'c[3000,"Go away!"]')
    talk.close(round((9.5 + waits) * S), 1, "client", 4000)
    ended(talk, 9.6 + waits)
    back(talk, 10 + waits)
    assert talk.verdict("REC-010") == verdict


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


LASTS = 0.002  # s: each attempt that fails, before the delay to the next begins


@pytest.mark.parametrize("delays", [[1, 2, 4, 8, 16, 32], [0.5] * 20, [2.6] * 20])
def test_the_delays_of_an_outage_are_drawn_against_what_they_grow_to(delays: list[float]) -> None:
    found = [one for one in outage(delays).findings(offers=("wire", "tokens")) if one.requirement == "REC-050"]
    assert found
    for one in found:
        (drawn,) = one.drawn
        between = [round(delay - LASTS, 6) for delay in delays[1:]]  # the first is REC-010's matter
        assert drawn.values == tuple(between)
        assert dict(drawn.limits) == {
            "mean of the last 5 at least": 4.5,
            "or at least 2 times the first": pytest.approx(2 * between[0]),
        }


def test_an_outage_lasts_long_enough_to_show_it() -> None:
    assert outage([1, 2, 4, 8], lasts=60).verdict("REC-050") == "not observed"


def test_one_that_was_asked_to_stop_owes_no_attempt() -> None:
    """The loss at 31 s, the request to stop at 33 s."""
    talk = alone(60)
    authorize(talk, 2, s=200)
    talk.broker(30 * S, 1, {"e": "props", "d": {}})
    talk.end(31 * S, 1)
    assert talk.verdict("REC-010") == "fail", "it was not asked"
    talk.stop(33 * S)
    assert talk.verdict("REC-010") == "not observed", "asked, and still there"
    talk.exit(34 * S, 0, asked=True)
    assert talk.verdict("REC-010") == "not observed"
    talk.drop(lambda record: record.t >= 33 * S)
    talk.exit(34 * S, 0)
    assert talk.verdict("REC-010") == "fail", "it left by itself"
