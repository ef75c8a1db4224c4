"""What a client does about a penalty ticket: S2 §4, TP §7."""

from __future__ import annotations

import math
from collections.abc import Iterator

from brokercert.judge.check import seconds
from brokercert.judge.moments import Recorded
from brokercert.judge.told import Outcome
from brokercert.judge.tradovate.bench import Bench, check
from brokercert.judge.tradovate.model.conversation import SECOND, Answer, Loss, Request
from brokercert.judge.tradovate.model.crossing import may_have_crossed
from brokercert.judge.tradovate.model.tickets import SYNC, same_body, same_request, ticketed
from brokercert.judge.tradovate.rate_limits.penalties import Penalty, asked_for, failure_told, penalties
from brokercert.verdict import Finding, Form

# The clauses of RLP-020 and RLP-090 that hold in every scenario.
NOT_EARLY = "not early"
OTHER_ENDPOINT = "no other endpoint"
USED = "used once"
NO_SUCCESS = "a 200 answer that carries a ticket is a penalty, not a success"


@check("RLP-010")
def check_ticket_recognised(bench: Bench) -> Iterator[Finding]:
    """A ticket inside a 200 answer is not taken as success: the client asks again, tells of a failure, or gives the
    connection up. It does not tell of a success, and it sends nothing that needs the answer.
    """
    for one in bench.starts:
        yield from (_taken_for(one, p) for p in penalties(one))


def _taken_for(bench: Bench, p: Penalty) -> Finding:
    told = _success_told(bench, p)
    if told is None:
        return _answered_to(bench, p)
    return _taken_for_success(bench, p, "told as a success before it was retried", told)


def _taken_for_success(bench: Bench, p: Penalty, how: str, by: Recorded) -> Finding:
    said = f"`{p.request.endpoint}` was answered by a ticket, and {how}{p.note}"
    return bench.breach(Form.CONTENT, said, NO_SUCCESS, [p.request.record, p.answer.record, by.record])


def _success_told(bench: Bench, p: Penalty) -> Outcome | None:
    """An outcome of the request, told as a success while nothing but its ticket had come."""
    until = p.retry.t if p.retry is not None else bench.talk.now + 1
    outcomes = (one.outcome for one in asked_for(bench, p.request))
    return next((x for x in outcomes if x is not None and x.ok and p.answer.t <= x.t < until), None)


def _answered_to(bench: Bench, p: Penalty) -> Finding:
    """What the client did about the ticket, told no success. A retry that is late is RLP-020's matter."""
    if p.retry is not None:
        how = "it was brought back" if p.retry.ticket == p.answer.ticket else "the request was sent again"
        said = f"the ticket was recognised: {how}{p.note}"
        return bench.ok(Form.SHOWN, said, [p.answer.record, p.retry.record])
    failure = failure_told(bench, asked_for(bench, p.request), p.answer.t)
    if failure is not None:
        said = f"the ticket was not taken as success: the client told of a failure{p.note}"
        return bench.ok(Form.SHOWN, said, [p.answer.record, failure.record])
    relied = _relied_on(bench, p)
    if relied is not None:
        how = f"`{relied.endpoint}` followed, which this client sends only after a success elsewhere"
        return _taken_for_success(bench, p, how, relied)
    return _left_it(bench, p)


def _left_it(bench: Bench, p: Penalty) -> Finding:
    """Nothing was sent again, and nothing told: only that the client gave the connection up says something."""
    gone = p.conn.given_up()
    if gone is not None and gone.t >= p.answer.t and bench.death() is None:
        said = f"the ticket was not taken as success: the connection was given up{p.note}"
        return bench.ok(Form.RESTRAINT, said, [p.answer.record, gone.record])
    nothing = "no retry, no report and no request says whether the ticket was taken for a success"
    return bench.short(f"{nothing}{p.note}{bench.exit_text()}", [p.request.record, p.answer.record])


def _relied_on(bench: Bench, p: Penalty) -> Request | None:
    """A request after a ticketed sync, to an endpoint that the client uses only where a sync was a success."""
    if p.request.endpoint != SYNC:
        return None
    needing = _needs_the_sync(bench)
    arrival = bench.micros("arrival")
    later = (q for q in p.conn.requests if q.record > p.answer.record and q.endpoint in needing)
    return next((q for q in later if not may_have_crossed(bench.talk, p.request, q, arrival)), None)


