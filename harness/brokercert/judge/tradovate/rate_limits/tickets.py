"""What a client does about a penalty ticket: S2 §4, TP §7."""

from __future__ import annotations

from collections.abc import Iterator

from brokercert.judge.check import seconds
from brokercert.judge.told import Outcome
from brokercert.judge.tradovate.bench import Bench, check
from brokercert.judge.tradovate.model.conversation import SECOND, Loss, Request
from brokercert.judge.tradovate.model.sends import sends_of
from brokercert.judge.tradovate.rate_limits.penalties import Penalty, penalties, same_body
from brokercert.verdict import Finding, Form

NO_SUCCESS = "a 200 answer that carries a ticket is a penalty, not a success"


@check("RLP-010")
def check_ticket_recognised(bench: Bench) -> Iterator[Finding]:
    """A ticket inside a 200 answer is not taken as success: the client asks again, or gives the connection up."""
    for p in penalties(bench):
        yield _unretried(bench, p) if p.retry is None else _retried(bench, p, p.retry)


def _retried(bench: Bench, p: Penalty, retry: Request) -> Finding:
    told = _told_early(bench, p, retry)
    if told is None:
        said = "the ticket was recognised: the request was sent again"
        return bench.ok(Form.SHOWN, said, [p.answer.record, retry.record])
    return bench.breach(
        Form.CONTENT,
        f"`{p.request.endpoint}` was answered by a ticket, and told as a success before it was retried",
        NO_SUCCESS,
        [p.request.record, p.answer.record, told.record],
    )


def _unretried(bench: Bench, p: Penalty) -> Finding:
    gone = p.conn.given_up()
    if gone is not None and gone.t > p.answer.t:
        said = "the ticket was not taken as success: the connection was given up"
        return bench.ok(Form.RESTRAINT, said, [p.answer.record, gone.record])
    watch = bench.owed(p.answer.t, p.due_until - p.answer.t, p.conn.last_seen(bench.end))
    return watch.missing(
        f"`{p.request.endpoint}` was answered by a ticket, and nothing came of it in {watch}: it was taken as success",
        NO_SUCCESS,
        [p.request.record, p.answer.record],
        short=f"watched for {watch} after the ticket only",
        seen=[p.answer.record],
    )


def _told_early(bench: Bench, p: Penalty, retry: Request) -> Outcome | None:
    """An outcome of the request, told as a success while nothing but its ticket had come."""
    for asked in bench.talk.told.requests():
        outcome = asked.outcome
        if p.request in sends_of(bench.talk, asked) and outcome is not None and outcome.ok and outcome.t < retry.t:
            return outcome
    return None


@check("RLP-020")
def check_retry_in_window(bench: Bench) -> Iterator[Finding]:
    """The retry comes no earlier than 50 ms before the penalty's end and no later than 10 s after it."""
    late_limit = bench.limit("ticket_late")
    for p in penalties(bench):
        expected = f"a retry from {p.answer.wait / SECOND:g} s to {p.answer.wait / SECOND + late_limit:g} s"
        expected += " after the ticket"
        yield _never(bench, p, expected) if p.retry is None else _in_window(bench, p, p.retry, expected)


def _never(bench: Bench, p: Penalty, expected: str) -> Finding:
    watch = bench.owed(p.answer.t, p.due_until - p.answer.t)
    return watch.missing(
        f"no retry in {watch} after the ticket",
        expected,
        [p.answer.record],
        short="watched for a part of the window only",
    )


