"""How long a client took over each message of a burst: S2 Performance, EVT-150.

How a time is taken:

* It begins with the stamp before the message was written. It ends with the stamp of reading the line that reports it.
* So a figure is never less than the client's own time. It is more by what the machine took.
* An echo process runs beside the client: the canary. What its lag may have added is the figure's error.

What is said of it:

* A figure within the limit is within the limit. A figure above it fails only by more than its error.
* Where the canary lagged at all, the machine may have taken more from a client that works than from an echo. Then only
  a median above the limit fails.
* Where other programs worked, a client may have fallen behind for want of its turn. Then only a client fails that had
  no message at all within the limit: the first message finds it as idle as the echo.
  One message above the limit is no warning then.
* On a machine that was busy for too large a part of the time, nothing fails.

Times are microseconds. Pure: no I/O, no clock.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

from brokercert.judge.buffering.bursts import buffered
from brokercert.judge.check import seconds
from brokercert.judge.drawn import spread, with_drawing
from brokercert.judge.tradovate.bench import Bench, check
from brokercert.judge.tradovate.events.burst import Lags, Timed, timed_in, value_at
from brokercert.judge.tradovate.model.conversation import SECOND
from brokercert.trace import records as r
from brokercert.verdict import Finding, Form, Measured

BURST = "burst"  # the window


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
    window = next((mark.what for mark in bench.talk.windows if mark.what.name == BURST), None)
    if window is None:
        yield bench.short(f"the burst was not sent: the client left, or subscribed to nothing{bench.exit_text()}")
    else:
        yield from _burst(bench, window)


def _burst(bench: Bench, window: r.Window) -> Iterator[Finding]:
    """What was measured of the burst, where that is enough."""
    timed = list(timed_in(bench.talk, window))
    if len(timed) < bench.limit("burst_fewest"):
        yield bench.short(f"the burst had {len(timed)} messages only: its connection ended{bench.exit_text()}")
    elif not any(one.reported for one in timed):
        yield bench.short("no `processed` report named a message of the burst")
    else:
        figures = _Figures(bench, timed)
        drawn = spread("processing", figures.raw, bench.limit("processing_p99"))
        yield from (with_drawing(one, drawn) for one in _judged(figures))


def _judged(f: _Figures) -> Iterator[Finding]:
    """The first of these that holds decides: each says how much the machine leaves to be said of the client."""
    bench, found = f.bench, (f.expected, f.evidence, f.measured)
    if f.buffered:
        yield bench.inconclusive(f"{f.buffered} ({f.said})", *found)
    elif f.unsettled:
        yield bench.inconclusive(f"{f.said}; it was not alone{f.beside}", *found)
    elif f.late:
        yield bench.breach(Form.TIME, f"{f.said}{f.beside}; {_backlog(f.timed)}", *found)
    elif f.over:
        lagged = f"the echo process beside it took up to {_ms(f.lags.worst)}: the machine was busy"
        yield bench.inconclusive(f"{f.said}; {lagged}", *found)
    elif f.lasted > f.planned * bench.limit("burst_slower"):
        yield bench.inconclusive(f"the machine was busy: the burst took {seconds(f.lasted)}", *found)
    else:
        yield bench.ok(Form.SHOWN, f"{f.said}{f.beside}", f.evidence, f.measured)
        yield from _worst(f)


def _worst(f: _Figures) -> Iterator[Finding]:
    """Warnings of single messages, where 99 of 100 were in time."""
    every = f"every message within {f.limit / 1000:g} ms"
    if f.worst_own - f.base > f.limit and not f.crowded:  # one message may have waited for its client's turn
        slowest = f"the worst message took {_ms(f.worst)} ± {_ms(f.worst_error)}"
        yield f.bench.warn(Form.TIME, slowest, every, f.evidence, f.measured, clause="worst")
    if f.missing:
        text = f"{f.missing} of {len(f.timed)} messages were not reported in the {seconds(f.watched)} that was watched"
        yield f.bench.warn(Form.ABSENCE, text, every, f.evidence, clause="worst")


@dataclass(frozen=True)
class _Figures:
    """What was measured of a burst of which some message was reported at least. Each figure is made once."""

    bench: Bench
    timed: list[Timed]

    # The machine.

    @cached_property
    def lags(self) -> Lags:
        samples = [sample for mark in self.bench.talk.canaries for sample in mark.what.samples]
        return Lags(samples, self.bench.micros("canary_lag"))

    @cached_property
    def others(self) -> float:
        """How many cores other programs used at the most."""
        return max((mark.what.others for mark in self.bench.talk.canaries), default=0.0)

    @property
    def crowded(self) -> bool:
        return self.others > self.bench.limit("canary_alone")

    @property
    def beside(self) -> str:
        return f"; other programs used {self.others:.1f} cores meanwhile" if self.crowded else ""

    @cached_property
    def base(self) -> int:
        """What the harness's own way adds to every figure."""
        known = self.bench.header.calibration
        round_trip = round(known["round_trip_p99"] * 1000) if known else 0
        return round_trip + value_at(self.lags.usual, 0.99)

    # The client.

    @cached_property
    def limit(self) -> float:
        return self.bench.limit("processing_p99") * SECOND

    @cached_property
    def reported(self) -> list[Timed]:
        return [one for one in self.timed if one.reported is not None]

    @property
    def missing(self) -> int:
        return len(self.timed) - len(self.reported)

    @property
    def watched(self) -> int:
        """How long those were waited for that were never reported."""
        return max((one.took for one in self.timed if one.reported is None), default=0)

    @cached_property
    def raw(self) -> list[int]:
        return [one.took for one in self.timed]

    @cached_property
    def own(self) -> list[int]:
        """Less the canary's lag: the client's own time at least."""
        return [self._own(one) for one in self.timed]

    def _own(self, one: Timed) -> int:
        return one.took - self.lags.within(one.written, one.read)

    @cached_property
    def p99(self) -> int:
        return value_at(self.raw, 0.99)

    @cached_property
    def error(self) -> int:
        return self.base + self.p99 - value_at(self.own, 0.99)

    @cached_property
    def worst(self) -> int:
        """Of those reported: of others only this is known, that they were not, as long as they were watched."""
        return max(one.took for one in self.reported)

    @cached_property
    def worst_own(self) -> int:
        return max(map(self._own, self.reported))

    @property
    def worst_error(self) -> int:
        return self.base + self.worst - self.worst_own

    @property
    def over(self) -> bool:
        return self.p99 > self.limit

    @property
    def proved(self) -> bool:
        """The figure that the machine leaves is above the limit by more than its error."""
        return (self.p99 if self.lags.none else value_at(self.own, 0.5)) - self.error > self.limit

    @property
    def unsettled(self) -> bool:
        """Above the limit beside other programs, one message at least within it: it may have waited for its turn."""
        return self.over and self.crowded and min(self.own) - self.error <= self.limit

    @property
    def late(self) -> bool:
        """Above the limit by the client's own doing, on a machine that was not too busy."""
        return self.over and self.proved and self.lags.share <= self.bench.limit("canary_busy")

    @property
    def buffered(self) -> str:
        """Why the reports cannot be timed. Where the machine may have made the bursts, a figure within the limit
        stands: it is no more than the client's.
        """
        if not self.over and not self.lags.none:
            return ""
        return buffered((x.written, x.read) for x in sorted(self.reported, key=lambda x: x.read))

    # The burst.

    @property
    def lasted(self) -> int:
        return self.timed[-1].written - self.timed[0].written

    @property
    def planned(self) -> float:
        return len(self.timed) / self.bench.limit("burst_rate") * SECOND

    # What is told.

    @cached_property
    def said(self) -> str:
        p99, median = (
            f"{'at least ' if self.missing > (1 - share) * len(self.timed) else ''}{_ms(value_at(self.raw, share))}"
            for share in (0.99, 0.5)
        )
        said = f"p99 {p99} ± {_ms(self.error)}, median {median}, worst {_ms(self.worst)} of {len(self.timed)} messages"
        if self.missing:
            said += f"; {self.missing} were never reported in the {seconds(self.watched)} that was watched"
        return said

    @property
    def expected(self) -> str:
        return f"99 of 100 messages processed within {self.limit / 1000:g} ms"

    @property
    def evidence(self) -> list[int]:
        ends = (self.reported[0], self.reported[-1])
        return [one.reported.record for one in ends if one.reported is not None]

    @cached_property
    def measured(self) -> list[Measured]:
        bench, limit = self.bench, self.bench.limit("processing_p99")
        return [
            bench.time("processing, p99", self.p99, limit, self.error / SECOND),
            bench.time("processing, median", value_at(self.raw, 0.5), None, self.base / SECOND),
            bench.time("processing, worst", self.worst, limit, self.worst_error / SECOND),
            bench.time("the echo process beside it, worst", self.lags.worst, bench.limit("canary_lag"), 0.0),
        ]


def _backlog(timed: list[Timed]) -> str:
    """How the client fell behind: what waited at a time, and the medians of the first and the last tenth."""
    moments = sorted([(one.written, 1) for one in timed] + [(one.read, -1) for one in timed])
    most = max(accumulate(step for _, step in moments))
    tenth = max(1, len(timed) // 10)
    first, last = (value_at([one.took for one in part], 0.5) for part in (timed[:tenth], timed[-tenth:]))
    parts = f"{_ms(first)} in the first tenth, {_ms(last)} in the last"
    return f"up to {most} messages waited at a time; the median was {parts}"


def _ms(micros: int) -> str:
    return f"{micros / 1000:.1f} ms"
