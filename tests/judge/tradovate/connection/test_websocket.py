"""Frames that no server may take, and pings: what is judged of WebSocket itself."""

from __future__ import annotations

import pytest
from brokercert.judge.violations import BEYOND
from brokercert.trace import records as r
from brokercert.verdict import Verdict
from talks import S, Talk, alone, authorize, sync
from ways_back import ended, logged_in


def pinged(talk: Talk, at: float, text: str | None = "alive?", base64: str | None = None, conn: int = 1) -> None:
    talk.told.append(
        r.Frame(t=round(at * S), conn=conn, sender="broker", ordinal=0, opcode=9, text=text, base64=base64)
    )


def ponged(talk: Talk, at: float, text: str | None = "alive?", base64: str | None = None, conn: int = 1) -> None:
    talk.told.append(
        r.Frame(t=round(at * S), conn=conn, sender="client", ordinal=0, opcode=10, text=text, base64=base64)
    )


def violated(talk: Talk, at: float, text: str = "incorrect masking", conn: int = 1) -> None:
    talk.told.append(r.Violation(t=round(at * S), conn=conn, text=text))
    ended(talk, at, conn)


def test_a_frame_that_no_server_may_take_is_a_breach_however_short_the_watch() -> None:
    talk = alone(3)
    violated(talk, 2)
    assert talk.verdict("CON-060") == "fail"


def test_more_than_a_client_may_send_is_a_breach_of_its_own_words() -> None:
    talk = alone(40)
    violated(talk, 2, f"{BEYOND}: over 50000 messages on one connection")
    said = {f.requirement: f for f in talk.findings(exercises=("CON-060", "LOG-030"))}
    assert said["CON-060"].verdict is Verdict.FAIL
    assert said["CON-060"].observed.startswith(f"on connection 1 came {BEYOND}: over 50000 messages")
    assert "1008 or 1009" in said["CON-060"].expected
    assert f"the client sent {BEYOND}: over 50000 messages" in said["LOG-030"].observed


def test_too_much_before_any_upgrade_is_told_where_a_socket_came_later() -> None:
    talk = logged_in(40)
    talk.told += [r.Accepted(t=5 * S, conn=2), r.Violation(t=5 * S, conn=2, text=f"{BEYOND}: over 50000 messages")]
    assert talk.verdict("CON-060") == "fail"


@pytest.mark.parametrize(("until", "verdict"), [(15, "not observed"), (30, "pass")])
def test_frames_that_are_all_read_pass_after_the_whole_window(until: float, verdict: str) -> None:
    assert logged_in(until).verdict("CON-060") == verdict


def test_a_broken_head_is_http_and_no_frame() -> None:
    talk = Talk(ends=30 * S)
    talk.told += [r.SubjectStarted(t=0), r.Accepted(t=S, conn=1), r.Violation(t=S, conn=1, text="illegal request line")]
    assert talk.verdict("CON-060") == "blocked"


def test_a_window_that_the_client_cut_short_by_its_own_frames_says_so() -> None:
    talk = alone(40)
    violated(talk, 2)
    said = [f for f in talk.findings(exercises=("LOG-030", "LOG-060")) if f.requirement in ("LOG-030", "LOG-060")]
    assert [f.verdict for f in said] == [Verdict.NOT_OBSERVED, Verdict.BLOCKED]
    assert all("since the client broke the rules of WebSocket: incorrect masking" in f.observed for f in said)
    assert said[1].blocked_by == "CON-060"


def test_an_authorize_in_a_binary_frame_is_told_as_one() -> None:
    talk = alone(60)
    talk.told.append(r.Frame(t=2 * S, conn=1, sender="client", ordinal=0, opcode=2, text="authorize\n0\n\nx"))
    [finding] = [f for f in talk.findings(exercises=("LOG-030",)) if f.requirement == "LOG-030"]
    assert finding.verdict is Verdict.FAIL
    assert "(0 other message(s), 1 binary frame(s), where the protocol is text)" in finding.observed


@pytest.mark.parametrize(
    ("pings", "pongs", "verdict"),
    [
        ([(5, "a")], [(5.1, "a")], "pass"),
        ([(5, "a")], [(14.9, "a")], "pass"),  # late is not never: RFC 6455 says "as soon as is practical"
        ([(5, None)], [(5.1, None)], "pass"),
        ([(5, "")], [(5.1, None)], "pass"),
        ([(5, "a"), (5.2, "b")], [(5.3, "b")], "pass"),  # the last of several may be answered alone
        ([(5, "a"), (5.2, "b")], [(5.3, "a")], "fail"),
        ([(5, "a")], [], "fail"),
        ([(5, "a")], [(4, "a")], "fail"),  # nobody asked for that one
        ([(5, "a")], [(5.1, "")], "fail"),
        ([(5, "a")], [(5.1, "b")], "fail"),
        ([(35, "a")], [], "not observed"),
    ],
)
def test_each_ping_is_answered_with_what_it_carried(
    pings: list[tuple[float, str | None]], pongs: list[tuple[float, str | None]], verdict: str
) -> None:
    talk = logged_in(40)
    for at, text in pings:
        pinged(talk, at, text)
    for at, text in pongs:
        ponged(talk, at, text)
    assert talk.verdict("CON-070") == verdict


def test_a_payload_that_is_no_text_is_compared_too() -> None:
    talk = logged_in(40)
    pinged(talk, 5, None, "gAE=")
    ponged(talk, 5.1, None, "gAI=")
    assert talk.verdict("CON-070") == "fail"


def test_a_socket_that_was_lost_owes_no_pong() -> None:
    talk = logged_in(40)
    pinged(talk, 5)
    ended(talk, 6)
    assert talk.verdict("CON-070") == "not observed"


def test_a_ping_on_the_second_socket_is_asked_for_too() -> None:
    talk = logged_in(60)
    pinged(talk, 5)
    ponged(talk, 5.1)
    ended(talk, 20)
    talk.told += [
        r.Accepted(t=22 * S, conn=2),
        r.Head(t=22 * S, conn=2, method="GET", target="/v1/websocket", headers=(), upgrade=True),
        r.UpgradeAnswer(t=22 * S, conn=2, status=101),
    ]
    talk.frame(22 * S, 2, "o")
    authorize(talk, 23, conn=2, s=200)
    sync(talk, 24, conn=2, d={})
    pinged(talk, 30, conn=2)
    assert talk.verdict("CON-070") == "fail"
