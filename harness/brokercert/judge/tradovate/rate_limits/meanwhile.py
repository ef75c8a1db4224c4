"""What goes on while a penalty is waited out: TP §7.3."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from brokercert.judge.buffering.late_reports import unless_held
from brokercert.judge.check import seconds
from brokercert.judge.tradovate.bench import Bench, check
from brokercert.judge.tradovate.model.beating import gaps, page_limit
from brokercert.judge.tradovate.model.conversation import SECOND, Connection, Request
from brokercert.judge.tradovate.model.props import Prop, props_of
from brokercert.judge.tradovate.rate_limits.penalties import Penalty, penalties
from brokercert.verdict import Finding, Form


@dataclass(frozen=True, slots=True)
class _Wait:
    """A penalty that was waited out on one socket, from `since`, the time of record `begun`, to its retry there."""

    conn: Connection
    since: int
    begun: int
    words: str


@check("RLP-080")
def check_beats_through_penalty(bench: Bench) -> Iterator[Finding]:
    """While a ticket is waited out heartbeats go on: no gap above the page's limit between ticket and retry. Where the
    ticket comes back on another socket, there from its login on.
    """
    for one in bench.starts:
        for p in penalties(one):
            wait = _waited_on(one, p, p.retry) if p.retry is not None else None
            if p.retry is not None and wait is not None:
                yield _beats_through(one, p, p.retry, wait)
                if "report" in one.header.offers:
                    yield from _processed_through(one, p, p.retry, wait)


def _waited_on(bench: Bench, p: Penalty, retry: Request) -> _Wait | None:
    """Where and from when a heartbeat was due until the retry; None: nowhere."""
    c = bench.talk.connections[retry.conn]
    if c is p.conn:
        return _Wait(c, p.answer.t, p.answer.record, "between ticket and retry")
    login = c.authorized
    if login is None or login.t >= retry.t:
        return None
    if login.t <= p.answer.t:
        return _Wait(c, p.answer.t, p.answer.record, f"between ticket and retry on connection {c.id}")
    return _Wait(c, login.t, login.record, f"between login and retry on connection {c.id}")


def _beats_through(bench: Bench, p: Penalty, retry: Request, wait: _Wait) -> Finding:
    limit = page_limit(bench)
    gap, end, records = max(gaps(wait.conn, wait.since, wait.begun, retry.t), key=lambda item: item[0])
    inside = [beat for beat in wait.conn.beats if wait.since < beat.t < retry.t]
    waited = seconds(retry.t - wait.since)
    if gap <= limit * SECOND and not inside:
        return bench.short(
            f"{waited} {wait.words} are shorter than the gap that is allowed", [wait.begun, retry.record]
        )
    return bench.against(
        bench.time("longest gap between heartbeats", gap, limit),
        observed=f"{len(inside)} heartbeat(s) in the {waited} {wait.words}, the longest"
        f" gap {seconds(gap)}, up to {seconds(end)}",
        expected=f"heartbeats go on, at most {limit:g} s apart",
        evidence=[p.answer.record, wait.begun, *records, retry.record],
    )


def _processed_through(bench: Bench, p: Penalty, retry: Request, wait: _Wait) -> Iterator[Finding]:
    """Events that came while the penalty was waited out were processed meanwhile; nothing where none came."""
    sent = _sent_between(bench, p.answer.t, retry.t - bench.micros("arrival"))
    if not sent or not _synced_by(wait.conn, sent[0].t):
        return
    done = [report for report in bench.talk.told.processed if sent[0].t <= report.t < retry.t]
    if done:
        said = f"{len(done)} events were processed in the penalty"
        yield bench.ok(Form.SHOWN, said, [done[0].record], clause="events")
    else:
        yield _none_processed(bench, p, retry, sent)


def _sent_between(bench: Bench, since: int, until: int) -> list[Prop]:
    return [prop for prop in props_of(bench.talk) if since < prop.t < until]


def _synced_by(c: Connection, t: int) -> bool:
    return c.synced is not None and c.synced.t <= t


def _none_processed(bench: Bench, p: Penalty, retry: Request, sent: list[Prop]) -> Finding:
    told = bench.talk.told
    missed = bench.breach(
        Form.ABSENCE,
        f"{len(sent)} events came in the {seconds(retry.t - p.answer.t)} of the penalty, and none was processed",
        "events are processed while a penalty is waited out",
        [p.answer.record, sent[0].record, retry.record],
        clause="events",
    )
    return unless_held(bench, missed, (x for x in (*told.processed, *told.late_answers("processed")) if x.t >= retry.t))
