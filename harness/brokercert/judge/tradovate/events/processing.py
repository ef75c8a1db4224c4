"""How long a client took over each message of a burst: S2 Performance, EVT-150.

The law: t0 is the stamp before a message's write, t1 that of reading the line which reports it, so that a figure is
never less than the client's own time, and is more by what the machine took. What the canary's lag may have added is the
figure's error: a figure within the limit is within it, one above it fails only by more than its error. Where the canary
lagged at all, the machine may have taken more from a client that works than from an echo: then only a median above the
limit fails; where other programs worked, so that a client may have fallen behind for want of its turn, only one that
had not a single message within the limit, for the first finds it as idle as the echo; and on a machine that was busy
for a tenth of the time nothing fails. Times are microseconds. Pure: no I/O.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from brokercert.judge.buffering.bursts import buffered
from brokercert.judge.check import seconds
from brokercert.judge.told import Report
from brokercert.judge.tradovate.bench import Bench, check
from brokercert.judge.tradovate.model.conversation import SECOND, Connection, Conversation
from brokercert.judge.tradovate.model.props import Prop, props_on
from brokercert.trace import records as r
from brokercert.verdict import Finding, Form

BURST = "burst"  # the window
FEWEST = 100  # messages: fewer have no 99th percentile
BUSY = 0.1  # of the time, lag of the canary: a client that works more than it gets even less of the machine
ALONE = 0.25  # cores that other programs may use: an echo that sleeps gets its turn before a client that works
SLOWER = 1.25  # a burst that took so many times as long as it should was no such burst


@dataclass(frozen=True, slots=True)
class Timed:
    """A message of the burst: when it was written, when its report was read (`until`, where it never was)."""

    written: int
    read: int
    reported: Report | None

    @property
    def took(self) -> int:
        return self.read - self.written


@check("EVT-150")
def check_processing_time(bench: Bench) -> Iterator[Finding]:
    """Of the messages of the burst, 99 of 100 are reported as processed within the limit; a worst one above it is a
    warning.
    """
    if not bench.talk.synced:
        return
    if bench.header.tier != "real" or bench.header.level == "in process":
        yield bench.short("processing is timed in real time, and of a client in a process of its own")
        return
    window = next((window for _, _, window in bench.talk.windows if window.name == BURST), None)
    if window is None:
        yield bench.short(f"the burst was not sent: the client left, or subscribed to nothing{bench.exit_text()}")
        return
    timed = list(_timed(bench.talk, window))
    reported = [one for one in timed if one.reported is not None]
    if len(timed) < FEWEST:
        yield bench.short(f"the burst had {len(timed)} messages only: its connection ended{bench.exit_text()}")
        return
    if not reported:
        yield bench.short("no `processed` report named a message of the burst")
        return
    others = max((c.others for _, _, c in bench.talk.canaries), default=0.0)
    yield from _judged(
        bench, timed, reported, others, [sample for _, _, c in bench.talk.canaries for sample in c.samples]
    )


def _judged(
    bench: Bench, timed: list[Timed], reported: list[Timed], others: float, canary: Sequence[tuple[int, int]]
) -> Iterator[Finding]:
    limit = bench.limit("processing_p99")
    lags = _Lags(canary, bench.micros("canary_lag"))
    raw = [one.took for one in timed]
    own = [one.took - lags.within(one.written, one.read) for one in timed]  # at least the client's
    base = round(bench.header.calibration["round_trip_p99"] * 1000) if bench.header.calibration else 0
    base += _at(lags.usual, 0.99)
    p99 = _at(raw, 0.99)
    error = base + p99 - _at(own, 0.99)
    # Of a message that was not reported only this is known: that it was not, as long as it was watched.
    worst = max(one.took for one in reported)
    worst_own = max(mine for one, mine in zip(timed, own, strict=True) if one.reported is not None)
    missing = len(timed) - len(reported)
    watched = max((one.took for one in timed if one.reported is None), default=0)
    figures = [
        bench.time("processing, p99", p99, limit, error / SECOND),
        bench.time("processing, median", _at(raw, 0.5), None, base / SECOND),
        bench.time("processing, worst", worst, limit, (base + worst - worst_own) / SECOND),
        bench.time("the echo process beside it, worst", lags.worst, bench.limit("canary_lag"), 0.0),
    ]
    p99_said, median = (
        f"{'at least ' if missing > (1 - share) * len(timed) else ''}{_ms(_at(raw, share))}" for share in (0.99, 0.5)
    )
    said = f"p99 {p99_said} ± {_ms(error)}, median {median}, worst {_ms(worst)} of {len(timed)} messages"
    if missing:
        said += f"; {missing} were never reported in the {seconds(watched)} that was watched"
    expected = f"99 of 100 messages processed within {limit * 1000:g} ms"
    evidence = [one.reported.record for one in (reported[0], reported[-1]) if one.reported is not None]
    over = p99 > limit * SECOND
    # Where the machine may have made the bursts, a figure within the limit stands: it is one of the client's at most.
    timeable = not over and not lags.none
    why = "" if timeable else buffered((x.written, x.read) for x in sorted(reported, key=lambda x: x.read))
    beside = f"; other programs used {others:.1f} cores meanwhile" if others > ALONE else ""
    planned = len(timed) / bench.limit("burst_rate") * SECOND
    if why:
        yield bench.inconclusive(f"{why} ({said})", expected, evidence, figures)
    elif over and others > ALONE and min(own) - error <= limit * SECOND:
        yield bench.inconclusive(f"{said}; it was not alone{beside}", expected, evidence, figures)
    elif over and (p99 if lags.none else _at(own, 0.5)) - error > limit * SECOND and lags.share <= BUSY:
        yield bench.breach(Form.TIME, f"{said}{beside}; {_backlog(timed)}", expected, evidence, figures)
    elif over:
        lagged = f"the echo process beside it took up to {_ms(lags.worst)}: the machine was busy"
        yield bench.inconclusive(f"{said}; {lagged}", expected, evidence, figures)
    elif timed[-1].written - timed[0].written > planned * SLOWER:
        took = timed[-1].written - timed[0].written
        yield bench.inconclusive(f"the machine was busy: the burst took {seconds(took)}", expected, evidence, figures)
    else:
        yield bench.ok(Form.SHOWN, said, evidence, figures)
        every = f"every message within {limit * 1000:g} ms"
        if worst_own - base > limit * SECOND:
            slowest = f"the worst message took {_ms(worst)} ± {_ms(base + worst - worst_own)}"
            yield bench.warn(Form.TIME, slowest, every, evidence, clause="worst")
        if missing:
            text = f"{missing} of {len(timed)} messages were not reported in the {seconds(watched)} that was watched"
            yield bench.warn(Form.ABSENCE, text, every, evidence, clause="worst")


class _Lags:
    """When the canary took too long, and how long it took otherwise."""

    def __init__(self, samples: Sequence[tuple[int, int]], most: int) -> None:
        ordered = sorted(samples)
        late = [(at, at + took) for at, took in ordered if took > most]
        self.usual = [took for _, took in ordered if took <= most]
        self.none = not late
        span = ordered[-1][0] + ordered[-1][1] - ordered[0][0] if ordered else 0
        self.share = sum(end - start for start, end in late) / span if span else 0.0
        self.worst = max((took for _, took in ordered), default=0)
        self._starts = [start for start, _ in late]
        self._ends = [end for _, end in late]
        self._sums = [0, *accumulate(end - start for start, end in late)]

    def within(self, since: int, until: int) -> int:
        """How much of a time was lag. They do not overlap: it is asked one question at a time."""
        first, last = bisect_left(self._ends, since), bisect_left(self._starts, until)
        if first >= last:
            return 0
        total = self._sums[last] - self._sums[first]
        return total - max(0, since - self._starts[first]) - max(0, self._ends[last - 1] - until)


def _timed(talk: Conversation, window: r.Window) -> Iterator[Timed]:
    """The messages of the burst in the order of writing. The first report of each counts."""
    by_key: dict[tuple[str, str, str], Report] = {}
    by_ordinal: dict[tuple[int, int], Report] = {}
    for report in talk.told.processed:
        body = report.body
        connection, message = body.get("connection"), body.get("message")
        if isinstance(connection, int) and isinstance(message, int):
            by_ordinal.setdefault((connection, message), report)
        key = (str(body.get("entityType")).lower(), str(body.get("id")), str(body.get("eventType")).lower())
        by_key.setdefault(key, report)
    for number, c in enumerate(talk.upgraded, 1):
        ordinals = _ordinals(c)
        for prop in props_on(c):
            if window.since <= prop.t <= window.t:
                found = by_key.get(prop.key) or by_ordinal.get((number, ordinals[prop.record]))
                yield _one(prop, found, window.t)


def _one(prop: Prop, report: Report | None, until: int) -> Timed:
    if report is None or report.t < prop.t:
        return Timed(prop.t, until, None)
    return Timed(prop.t, report.t, report)


def _ordinals(c: Connection) -> dict[int, int]:
    """Record -> which text message of the connection it was, counted from 1 as a client does."""
    records = sorted([number for _, number, _ in c.data_sent] + [number for _, number in c.server_beats])
    return {number: ordinal for ordinal, number in enumerate(records, 1)}


def _at(values: Sequence[int], share: float) -> int:
    """The value that so many of them do not exceed; 0 where there is none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, -(-round(share * 1000) * len(ordered) // 1000) - 1))] if ordered else 0


def _backlog(timed: list[Timed]) -> str:
    """How the client fell behind: what waited at a time, and the medians of the first and the last tenth."""
    moments = sorted([(one.written, 1) for one in timed] + [(one.read, -1) for one in timed])
    most = max(accumulate(step for _, step in moments))
    tenth = max(1, len(timed) // 10)
    first, last = (_at([one.took for one in part], 0.5) for part in (timed[:tenth], timed[-tenth:]))
    parts = f"{_ms(first)} in the first tenth, {_ms(last)} in the last"
    return f"up to {most} messages waited at a time; the median was {parts}"


def _ms(micros: int) -> str:
    return f"{micros / 1000:.1f} ms"
