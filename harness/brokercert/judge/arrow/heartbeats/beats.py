"""Checks of the rows AOH-*: `PONG`, and the read time-out (AR Heartbeat Protocol)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from brokercert.judge.arrow.bench import ArrowBench, check
from brokercert.judge.arrow.model import UpdateSocket
from brokercert.judge.arrow.timers import slack, sure
from brokercert.judge.attempts import Attempt, attempts_of
from brokercert.judge.check import seconds
from brokercert.judge.moments import Moment, records_of
from brokercert.judge.transcript import SECOND
from brokercert.verdict import Finding, Form, Measured

ANOTHER = re.compile("pong|ping", re.IGNORECASE | re.ASCII)  # what is no `PONG`, and meant as one


@check("AOH-010")
def check_pong(bench: ArrowBench) -> Iterator[Finding]:
    """`PONG` is sent every 30 s; the first when the socket opens, or 30 s after."""
    for c, opened in bench.opened:
        wrong = strange(bench, c) or _off_beat(bench, c, opened)
        if wrong is not None:
            yield wrong
            return
        yield from _on_beat(bench, c, opened)


def strange(bench: ArrowBench, c: UpdateSocket) -> Finding | None:
    """Another word in its place."""
    strange = next((said for said in c.other if ANOTHER.search(said.text)), None)
    if strange is None:
        return None
    said = f"connection {c.id} sent {strange.text!r}"
    return bench.breach(Form.CONTENT, said, "the text `PONG`, so written", [strange.record])


def _marks(bench: ArrowBench, c: UpdateSocket, opened: Moment) -> tuple[list[Moment], bool]:
    """The moments between which the gaps are, and whether the first of them is a `PONG` that came as it opened."""
    beats = [beat for beat in c.beats if beat.t <= c.heard_until(bench.seen)]
    if beats and beats[0].t - opened.t <= bench.micros("first_pong"):
        return beats, True
    return [opened, *beats], False


def _off_beat(bench: ArrowBench, c: UpdateSocket, opened: Moment) -> Finding | None:
    every = bench.limit("pong_every")
    off = slack(bench, every)
    marks, _ = _marks(bench, c, opened)
    for one, two in pairwise(marks):
        gap = (two.t - one.t) / SECOND
        if abs(gap - every) > off:
            return bench.breach(
                Form.TIME,
                f"`PONG` after {gap:.2f} s on connection {c.id}",
                f"every {every:g} s ± {off:.2f} s",
                [one.record, two.record],
                [bench.time("gap", two.t - one.t, every + off)],
            )
    silence = c.heard_until(bench.seen) - marks[-1].t
    if silence > (every + off) * SECOND:
        return bench.breach(
            Form.ABSENCE,
            f"no `PONG` in {seconds(silence)} on connection {c.id}",
            f"every {every:g} s ± {off:.2f} s",
            [marks[-1].record],
        )
    return None


def _on_beat(bench: ArrowBench, c: UpdateSocket, opened: Moment) -> Iterator[Finding]:
    marks, at_once = _marks(bench, c, opened)
    if len(marks) < (3 if at_once else 2):
        return
    every = bench.limit("pong_every")
    gaps = [(two.t - one.t) / SECOND for one, two in pairwise(marks)]
    when = "when the socket opened" if at_once else f"{every:g} s after"
    text = f"`PONG` every {', '.join(f'{gap:.2f}' for gap in gaps)} s, the first {when}"
    evidence = [mark.record for mark in (marks if at_once else marks[1:])]
    doubtful = any(abs(gap - every) > sure(bench, every) for gap in gaps)
    yield bench.unsure(text, evidence) if doubtful else bench.ok(Form.SHOWN, text, evidence)


@check("AOH-020")
def check_read_timeout(bench: ArrowBench) -> Iterator[Finding]:
    """A socket on which nothing comes is given up after 30 s, by 60 s at the latest, and a new one is opened."""
    for c, opened in bench.opened:
        if c.silent is not None and not c.lost_before(c.silent.t):
            yield from _silenced(bench, c, opened, c.silent)


def _silenced(bench: ArrowBench, c: UpdateSocket, opened: Moment, silent: Moment) -> Iterator[Finding]:
    """What became of a socket on which nothing came any more."""
    heard = max([sent for sent in c.sent if sent.t <= silent.t], default=opened)
    attempts = attempts_of(bench.talk, silent.t)
    gone = [sign.t for sign in (c.loss, *attempts[:1]) if sign is not None]
    if gone:
        yield from _given_up(bench, c, heard, attempts, min(gone))
    else:
        yield _stayed(bench, heard, silent)


def _stayed(bench: ArrowBench, heard: Moment, silent: Moment) -> Finding:
    least, most = bench.limit("read_timeout"), bench.limit("read_timeout_most")
    limit = most + slack(bench, most)
    waited = bench.owed_until - heard.t
    if waited <= limit * SECOND:
        return bench.short(f"silent for {seconds(waited)} only", [silent.record])
    return bench.breach(
        Form.ABSENCE,
        f"the client stayed on a socket that was silent for {seconds(waited)}{bench.exit_text()}",
        f"it reconnects after {least:g} s, by {most:g} s at the latest",
        [heard.record, silent.record],
    )


def _given_up(
    bench: ArrowBench, c: UpdateSocket, heard: Moment, attempts: Sequence[Attempt], gone: int
) -> Iterator[Finding]:
    least, most = bench.limit("read_timeout"), bench.limit("read_timeout_most")
    limit = most + slack(bench, most)
    after = gone - heard.t
    evidence = records_of(heard, c.silent, c.loss, *attempts[:1])
    took = bench.time("read time-out", after, limit)
    if after > limit * SECOND:
        said = f"given up after {seconds(after)}"
        yield bench.breach(Form.TIME, said, f"by {most:g} s at the latest", evidence, [took])
    elif not attempts:
        if bench.owed_until - gone > bench.micros("back_after_time_out"):
            said = "the client gave the socket up and did not come back"
            yield bench.breach(Form.ABSENCE, said, "it reconnects", evidence)
    elif after < (least - slack(bench, least)) * SECOND:
        said = f"given up after {seconds(after)} of silence: sooner than the page says"
        yield bench.warn(Form.TIME, said, f"after {least:g} s", evidence, [took])
    else:
        yield _in_time(bench, after, evidence, took)


def _in_time(bench: ArrowBench, after: int, evidence: list[int], took: Measured) -> Finding:
    """It was given up when the page's table says, or its samples do; whether for sure, the figures say."""
    least, most = bench.limit("read_timeout"), bench.limit("read_timeout_most")
    table = after <= (least + slack(bench, least)) * SECOND
    reading = "the table's reading" if table else "as the samples do"
    said = f"given up after {seconds(after)} of silence: {reading}"
    right = (least - sure(bench, least)) * SECOND <= after <= (most + sure(bench, most)) * SECOND
    return bench.ok(Form.SHOWN, said, evidence, [took]) if right else bench.unsure(said, evidence)
