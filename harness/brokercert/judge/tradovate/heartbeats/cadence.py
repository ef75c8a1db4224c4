"""The cadence of heartbeats: S2 §2, and the protocol's own (TP §1.3).

The page allows 30 s, the protocol asks for 2.5 s. Both are judged, each by itself: the page's is what a certifier
checks, and the protocol's is what keeps the live socket open.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from brokercert.judge.check import seconds
from brokercert.judge.moments import Moment, Said, first_after, first_from
from brokercert.judge.tradovate.bench import Bench, check
from brokercert.judge.tradovate.model.beating import Gap, gaps, longest, page_limit
from brokercert.judge.tradovate.model.conversation import SECOND, Answer, Connection
from brokercert.verdict import Finding, Form


class Watched(NamedTuple):
    """A socket that must beat: from its authorize answer to its loss, its server's silence, or the end."""

    c: Connection
    since: Answer
    until: int

    @property
    def time(self) -> int:
        return self.until - self.since.t

    @property
    def longest(self) -> Gap:
        return longest(gaps(self.c, self.since.t, self.since.record, self.until))

    def begun(self, t: int) -> int:
        """The record of the last `h` up to that time, or of the authorize answer where there was none."""
        return [self.since.record, *(beat.record for beat in self.c.server_beats if beat.t <= t)][-1]


class Load(NamedTuple):
    """A stretch of messages without an `h` among them, and how many they were."""

    start: int
    end: int
    messages: int
    first: int  # the record of the first of them

    @property
    def rate(self) -> int:
        """Messages a second."""
        return round(self.messages / ((self.end - self.start) / SECOND))


class Quiet(NamedTuple):
    """A stretch of `h` and nothing else; `begun` is the record of the last word before it."""

    start: int
    begun: int
    end: int


def _watched(bench: Bench) -> list[Watched]:
    found = [(c, c.authorized) for c in bench.talk.authorized]
    return [Watched(c, answer, c.heard_until(bench.seen)) for c, answer in found if answer is not None]


@check("HBT-010")
def check_regular(bench: Bench) -> Iterator[Finding]:
    """From the authorize answer on, over 70 s, no gap between heartbeats is above the page's limit."""
    limit = page_limit(bench)
    yield from _cadence(bench, limit, f"a heartbeat at least every {limit:g} s (30 s by the page, 10 % tolerance)")


@check("HBT-020")
def check_protocol_cadence(bench: Bench) -> Iterator[Finding]:
    """The protocol's cadence: every 2.5 s, up to 5 s as the official samples do, 10 % tolerance."""
    limit = bench.limit("heartbeat_gap_protocol") * (1 + bench.limit("heartbeat_gap_tolerance"))
    yield from _cadence(bench, limit, f"a heartbeat every 2.5 s, up to {limit:g} s as official samples do")


def _cadence(bench: Bench, limit: float, expected: str) -> Iterator[Finding]:
    """A gap that is too long needs no whole window to be seen; a pass does."""
    window = bench.micros("window_heartbeat")
    sockets = _watched(bench)
    judged = False
    for one in sockets:
        gap = one.longest
        measured = bench.time("longest gap between heartbeats", gap.time, limit)
        if one.time >= window or gap.time > (limit + measured.error) * SECOND:
            judged = True
            observed = f"connection {one.c.id}: {len(one.c.beats)} heartbeat(s), {_said(one, gap)}"
            yield bench.against(measured, observed=observed, expected=expected, evidence=gap.records)
    if sockets and not judged:
        most, since = max((one.time, one.since.record) for one in sockets)
        said = f"the longest socket was watched for {seconds(most)} after its authorize answer only"
        yield bench.short(said, [since])


def _said(one: Watched, gap: Gap) -> str:
    unfinished = gap.end == one.until and not any(beat.t == one.until for beat in one.c.beats)
    how = "up to the end of the window" if unfinished else f"before the one at {seconds(gap.end)}"
    return f"the longest gap {seconds(gap.time)}, {how}"


@check("HBT-030")
def check_under_load(bench: Bench) -> Iterator[Finding]:
    """Heartbeats continue during load while the server sends no `h`: one comes 6 s or more after the last `h`, and
    within the gap limit. A load that this machine could not make shows nothing.
    """
    for one in _watched(bench):
        for load in _loads(bench, one):
            yield _too_small(bench, load) or _beats_under(bench, one, load)


def _beats_under(bench: Bench, one: Watched, load: Load) -> Finding:
    """The first heartbeat that no `h` explains, and how long it took."""
    limit = page_limit(bench)
    expected = f"heartbeats go on under load, at most {limit:g} s apart"
    begun = one.begun(load.start)
    unexplained = load.start + bench.micros("load_after_h")
    first = first_from(one.c.beats, unexplained)
    if first is None or first.t > load.end:
        return _none_under(bench, one, load, begun, expected)
    before = max((beat for beat in one.c.beats if beat.t < first.t), default=Moment(load.start, begun))
    return bench.against(
        bench.time("gap before the first heartbeat without `h`", first.t - before.t, limit),
        observed=f"a heartbeat came {seconds(first.t - load.start)} after the last `h`, under {load.rate}"
        " messages a second",
        expected=expected,
        evidence=[before.record, first.record],
        passes=Form.WAITED,
    )


