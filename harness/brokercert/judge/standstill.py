"""What a standstill of the harness may have made is not said of the client: the one rule, for every check.

The law: a finding about time, absence, an ending or a repetition is *inconclusive* where its window touches a
standstill that the client may have noticed, or follows one within what the client may still owe to it. So is a pass by
restraint, and a pass by what the standstill itself may have provoked or made late. What a frame or an output holds is
judged regardless. A standstill that the client itself caused excuses no breach once the scenario was played again with
the client at a lower priority; it makes no pass either.

The window of a finding runs from the first of its evidence to the last; of an absence and of restraint, to the end.
Times are microseconds. Pure: no I/O, no clock.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from msgspec.structs import replace

from brokercert.judge.sockets import Loss, Socket
from brokercert.judge.transcript import SECOND, Transcript
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
    Form.EARLY: "stall_flight",
    Form.SHOWN: "stall_noticed",
    Form.WAITED: "stall_flight",
    None: "stall_late",
}
TO_THE_END = (Form.ABSENCE, Form.RESTRAINT, None)
OPEN = (Verdict.NOT_OBSERVED, Verdict.INCONCLUSIVE, Verdict.BLOCKED)  # no breach, but perhaps our doing all the same
SHARE = 0.5  # of a standstill: who used a core for the larger part of it made it
STORM = 50  # connections a second: 25 times what any client opens; the harness takes twenty times that
FLOOD = 1024 * 1024  # bytes a second: a hundred times what any client sends; the harness reads a hundred times that


@dataclass(frozen=True, slots=True)
class Span:
    """A standstill. `record` is 0 where the trace does not say when it was."""

    since: int
    until: int
    length: int  # with what the machine slept, which the clock of the others does not count
    record: int
    by_client: bool = False
    excuses: bool = True  # False: the client made it, though it had a lower priority than the harness

    @property
    def slept(self) -> int:
        """How long the machine slept: a clock that goes on meanwhile counts so much more than that of the trace."""
        return self.length - (self.until - self.since) if self.record else 0

    def touches(self, since: int, until: int) -> bool:
        """It has a moment in common with that time."""
        return self.since <= until and self.until >= since

    @property
    def seconds(self) -> tuple[float, float]:
        return round(self.since / SECOND, 3), round(self.until / SECOND, 3)

    @property
    def told(self) -> str:
        a, b = self.seconds
        if not self.record:
            return f"the harness stood still for {self.length / SECOND:.1f} s at some time in this scenario"
        asleep = f", and the machine slept for {self.slept / SECOND:.1f} s" if self.slept else ""
        asleep += ", while the client used its core or flooded it" if self.by_client else ""
        return f"the harness stood still from {a:.1f} s to {b:.1f} s of the scenario{asleep}"


def made_by_client(stall: r.Stall) -> bool:
    """Whether the client kept the harness from its core, or gave it more to read, or to take, than any client does.

    All are known of a harness only that computed or waited for a core: one that was stopped or slept did neither.
    """
    length = (stall.t - stall.since) / SECOND
    if stall.cpu + stall.waited < SHARE * length:
        return False
    flooded = stall.client_bytes >= FLOOD * length or stall.client_connections >= STORM * length
    return stall.client_cpu >= SHARE * length or flooded


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
        if finding.verdict is Verdict.NOT_APPLICABLE or finding.form is Form.CONTENT:
            return finding
        span = self._touching(finding)
        if finding.verdict in OPEN:
            return finding if span is None else replace(finding, stalled=span.seconds)
        if span is not None:
            return _inconclusive(finding, span, f"{span.told}, which may have made this")
        return self._unless_gap(finding) if finding.form is Form.ENDING else finding

    def _unless_gap(self, finding: Finding) -> Finding:
        gap = self._gap(finding)
        if gap is None:
            return finding
        what = f"the broker's own messages to the client had a gap of {gap.length / SECOND:.1f} s shortly before"
        return _inconclusive(finding, gap, what)

    @property
    def noticed(self) -> Span | None:
        """The longest standstill that may be why something never came."""
        return _longest(s for s in self.spans if s.excuses and s.length >= self._limit("stall_late"))

    def _limit(self, name: str) -> int:
        return round(self._header.limits.get(name, 0.0) * SECOND)

    def _touching(self, finding: Finding) -> Span | None:
        """The longest standstill that may have made it."""
        if finding.verdict is Verdict.INCONCLUSIVE and finding.form is Form.TIME:
            # Nearer to its limit than its error, which is the worst lateness of the harness in the whole scenario.
            return _longest(s for s in self.spans if s.excuses)
        since, until = self._window(finding)
        if finding.verdict is Verdict.PASS:
            return self._unshown(finding, since, until)
        return _longest(
            s for s in self.spans if s.excuses and s.since <= until and self._may_have_made(finding, s, since)
        )

    def _may_have_made(self, finding: Finding, span: Span, since: int) -> bool:
        """Whether a standstill of before the window's end may have; `since`: when the window begins."""
        least = self._limit(NOTICED[finding.form])
        if finding.form is Form.EARLY:  # lateness makes nothing early, and no earlier standstill does
            return span.slept >= least and span.until >= since
        return span.length >= least and span.until >= since - self._limit("stall_owed")

    def _unshown(self, finding: Finding, since: int, until: int) -> Span | None:
        """The longest standstill for which a pass is none.

        A client that left for it was not there for what the pass speaks of, or did for it what the pass shows.
        """
        noticed, owed = self._limit("stall_noticed"), self._limit("stall_owed")
        left = self._longest_in(since - owed, until, noticed)
        if left is not None:
            return left
        if finding.form is Form.RESTRAINT:
            return self._unseen(finding, since, until)
        return self._longest_in(since, until, self._limit(NOTICED[finding.form]))

    def _longest_in(self, since: int, until: int, least: int) -> Span | None:
        """The longest standstill that touches that time and was at least so long."""
        return _longest(s for s in self.spans if s.length >= least and s.touches(since, until))

    def _unseen(self, finding: Finding, since: int, until: int) -> Span | None:
        """The longest standstill in a time in which nothing came, where they took more of it than could be spared."""
        touching = [s for s in self.spans if s.touches(since, until)]
        spare = min(round(finding.spare * SECOND), self._limit("stall_noticed"))
        if sum(s.length for s in touching) <= max(spare, self._limit("stall_late")):
            return None
        return _longest(touching)

    def _window(self, finding: Finding) -> tuple[int, int]:
        times = [self._records[n - 1].t for n in finding.evidence if 1 <= n <= len(self._records)]
        since = min(times, default=0)
        if finding.form in TO_THE_END or (len(times) < 2 and finding.form is Form.TIME):
            return since, self._talk.now
        return since, max(times, default=self._talk.now)

    def _gap(self, finding: Finding) -> Span | None:
        """The longest time without a message of the broker's before the end that the finding is about, where that is
        longer than any client must bear. None where silence was the stimulus, or the client's own making.
        """
        longest = self._limit("healthy_gap")
        if not longest:
            return None
        gaps = [gap for c, gone in self._left(finding) for gap in _gaps(c, gone, self._limit("healthy_span"))]
        return _longest(gap for gap in gaps if gap.length > longest and not self._bought(gap))

    def _left(self, finding: Finding) -> Iterator[tuple[Socket, Loss]]:
        """The sockets with a server that spoke, and the client's own ends of them, that the finding is about."""
        for c in self._talk.connections.values():
            gone = c.given_up()
            if gone is not None and gone.record in finding.evidence and c.silent is None:
                yield c, gone

    def _bought(self, gap: Span) -> bool:
        """The client may have made it, by a standstill that excuses nothing."""
        return any(s.touches(gap.since, gap.until) for s in self.spans if not s.excuses)


