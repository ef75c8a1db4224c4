"""The live probe: after something hostile or strange, does the client still hear?

A client whose reader is dead may beat for ever: its timer lives, and its WebSocket library goes on answering pings.
So a client is alive that hears. Three things show it:

* the next heartbeat, on time;
* a pong;
* once, at the end, a recovery from a scripted close. This is judged only of a client that recovered from such a close
  before anything hostile came: that is its own control.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from brokercert.judge.check import seconds
from brokercert.judge.moments import Moment
from brokercert.judge.tradovate.bench import Bench
from brokercert.judge.tradovate.model.beating import page_limit
from brokercert.judge.tradovate.model.conversation import SECOND, Answer, Connection, Loss
from brokercert.judge.tradovate.model.recovery import recovered_before, recovery
from brokercert.verdict import Finding, Form


@dataclass(frozen=True, slots=True)
class _Probe:
    """Connection `c` after `hostile`, the moments of what it was sent; `what` names that."""

    bench: Bench
    c: Connection
    hostile: list[Moment]
    what: str

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
        return self.c.last_seen(self.bench.end) - self.last

    def beat(self) -> Moment | None:
        """The client's first heartbeat after the last of `hostile`."""
        return next((beat for beat in self.c.beats if beat.t > self.last), None)

    def by_client(self) -> Loss | None:
        """The client's own end of the connection, since the first of `hostile`."""
        gone = self.c.given_up()
        return gone if gone is not None and gone.t >= self.first else None


def judge_alive(
    bench: Bench, c: Connection, hostile: Sequence[tuple[int, int]], *, reconnect_allowed: bool, what: str
) -> Iterator[Finding]:
    """One finding on what became of `c` after the last of `hostile`, which are (t, record) each."""
    probe = _Probe(bench, c, [Moment(*moment) for moment in hostile], what)
    gone = probe.by_client()
    crash = _crash(probe, gone)
    if crash is not None:
        yield crash
    elif gone is not None:
        yield _after_disconnect(probe, gone, reconnect_allowed)
    else:
        yield _beats_on(probe)


def up_to(hostile: Sequence[tuple[int, int]], record: int) -> list[int]:
    """The records of the last three of `hostile`, (t, record) each, that came before `record`; else of the first."""
    return [number for _, number in hostile if number < record][-3:] or [hostile[0][1]]


def _crash(probe: _Probe, gone: Loss | None) -> Finding | None:
    """A breach, where the client ended by itself after something hostile."""
    bench, c = probe.bench, probe.c
    died = bench.talk.died()
    if died is None or (c.loss is not None and died.t < probe.first) or _left_later(c, died.t, probe.last):
        return None
    left = [gone.record, died.record] if gone is not None else [died.record]
    return bench.breach(
        Form.ENDING,
        f"after the {probe.what} the client ended{bench.exit_text()}",
        "no crash",
        [*up_to(probe.hostile, min(left)), *left],
    )


def _left_later(c: Connection, died: int, last: int) -> bool:
    """The client ended only after a close of the broker's: that is a lack of recovery, not a crash on the frame."""
    return c.loss is not None and c.loss.by == "broker" and last < c.loss.t <= died


def _after_disconnect(probe: _Probe, gone: Loss, reconnect_allowed: bool) -> Finding:
    """The client ended the connection: it must come back, where it may do that at all."""
    bench, c, what = probe.bench, probe.c, probe.what
    evidence = [*up_to(probe.hostile, gone.record), gone.record]
    if not reconnect_allowed:
        return bench.breach(
            Form.ENDING,
            f"the client ended connection {c.id} ({gone.how}) after the {what}",
            f"the {what} is ignored, without a disconnect",
            evidence,
        )
    back = recovery(bench, c, gone.t)
    if back is not None:
        said = f"after the {what} the client reconnected cleanly in {seconds(back.t - gone.t)}"
        return bench.ok(Form.SHOWN, said, [*evidence, back.record])
    watch = bench.owed(gone.t, bench.micros("window_recovery"))
    return watch.missing(
        f"after the {what} the client disconnected and was not back after {watch}",
        "the same socket lives on, or a clean reconnect follows",
        evidence,
        short=f"watched for {watch} after the client's disconnect only",
        seen=evidence[:-1],
    )


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
    back = recovery(probe.bench, probe.c, close.t)
    return _heard(probe, close, back) if back is not None else _deaf(probe, close)


def _heard(probe: _Probe, close: Loss, back: Answer) -> Finding:
    pong = ", answered a ping" if any(t > probe.last for t in probe.c.pongs) else ""
    took = seconds(back.t - close.t)
    said = f"the same socket lived on{pong}, and the client came back {took} after a scripted close"
    return probe.bench.ok(Form.SHOWN, said, [*probe.evidence, close.record, back.record])


def _deaf(probe: _Probe, close: Loss) -> Finding:
    """It did not come back: a breach, where it is known that it comes back from a plain close."""
    bench, what, evidence = probe.bench, probe.what, probe.evidence
    watch = bench.owed(close.t, bench.micros("window_recovery"))
    known = recovered_before(bench, probe.first)
    if not watch.short and known is False:
        return bench.blocked("REC-010", "the client did not recover from a plain close before it either", evidence)
    if not watch.short and known is None:
        said = "no recovery, but it was never shown that this client recovers from a plain close"
        return bench.short(said, evidence)
    return watch.missing(
        f"after the {what} the client went on beating but no longer hears: it did not come back in"
        f" {watch} after a scripted close, as it had before",
        "the client hears after it",
        [*evidence, close.record],
        short=f"watched for {watch} after the scripted close only",
        seen=evidence,
    )