def _none_under(bench: Bench, one: Watched, load: Load, begun: int, expected: str) -> Finding:
    """No heartbeat came in the load that no `h` explains: a breach, where the load was long enough."""
    limit = page_limit(bench)
    before = max((beat for beat in one.c.beats if beat.t <= load.end), default=Moment(load.start, load.first))
    gap = load.end - before.t
    if gap <= limit * SECOND:
        return bench.short(f"the load without `h` lasted {seconds(load.end - load.start)} only", [load.first])
    observed = f"no heartbeat in {seconds(gap)} under {load.rate} messages a second without an `h`"
    measured = [bench.time("gap between heartbeats", gap, limit)]
    return bench.breach(Form.ABSENCE, observed, expected, [begun, before.record], measured)


def _too_small(bench: Bench, load: Load) -> Finding | None:
    """Not observed, where the mock says that this machine made too little of the load; else nothing."""
    told = next((noted for noted in bench.talk.loads if load.start <= noted.t), None)
    if told is None:
        return None
    least = bench.limit("load_reached") * told.what.asked
    if load.rate >= least:
        return None
    return bench.short(
        f"this machine made {load.rate} messages a second of the {told.what.asked:g} that were to be sent in"
        f" {seconds(load.end - load.start)}; a load is judged from {least:g} a second on",
        [load.first, told.record],
    )


def _loads(bench: Bench, one: Watched) -> Iterator[Load]:
    """The loads that are long enough, one at most between two `h`."""
    c, least, pause = one.c, bench.micros("load_span"), bench.micros("load_pause")
    marks = sorted([c.opened or 0, *(beat.t for beat in c.server_beats), one.until])
    sent = [said for said in c.data_sent if said.text != "o"]
    for start, end in pairwise(marks):
        run = _unbroken([said for said in sent if start < said.t <= end], pause)
        if run and run[-1].t - run[0].t >= least:
            yield Load(run[0].t, min(end, run[-1].t), len(run), run[0].record)


def _unbroken(run: list[Said], pause: int) -> list[Said]:
    """Those after the last pause that is longer than `pause`."""
    broken = [place for place, (before, said) in enumerate(pairwise(run), 1) if said.t - before.t > pause]
    return run[broken[-1] :] if broken else run


@check("HBT-040")
def check_quiet_market(bench: Bench) -> Iterator[Finding]:
    """During 65 s of nothing but `h`, heartbeats continue and the connection is kept: `h` is a sign of life."""
    for one in _watched(bench):
        judged = (_left_in(bench, one.c, quiet) or _beats_in(bench, one, quiet) for quiet in _quiets(bench, one))
        yield from filter(None, judged)


def _left_in(bench: Bench, c: Connection, quiet: Quiet) -> Finding | None:
    """A breach, where the client ended the connection since nothing but `h` came."""
    gone = c.given_up()
    noticed = quiet.start + bench.micros("quiet_watchdog")
    if gone is None or not noticed < gone.t <= quiet.end or not bench.unprovoked(c):
        return None
    return bench.breach(
        Form.ENDING,
        f"the client ended connection {c.id} ({gone.how}) {seconds(gone.t - quiet.start)} into a time of nothing"
        f" but {_heard(c, quiet)}",
        "`h` counts as a sign of life",
        [quiet.begun, gone.record],
    )


def _heard(c: Connection, quiet: Quiet) -> str:
    """What came in it."""
    asked = any(quiet.start < said.t < quiet.end for said in c.data_sent if said.record > quiet.begun)
    return "`h` and answers to its own requests" if asked else "`h`"


def _beats_in(bench: Bench, one: Watched, quiet: Quiet) -> Finding | None:
    """The longest gap of a quiet time that was long enough."""
    limit = page_limit(bench)
    stop = min(quiet.end, one.until)
    if stop - quiet.start < bench.micros("quiet"):
        return None
    gap = longest(gaps(one.c, quiet.start, quiet.begun, stop))
    lasted = f"{seconds(stop - quiet.start)} of nothing but {_heard(one.c, quiet)}"
    return bench.against(
        bench.time("longest gap between heartbeats", gap.time, limit),
        observed=f"in {lasted} the longest gap was {seconds(gap.time)}",
        expected=f"heartbeats go on, at most {limit:g} s apart",
        evidence=[quiet.begun, *gap.records],
    )


def _quiets(bench: Bench, one: Watched) -> Iterator[Quiet]:
    """The times of `h`, and answers to own requests, that are long enough to be looked at."""
    since, least = one.since, bench.micros("quiet_noted")
    marks = [(since.t, since.record), *((t, n) for t, n, _ in one.c.news if t > since.t), (bench.end, 0)]
    for (start, begun), (end, _) in pairwise(marks):
        beat = first_after(one.c.server_beats, start)
        if end - start > least and beat is not None and beat.t <= end:
            yield Quiet(start, begun, end)