def _in_window(bench: Bench, p: Penalty, retry: Request, expected: str) -> Finding:
    took = retry.t - p.answer.t
    said = f"the retry came {seconds(took)} after a ticket of {p.answer.wait / SECOND:g} s"
    evidence = [p.answer.record, retry.record]
    if retry.t < p.due_from:  # the harness's lateness makes a retry seem later, never earlier
        return bench.breach(
            # Without the ticket it may have left before that was read: it is the request, sent again.
            Form.EARLY if retry.ticket else Form.AGAIN,
            said,
            expected,
            evidence,
            [bench.time("ticket to retry, at least", took, p.answer.wait / SECOND)],
            clause="not early",
        )
    limit = (p.due_until - p.answer.t) / SECOND
    return bench.against(
        bench.time("ticket to retry", took, limit),
        observed=said,
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
        evidence = [p.request.record, p.answer.record, p.retry.record]
        wrong = list(_differences(p, p.retry))
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


def _differences(p: Penalty, retry: Request) -> Iterator[str]:
    """In what the retry is another request than the one that drew the ticket."""
    if retry.ticket != p.answer.ticket:
        yield "without `p-ticket`" if retry.ticket is None else "with another ticket"
    if (retry.endpoint, retry.query) != (p.request.endpoint, p.request.query):
        yield "to another endpoint or query"
    if not same_body(retry, p.request):
        yield "with another body"
    if (retry.conn, retry.id) == (p.request.conn, p.request.id):
        yield f"under the same request id {retry.id}"


@check("RLP-090")
def check_ticket_stays(bench: Bench) -> Iterator[Finding]:
    """A ticket comes back with the request that drew it and with no other; a request that was waiting when its socket
    died is sent once at most afterwards.
    """
    tickets = penalties(bench)
    if not tickets:
        return
    sent = bench.talk.requests
    stolen = next((finding for p in tickets if (finding := _with_another(bench, p, sent)) is not None), None)
    if stolen is not None:
        yield stolen
    else:
        yield from _after_losses(bench, tickets, sent)


def _after_losses(bench: Bench, tickets: list[Penalty], sent: list[Request]) -> Iterator[Finding]:
    """What became of each request that waited when its socket died, up to the first that was sent twice."""
    judged = [finding for p in tickets if (finding := _after_the_loss(bench, p, sent)) is not None]
    for finding in judged:
        yield finding
        if finding.form is Form.AGAIN:
            return
    if not judged:
        said = "no request was seen waiting when its socket died, for 20 s after it"
        yield bench.short(said, [tickets[0].answer.record])


def _with_another(bench: Bench, p: Penalty, sent: list[Request]) -> Finding | None:
    """The ticket came back with another request than its own."""
    strangers = [q for q in sent if q.ticket == p.answer.ticket and not _is_of(q, p)]
    if not strangers:
        return None
    return bench.breach(
        Form.CONTENT,
        f"`{strangers[0].endpoint}` carried the ticket that `{p.request.endpoint}` had drawn",
        "a ticket belongs to the request that drew it",
        [p.answer.record, strangers[0].record],
        clause="no other request",
    )


def _is_of(q: Request, p: Penalty) -> bool:
    return q.endpoint == p.request.endpoint and same_body(q, p.request)


def _after_the_loss(bench: Bench, p: Penalty, sent: list[Request]) -> Finding | None:
    """How often a request was sent that waited when its socket died; None where that was not seen for long enough."""
    loss = _loss_while_waiting(p)
    if loss is None:
        return None
    again = [q for q in sent if q.record > loss.record and _is_of(q, p)]
    if len(again) > 1:
        return _sent_again(bench, p, loss, again)
    due = max(p.ends, bench.talk.granted_after(loss.t))
    if bench.end - due < bench.micros("window_default"):
        return None
    said = f"sent {len(again)} time(s) after its socket had died"
    return bench.ok(Form.RESTRAINT, said, [p.answer.record, loss.record])


def _sent_again(bench: Bench, p: Penalty, loss: Loss, again: list[Request]) -> Finding:
    return bench.breach(
        Form.AGAIN,
        f"`{p.request.endpoint}`, which waited when its socket died, was sent {len(again)} times afterwards",
        "once at most",
        [p.answer.record, loss.record, *(q.record for q in again[:3])],
        [bench.count("times sent after the loss", len(again), 1)],
        clause="after the loss",
    )


def _loss_while_waiting(p: Penalty) -> Loss | None:
    """The end of the socket within the penalty. A sync is no such request: each new socket makes its own."""
    loss = p.conn.loss
    if loss is None or p.request.endpoint == "user/syncrequest" or loss.t >= p.ends:
        return None
    return loss