def _needs_the_sync(bench: Bench) -> set[str]:
    """The endpoints that were first used after a sync's success, on each socket where one was."""
    before: set[str] = {"authorize", SYNC}
    after: set[str] = set()
    for c, answer in bench.talk.caught_up:
        for q in c.requests:
            (before if q.precedes(answer) else after).add(q.endpoint)
    return after - before


@check("RLP-020")
def check_retry_in_window(bench: Bench) -> Iterator[Finding]:
    """The retry comes no earlier than 50 ms before the penalty's end and no later than 10 s after it. Not earlier on
    another socket either, whatever became of the one that drew the ticket.
    """
    late_limit = bench.limit("ticket_late")
    for one in bench.starts:
        for p in penalties(one):
            expected = f"a retry from {p.answer.wait / SECOND:g} s to {p.answer.wait / SECOND + late_limit:g} s"
            expected += " after the ticket"
            yield _never(one, p, expected) if p.retry is None else _in_window(one, p, p.retry, expected)


def _never(bench: Bench, p: Penalty, expected: str) -> Finding:
    if p.cut_off is not None:
        return _none_early(bench, p, p.cut_off)
    watch = bench.owed(p.answer.t, p.due_until - p.answer.t)
    return watch.missing(
        f"no retry in {watch} after the ticket{p.note}",
        expected,
        [p.answer.record],
        short="watched for a part of the window only",
    )


def _none_early(bench: Bench, p: Penalty, cut_off: Loss) -> Finding:
    """Its socket was lost before a retry was due: whoever does not bring the ticket to another owes none."""
    watch = bench.barred(p.answer.t, p.answer.wait)
    lost = "its socket was lost before a retry was due"
    return watch.kept(
        f"{lost}, and no request brought the ticket back in {watch}{p.note}",
        [p.answer.record, cut_off.record],
        clause=NOT_EARLY,
        short=f"{lost}{p.note}",
    )


