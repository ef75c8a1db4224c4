"""Connecting, events and leaving: conversations made by hand, and what becomes of the row that each is about."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from arrow_talks import BOTH, Talk
from brokercert.trace import records as r


@pytest.mark.parametrize(
    ("queries", "verdict"),
    [
        ((BOTH,), "pass"),
        ((BOTH, BOTH), "pass"),
        (("session=«session#1»",), "fail"),
        (("token=«token#1»",), "fail"),
        ((BOTH, "session=«session#1»"), "fail"),
        ((), "fail"),
    ],
)
def test_every_request_carries_both_parameters(queries: tuple[str, ...], verdict: str) -> None:
    talk = Talk(60)
    for number, query in enumerate(queries, 1):
        talk.asks(5 * number, number, query)
        talk.ends(5 * number + 2, number)
    assert talk.verdict("AOC-010") == verdict


def test_a_client_is_given_half_a_minute_to_connect() -> None:
    assert Talk(25).verdict("AOC-010") in ("not observed", "blocked")
    assert Talk(35).verdict("AOC-010") == "fail"


def test_a_client_that_leaves_before_it_connects_has_failed_to() -> None:
    talk = Talk(2)
    talk.told.append(r.SubjectExited(t=500_000, code=3, asked=False))
    assert talk.verdict("AOC-010") == "fail"
    for row in ("AOC-015", "AOC-020", "AOS-010", "AOH-010"):
        assert talk.verdict(row) == "blocked", "what it cannot be asked it has not failed"


def refused(count: int, every: float, *, error_at: float | None, until: float = 80) -> dict[str, str]:
    talk = Talk(until)
    for number in range(count):
        talk.asks(5 + number * every, number + 1, status=401)
    if error_at is not None:
        talk.report(error_at, "error", text="the credentials were refused")
    return talk.clauses("AOC-020")


def test_refused_credentials_are_not_hammered_and_the_user_is_told() -> None:
    assert refused(11, 5, error_at=6) == {"": "pass", "re-login": "pass"}
    assert refused(12, 5, error_at=6)[""] == "fail", "11 a minute are the most"
    assert refused(3, 5, error_at=None)["re-login"] == "fail"
    assert refused(3, 5, error_at=1)["re-login"] == "fail", "that one was told before"
    assert refused(3, 5, error_at=6, until=50)[""] == "not observed"


def test_a_refusal_that_was_told_into_a_buffer_is_none_that_was_kept_quiet() -> None:
    def told(*at_the_end: str, connecting: bool = False) -> str:
        talk = Talk(90)
        for number in range(3):
            if connecting:
                talk.report(4.9 + 5 * number, "connecting")
            talk.asks(5 + 5 * number, number + 1, status=401)
        talk.told.append(r.StopAsked(t=80_000_000, how="signal", judged=False))
        for event in at_the_end:
            talk.report(80.5, event, text="the credentials were refused")
        return talk.clauses("AOC-020")["re-login"]

    assert told(*("connecting", "error") * 3) == "inconclusive"
    assert told("connecting", "connecting", "connecting") == "fail", "buffered, and silent about it"
    assert told("error", "error", "error") == "fail", "nothing shows that these are older than they look"
    assert told("error", connecting=True) == "fail", "its other lines came in time"


@pytest.mark.parametrize(
    ("session", "until", "verdict"),
    [
        ("«session#2»", 120, "pass"),
        ("«session#1»", 120, "fail"),
        ("«session#1»", 80, "not observed"),
        ("", 120, "fail"),
    ],
)
def test_after_a_session_has_timed_out_the_next_is_a_new_one(session: str, until: float, verdict: str) -> None:
    talk = Talk(until)
    talk.asks(1, 1)
    talk.fault(30, "session-expired")
    talk.ends(30, 1)
    if session:
        talk.asks(32, 2, f"session={session}&token=«token#1»")
    assert talk.verdict("AOC-025") == verdict


def told_all() -> Talk:
    """A life with everything that an event is raised for: a close, an attempt that fails, one that succeeds."""
    talk = Talk(90)
    talk.asks(1, 1)
    talk.raised("connect", 1.1)
    for at in (5, 8):
        body = talk.update(at)
        talk.raised("message", at + 0.1)
        talk.raised("orderUpdate", at + 0.2, orderId=body["orderId"], timestamp=body["timestamp"])
    talk.closes(40, 1)
    talk.raised("disconnect", 40.1)
    talk.raised("close", 40.1)
    talk.raised("reconnect", 40.9)
    talk.asks(41, 2, status=503)
    talk.raised("error", 41.1)
    talk.raised("reconnect", 42.9)
    talk.asks(43, 3)
    talk.raised("connect", 43.1)
    return talk


EVENTS = ("connect", "disconnect", "reconnect", "error", "close", "message", "orderUpdate")


def is_event(record: r.Record, name: str) -> bool:
    return isinstance(record, r.SubjectReport) and record.body.get("name") == name


def test_a_client_that_raises_everything_passes() -> None:
    assert told_all().clauses("AOC-030") == {"": "pass"}


@pytest.mark.parametrize("name", EVENTS)
def test_every_event_must_be_raised(name: str) -> None:
    talk = told_all()
    first = next(x for x in talk.told if is_event(x, name))
    talk.told = [x for x in talk.told if x is not first]
    failed = {clause for clause, verdict in talk.clauses("AOC-030").items() if verdict == "fail"}
    assert failed == {name}


def two_attempts(*reconnects: float) -> str:
    """A loss at 40 s, an attempt that fails at 41 s, and one that succeeds at 41.3 s."""
    talk = Talk(90)
    talk.asks(1, 1)
    talk.raised("connect", 1.1)
    talk.ends(40, 1)
    talk.raised("disconnect", 40.1)
    talk.raised("reconnect", *reconnects)
    talk.asks(41, 2, status=503)
    talk.raised("error", 41.1)
    talk.asks(41.3, 3)
    talk.raised("connect", 41.4)
    return talk.clauses("AOC-030").get("reconnect", "pass")


@pytest.mark.parametrize(
    ("reconnects", "verdict"),
    [
        ((40.9, 41.2), "pass"),
        ((40.9,), "fail"),  # though it is near both attempts
        ((40.9, 41.5), "pass"),  # read a little after the frame
        ((40.2, 41.05), "pass"),  # told when the wait begins
    ],
)
def test_one_reconnect_tells_of_one_attempt(reconnects: tuple[float, ...], verdict: str) -> None:
    assert two_attempts(*reconnects) == verdict


@pytest.mark.parametrize(
    ("name", "at", "clause"),
    [("connect", 50, "connect"), ("disconnect", 40.3, "disconnect"), ("noreconnect", 41.5, "")],
)
def test_no_event_is_raised_that_did_not_happen(name: str, at: float, clause: str) -> None:
    talk = told_all()
    talk.raised(name, at)
    assert talk.clauses("AOC-030")[clause] == "fail"


def leaves(change: Callable[[Talk], None], until: float = 90) -> str:
    """Asked to disconnect at 40 s."""
    talk = Talk(until)
    talk.asks(1, 1)
    talk.pongs(1, 31)
    talk.stop(40)
    change(talk)
    return talk.verdict("AOC-040")


def test_a_client_that_disconnects_ends_its_socket_and_its_timers_and_stays_away() -> None:
    def ended(talk: Talk) -> None:
        talk.closes(41, 1, "client", 1000)

    def late(talk: Talk) -> None:
        talk.closes(50, 1, "client", 1000)

    def beats(talk: Talk) -> None:
        ended(talk)
        talk.pongs(1, 61)

    def back(talk: Talk) -> None:
        ended(talk)
        talk.asks(50, 2)

    assert leaves(ended) == "pass"
    assert leaves(ended, until=50) == "not observed"
    for wrong in (late, beats, back, lambda talk: None):
        assert leaves(wrong) == "fail"
