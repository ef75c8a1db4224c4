"""Hostile frames and what follows them: conversations with one thing changed, and what becomes of the row."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from brokercert.hostile.websocket import frame
from brokercert.judge.told import Report
from brokercert.judge.tradovate.model.hostile import is_told, violation_in
from brokercert.trace import records as r
from talks import OLD, S, alone, authorize, healthy, opened, sync
from ways_back import ended, logged_in, started_again


def hears(
    *, beats: bool = True, control: bool | None = True, closed: bool = True, returns: bool = True, synced: bool = True,
    dies: float | None = None, leaves: float | None = None, until: float = 300,
) -> str:  # fmt: skip
    """Malformed JSON at 100 s, a scripted close at 140 s; before, at 20 s, another close as a control.

    `control` None: there was none; False: the client did not come back after it (another of its sockets lives on).
    """
    talk = alone(until)
    authorize(talk, 2, s=200)
    sync(talk, 3, ident=1, d={})
    live = 1
    if control is not None:
        talk.told.append(r.Ended(t=20 * S, conn=1, by="broker", how="fin"))
        live = 2
        if control:
            opened(talk, 22 * S, 2)
        else:
            opened(talk, 4 * S, 2)
        authorize(talk, 23 if control else 5, conn=2, s=200)
        sync(talk, 24 if control else 6, conn=2, ident=1, d={})
    stops = min(x for x in (140 if closed else until, dies or until, leaves or until) if x)
    for at in range(25, round(stops), 2):
        if beats or at < 100:
            talk.client(at * S, live, "[]")
    talk.frame(100 * S, live, 'a[{"broken"')
    if dies is not None:
        talk.told.append(r.SubjectExited(t=round(dies * S), code=1, asked=False))
    elif leaves is not None:
        talk.told.append(r.Ended(t=round(leaves * S), conn=live, by="client", how="fin"))
    elif closed:
        talk.told.append(r.Ended(t=140 * S, conn=live, by="broker", how="fin"))
    if returns and dies is None and (closed or leaves is not None):
        opened(talk, 150 * S, 9)
        authorize(talk, 151, conn=9, s=200)
        if synced:
            sync(talk, 152, conn=9, ident=1, d={})
    return talk.verdict("MSG-010")


def test_a_client_is_alive_when_it_hears() -> None:
    assert hears() == hears(closed=False) == "pass"
    assert hears(beats=False, closed=False) == "fail", "no heartbeat any more"
    assert hears(dies=101) == hears(dies=101, until=110) == "fail", "its exit is enough, whatever its socket shows"
    assert hears(returns=False) == "fail", "it beats on, and does not come back as it had before"
    assert hears(returns=False, control=None) == "not observed", "nobody knows whether it ever would"
    assert hears(synced=False) == "pass", "back; that it syncs again is another row's question"
    assert hears(leaves=105) == "pass", "a clean reconnect"
    assert hears(leaves=105, synced=False) == "pass"
    assert hears(leaves=105, returns=False) == "fail"
    assert hears(leaves=105, returns=False, control=None) == "not observed", "nobody knows whether it ever would"
    assert hears(returns=False, until=200) == "not observed", "75 s are what it may take"
    assert hears(closed=False, until=110) == "not observed"


def test_a_client_that_does_not_come_back_from_a_plain_close_is_not_judged_by_one() -> None:
    assert hears(control=False, returns=False) == "pass", (
        "it lives and beats, and its way back is another row's question"
    )
    assert hears(control=False, returns=False, leaves=105) == "blocked"
    assert hears(control=False, returns=False, dies=101) == "fail", "a crash needs no control"
    assert hears(control=False, returns=False, beats=False) == "fail", "nor does a missing heartbeat"


# The control is a second start of the client, which met nothing else.


def controlled(
    *, leaves: bool = False, dies: int | None = None, violates: bool = False, beats: bool = True, pongs: str = "both",
    closed: float | None = 5, returns: bool = False, exits: int | None = None, until: float = 300,
) -> str:  # fmt: skip
    """Something hostile at 50 s on the first socket, a scripted close at 100 s from which the client does not come
    back; at 200 s a second start, and a plain close of it.
    """
    talk = alone(until)
    authorize(talk, 2, s=200)
    for at in range(4, 100, 2):
        if beats or at < 50:
            talk.client(at * S, 1, "[]")
    healthy(talk, 100)
    for at in (10, 51):
        talk.told.append(r.Frame(t=at * S, conn=1, sender="broker", ordinal=0, opcode=9))
        if pongs == "both" or (pongs == "before" and at == 10):
            talk.told.append(r.Frame(t=at * S + 1000, conn=1, sender="client", ordinal=0, opcode=10))
    if violates:
        talk.told.append(r.Raw(t=50 * S, conn=1, base64=base64.b64encode(frame(0xC1, b"a[]")).decode()))
    else:
        talk.frame(50 * S, 1, 'a[{"broken"')
    if dies is not None:
        talk.told.append(r.SubjectExited(t=52 * S, code=dies, asked=False))
    ended(talk, 52 if leaves or dies is not None else 100, by="client" if leaves or dies is not None else "broker")
    talk.drop(
        lambda x: isinstance(x, r.Frame) and x.conn == 1 and x.t > (52 if leaves or dies is not None else 100) * S
    )
    started_again(talk, 200, 5, closed=closed, returns=returns)
    if exits is not None:
        talk.told.append(r.SubjectExited(t=208 * S, code=exits, asked=False))
    return talk.verdict("MSG-040" if violates else "MSG-010")


def test_a_client_that_comes_back_from_no_close_is_judged_by_its_heartbeat_and_its_pong() -> None:
    assert controlled() == "pass"
    assert controlled(pongs="neither") == "not observed", "whether it ever answers pings nobody knows"
    assert controlled(pongs="before") == "fail"
    assert controlled(beats=False) == "fail"
    assert controlled(closed=None) == "not observed", "nobody knows whether it ever comes back"
    assert controlled(until=230) == "not observed", "the control was watched too briefly"


def test_a_client_that_comes_back_otherwise_is_deaf() -> None:
    assert controlled(returns=True) == controlled(returns=True, until=230) == "fail"


def test_a_client_that_left_the_socket_is_judged_by_what_it_does_after_a_plain_close() -> None:
    assert controlled(leaves=True, returns=True) == "fail"
    assert controlled(leaves=True) == "blocked", "it comes back from no close"
    assert controlled(leaves=True, closed=None) == "not observed"
    assert controlled(leaves=True, exits=0) == "blocked"


def test_a_crash_needs_no_control() -> None:
    for code in (0, 1, 101, -11):
        assert (
            controlled(dies=code) == controlled(dies=code, closed=None) == controlled(dies=code, exits=code) == "fail"
        )


def test_a_client_that_ends_with_every_connection_may_end_with_one_that_it_had_to_fail() -> None:
    assert controlled(violates=True, dies=1, exits=1) == "blocked", "its way back is another row's question"
    assert controlled(violates=True, dies=1, exits=0) == "fail", "it ends otherwise, and here it crashed"
    assert controlled(violates=True, dies=1) == controlled(violates=True, dies=1, returns=True) == "fail"


def test_who_hears_a_close_by_leaving_is_deaf_where_it_stays() -> None:
    assert controlled(exits=0) == "fail"
    assert controlled(exits=0, returns=True) == "fail"


# Make before break: the new socket first, and then the end of the old one.


def made_before_broken(
    *,
    opened_at: float = 51,
    granted: float = 52,
    left: float = 53,
    token: str = OLD,
    lost: bool = False,
    synced: bool = True,
    at_work: bool = False,
) -> str:
    """Something hostile at 50 s; the client ends its first socket at `left`, and has another one since before."""
    talk = logged_in(200)
    for at in range(4, 50, 2):
        talk.client(at * S, 1, "[]")
    talk.frame(50 * S, 1, 'a[{"broken"')
    opened(talk, round(opened_at * S), 2)
    authorize(talk, granted, conn=2, token=token, s=200)
    if synced:
        sync(talk, granted + 1 if at_work else left + 1, conn=2, ident=1, d={})
    if lost:
        ended(talk, 52.5, 2, "client")
    ended(talk, left, by="client")
    return talk.verdict("MSG-010")


def test_a_new_socket_that_was_there_before_the_old_one_was_left_is_a_recovery() -> None:
    assert made_before_broken() == made_before_broken(left=70) == "pass"
    assert made_before_broken(granted=54) == "pass", "opened before, authorized afterwards"
    assert made_before_broken(synced=False) == "pass", "that it syncs again is another row's question"


def test_a_socket_that_cannot_stand_for_the_old_one_is_no_recovery() -> None:
    control = "not observed"  # there was no plain close
    assert made_before_broken(token="«md-access-token#1»", synced=False) == control, "it is for something else"
    assert made_before_broken(opened_at=5, granted=6, synced=False) == control, "it stood there before the frame"
    assert made_before_broken(opened_at=5, granted=6, at_work=True) == control, "another one at work, as before"
    assert made_before_broken(lost=True) == control, "it was gone when the old one was left"


def unknown(leaves: bool) -> str:
    talk = alone(120)
    authorize(talk, 2, s=200)
    sync(talk, 3, ident=1, d={})
    for at in range(4, 120, 2):
        talk.client(at * S, 1, "[]")
    talk.broker(30 * S, 1, {"e": "tomorrow", "d": {}})
    if leaves:
        healthy(talk, 31)
        talk.told.append(r.Ended(t=31 * S, conn=1, by="client", how="fin"))
        opened(talk, 32 * S, 2)
        authorize(talk, 33, conn=2, s=200)
        sync(talk, 34, conn=2, ident=1, d={})
    return talk.verdict("EVT-110")


def test_an_unknown_event_is_no_reason_to_leave() -> None:
    assert unknown(False) == "pass"
    assert unknown(True) == "fail"


def processed(*, control: bool = True, after: bool = True, until: float = 120, dies: bool = False) -> str:
    """A valid event before something hostile, and one after; each processed or not."""
    talk = alone(until)
    authorize(talk, 2, s=200)
    sync(talk, 3, ident=1, d={})

    def marker(at: int, ident: int, done: bool) -> None:
        talk.told.append(r.RuleApplied(t=at * S, name="marker", conn=1))
        data = {"entityType": "order", "eventType": "Created", "entity": {"id": ident}}
        talk.broker(at * S, 1, {"e": "props", "d": data})
        if done:
            body = {"event": "processed", "entityType": "order", "eventType": "Created", "id": ident}
            talk.told.append(r.SubjectReport(t=at * S + 1000, event="processed", body=body))

    marker(10, 1, control)
    talk.told.append(r.RuleApplied(t=20 * S, name="hostile", conn=1, detail="a defect"))
    talk.frame(20 * S, 1, "a[{")
    talk.told.append(r.RuleApplied(t=20 * S, name="hostile-end", conn=1))
    if dies:
        talk.told.append(r.SubjectExited(t=21 * S, code=1, asked=False))
    else:
        marker(30, 2, after)
    return talk.verdict("MSG-015")


def test_the_next_valid_event_is_processed_as_one_before_was() -> None:
    assert processed() == "pass"
    assert processed(after=False) == "fail"
    assert processed(after=False, until=40) == "not observed"
    assert processed(dies=True) == "fail"
    assert processed(control=False, after=False) == "not observed"
    assert processed(control=False) == "not observed", "it reports now and did not then: no control"


def violated(data: bytes, *, leaves: bool) -> set[str]:
    talk = alone(120)
    authorize(talk, 2, s=200)
    sync(talk, 3, ident=1, d={})
    for at in range(4, 30 if leaves else 120, 2):
        talk.client(at * S, 1, "[]")
    talk.told.append(r.Raw(t=30 * S, conn=1, base64=base64.b64encode(data).decode()))
    if leaves:
        talk.told.append(r.Ended(t=30 * S, conn=1, by="client", how="fin"))
        opened(talk, 32 * S, 2)
        authorize(talk, 33, conn=2, s=200)
        sync(talk, 34, conn=2, ident=1, d={})
    return {str(f.verdict) for f in talk.findings() if f.requirement == "MSG-040"}


def test_a_connection_should_be_failed_by_a_violation_and_by_nothing_else() -> None:
    assert violated(frame(0xC1, b"a[]"), leaves=True) == {"pass"}
    assert violated(frame(0xC1, b"a[]"), leaves=False) == {"pass", "warning"}
    assert violated(frame(0x82, b"a[]"), leaves=False) == {"pass"}, "a binary frame is none"


VIOLATIONS = {
    "the first reserved bit": frame(0xC1, b"a"),
    "the second": frame(0xA1, b"a"),
    "the third": frame(0x91, b"a"),
    "opcode 3": frame(0x83, b"a"),
    "opcode 11": frame(0x8B, b"a"),
    "a mask": bytes([0x81, 0x81, 1, 2, 3, 4, 5]),
    "a ping of 126 bytes": frame(0x89, b"x" * 126),
    "a ping in fragments": frame(0x09, b""),
    "a continuation of nothing": frame(0x80, b"a"),
    "a text within a text": frame(0x01, b"a") + frame(0x81, b"b"),
    "a close code of one byte": frame(0x88, b"\x03"),
    "close code 1005": frame(0x88, (1005).to_bytes(2, "big")),
    "close code 999": frame(0x88, (999).to_bytes(2, "big")),
    "close code 2000": frame(0x88, (2000).to_bytes(2, "big")),
    "a reason that is no UTF-8": frame(0x88, (1000).to_bytes(2, "big") + b"\xff"),
    "text that is no UTF-8": frame(0x81, b"\xff"),
}
LEGAL = {
    "text": frame(0x81, b"a"),
    "binary": frame(0x82, b"\xff"),
    "a ping of 125 bytes": frame(0x89, b"x" * 125),
    "a close without a code": frame(0x88, b""),
    "close code 4000": frame(0x88, (4000).to_bytes(2, "big")),
    "a long text": frame(0x81, b"x" * 70_000),
}


@pytest.mark.parametrize("name", VIOLATIONS)
def test_every_violation_of_rfc_6455_is_one(name: str) -> None:
    assert violation_in(VIOLATIONS[name]) != ""


def test_half_a_close_code_is_told_as_such() -> None:
    assert violation_in(frame(0x88, b"\x03")) == "a close code of one byte"


@pytest.mark.parametrize("name", LEGAL)
def test_what_rfc_6455_allows_is_none(name: str) -> None:
    assert violation_in(LEGAL[name]) == ""


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"entityType": "order", "eventType": "Created", "id": 1}, True),
        ({"entityType": "Orders", "eventType": "created", "id": 1}, True),
        ({"entityType": "order", "id": 1}, True),
        ({"entityType": "order", "eventType": "Updated", "id": 1}, False),
        ({"entityType": "fill", "eventType": "Created", "id": 1}, False),
        ({"entityType": "order", "eventType": "Created", "id": 2}, False),
        ({"entityType": None, "id": 1}, False),
    ],
)
def test_a_report_tells_of_a_creation_by_type_change_and_id(body: dict[str, Any], told: bool) -> None:
    assert is_told(Report(0, 1, body), "order", 1) is told
