"""What goes on while a penalty is waited out: TP §7.3."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from brokercert.judge.buffering.late_reports import unless_held
from brokercert.judge.check import seconds
from brokercert.judge.told import Report
from brokercert.judge.tradovate.bench import Bench, check
from brokercert.judge.tradovate.model.beating import gaps, page_limit
from brokercert.judge.tradovate.model.conversation import SECOND, Connection, Request
from brokercert.judge.tradovate.model.props import Prop, props_on
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
    """Events that came on that socket while the penalty was waited out were processed meanwhile; nothing where none
    came. What other sockets bring shows nothing of this one.
    """
    sent = _sent_between(bench, wait, retry.t - bench.micros("arrival"))
    if not sent:
        return
    told = [report for report in bench.talk.told.processed if _is_of(bench, wait, sent, report)]
    done = [report for report in told if sent[0].t <= report.t < retry.t]
    if done:
        said = f"{len(done)} report(s) of events that came on connection {wait.conn.id} in the penalty"
        yield bench.ok(Form.SHOWN, said, [sent[0].record, done[0].record], clause="events")
        return
    late = (report for report in bench.talk.told.late_answers("processed") if _is_of(bench, wait, sent, report))
    missed = _none_processed(bench, p, retry, wait, sent)
    yield unless_held(bench, missed, (report for report in (*told, *late) if report.t >= retry.t))


def _sent_between(bench: Bench, wait: _Wait, until: int) -> list[Prop]:
    """The events on its socket, once that was synced."""
    synced = wait.conn.synced
    since = max(wait.since, synced.t) if synced is not None else until
    return [prop for prop in props_on(wait.conn) if since < prop.t < until]


def _is_of(bench: Bench, wait: _Wait, sent: list[Prop], report: Report) -> bool:
    """Whether it tells of one of these events, or of a message on that connection, by the client's own count."""
    kind, ident = report.body.get("entityType"), report.body.get("id")
    if kind is not None:
        return (str(kind).lower(), str(ident)) in {prop.key[:2] for prop in sent}
    return str(report.body.get("connection")) == str(bench.talk.upgraded.index(wait.conn) + 1)


def _none_processed(bench: Bench, p: Penalty, retry: Request, wait: _Wait, sent: list[Prop]) -> Finding:
    waited = seconds(retry.t - wait.since)
    return bench.breach(
        Form.ABSENCE,
        f"in the {waited} {wait.words} {len(sent)} event(s) came on that socket, and none was processed",
        "events are processed while a penalty is waited out",
        [p.answer.record, wait.begun, sent[0].record, retry.record],
        clause="events",
    )
