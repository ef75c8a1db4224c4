"""Restraint: what a client does not do after a lock-out or a shutdown (S2 §4, TP §4, §7.3, §10).

These rows are passed by doing nothing, but only after what asks for it has come.
"""

from __future__ import annotations

from collections.abc import Iterator

from brokercert.judge.attempts import attempts_of, attempts_within_limits
from brokercert.judge.check import seconds
from brokercert.judge.tradovate.bench import Bench, check
from brokercert.judge.tradovate.model.conversation import messages_of
from brokercert.judge.tradovate.reconnection.coming_back import back_off
from brokercert.trace.names import WindowName
from brokercert.verdict import Finding, Form

LOCKED_OUT = 429


@check("RLP-070")
def check_silent_after_429(bench: Bench) -> Iterator[Finding]:
    """After an answer of 429 no request is sent, on any socket or over REST, for the observed minute of the lock-out;
    heartbeats are free.
    """
    talk = bench.talk
    window, arrival = bench.micros("window_lockout"), bench.micros("arrival")
    asked = [q for c in talk.upgraded for q in c.requests]
    locked = [q for q in asked if q.answer and q.answer.status == LOCKED_OUT and q.endpoint != "authorize"]
    if not locked:
        return
    first = min(locked, key=lambda q: q.answer.record if q.answer else 0)
    assert first.answer is not None
    since = first.answer.t
    late: list[tuple[int, int, str]] = [(q.t, q.record, q.endpoint) for q in asked if q.t > since + arrival]
    late += [(call.t, call.record, f"{call.endpoint} (REST)") for call in talk.asides.rest if call.t > since + arrival]
    inside = sorted(entry for entry in late if entry[0] - since < window)
    if inside:
        t, number, endpoint = inside[0]
        yield bench.breach(
            Form.AGAIN,
            f"`{endpoint}` was sent {seconds(t - since)} after `{first.endpoint}` had been answered with 429",
            "no request during the lock-out, which lasts an hour",
            [first.answer.record, number],
        )
        return
    watched = bench.end - since
    if watched < window and talk.exited is None:
        yield bench.short(f"watched for {seconds(watched)} after the 429 only", [first.answer.record])
    else:
        said = f"no request in {seconds(watched)} after the 429"
        yield bench.ok(Form.RESTRAINT, said, [first.answer.record], spare=watched - window)


@check("CON-045")
def check_429_on_upgrade(bench: Bench) -> Iterator[Finding]:
    """After an upgrade was answered with 429, attempts stay inside the limits; none at all is as right."""
    refused = [c for c in bench.talk.connections.values() if c.refused_status == LOCKED_OUT]
    if refused:
        yield from back_off(bench, WindowName.LOCKED_OUT)


def _shutdowns(bench: Bench) -> list[tuple[int, int]]:
    """(t, record) of every `shutdown` event."""
    found = []
    for c in bench.talk.connections.values():
        for t, number, text in c.data_sent:
            if '"shutdown"' in text and text.startswith("a"):
                kinds = [m.get("e") for m in messages_of(text) or () if isinstance(m, dict)]
                if "shutdown" in kinds:
                    found.append((t, number))
    return sorted(found)


@check("EVT-140")
def check_shutdown(bench: Bench) -> Iterator[Finding]:
    """After `shutdown` and the close that follows, attempts stay inside the limits, and back off where it goes on."""
    told = _shutdowns(bench)
    if not told:
        return
    if any(window.name.startswith(WindowName.OUTAGE) for _, _, window in bench.talk.windows):
        yield from back_off(bench, WindowName.SHUT_DOWN)
        return
    since, number = told[0]
    sockets = [c for c in bench.talk.authorized if c.accepted < since]
    attempts = attempts_of(bench.talk, since)
    clean = True
    for finding in attempts_within_limits(bench, attempts, max(1, len(sockets))):
        clean = False
        yield finding
    if not clean:
        return
    watched = bench.end - since
    if watched < bench.micros("window_default") and bench.talk.exited is None:
        yield bench.short(f"watched for {seconds(watched)} after the shutdown only", [number])
    else:
        said = f"{len(attempts)} attempt(s) in {seconds(watched)} after the shutdown"
        yield bench.ok(Form.RESTRAINT, said, [number], spare=watched - bench.micros("window_default"))
