"""Heartbeats and silence by the third edition (A3 Heartbeat Protocol): what binds everybody, and the SDK's numbers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from brokercert.judge.arrow.bench import BOOK3, ArrowBench, check
from brokercert.judge.arrow.heartbeats.beats import strange
from brokercert.judge.arrow.model import UpdateSocket, object_of
from brokercert.judge.arrow.timers import slack
from brokercert.judge.attempts import Attempt
from brokercert.judge.check import Breach, seconds
from brokercert.judge.moments import Moment, Said, records_of
from brokercert.judge.transcript import SECOND
from brokercert.verdict import Finding, Form

IGNORED = "ignored, and taken for a sign of life"


@dataclass(frozen=True, slots=True)
class _Gap:
    """Between two beats, or from the opening to the first, or from the last to the end of what was seen."""

    length: float  # seconds
    records: list[int]
    ended: bool  # by a beat


def _gaps(bench: ArrowBench, c: UpdateSocket, opened: Moment) -> list[_Gap]:
    until = c.heard_until(bench.seen)
    marks = [opened, *(beat for beat in c.beats if beat.t <= until)]
    gaps = [_Gap((two.t - one.t) / SECOND, [one.record, two.record], True) for one, two in pairwise(marks)]
    return [*gaps, _Gap((until - marks[-1].t) / SECOND, [marks[-1].record], False)]


@check("AOH-310", BOOK3)
def check_beats(bench: ArrowBench) -> Iterator[Finding]:
    """`PONG` is sent again and again on every connection, and never more than 30 s apart."""
    most = bench.limit("pong_most")
    limit = most + slack(bench, most)
    for c, opened in bench.opened:
        wrong = strange(bench, c)
        if wrong is not None:
            yield wrong
            return
        gaps = _gaps(bench, c, opened)
        long = next((gap for gap in gaps if gap.length > limit), None)
        if long is not None:
            said = f"no `PONG` for {long.length:.2f} s on connection {c.id}"
            yield bench.breach(
                Form.TIME if long.ended else Form.ABSENCE, said, f"one every {most:g} s at least", long.records
            )
            return
        if len(gaps) > 2 or sum(gap.length for gap in gaps) > limit:
            longest = max(gap.length for gap in gaps)
            said = f"{len(gaps) - 1} `PONG` on connection {c.id}, {longest:.2f} s apart at most"
            yield bench.ok(Form.SHOWN, said, records_of(opened, *c.beats))


@check("AOH-315", BOOK3)
def check_pace(bench: ArrowBench) -> Iterator[Finding]:
    """`PONG` is sent every 3 s, as the vendor's own client does."""
    every = bench.limit("pong_every")
    off = slack(bench, every)
    for c, opened in bench.opened:
        gaps = _gaps(bench, c, opened)[1:]  # between two beats, and from the last one on
        lengths = [gap.length for gap in gaps if gap.ended]
        longest = max(gaps, key=lambda gap: gap.length, default=None)
        if longest is None:
            continue
        typical = f"`PONG` every {median(lengths):.2f} s" if lengths else "one `PONG`"
        said = f"{typical} on connection {c.id}, the longest gap {longest.length:.2f} s"
        off_pace = bool(lengths) and abs(median(lengths) - every) > off
        if off_pace or longest.length > every + off + bench.limit("timer_slack"):
            form: Breach = Form.TIME if off_pace or longest.ended else Form.ABSENCE
            yield bench.breach(form, said, f"every {every:g} s ± {off:.2f} s", longest.records)
            return
        if lengths:
            yield bench.ok(Form.SHOWN, said, [number for gap in gaps for number in gap.records])


@dataclass(frozen=True, slots=True)
class _Silence:
    """A connection on which nothing came any more. `heard`: what came last. `gone`: the client's end of it."""

    c: UpdateSocket
    heard: Moment
    gone: int | None
    attempt: Attempt | None

    @property
    def evidence(self) -> list[int]:
        return records_of(self.heard, self.c.silent, self.c.loss, self.attempt)

    @property
    def noticed(self) -> int | None:
        return min([t for t in (self.gone, self.attempt.t if self.attempt else None) if t is not None], default=None)


def _silences(bench: ArrowBench) -> Iterator[_Silence]:
    for c, opened in bench.opened:
        if c.silent is None or c.lost_before(c.silent.t):
            continue
        heard = max([sent for sent in c.sent if sent.t <= c.silent.t], default=opened)
        attempt = next(iter(bench.attempts(c.silent.t)), None)
        yield _Silence(c, heard, c.loss.t if c.loss is not None else None, attempt)


