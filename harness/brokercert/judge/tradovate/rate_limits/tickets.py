"""Rate limits and penalty tickets: S2 §4, TP §7. The wire-only client's endpoint for them is `user/syncrequest`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from brokercert.judge.buffering.late_reports import unless_held
from brokercert.judge.check import seconds
from brokercert.judge.told import Outcome, Report
from brokercert.judge.tradovate.bench import Bench, check
from brokercert.judge.tradovate.heartbeats.cadence import gaps, page_limit
from brokercert.judge.tradovate.model.conversation import SECOND, Answer, Connection, Request
from brokercert.judge.tradovate.model.props import props_of
from brokercert.judge.tradovate.model.sends import sends_of
from brokercert.verdict import Finding, Form


@dataclass(frozen=True, slots=True)
class Penalty:
    """A request that was answered by a ticket, and what the client did about it."""

    conn: Connection
    request: Request
    answer: Answer
    retry: Request | None
    due_from: int  # the earliest moment at which a retry is right
    due_until: int


def penalties(bench: Bench, *, captcha: bool = False) -> list[Penalty]:
    """Every ticket but those for authorize, with the first request that can only be its retry."""
    result = []
    for c in bench.talk.connections.values():
        for request in c.requests:
            answer = request.answer
            if answer is None or not answer.ticket or answer.captcha is not captcha or request.endpoint == "authorize":
                continue
            retry = _retry_of(bench, c, request, answer)
            start = answer.t + answer.wait
            late = start
            if retry is not None and retry.conn != c.id:
                # A ticket may travel to a new socket with its request: due from that socket's authorization.
                new = bench.talk.connections[retry.conn].authorized
                late = max(start, new.t if new else start)
            elif c.loss is not None and retry is None:
                news = [x.authorized.t for x in bench.talk.authorized if x.authorized and x.authorized.t > c.loss.t]
                late = max([start, *news[:1]])
            early = bench.micros("ticket_early")
            result.append(Penalty(c, request, answer, retry, start - early, late + bench.micros("ticket_late")))
    return result


def _retry_of(bench: Bench, c: Connection, request: Request, answer: Answer) -> Request | None:
    """The first later request of the same endpoint on that socket, or anywhere with that very ticket."""
    later = [
        other
        for x in bench.talk.connections.values()
        for other in x.requests
        if other.record > answer.record and (other.ticket == answer.ticket or _same_place(other, request))
    ]
    return min(later, key=lambda q: q.record, default=None)


def _same_place(other: Request, request: Request) -> bool:
    return other.conn == request.conn and other.endpoint == request.endpoint


@check("RLP-010")
def check_ticket_recognised(bench: Bench) -> Iterator[Finding]:
    """A ticket inside a 200 answer is not taken as success: the client asks again, or gives the connection up."""
    for p in penalties(bench):
        if p.retry is not None:
            told = _told_early(bench, p)
            if told is not None:
                yield bench.breach(
                    Form.CONTENT,
                    f"`{p.request.endpoint}` was answered by a ticket, and told as a success before it was retried",
                    "a 200 answer that carries a ticket is a penalty, not a success",
                    [p.request.record, p.answer.record, told.record],
                )
                continue
            yield bench.ok(
                Form.SHOWN, "the ticket was recognised: the request was sent again", [p.answer.record, p.retry.record]
            )
            continue
        gone = p.conn.given_up()
        if gone is not None and gone.t > p.answer.t:
            yield bench.ok(
                Form.RESTRAINT,
                "the ticket was not taken as success: the connection was given up",
                [p.answer.record, gone.record],
            )
            continue
        watched = p.conn.last_seen(bench.end) - p.answer.t
        if p.answer.t + watched < p.due_until and bench.talk.died() is None:
            yield bench.short(f"watched for {seconds(watched)} after the ticket only", [p.answer.record])
            continue
        yield bench.breach(
            Form.ABSENCE,
            f"`{p.request.endpoint}` was answered by a ticket, and nothing came of it in {seconds(watched)}: it was"
            f" taken as success{bench.exit_text()}",
            "a 200 answer that carries a ticket is a penalty, not a success",
            [p.request.record, p.answer.record],
        )


def _told_early(bench: Bench, p: Penalty) -> Outcome | None:
    """An outcome of the request, told as a success while nothing but its ticket had come."""
    assert p.retry is not None
    for asked in bench.talk.told.requests():
        outcome = asked.outcome
        if p.request in sends_of(bench.talk, asked) and outcome is not None and outcome.ok and outcome.t < p.retry.t:
            return outcome
    return None


@check("RLP-020")
def check_retry_in_window(bench: Bench) -> Iterator[Finding]:
    """The retry comes no earlier than 50 ms before the penalty's end and no later than 10 s after it."""
    late_limit = bench.limit("ticket_late")
    for p in penalties(bench):
        expected = f"a retry from {p.answer.wait / SECOND:g} s to {p.answer.wait / SECOND + late_limit:g} s"
        expected += " after the ticket"
        if p.retry is None:
            watched = bench.end
            if watched < p.due_until and bench.talk.died() is None:
                yield bench.short("watched for a part of the window only", [p.answer.record])
                continue
            yield bench.breach(
                Form.ABSENCE,
                f"no retry in {seconds(watched - p.answer.t)} after the ticket{bench.exit_text()}",
                expected,
                [p.answer.record],
            )
            continue
        took = p.retry.t - p.answer.t
        evidence = [p.answer.record, p.retry.record]
        if p.retry.t < p.due_from:  # the harness's lateness makes a retry seem later, never earlier
            yield bench.breach(
                # Without the ticket it may have left before that was read: it is the request, sent again.
                Form.EARLY if p.retry.ticket else Form.AGAIN,
                f"the retry came {seconds(took)} after a ticket of {p.answer.wait / SECOND:g} s",
                expected,
                evidence,
                [bench.time("ticket to retry, at least", took, p.answer.wait / SECOND)],
                clause="not early",
            )
            continue
        limit = (p.due_until - p.answer.t) / SECOND
        yield bench.against(
            bench.time("ticket to retry", took, limit),
            observed=f"the retry came {seconds(took)} after a ticket of {p.answer.wait / SECOND:g} s",
            expected=expected,
            evidence=evidence,
            passes=Form.WAITED,
        )