def _longest(spans: Iterable[Span]) -> Span | None:
    return max(spans, key=lambda span: span.length, default=None)


def _spans(header: Header, talk: Transcript[Any]) -> Iterator[Span]:
    for number, stall in talk.stalls:
        by_client = made_by_client(stall)
        length = stall.t - stall.since + round(stall.suspended * SECOND)
        yield Span(stall.since, stall.t, length, number, by_client, excuses=not (header.lowered and by_client))
    # Traces of before standstills were records say only how long the worst was.
    if not talk.stalls and talk.finished is not None and talk.finished.lag:
        yield Span(0, talk.now, talk.finished.lag, 0)


def _gaps(c: Socket, gone: Loss, span: int) -> Iterator[Span]:
    """Between the broker's messages to a socket, in the last `span` before its loss or in its life."""
    begin = max(c.upgraded.t if c.upgraded else c.accepted, gone.t - span)
    before = max((t for t, _ in c.sent if t < begin), default=begin)
    marks = [before, *(t for t, _ in c.sent if begin <= t < gone.t), gone.t]
    for since, until in pairwise(marks):
        yield Span(since, until, until - since, gone.record)


def _inconclusive(finding: Finding, span: Span, why: str) -> Finding:
    evidence = tuple(dict.fromkeys((*finding.evidence, *([span.record] if span.record else []))))
    return replace(
        finding,
        verdict=Verdict.INCONCLUSIVE,
        observed=f"{why}: {finding.observed}",
        stalled=span.seconds,
        evidence=evidence,
    )
