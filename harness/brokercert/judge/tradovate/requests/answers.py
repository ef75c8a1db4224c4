"""Requests and their answers: S2 overview, TP §1 and §3."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from brokercert.judge.buffering.late_reports import unless_held
from brokercert.judge.check import Breach, seconds
from brokercert.judge.told import Asked, Outcome, Report
from brokercert.judge.tradovate.bench import Bench, check
from brokercert.judge.tradovate.model.conversation import Answer, Request
from brokercert.judge.tradovate.model.differences import same
from brokercert.judge.tradovate.model.sends import error_of, final_answer, sends_of, unanswered, why_silent
from brokercert.verdict import Finding, Form


@check("REQ-010")
def check_ids_unique(bench: Bench) -> Iterator[Finding]:
    """No request id comes twice on a connection, over 20 s at least and two requests."""
    watched, most = 0, 0
    for c in bench.talk.authorized:
        first: dict[str, Request] = {}
        for request in c.requests:
            before = first.setdefault(_number(request.id), request)
            if before is not request:
                yield bench.breach(
                    Form.CONTENT,
                    f"connection {c.id}: `{request.endpoint}` came under id {request.id}, which"
                    f" `{before.endpoint}` had {seconds(request.t - before.t)} before",
                    "an id of its own for every request on a connection",
                    [before.record, request.record],
                )
                return
        watched = max(watched, c.last_seen(bench.end) - c.requests[0].t)
        most = max(most, len(c.requests))
    if not bench.talk.authorized:
        return
    if watched < bench.micros("window_default") or most < 2:
        yield bench.short(f"{most} request(s) on a connection, watched for {seconds(watched)} only")
    else:
        spare = watched - bench.micros("window_default")
        yield bench.ok(Form.RESTRAINT, f"{most} requests on a connection, no id twice", spare=spare)


def _number(ident: str) -> str:
    """`07` is the number 7; what is no number is itself."""
    return str(int(ident)) if ident.isascii() and ident.isdecimal() and len(ident) < 40 else ident


@check("REQ-020")
def check_answers_matched(bench: Bench) -> Iterator[Finding]:
    """Every answer is told as the outcome of the request that it answers, though answers come in another order than the
    requests, and among events. Shown only where an answer could be taken for another's: it came before that of an
    earlier request, or late, when its own had been given up and the next one was open.
    """
    talk = bench.talk
    asked = talk.told.requests()
    sends = {one.id: sends_of(talk, one) for one in asked}
    answers = {one.id: final_answer(sends[one.id]) for one in asked}
    matched: list[Request] = []
    for one in asked:
        answer = answers[one.id]
        outcome = one.outcome
        gave_up = outcome is not None and not outcome.status and not outcome.ok
        if answer is None:
            if (why := why_silent(talk, one)) or not (sends[one.id] or gave_up):
                yield bench.short(why or f"no `{one.body.get('endpoint')}` came of command {one.id}", [one.record])
                return
            continue
        if outcome is None:
            yield _no_outcome(bench, one, answer)
            return
        if gave_up and outcome.record < answer.record:
            continue  # a late answer to what had ended: it is nobody's
        if _is_of(outcome.data, answer.data):
            matched += [send for send in sends[one.id] if send.answer is answer]
            continue
        evidence = [one.record, answer.record, outcome.record]
        other = next((x for x in asked if x is not one and _is_of(outcome.data, _data(answers[x.id]))), None)
        if other is not None:
            yield bench.breach(
                Form.CONTENT,
                f"`{_name(one)}` was told to have the answer to `{_name(other)}`",
                "the answer whose `i` is the request's own id, wherever and whenever it comes",
                evidence,
            )
            return
        gone = talk.connections[sends[one.id][-1].conn].loss
        if outcome.status == 0 and (gone is None or gone.t > outcome.t):
            yield bench.breach(
                Form.ABSENCE,
                f"`{_name(one)}` was answered, and told as `{outcome.error or 'never answered'}`",
                "the answer is the request's outcome",
                evidence,
            )
            return
        yield bench.short(f"the outcome of `{_name(one)}` does not show whose answer it is", evidence)
        return
    told = [one.outcome.record for one in asked if one.outcome]
    pairs = [(one.outcome, send, other) for one in asked for send in sends[one.id] for other in matched]
    if any(_misleads(*pair) for pair in pairs):
        yield bench.ok(Form.SHOWN, f"{len(matched)} answers, each told of its own request", told)
    elif asked:
        yield bench.short(
            f"{len(matched)} answers were told, and none could be taken for another's: none came before that of an "
            "earlier request, and none that had been given up while the next was open on that connection",
            told,
        )


def _misleads(outcome: Outcome | None, send: Request, other: Request) -> bool:
    """Whether a client that does not look at `i` would take `other`'s answer for this request's, or the reverse."""
    if other.answer is None or send is other or send.conn != other.conn:
        return False
    ended = outcome.record if outcome is not None else None
    answered = send.answer.record if send.answer is not None else None
    if send.record < other.record and (ended is None or ended > other.answer.record):
        return answered is None or answered > other.answer.record
    late = answered is not None and ended is not None and ended < answered
    return late and answered is not None and other.record < answered < other.answer.record


@check("REQ-030")
def check_unanswered_ends(bench: Bench) -> Iterator[Finding]:
    """A request that is never answered ends within 60 s, as no success, and the others go on meanwhile and after it."""
    talk, limit = bench.talk, bench.limit("request_end")
    asked = talk.told.requests()
    lost = next(((one, s) for one in asked for s in unanswered(sends_of(talk, one))), None)
    if lost is None:
        if asked and not sends_of(talk, asked[0]):
            why = why_silent(talk, asked[0]) or f"no `{asked[0].body.get('endpoint')}` came of command {asked[0].id}"
            yield bench.short(why, [asked[0].record])
        return
    one, sent = lost
    expected = f"told as never answered within {limit:g} s, and others sent and answered as ever"
    outcome = one.outcome
    if outcome is None:
        if bench.end < sent.t + bench.micros("request_end") and talk.died() is None:
            yield bench.short(f"watched for {seconds(bench.end - sent.t)} after the request only", [sent.record])
            return
        text = f"`{_name(one)}` was not answered, and nothing was told of it in {seconds(bench.end - sent.t)}"
        silent = bench.breach(Form.ABSENCE, text + bench.exit_text(), expected, [one.record, sent.record])
        yield unless_held(bench, silent, talk.told.late_answers("outcome", one.id))
        return
    evidence = [one.record, sent.record, outcome.record]
    if outcome.ok:
        # Where its like was sent once more and answered, that one's success may have been told.
        form: Breach = Form.CONTENT if final_answer(sends_of(talk, one)) is None else Form.AGAIN
        yield bench.breach(form, f"`{_name(one)}` was never answered, and told as a success", expected, evidence)
        return
    took = outcome.t - sent.t
    finding = bench.against(
        bench.time("request to its end", took, limit),
        observed=f"`{_name(one)}` was not answered, and told so after {seconds(took)}",
        expected=expected,
        evidence=evidence,
    )
    yield unless_held(bench, finding, [Report(outcome.t, outcome.record, {})])
    gone = talk.connections[sent.conn].given_up()
    for other in asked:
        if other is one:
            continue
        ended = other.outcome
        if ended is not None and (ended.ok or (ended.status and final_answer(sends_of(talk, other)))):
            continue  # answered, and told so; whether as what it was, is REQ-040's question
        if gone is not None and other.t < gone.t:
            continue  # given up with its connection, and told so
        due = max(other.t, outcome.t) + bench.micros("request_end")
        if ended is None and bench.end < due and talk.died() is None:
            yield bench.short(f"`{_name(other)}` was watched for {seconds(bench.end - other.t)} only", [other.record])
            return
        how = "nothing came of it" if ended is None else f"it ended with `{ended.error}`"
        when = "while" if other.t < outcome.t else "after"
        stuck = bench.breach(
            Form.ABSENCE,
            f"`{_name(other)}` was asked for {when} another request was not answered, and {how}{bench.exit_text()}",
            expected,
            [one.record, outcome.record, other.record, *([ended.record] if ended else [])],
            clause="others go on",
        )
        yield unless_held(bench, stuck, talk.told.late_answers("outcome", other.id) if ended is None else ())
        return
    yield bench.ok(Form.SHOWN, f"{len(asked) - 1} other requests went on", evidence, clause="others go on")


@check("REQ-040")
def check_errors_told(bench: Bench) -> Iterator[Finding]:
    """An answer that is an error (4xx, 5xx, or 200 with `errorText`, `failureReason` or `violations`) is told as one,
    and one that is none as a success.
    """
    talk = bench.talk
    told: list[str] = []
    for one in talk.told.requests():
        sends = sends_of(talk, one)
        answer = final_answer(sends)
        if answer is None:
            if not sends:
                why = why_silent(talk, one) or f"no `{one.body.get('endpoint')}` came of command {one.id}"
                yield bench.short(why, [one.record])
                return
            continue
        if one.outcome is None:
            yield _no_outcome(bench, one, answer)
            return
        error = error_of(answer)
        evidence = [one.record, answer.record, one.outcome.record]
        if error and one.outcome.ok:
            yield bench.breach(
                Form.CONTENT,
                f"`{_name(one)}` was answered by {error}, and told as a success",
                "an error, with the text that the broker gave",
                evidence,
            )
            return
        lost = one.outcome.status == 0 and talk.connections[sends[-1].conn].loss is not None
        if not error and not one.outcome.ok and not lost:
            yield bench.breach(
                # Without a status the client had given up waiting for it.
                Form.CONTENT if one.outcome.status else Form.ABSENCE,
                f"`{_name(one)}` was answered by a plain 200, and told as an error: {one.outcome.error}",
                "a success: the answer has none of the fields of an error",
                evidence,
                clause="success",
            )
            return
        told.append(error or "a success")
    if told:
        yield bench.ok(Form.SHOWN, f"each told as what it was: {', '.join(dict.fromkeys(told))}")


def _name(asked: Asked) -> str:
    """As the reader of a report recognises it."""
    endpoint, query = asked.body.get("endpoint"), asked.body.get("query")
    return f"{endpoint}?{query}" if query else str(endpoint)


def _no_outcome(bench: Bench, one: Asked, answer: Answer) -> Finding:
    watched = bench.end - answer.t
    if watched < bench.micros("request_end") and bench.talk.died() is None:
        return bench.short(f"`{_name(one)}` was watched for {seconds(watched)} after its answer only", [answer.record])
    silent = bench.breach(
        Form.ABSENCE,
        f"`{_name(one)}` was answered, and nothing was told of it in {seconds(watched)}{bench.exit_text()}",
        "an outcome for every request",
        [one.record, answer.record],
    )
    return unless_held(bench, silent, bench.talk.told.late_answers("outcome", one.id))


def _data(answer: Answer | None) -> Any:
    return answer.data if answer is not None else None


def _is_of(told: Any, answered: Any) -> bool:
    """Whether what was told as an answer's data is that answer's: by the entity's id where there is one."""
    if isinstance(told, dict) and isinstance(answered, dict) and "id" in answered:
        return same(answered["id"], told.get("id"))
    return bool(told == answered)