@check("RLP-030")
def check_retry_identical(bench: Bench) -> Iterator[Finding]:
    """The retry is the same endpoint, query and body, plus the ticket, under a new request id."""
    for p in penalties(bench):
        if p.retry is None:
            continue
        wrong = []
        if p.retry.ticket != p.answer.ticket:
            wrong.append("without `p-ticket`" if p.retry.ticket is None else "with another ticket")
        if p.retry.endpoint != p.request.endpoint or p.retry.query != p.request.query:
            wrong.append("to another endpoint or query")
        if _without_ticket(p.retry) != _without_ticket(p.request):
            wrong.append("with another body")
        same_socket = p.retry.conn == p.request.conn
        if same_socket and p.retry.id == p.request.id:
            wrong.append(f"under the same request id {p.retry.id}")
        evidence = [p.request.record, p.answer.record, p.retry.record]
        if wrong:
            yield bench.breach(
                # As in RLP-020: one without the ticket may have left before that was read.
                Form.CONTENT if p.retry.ticket else Form.AGAIN,
                f"the retry was sent {', '.join(wrong)}",
                "the identical request plus `p-ticket`, under a new id",
                evidence,
            )
        else:
            yield bench.ok(Form.SHOWN, "the identical request plus its ticket, under a new id", evidence)


def _without_ticket(request: Request) -> object:
    if isinstance(request.body, dict):
        return {key: value for key, value in request.body.items() if key != "p-ticket"}
    return {} if request.body in (None, "") else request.body  # a retry of an empty body is an object with the ticket


@check("RLP-040")
def check_captcha_not_retried(bench: Bench) -> Iterator[Finding]:
    """A ticket with `p-captcha: true` is not retried: only a person can solve it."""
    window = bench.micros("window_captcha")
    for p in penalties(bench, captcha=True):
        again = [p.retry] if p.retry else []
        # A new socket that syncs at once is the same retry by another way, unless the broker had ended the old one.
        if p.conn.given_up() or p.conn.loss is None:
            again += [
                s
                for x in bench.talk.synced
                for s in x.syncs
                if x is not p.conn
                and p.request.endpoint == "user/syncrequest"
                and s.t > p.answer.t
                and x.accepted > p.answer.t
            ]
        inside = sorted((q for q in again if q.t - p.answer.t < window), key=lambda q: q.t)
        if inside:
            yield bench.breach(
                Form.AGAIN,
                f"`{inside[0].endpoint}` was sent again {seconds(inside[0].t - p.answer.t)} after a captcha ticket",
                "no retry: wait about an hour and tell the user",
                [p.answer.record, inside[0].record],
            )
            continue
        watched = bench.end - p.answer.t
        if watched < window and bench.talk.exited is None:
            yield bench.short(f"watched for {seconds(watched)} after the captcha ticket only", [p.answer.record])
        else:
            yield bench.ok(
                Form.RESTRAINT,
                f"no retry in {seconds(watched)} after the captcha ticket",
                [p.answer.record],
                spare=watched - window,
            )
        if "report" in bench.header.offers:
            yield _captcha_told(bench, p, watched)


def _captcha_told(bench: Bench, p: Penalty, watched: int) -> Finding:
    """Of a request of the user's, its outcome tells; of any, an `error` report does."""
    outcomes = [a.outcome for a in bench.talk.told.requests() if p.request in sends_of(bench.talk, a) and a.outcome]
    reports: list[Report | Outcome] = [*bench.talk.told.errors, *(outcome for outcome in outcomes if not outcome.ok)]
    told = next((report for report in reports if report.t >= p.answer.t), None)
    if told is not None:
        return bench.ok(
            Form.SHOWN, "the user was told of the captcha", [p.answer.record, told.record], clause="reported"
        )
    if watched < bench.micros("window_captcha") and bench.talk.exited is None:
        return bench.short(f"watched for {seconds(watched)} only", [p.answer.record], clause="reported")
    silent = bench.breach(
        Form.ABSENCE,
        f"nobody was told of the captcha in {seconds(watched)}",
        "an `error` report, or an outcome that is an error: a person must solve it",
        [p.answer.record],
        clause="reported",
    )
    asked = [a.id for a in bench.talk.told.requests() if p.request in sends_of(bench.talk, a)]
    late = bench.talk.told.late_answers("outcome", *asked) if asked else []
    return unless_held(bench, silent, [*bench.talk.told.late_answers("error"), *late])


