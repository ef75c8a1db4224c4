"""Heartbeats and keep-alives by the third edition of the page: conversations made by hand."""

from __future__ import annotations

from itertools import takewhile

import pytest
from arrow_talks import S, Talk3
from brokercert.trace import records as r


def beats(since: float, until: float, every: float = 3.0) -> list[float]:
    return list(takewhile(lambda t: t < until, (since + every * n for n in range(1, 1000))))


def reconnected(*second: float, until: float = 110, lost: float = 72) -> Talk3:
    """A session that beats every 3 s, a loss, and a second connection with these beats, in seconds of its own."""
    talk = Talk3(until)
    talk.asks(1, 1)
    talk.pongs(1, *beats(1, lost))
    talk.ends(lost, 1)
    talk.asks(lost + 1, 2)
    talk.pongs(2, *(lost + 1 + one for one in second))
    return talk


@pytest.mark.parametrize(
    ("second", "verdict"),
    [(beats(0, 37), "pass"), ([30.0], "pass"), ([10, 20, 30], "pass"), ([], "fail"), ([0.1], "fail"), ([35], "fail")],
    ids=["as before", "seldom", "every 10 s", "never", "once", "too late"],
)
def test_every_connection_is_looked_at_for_its_beats(second: list[float], verdict: str) -> None:
    assert reconnected(*second).verdict("AOH-310") == verdict


@pytest.mark.parametrize(
    ("second", "verdict"),
    [
        (beats(0, 37), "pass"),
        (beats(25, 37), "pass"),
        ([0.1, *beats(0.1, 37)], "pass"),
        (beats(0, 37, 10.0), "warning"),
        (beats(0, 12), "warning"),
        ([30.0], "warning"),
    ],
    ids=["as before", "the first later", "the first at once", "every 10 s", "it ends", "every 30 s"],
)
def test_every_connection_is_looked_at_for_its_pace(second: list[float], verdict: str) -> None:
    assert reconnected(*second).verdict("AOH-315") == verdict


def kept_alive(text: str, until: float = 40, ended: float | None = None, **end: int) -> Talk3:
    """Keep-alives alone, every 2 s; the client ends the connection at `ended`, and comes back."""
    talk = Talk3(until)
    talk.asks(1, 1)
    talk.says(1, text, *beats(1, ended or until, 2.0), by="broker")
    if ended is not None:
        talk.closes(ended, 1, "client", **end)
        talk.asks(ended + 0.1, 2)
        talk.says(2, text, *beats(ended + 0.1, until, 2.0), by="broker")
    return talk


@pytest.mark.parametrize("text", ["\0", "", "keepalive"])
def test_one_end_by_the_client_is_evidence_that_keep_alives_cost_the_connection(text: str) -> None:
    assert kept_alive(text).verdict("AOH-330") == "pass"
    assert kept_alive(text, ended=3.01, code=1007).verdict("AOH-330") == "fail"
    assert kept_alive(text, ended=8, code=1000).verdict("AOH-330") == "fail"


@pytest.mark.parametrize(("at", "verdict"), [(5.2, "fail"), (35.0, "fail"), (2.9, "not observed")])
def test_a_client_that_dies_after_a_keep_alive_did_not_ignore_it(at: float, verdict: str) -> None:
    talk = kept_alive("keepalive", until=at)
    talk.until = 40
    talk.told.append(r.SubjectExited(t=round(at * S), code=1, asked=False))
    if verdict == "not observed":  # it died before the first of them, which went out all the same
        talk.says(1, "keepalive", 3.0, by="broker")
    assert talk.verdict("AOH-330") == verdict


def test_an_end_before_any_keep_alive_is_none_of_their_cost() -> None:
    talk = kept_alive("keepalive", ended=2.9, code=1000)
    assert talk.verdict("AOH-330") == "pass"


def test_a_loss_by_the_broker_is_none_of_their_cost() -> None:
    talk = kept_alive("keepalive")
    talk.ends(20, 1)
    talk.asks(21, 2)
    assert talk.verdict("AOH-330") == "pass"


def test_keep_alives_that_are_objects_are_no_matter_of_the_row() -> None:
    talk = kept_alive('{"type":"keep-alive"}', ended=8, code=1000)
    assert talk.clauses("AOH-330").get("", "") not in ("pass", "fail")
