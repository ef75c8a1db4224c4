"""The live probe: after something hostile or strange, does the client still hear?

A client whose reader is dead may beat for ever: its timer lives, and its WebSocket library goes on answering pings.
So a client is alive that hears. Three things show it:

* the next heartbeat, on time;
* a pong;
* once, at the end, a recovery from a scripted close. Who does not come back is deaf only if it comes back from such a
  close otherwise: a second start, which meets nothing else, is its control. Who never comes back from any is not asked.

The hostile frames come first, on the first socket of all. So a client that cannot reconnect learns of its crashes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from brokercert.judge.check import seconds
from brokercert.judge.moments import Moment, Said
from brokercert.judge.tradovate.bench import Bench
from brokercert.judge.tradovate.model.beating import page_limit
from brokercert.judge.tradovate.model.conversation import SECOND, Answer, Connection, Loss
from brokercert.judge.tradovate.model.recovery import Control, control_of, made_before, recovery
from brokercert.verdict import Finding, Form


@dataclass(frozen=True, slots=True)
class _Probe:
    """Connection `c` after `hostile`, the moments of what it was sent; `what` names that."""

    bench: Bench
    c: Connection
    hostile: list[Moment]
    what: str
    fatal: bool  # the connection is to be failed: who ends with every connection ends with this one

    @property
    def first(self) -> int:
        return self.hostile[0].t

    @property
    def last(self) -> int:
        return self.hostile[-1].t

    @property
    def evidence(self) -> list[int]:
        return [moment.record for moment in self.hostile[-3:]]

    @property
    def watched(self) -> int:
        """How long the connection was observed after the last of `hostile`."""
        return self.c.last_seen(self.bench.seen) - self.last

    def unanswered_ping(self) -> Said | None:
        """The first ping after the last of `hostile`, where no pong followed it; None: none was sent, or one did."""
        asked = next((ping for ping in self.c.pinged if ping.t > self.last), None)
        return None if asked is None or any(pong.record > asked.record for pong in self.c.ponged) else asked

    @property
    def ponged(self) -> bool:
        """Whether a pong came after the last of `hostile`."""
        return any(pong.t > self.last for pong in self.c.ponged)

    def control(self) -> Control | None:
        """What the client does after a plain close."""
        return control_of(self.bench, self.first)

    def beat(self) -> Moment | None:
        """The client's first heartbeat after the last of `hostile`."""
        return next((beat for beat in self.c.beats if beat.t > self.last), None)

    def by_client(self) -> Loss | None:
        """The client's own end of the connection, since the first of `hostile`."""
        gone = self.c.given_up()
        return gone if gone is not None and gone.t >= self.first else None


def judge_alive(
    bench: Bench,
    c: Connection,
    hostile: Sequence[tuple[int, int]],
    *,
    reconnect_allowed: bool,
    what: str,
    fatal: bool = False,
) -> Iterator[Finding]:
    """One finding on what became of `c` after the last of `hostile`, which are (t, record) each. `fatal`: they are such
    that a client should fail the connection.
    """
    probe = _Probe(bench, c, [Moment(*moment) for moment in hostile], what, fatal)
    gone = probe.by_client()
    crash = _crash(probe, gone)
    if crash is not None:
        yield crash
    elif gone is not None and not reconnect_allowed:
        yield _disconnected(probe, gone)
    elif gone is not None:
        yield _after_disconnect(probe, gone)
    else:
        yield _beats_on(probe)


def up_to(hostile: Sequence[tuple[int, int]], record: int) -> list[int]:
    """The records of the last three of `hostile`, (t, record) each, that came before `record`; else of the first."""
    return [number for _, number in hostile if number < record][-3:] or [hostile[0][1]]


def _crash(probe: _Probe, gone: Loss | None) -> Finding | None:
    """A breach, where the client ended by itself after something hostile."""
    bench, c = probe.bench, probe.c
    died = bench.death()
    if died is None or (c.loss is not None and died.t < probe.first) or _left_later(c, died.t, probe.last):
        return None
    left = [gone.record, died.record] if gone is not None else [died.record]
    control = probe.control() if probe.fatal else None
    if control is not None and control.ending is not None and control.ending.code == died.code:
        said = f"after the {probe.what} the client ended, as it does after a plain close{bench.exit_text()}"
        return bench.blocked(control.missed, said, [*up_to(probe.hostile, min(left)), *left, *control.evidence])
    return bench.breach(
        Form.ENDING,
        f"after the {probe.what} the client ended{bench.exit_text()}",
        "no crash",
        [*up_to(probe.hostile, min(left)), *left],
    )


def _left_later(c: Connection, died: int, last: int) -> bool:
    """The client ended only after a close of the broker's: that is a lack of recovery, not a crash on the frame."""
    return c.loss is not None and c.loss.by == "broker" and last < c.loss.t <= died


def _disconnected(probe: _Probe, gone: Loss) -> Finding:
    """The client ended the connection, where it may not."""
    return probe.bench.breach(
        Form.ENDING,
        f"the client ended connection {probe.c.id} ({gone.how}) after the {probe.what}",
        f"the {probe.what} is ignored, without a disconnect",
        [*up_to(probe.hostile, gone.record), gone.record],
    )


