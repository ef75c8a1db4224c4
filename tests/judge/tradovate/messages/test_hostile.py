"""Hostile frames and what follows them: conversations with one thing changed, and what becomes of the row."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from brokercert.hostile.websocket import frame
from brokercert.judge.told import Report
from brokercert.judge.tradovate.model.hostile import is_told, violation_in
from brokercert.trace import records as r
from talks import S, alone, authorize, healthy, opened, sync


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
    assert hears(synced=False) == "fail", "back without the sync that it had made"
    assert hears(leaves=105) == "pass", "a clean reconnect"
    assert hears(leaves=105, returns=False) == hears(leaves=105, synced=False) == "fail"
    assert hears(returns=False, until=200) == "not observed", "75 s are what it may take"
    assert hears(closed=False, until=110) == "not observed"


def test_a_client_that_does_not_come_back_from_a_plain_close_is_not_judged_by_one() -> None:
    assert hears(control=False, returns=False) == "blocked"


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