def _in_window(bench: Bench, p: Penalty, retry: Request, expected: str) -> Finding:
    took = retry.t - p.answer.t
    said = f"the retry came {seconds(took)} after a ticket of {p.answer.wait / SECOND:g} s{p.note}"
    evidence = [p.answer.record, retry.record]
    if retry.t < p.due_from:  # the harness's lateness makes a retry seem later, never earlier
        return bench.breach(
            # Without the ticket it may have left before that was read: it is the request, sent again.
            Form.EARLY if retry.ticket else Form.AGAIN,
            said,
            expected,
            evidence,
            [bench.time("ticket to retry, at least", took, p.answer.wait / SECOND)],
            clause=NOT_EARLY if retry.ticket and same_request(retry, p.request) else "no repetition",
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
    """The retry is the same endpoint, query and body, plus the ticket."""
    for one in bench.starts:
        yield from (_identical(one, p, p.retry) for p in penalties(one) if p.retry is not None)


def _identical(bench: Bench, p: Penalty, retry: Request) -> Finding:
    evidence = [p.request.record, p.answer.record, retry.record]
    wrong = list(_differences(p, retry))
    if not wrong:
        return bench.ok(Form.SHOWN, f"the identical request plus its ticket{p.note}", evidence)
    return bench.breach(
        # As in RLP-020: one without the ticket may have left before that was read.
        Form.CONTENT if retry.ticket else Form.AGAIN,
        f"the retry was sent {', '.join(wrong)}{p.note}",
        "the identical request plus `p-ticket`",
        evidence,
    )


def _differences(p: Penalty, retry: Request) -> Iterator[str]:
    """In what the retry is another request than the one that drew the ticket."""
    if retry.ticket != p.answer.ticket:
        yield "without `p-ticket`" if retry.ticket is None else "with another ticket"
    if (retry.endpoint, retry.query) != (p.request.endpoint, p.request.query):
        yield "to another endpoint or query"
    if not same_body(retry, p.request):
        yield "with another body"


@check("RLP-090")
def check_ticket_stays(bench: Bench) -> Iterator[Finding]:
    """A ticket comes back with the request that drew it and with no other, and no more once it was answered with
    success. A request that was waiting when its socket died is sent once at most afterwards, and not before its time.
    """
    tickets = penalties(bench)
    if not tickets:
        return
    sent = bench.talk.requests
    wrongly = (finding for p in tickets for finding in (_with_another(bench, p, sent), _spent(bench, p, sent)))
    stolen = next((finding for finding in wrongly if finding is not None), None)
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
    strangers = [q for q in sent if q.ticket == p.answer.ticket and not same_request(q, p.request)]
    if not strangers:
        return None
    first = next((q for q in strangers if q.endpoint != p.request.endpoint), strangers[0])
    return bench.breach(
        Form.CONTENT,
        f"`{first.endpoint}` carried the ticket that `{p.request.endpoint}` had drawn",
        "a ticket belongs to the request that drew it",
        [p.answer.record, first.record],
        clause=OTHER_ENDPOINT if first.endpoint != p.request.endpoint else "no other request",
    )


def _spent(bench: Bench, p: Penalty, sent: list[Request]) -> Finding | None:
    """The ticket came back once more, after it had been used with success."""
    carriers = [q for q in sent if q.ticket == p.answer.ticket]
    uses = [(q, q.answer) for q in carriers if q.answer is not None and q.answer.ok]
    if not uses:
        return None
    used, success = min(uses, key=lambda use: use[1].record)
    given = [answer.record for _, answer in ticketed(bench.talk) if answer.ticket == p.answer.ticket]
    until = min((record for record in given if record > success.record), default=math.inf)
    late = (q for q in carriers if success.record < q.record < until)
    later = (q for q in late if not _may_cross(bench, used, success, q))
    again = next(later, None)
    if again is None:
        return None
    return bench.breach(
        Form.CONTENT,
        f"`{again.endpoint}` carried a ticket {seconds(again.t - success.t)} after it had been used with success",
        "a ticket comes back once: what is asked later goes without it",
        [p.answer.record, success.record, again.record],
        clause=USED,
    )


def _may_cross(bench: Bench, used: Request, success: Answer, later: Request) -> bool:
    """Whether that request may have left before the success was read."""
    arrival = bench.micros("arrival")
    if later.conn == used.conn:
        return may_have_crossed(bench.talk, used, later, arrival)
    return later.t <= success.t + arrival


def _after_the_loss(bench: Bench, p: Penalty, sent: list[Request]) -> Finding | None:
    """How often a request was sent that waited when its socket died; None where that was not seen for long enough."""
    loss = _loss_while_waiting(p)
    if loss is None:
        return None
    again = [q for q in sent if q.record > loss.record and same_request(q, p.request)]
    if len(again) > 1:
        return _sent_again(bench, p, loss, again)
    early = next((q for q in again if q.t < p.due_from and q.ticket is None), None)
    if early is not None:
        return _sent_early(bench, p, loss, early)
    told = _told_before(bench, p, again)
    if told is not None:
        return told
    back = bench.talk.granted_after(loss.t)
    due = p.ends if back is None else max(p.ends, back.t)
    if bench.barred(due, bench.micros("window_default")).short:
        return None
    said = f"sent {len(again)} time(s) after its socket had died"
    return bench.ok(Form.RESTRAINT, said, [p.answer.record, loss.record])


def _told_before(bench: Bench, p: Penalty, again: list[Request]) -> Finding | None:
    """A breach, where it came back with its ticket though whoever asked for it had been told that it failed."""
    late = next((q for q in again if q.ticket == p.answer.ticket), None)
    outcome = next((one.outcome for one in asked_for(bench, p.request) if one.outcome), None)
    if late is None or outcome is None or outcome.ok or late.record < outcome.record:
        return None
    return bench.breach(
        Form.AGAIN,
        f"`{late.endpoint}`, which waited when its socket died, was told as failed, and sent"
        f" {seconds(late.t - outcome.t)} later",
        "what was told as failed is not sent any more",
        [p.answer.record, outcome.record, late.record],
        clause="told as failed",
    )


def _sent_again(bench: Bench, p: Penalty, loss: Loss, again: list[Request]) -> Finding:
    return bench.breach(
        Form.AGAIN,
        f"`{p.request.endpoint}`, which waited when its socket died, was sent {len(again)} times afterwards",
        "once at most",
        [p.answer.record, loss.record, *(q.record for q in again[:3])],
        [bench.count("times sent after the loss", len(again), 1)],
        clause="after the loss",
    )


def _sent_early(bench: Bench, p: Penalty, loss: Loss, early: Request) -> Finding:
    return bench.breach(
        Form.AGAIN,
        f"`{early.endpoint}`, which waited when its socket died, was sent without its ticket"
        f" {seconds(p.ends - early.t)} before its penalty was over",
        "with its ticket and when its penalty is over, or not before that",
        [p.answer.record, loss.record, early.record],
        clause="after the loss",
    )


def _loss_while_waiting(p: Penalty) -> Loss | None:
    """The end of the socket within the penalty. A sync is no such request: each new socket makes its own."""
    loss = p.conn.loss
    if loss is None or p.request.endpoint == SYNC or loss.t >= p.ends:
        return None
    return loss
