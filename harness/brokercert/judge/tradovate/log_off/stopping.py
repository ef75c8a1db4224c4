"""Log-off: what a client does when it is asked to stop (TP §0, the programme's Log-off)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from brokercert.judge.attempts import attempts_of
from brokercert.judge.check import Watch, seconds
from brokercert.judge.moments import records_of
from brokercert.judge.tradovate.bench import Bench, check
from brokercert.judge.tradovate.model.conversation import Connection
from brokercert.verdict import Finding, Form

LEGAL_CLOSE = (1000, 1001, None)


@dataclass(frozen=True, slots=True)
class _LogOff:
    """The client was asked to stop at `t`, in `record`, with the connections `still` open. `watch`: since then."""

    bench: Bench
    t: int
    record: int
    still: list[Connection]
    watch: Watch

    @property
    def clause(self) -> str:
        return "open connection" if self.still else "not connected"

    @property
    def over(self) -> bool:
        """The time is up that a log-off may take."""
        return self.watch.time >= self.watch.window


@check("OFF-010")
def check_log_off(bench: Bench) -> Iterator[Finding]:
    """Asked to stop: a close frame with 1000, 1001 or without a code on the open connection, and no coming back."""
    for off in _asked(bench):
        wrong = [finding for c in off.still if (finding := _badly_closed(off, c))]
        again = _came_back(off) or _stayed(off)
        if again is not None:
            wrong.append(again)
        yield from wrong or [_stopped(off)]


def _asked(bench: Bench) -> Iterator[_LogOff]:
    """Each request to stop that is judged, and that found the client running."""
    window = bench.micros("window_stop")
    for stop in bench.talk.judged_stops():
        still = [c for c in bench.talk.upgraded if c.stood_at(stop.t)]
        yield _LogOff(bench, stop.t, stop.record, still, bench.barred(stop.t, window))


def _badly_closed(off: _LogOff, c: Connection) -> Finding | None:
    """A breach, where the client sent no close frame in its time, or one with another code."""
    close = c.client_close
    if close is not None and close.code in LEGAL_CLOSE:  # one of before would have ended it before
        return None
    ended = records_of(*c.ends_by_client())
    if close is None and not ended and not off.over:
        return None  # still being watched
    said = "no close frame" if close is None else f"close code {close.code}"
    return off.bench.breach(
        Form.ENDING if close is not None else Form.ABSENCE,
        f"asked to stop, the client sent {said} on connection {c.id}",
        "a close frame with 1000, 1001 or without a code",
        [off.record, *records_of(close), *ended],
        clause=off.clause,
    )


def _came_back(off: _LogOff) -> Finding | None:
    """A breach, where a new attempt came after those that may have been under way."""
    bench = off.bench
    since = off.t + bench.micros("stop_under_way")
    back = next((a for a in attempts_of(bench.talk, since) if a.t <= bench.end), None)
    if back is None:
        return None
    return bench.breach(
        Form.AGAIN,
        f"the client came back {seconds(back.t - off.t)} after it was asked to stop",
        "no new attempt after log-off",
        [off.record, back.record],
        clause=off.clause,
    )


def _stayed(off: _LogOff) -> Finding | None:
    """A breach, where an attempt that was under way came to stay."""
    bench = off.bench
    news = [c for c in bench.talk.upgraded if c.upgraded and c.upgraded.t >= off.t]
    c = next((c for c in news if c.loss is None or c.loss.t > bench.end), None)
    if c is None or not off.over:
        return None
    return bench.breach(
        Form.ABSENCE,
        f"connection {c.id}, begun {seconds(c.accepted - off.t)} after the client was asked to stop, still stood"
        f" {off.watch} after that",
        "no new attempt after log-off, and none that was under way comes to stay",
        [off.record, *records_of(c.upgraded)],
        clause=off.clause,
    )


def _stopped(off: _LogOff) -> Finding:
    """It did all that it should, as far as it was watched."""
    codes = sorted({str(c.client_close.code or "no code") for c in off.still if c.client_close})
    said = f"closed with {', '.join(codes)}" if codes else "had nothing to close"
    left = "and left" if off.bench.talk.exited is not None else "and stayed away"
    short = f"watched for {off.watch} after the request to stop only"
    return off.watch.kept(f"the client {said} {left}", [off.record], off.clause, short=short)