@check("RLP-080")
def check_beats_through_penalty(bench: Bench) -> Iterator[Finding]:
    """While a ticket is waited out heartbeats go on: no gap above the page's limit between ticket and retry."""
    limit = page_limit(bench)
    for p in penalties(bench):
        if p.retry is None or p.retry.conn != p.conn.id:
            continue
        gap, end, records = max(gaps(p.conn, p.answer.t, p.answer.record, p.retry.t), key=lambda item: item[0])
        inside = [n for t, n in p.conn.beats if p.answer.t < t < p.retry.t]
        waited = p.retry.t - p.answer.t
        if gap > limit * SECOND or inside:
            yield bench.against(
                bench.time("longest gap between heartbeats", gap, limit),
                observed=f"{len(inside)} heartbeat(s) in the {seconds(waited)} between ticket and retry, the longest"
                f" gap {seconds(gap)}, up to {seconds(end)}",
                expected=f"heartbeats go on, at most {limit:g} s apart",
                evidence=[p.answer.record, *records, p.retry.record],
            )
        else:
            text = f"a penalty of {seconds(waited)} is shorter than the gap that is allowed"
            yield bench.short(text, [p.answer.record])
        if "report" in bench.header.offers:
            yield from _processed_through(bench, p, p.retry)


def _processed_through(bench: Bench, p: Penalty, retry: Request) -> Iterator[Finding]:
    """Events that came while the penalty was waited out were processed meanwhile; nothing where none came."""
    due = retry.t - bench.micros("arrival")
    sent = [prop for prop in props_of(bench.talk) if p.answer.t < prop.t < due]
    if not sent or p.conn.synced is None or p.conn.synced.t > sent[0].t:
        return
    done = [report for report in bench.talk.told.processed if sent[0].t <= report.t < retry.t]
    if done:
        yield bench.ok(
            Form.SHOWN, f"{len(done)} events were processed in the penalty", [done[0].record], clause="events"
        )
    else:
        missed = bench.breach(
            Form.ABSENCE,
            f"{len(sent)} events came in the {seconds(retry.t - p.answer.t)} of the penalty, and none was processed",
            "events are processed while a penalty is waited out",
            [p.answer.record, sent[0].record, retry.record],
            clause="events",
        )
        told = bench.talk.told
        late = [x for x in (*told.processed, *told.late_answers("processed")) if x.t >= retry.t]
        yield unless_held(bench, missed, late)


@check("RLP-090")
def check_ticket_stays(bench: Bench) -> Iterator[Finding]:
    """A ticket comes back with the request that drew it and with no other; a request that was waiting when its socket
    died is sent once at most afterwards.
    """
    talk = bench.talk
    tickets = penalties(bench)
    if not tickets:
        return
    everything = sorted((q for c in talk.upgraded for q in c.requests), key=lambda q: q.record)
    for p in tickets:
        strangers = [
            q
            for q in everything
            if q.ticket == p.answer.ticket
            and (q.endpoint != p.request.endpoint or _without_ticket(q) != _without_ticket(p.request))
        ]
        if strangers:
            yield bench.breach(
                Form.CONTENT,
                f"`{strangers[0].endpoint}` carried the ticket that `{p.request.endpoint}` had drawn",
                "a ticket belongs to the request that drew it",
                [p.answer.record, strangers[0].record],
                clause="no other request",
            )
            return
    judged = False
    for p in tickets:
        loss = p.conn.loss
        if loss is None or p.request.endpoint == "user/syncrequest" or loss.t >= p.answer.t + p.answer.wait:
            continue
        again = [
            q
            for q in everything
            if q.record > loss.record
            and q.endpoint == p.request.endpoint
            and _without_ticket(q) == _without_ticket(p.request)
        ]
        if len(again) > 1:
            yield bench.breach(
                Form.AGAIN,
                f"`{p.request.endpoint}`, which waited when its socket died, was sent {len(again)} times afterwards",
                "once at most",
                [p.answer.record, loss.record, *(q.record for q in again[:3])],
                [bench.count("times sent after the loss", len(again), 1)],
                clause="after the loss",
            )
            return
        back = [c.authorized.t for c in talk.authorized if c.authorized and c.authorized.t > loss.t]
        due = max([p.answer.t + p.answer.wait, *back[:1]])
        if bench.end - due >= bench.micros("window_default"):
            judged = True
            yield bench.ok(
                Form.RESTRAINT, f"sent {len(again)} time(s) after its socket had died", [p.answer.record, loss.record]
            )
    if not judged:
        yield bench.short(
            "no request was seen waiting when its socket died, for 20 s after it", [tickets[0].answer.record]
        )