def _after_disconnect(probe: _Probe, gone: Loss) -> Finding:
    """The client ended the connection: it must be back, or have opened the next one before. Who does not come back from
    a plain close either fails another row by that.
    """
    bench, what = probe.bench, probe.what
    evidence = [*up_to(probe.hostile, gone.record), gone.record]
    back = _back(probe, gone, evidence)
    if back is not None:
        return back
    usual = probe.control()
    watch = bench.owed(gone.t, bench.micros("window_recovery"))
    if not watch.short and usual is None:
        said = f"after the {what} the client disconnected and was not back after {watch}"
        return bench.short(f"{said}; no plain close showed whether it ever comes back", evidence)
    if not watch.short and usual is not None and not usual.back:
        said = f"after the {what} the client disconnected and did not come back: nor does it from a plain close"
        return bench.blocked(usual.missed, said, [*evidence, *usual.evidence])
    return watch.missing(
        f"after the {what} the client disconnected and was not back after {watch}",
        "the same socket lives on, or a clean reconnect follows",
        evidence,
        short=f"watched for {watch} after the client's disconnect only",
        seen=evidence[:-1],
    )


def _back(probe: _Probe, gone: Loss, evidence: list[int]) -> Finding | None:
    """A pass, where the client has another socket, from before its end of this one or from after it."""
    bench, c, what = probe.bench, probe.c, probe.what
    before = made_before(bench.talk, c, probe.first, gone)
    if before is not None:
        took = seconds(gone.t - before.t)
        said = f"after the {what} the client was authorized on a new socket, and ended the old one {took} later"
        return bench.ok(Form.SHOWN, said, [*evidence, before.record])
    back = recovery(bench.talk, c, gone.t)
    if back is None:
        return None
    said = f"after the {what} the client reconnected cleanly in {seconds(back.t - gone.t)}"
    return bench.ok(Form.SHOWN, said, [*evidence, back.record])


def _beats_on(probe: _Probe) -> Finding:
    """The connection was not ended by the client: it must beat, and hear a close where one came."""
    bench, watched, beat = probe.bench, probe.watched, probe.beat()
    if beat is None and watched > page_limit(bench) * SECOND:
        said = f"no heartbeat in {seconds(watched)} after the {probe.what}"
        return bench.breach(Form.ABSENCE, said, "the client goes on", probe.evidence)
    if probe.c.loss is not None:
        return _hears_a_close(probe, probe.c.loss)
    if watched < bench.micros("window_default") or beat is None:
        return bench.short(f"watched for {seconds(watched)} after the {probe.what} only", probe.evidence)
    said = f"the same socket lives on: a heartbeat {seconds(beat.t - probe.last)} later"
    return bench.ok(Form.RESTRAINT, said, [*probe.evidence, beat.record])


def _hears_a_close(probe: _Probe, close: Loss) -> Finding:
    """The broker closed the connection: a client that still hears comes back."""
    back = recovery(probe.bench.talk, probe.c, close.t)
    return _heard(probe, close, back) if back is not None else _deaf(probe, close)


def _heard(probe: _Probe, close: Loss, back: Answer) -> Finding:
    pong = ", answered a ping" if probe.ponged else ""
    took = seconds(back.t - close.t)
    said = f"the same socket lived on{pong}, and the client came back {took} after a scripted close"
    return probe.bench.ok(Form.SHOWN, said, [*probe.evidence, close.record, back.record])


def _deaf(probe: _Probe, close: Loss) -> Finding:
    """It did not come back: a breach, where it is known that it comes back from a plain close."""
    bench, what, evidence = probe.bench, probe.what, probe.evidence
    watch = bench.owed(close.t, bench.micros("window_recovery"))
    control = probe.control()
    if not watch.short and control is None:
        said = "no recovery, but it was never shown that this client recovers from a plain close"
        return bench.short(said, evidence)
    if not watch.short and control is not None and not control.back:
        return _stayed(probe, close, control) or _lived_on(probe, control)
    shown = control.evidence if control is not None else []
    return watch.missing(
        f"after the {what} the client went on beating but no longer hears: it did not come back in"
        f" {watch} after a scripted close, as it does otherwise",
        "the client hears after it",
        [*evidence, close.record, *shown],
        short=f"watched for {watch} after the scripted close only",
        seen=evidence,
    )


def _stayed(probe: _Probe, close: Loss, control: Control) -> Finding | None:
    """A breach, where the client ends with a plain close otherwise, and did not hear this one."""
    bench = probe.bench
    if control.ending is None or bench.death() is not None:
        return None
    return bench.breach(
        Form.ABSENCE,
        f"after the {probe.what} the client went on beating but no longer hears: it did not end after a scripted close,"
        " as it does otherwise",
        "the client hears after it",
        [*probe.evidence, close.record, *control.evidence],
    )


def _lived_on(probe: _Probe, control: Control) -> Finding:
    """A client that comes back from no close: its heartbeat, and its pong, must show that it lives."""
    bench, beat, asked = probe.bench, probe.beat(), probe.unanswered_ping()
    if asked is not None:
        return _no_pong(probe, asked)
    if beat is None:
        return bench.short(f"watched for {seconds(probe.watched)} after the {probe.what} only", probe.evidence)
    pong = " and a pong" if probe.ponged else ""
    later = seconds(beat.t - probe.last)
    said = f"the same socket lives on: a heartbeat {later} later{pong}; the client comes back from no close"
    return bench.ok(Form.RESTRAINT, said, [*probe.evidence, beat.record, *control.evidence])


def _no_pong(probe: _Probe, asked: Said) -> Finding:
    """A ping was not answered: a hang, where the client had answered one before, and was awaited long enough."""
    bench, c = probe.bench, probe.c
    waited = c.last_seen(bench.seen) - asked.t
    answered = any(pong.t < probe.first for pong in c.ponged)
    evidence = [*probe.evidence, asked.record]
    if not answered or waited < bench.micros("window_default"):
        said = f"a ping after the {probe.what} had no answer in {seconds(waited)}"
        return bench.short(said + ("" if answered else ", nor was one before it answered"), evidence)
    return bench.breach(
        Form.ABSENCE,
        f"a ping after the {probe.what} had no answer in {seconds(waited)}: the client had answered one before",
        "the client goes on",
        evidence,
    )