@check("AOH-320", BOOK3)
def check_silence(bench: ArrowBench) -> Iterator[Finding]:
    """A connection on which nothing comes is given up, and another is opened, by 60 s at the latest."""
    most = bench.limit("silence_most")
    limit = most + slack(bench, most) + bench.limit("close_late")
    expected = f"a new connection within {most:g} s"
    for one in _silences(bench):
        if one.attempt is not None:
            took = (one.attempt.t - one.heard.t) / SECOND
            said = f"a new attempt {took:.2f} s after the last message"
            if took > limit:
                yield bench.breach(Form.TIME, said, expected, one.evidence)
            else:
                yield bench.ok(Form.SHOWN, said, one.evidence)
        elif bench.reconnects:
            watch = bench.owed(one.heard.t, round(limit * SECOND))
            given_up = "" if one.gone is None else f", which it gave up after {seconds(one.gone - one.heard.t)}"
            yield watch.missing(
                f"no new attempt in {watch} of silence on connection {one.c.id}{given_up}",
                expected,
                one.evidence,
                short=f"silent for {watch} only",
            )


@check("AOH-325", BOOK3)
def check_read_timeout(bench: ArrowBench) -> Iterator[Finding]:
    """Silence is noticed after 5 s, by 10 s at the latest, as the vendor's own client does."""
    least, most = bench.limit("read_timeout"), bench.limit("read_timeout_late")
    for one in _silences(bench):
        if one.noticed is None:
            continue
        took = (one.noticed - one.heard.t) / SECOND
        late = slack(bench, most) + (0 if one.gone is not None else bench.limit("close_late"))
        said = f"noticed after {took:.2f} s"
        if not least - slack(bench, least) <= took <= most + late:
            yield bench.breach(Form.TIME, said, f"after {least:g} to {most:g} s", one.evidence)
        else:
            read = "the page's time" if took <= least + slack(bench, least) else "as the vendor's client looks"
            yield bench.ok(Form.SHOWN, f"{said}: {read}", one.evidence)


@check("AOH-330", BOOK3)
def check_keep_alives(bench: ArrowBench) -> Iterator[Finding]:
    """Keep-alives that are no JSON, or empty, cost no connection, and count as something that arrived."""
    sent = [(c, said) for c in bench.talk.upgraded for said in c.texts if object_of(said.text) is None]
    if not sent:
        return
    first = sent[0][1]
    died = bench.death(first.t)
    if died is not None:
        said = f"after keep-alives such as {first.text!r} the client ended{bench.exit_text()}"
        yield bench.breach(Form.ENDING, said, IGNORED, records_of(first, died))
        return
    left = next((one for c in bench.talk.upgraded if (one := _left_at(bench, c, [x for d, x in sent if d is c]))), None)
    yield left or _lived_on(bench, [said for _, said in sent])


def _left_at(bench: ArrowBench, c: UpdateSocket, sent: list[Said]) -> Finding | None:
    """A breach, where the client ended a connection on which keep-alives came: one such end is enough."""
    gone = c.given_up()
    if gone is None or gone.t >= bench.owed_until:
        return None
    before = [said for said in sent if said.t <= gone.t]
    if not before:
        return None
    said = (
        f"the client ended connection {c.id} ({gone.how}), {seconds(gone.t - before[-1].t)} after the keep-alive "
        f"{before[-1].text!r}, the last of {len(before)} there"
    )
    return bench.breach(Form.ENDING, said, IGNORED, records_of(before[0], before[-1], gone))


def _lived_on(bench: ArrowBench, sent: list[Said]) -> Finding:
    watch = bench.barred(sent[0].t, bench.micros("window_keep_alive"))
    said = f"{len(sent)} keep-alives such as {sent[0].text!r} cost nothing"
    return watch.kept(said, [sent[0].record, sent[-1].record], short=f"watched for {watch} only")


@check("AOH-340", BOOK3)
def check_one_stream(bench: ArrowBench) -> Iterator[Finding]:
    """After a reconnect there are as many `PONG` as before."""
    window = bench.micros("window_stream")
    watched = [(c, o) for c, o in bench.opened if c.heard_until(bench.seen) - o.t >= window]
    for (one, first), (two, second) in pairwise(watched):
        if second.t < one.heard_until(bench.seen):
            continue  # they stood beside each other
        before, after = _beats_in(one, first, window), _beats_in(two, second, window)
        most = before * bench.limit("stream_ratio") + 1
        said = f"{before} `PONG` on connection {one.id}, {after} on connection {two.id}"
        evidence = [first.record, second.record, *(beat.record for beat in two.beats)]
        if after > most:
            yield bench.breach(Form.AGAIN, f"{said}, from the opening of each", f"at most {most:g}", evidence)
        else:
            yield bench.ok(Form.RESTRAINT, f"{said}, from the opening of each", evidence)


def _beats_in(c: UpdateSocket, opened: Moment, window: int) -> int:
    return sum(beat.t - opened.t <= window for beat in c.beats)
