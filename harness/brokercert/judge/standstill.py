"""What a standstill of the harness may have made is not said of the client: the one rule, for every check.

The law: a finding about time, absence, an ending or a repetition is *inconclusive* where its window touches a
standstill that the client may have noticed, or follows one within what the client may still owe to it. So is a pass by
restraint. What a frame or an output holds is judged regardless. A standstill that the client itself caused excuses
nothing once the scenario was played again with the client at a lower priority.

The window of a finding runs from the first of its evidence to the last; of an absence and of restraint, to the end.
Times are microseconds. Pure: no I/O, no clock.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from msgspec.structs import replace

from brokercert.judge.transcript import SECOND, Socket, Transcript
from brokercert.trace import Body, Header, Trace
from brokercert.trace import records as r
from brokercert.verdict import Finding, Form, Verdict

# From how long a standstill may have made a finding of this form: the name of the limit, in the set's data.
NOTICED: dict[Form | None, str] = {
    Form.ENDING: "stall_noticed",
    Form.ABSENCE: "stall_late",
    Form.TIME: "stall_late",
    Form.RESTRAINT: "stall_late",
    Form.AGAIN: "stall_flight",
    None: "stall_late",
}
TO_THE_END = (Form.ABSENCE, Form.RESTRAINT, None)
OPEN = (Verdict.NOT_OBSERVED, Verdict.INCONCLUSIVE, Verdict.BLOCKED)  # no breach, but perhaps our doing all the same
SHARE = 0.5  # of a standstill: who used a core for the larger part of it made it
FLOOD = 1024 * 1024  # bytes a second: a hundred times what any client sends; the harness reads a hundred times that


@dataclass(frozen=True, slots=True)
class Span:
    """A standstill. `record` is 0 where the trace does not say when it was."""

    since: int
    until: int
    length: int  # with what the machine slept, which the clock of the others does not count
    record: int
    by_client: bool = False

    @property
    def seconds(self) -> tuple[float, float]:
        return round(self.since / SECOND, 3), round(self.until / SECOND, 3)

    @property
    def told(self) -> str:
        a, b = self.seconds
        if not self.record:
            return f"the harness stood still for {self.length / SECOND:.1f} s at some time in this scenario"
        slept = self.length - (self.until - self.since)
        asleep = f", and the machine slept for {slept / SECOND:.1f} s" if slept else ""
        asleep += ", while the client used its core or flooded it" if self.by_client else ""
        return f"the harness stood still from {a:.1f} s to {b:.1f} s of the scenario{asleep}"


def made_by_client(stall: r.Stall) -> bool:
    """Whether the client kept the harness from its core, or gave it more to read than any client sends.

    Both are known of a harness only that computed or waited for a core: one that was stopped or slept did neither.
    """
    length = (stall.t - stall.since) / SECOND
    if stall.cpu + stall.waited < SHARE * length:
        return False
    return stall.client_cpu >= SHARE * length or stall.client_bytes >= FLOOD * length


def made_by_clients(stall: r.Stall) -> bool:
    """The same of all clients of the run together."""
    return made_by_client(stall) or made_by_client(replace(stall, client_cpu=stall.clients_cpu))


class Standstills:
    """Those of one trace, and what they excuse."""

    def __init__(self, trace: Trace, talk: Transcript[Any]) -> None:
        self._records: Sequence[Body] = trace.records
        self._talk = talk
        self._header = trace.header
        self.spans = tuple(_spans(trace.header, talk))

    def excused(self, finding: Finding) -> Finding:
        """The finding; or, where a standstill may have made it, an inconclusive one that says so."""
        if finding.verdict is Verdict.NOT_APPLICABLE or finding.form in (Form.CONTENT, Form.SHOWN):
            return finding
        span = self._touching(finding)
        if finding.verdict in OPEN:
            return finding if span is None else replace(finding, stalled=span.seconds)
        if span is not None:
            return _inconclusive(finding, span, f"{span.told}, which may have made this")
        gap = self._gap(finding) if finding.form is Form.ENDING else None
        if gap is not None:
            what = f"the broker's own messages to the client had a gap of {gap.length / SECOND:.1f} s shortly before"
            return _inconclusive(finding, gap, what)
        return finding

    @property
    def noticed(self) -> Span | None:
        """The longest standstill that may be why something never came."""
        known = [span for span in self.spans if span.length >= self._limit("stall_late")]
        return max(known, key=lambda span: span.length, default=None)

    def _limit(self, name: str) -> int:
        return round(self._header.limits.get(name, 0.0) * SECOND)

    def _touching(self, finding: Finding) -> Span | None:
        """The longest standstill that may have made it."""
        if finding.verdict is Verdict.INCONCLUSIVE and finding.form is Form.TIME:
            # Nearer to its limit than its error, which is the worst lateness of the harness in the whole scenario.
            return max(self.spans, key=lambda span: span.length, default=None)
        since, until = self._window(finding)
        if finding.form is Form.RESTRAINT:
            return self._unseen(finding, since, until)
        since -= self._limit("stall_owed")
        least = self._limit(NOTICED[finding.form])
        touching = [s for s in self.spans if s.length >= least and s.since <= until and s.until >= since]
        return max(touching, key=lambda span: span.length, default=None)

    def _unseen(self, finding: Finding, since: int, until: int) -> Span | None:
        """The longest standstill in a time in which nothing came, where they took more of it than could be spared.

        A standstill before it counts for nothing: nothing was done that could answer for it.
        """
        touching = [s for s in self.spans if s.since <= until and s.until >= since]
        spare = min(round(finding.spare * SECOND), self._limit("stall_noticed"))
        if sum(s.length for s in touching) <= max(spare, self._limit("stall_late")):
            return None
        return max(touching, key=lambda span: span.length)

    def _window(self, finding: Finding) -> tuple[int, int]:
        known = [n for n in finding.evidence if 1 <= n <= len(self._records)]
        times = [self._records[n - 1].t for n in known]
        since = min(times, default=0)
        if finding.form in TO_THE_END or (len(times) < 2 and finding.form is Form.TIME):
            return since, self._talk.now
        return since, max(times, default=self._talk.now)

    def _gap(self, finding: Finding) -> Span | None:
        """The longest time without a message of the broker's before the end that the finding is about, where that is
        longer than any client must bear. None where silence was the stimulus.
        """
        longest = self._limit("healthy_gap")
        ended = [
            c
            for c in self._talk.connections.values()
            if c.loss is not None and c.loss.by == "client" and c.loss.record in finding.evidence and c.silent is None
        ]
        if not longest or not ended:
            return None
        spans = [span for c in ended for span in _gaps(c, self._limit("healthy_span"))]
        worst = max(spans, key=lambda span: span.length, default=None)
        return worst if worst is not None and worst.length > longest else None


def _spans(header: Header, talk: Transcript[Any]) -> Iterator[Span]:
    for number, stall in talk.stalls:
        by_client = made_by_client(stall)
        if header.lowered and by_client:
            continue
        length = stall.t - stall.since + round(stall.suspended * SECOND)
        yield Span(stall.since, stall.t, length, number, by_client)
    # Traces of before standstills were records say only how long the worst was.
    if not talk.stalls and talk.finished is not None and talk.finished.lag:
        yield Span(0, talk.now, talk.finished.lag, 0)


def _gaps(c: Socket, span: int) -> Iterator[Span]:
    """Between the broker's messages to a socket, in the last `span` before its loss or in its life."""
    assert c.loss is not None
    begin = max(c.upgraded[0] if c.upgraded else c.accepted, c.loss.t - span)
    before = max((t for t, _ in c.sent if t < begin), default=begin)
    marks = [before, *(t for t, _ in c.sent if begin <= t < c.loss.t), c.loss.t]
    for since, until in pairwise(marks):
        yield Span(since, until, until - since, c.loss.record)


def _inconclusive(finding: Finding, span: Span, why: str) -> Finding:
    evidence = tuple(dict.fromkeys((*finding.evidence, *([span.record] if span.record else []))))
    return replace(
        finding,
        verdict=Verdict.INCONCLUSIVE,
        observed=f"{why}: {finding.observed}",
        stalled=span.seconds,
        evidence=evidence,
    )
