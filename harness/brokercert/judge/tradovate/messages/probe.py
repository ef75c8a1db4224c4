"""The live probe: after something hostile or strange, does the client still hear?

A dead reader with a live timer beats for ever, and its WebSocket library may go on answering pings, so being alive is
hearing: the next heartbeat on time, a pong, and, once at the end, recovery from a scripted close. That last step is
judged only where the same client recovered from such a close before anything hostile: its own control.
"""

from __future__ import annotations

from collections.abc import Iterator

from brokercert.judge.check import seconds
from brokercert.judge.tradovate.bench import Bench
from brokercert.judge.tradovate.heartbeats.cadence import page_limit
from brokercert.judge.tradovate.model.conversation import SECOND, Connection, Loss
from brokercert.verdict import Finding, Form


def recovered(bench: Bench, c: Connection, since: int) -> Connection | None:
    """The first socket after `since` that did again what `c` had done: authorized, and synced if `c` had."""
    for other in bench.talk.authorized:
        if other is not c and other.authorized and other.authorized.t > since and (other.syncs or not c.syncs):
            return other
    return None


def control(bench: Bench, c: Connection, before: int) -> bool | None:
    """Whether the client recovered from a close of the broker's before `before`; None: there was none."""
    seen: bool | None = None
    for other in bench.talk.authorized:
        if other.loss is not None and other.loss.by == "broker" and other.loss.t < before:
            back = recovered(bench, other, other.loss.t)
            seen = bool(seen) or back is not None
    return seen


def judge_alive(
    bench: Bench,
    c: Connection,
    hostile: list[tuple[int, int]],
    *,
    reconnect_allowed: bool,
    what: str,
) -> Iterator[Finding]:
    """One finding on what became of `c` after the last of `hostile`, (t, record) each."""
    last = hostile[-1][0]
    evidence = [number for _, number in hostile[-3:]]
    died = bench.talk.died()
    gone = c.loss if c.loss is not None and c.loss.by == "client" and c.loss.t >= hostile[0][0] else None
    if died is not None and (c.loss is None or died[0] >= hostile[0][0]) and not _left_later(c, died[0], last):
        left = [gone.record, died[1]] if gone is not None else [died[1]]
        yield bench.breach(
            Form.ENDING,
            f"after the {what} the client ended{bench.exit_text()}",
            "no crash",
            [*up_to(hostile, min(left)), *left],
        )
        return
    if gone is not None:
        yield _after_disconnect(bench, c, gone, up_to(hostile, gone.record), reconnect_allowed, what)
        return
    limit = page_limit(bench)
    until = c.last_seen(bench.end)
    beat = next(((t, n) for t, n in c.beats if t > last), None)
    if beat is None and until - last > limit * SECOND:
        yield bench.breach(
            Form.ABSENCE, f"no heartbeat in {seconds(until - last)} after the {what}", "the client goes on", evidence
        )
        return
    close: Loss | None = c.loss
    if close is None:
        if until - last < bench.micros("window_default") or beat is None:
            yield bench.short(f"watched for {seconds(until - last)} after the {what} only", evidence)
        else:
            yield bench.ok(
                Form.RESTRAINT,
                f"the same socket lives on: a heartbeat {seconds(beat[0] - last)} later",
                [*evidence, beat[1]],
            )
        return
    back = recovered(bench, c, close.t)
    pong = any(t > last for t in c.pongs)
    if back is not None:
        assert back.authorized is not None
        yield bench.ok(
            Form.SHOWN,
            f"the same socket lived on{', answered a ping' if pong else ''}, and the client came back"
            f" {seconds(back.authorized.t - close.t)} after a scripted close",
            [*evidence, close.record, back.authorized.record],
        )
        return
    waited = bench.end - close.t
    if waited < bench.micros("window_recovery") and died is None:
        yield bench.short(f"watched for {seconds(waited)} after the scripted close only", evidence)
        return
    known = control(bench, c, hostile[0][0])
    if known is False:
        yield bench.blocked("REC-010", "the client did not recover from a plain close before it either", evidence)
        return
    if known is None:
        yield bench.short("no recovery, but it was never shown that this client recovers from a plain close", evidence)
        return
    yield bench.breach(
        Form.ABSENCE,
        f"after the {what} the client went on beating but no longer hears: it did not come back in"
        f" {seconds(waited)} after a scripted close, as it had before{bench.exit_text()}",
        "the client hears after it",
        [*evidence, close.record],
    )


def up_to(hostile: list[tuple[int, int]], record: int) -> list[int]:
    """The records of the last three of `hostile`, (t, record) each, that came before `record`; else of the first."""
    return [number for _, number in hostile if number < record][-3:] or [hostile[0][1]]


def _left_later(c: Connection, died: int, last: int) -> bool:
    """The client ended only after a close of the broker's: that is a lack of recovery, not a crash on the frame."""
    return c.loss is not None and c.loss.by == "broker" and last < c.loss.t <= died


def _after_disconnect(
    bench: Bench, c: Connection, gone: Loss, evidence: list[int], reconnect_allowed: bool, what: str
) -> Finding:
    if not reconnect_allowed:
        return bench.breach(
            Form.ENDING,
            f"the client ended connection {c.id} ({gone.how}) after the {what}",
            f"the {what} is ignored, without a disconnect",
            [*evidence, gone.record],
        )
    back = recovered(bench, c, gone.t)
    if back is not None:
        assert back.authorized is not None
        return bench.ok(
            Form.SHOWN,
            f"after the {what} the client reconnected cleanly in {seconds(back.authorized.t - gone.t)}",
            [*evidence, gone.record, back.authorized.record],
        )
    waited = bench.end - gone.t
    if waited < bench.micros("window_recovery") and bench.talk.died() is None:
        return bench.short(f"watched for {seconds(waited)} after the client's disconnect only", evidence)
    return bench.breach(
        Form.ABSENCE,
        f"after the {what} the client disconnected and was not back after {seconds(waited)}{bench.exit_text()}",
        "the same socket lives on, or a clean reconnect follows",
        [*evidence, gone.record],
    )
