"""Log-off: what a client does when it is asked to stop (TP §0, the programme's Log-off)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from brokercert.judge.check import Watch, seconds
from brokercert.judge.moments import records_of
from brokercert.judge.tradovate.bench import Bench, check
from brokercert.judge.tradovate.model.conversation import Connection
from brokercert.judge.tradovate.model.trying import tries
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
        """Where in the connection's life it was asked."""
        return _point(self.still[-1], self.t) if self.still else "not connected"

    @property
    def over(self) -> bool:
        """The time is up that a log-off may take."""
        return self.watch.time >= self.watch.window


def _point(c: Connection, t: int) -> str:
    """How far the connection had come by then."""
    opened = c.opened is not None and c.opened <= t
    if not opened:
        return "before `o`"
    if c.authorized is None or c.authorized.t > t:
        return "not yet authorized"
    syncs = [sync for sync in c.syncs if sync.t <= t]
    last = syncs[-1].answer if syncs else None
    if syncs and (last is None or last.t > t):
        return "not yet synced"
    if last is not None and last.ticket and t < last.t + last.wait:
        return "while a penalty runs"
    return "open connection"


@check("OFF-010")
def check_log_off(bench: Bench) -> Iterator[Finding]:
    """Asked to stop, wherever the connection stands: a close frame with 1000, 1001 or without a code on the open
    connection, no coming back, and (a warning) the client leaves in time.
    """
    for off in _asked(bench):
        wrong = [finding for c in off.still if (finding := _badly_closed(off, c))]
        again = _came_back(off) or _stayed(off)
        if again is not None:
            wrong.append(again)
        yield from wrong or filter(None, [_stopped(off), _late(off)])


def _asked(bench: Bench) -> Iterator[_LogOff]:
    """Each request to stop that is judged, and that found the client running, of each start of the client."""
    window = bench.micros("window_stop")
    for start in bench.talk.starts:
        one = replace(bench, talk=start)
        for stop in start.judged_stops():
            still = [c for c in start.upgraded if c.stood_at(stop.t)]
            yield _LogOff(one, stop.t, stop.record, still, one.barred(stop.t, window))


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
    """A breach, where a connection came after those that may have been under way. A call about tokens alone is none:
    a client may end its session by one.
    """
    bench = off.bench
    since = off.t + bench.micros("stop_under_way")
    back = next((a for a in tries(bench, since) if a.conn and a.t <= bench.end), None)
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
    c = next((c for c in news if not c.lost_before(bench.end + 1)), None)
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
    """It did all that it should, as far as it was watched: the close frames and the exit show it."""
    closes = [c.client_close for c in off.still if c.client_close]
    codes = sorted({str(close.code or "no code") for close in closes})
    said = f"closed with {', '.join(codes)}" if codes else "had nothing to close"
    ending = off.watch.ending
    left = f"and left {seconds(ending.t - off.t)} after it was asked" if ending is not None else "and stayed away"
    short = f"watched for {off.watch} after the request to stop only"
    evidence = [off.record, *records_of(*closes, ending)]
    return off.watch.kept(f"the client {said} {left}", evidence, off.clause, short=short)


def _late(off: _LogOff) -> Finding | None:
    """A warning, where the client ran on for too long: whoever started it has to kill it."""
    bench, limit, ending = off.bench, off.bench.limit("leave"), off.watch.ending
    if bench.talk.background is not None:
        return None
    took = bench.time("request to stop to exit", (ending.t if ending is not None else bench.end) - off.t, limit)
    if took.value <= limit + took.error:
        return None
    said = "left" if ending is not None else "was still running"
    return bench.warn(
        Form.TIME if ending is not None else Form.ABSENCE,
        f"the client {said} {took.value:.3f} s after it was asked to stop",
        f"an exit within {limit:g} s",
        [off.record, *records_of(ending)],
        [took],
        clause=f"{off.clause}: leaves in time",
    )
