"""Answers that are errors, and what is told of them (TP §3)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from brokercert.judge.check import seconds
from brokercert.judge.moments import Recorded, records_of
from brokercert.judge.told import Outcome
from brokercert.judge.tradovate.bench import Bench, check
from brokercert.judge.tradovate.model.conversation import Answer
from brokercert.judge.tradovate.model.sends import error_of
from brokercert.judge.tradovate.requests.commanded import Commanded, commanded, never_came, no_outcome
from brokercert.verdict import Finding, Form


@check("REQ-040")
def check_errors_told(bench: Bench) -> Iterator[Finding]:
    """An answer that is an error (4xx, 5xx, or 200 with `errorText`, `failureReason` or `violations`) is told as one,
    and one that is none as a success; and each request has one end only. Of a request that was given up before its
    answer came, only that is asked, where the client had waited for it from 2 s to 60 s.
    """
    told: list[str] = []
    evidence: list[int] = []
    for one in commanded(bench):
        wrong = _wrong(bench, one)
        if wrong is not None:
            yield wrong
            return
        if one.answer is not None:
            told.append("once, before its answer came" if _is_late(bench, one) else error_of(one.answer) or "a success")
            evidence += records_of(one.answer, one.outcome)
    if told:
        yield bench.ok(Form.SHOWN, f"each told as what it was: {', '.join(dict.fromkeys(told))}", evidence)


def _wrong(bench: Bench, one: Commanded) -> Finding | None:
    """Why the row is not passed for this request; nothing where it was told as what it was, or has no answer."""
    if len(one.asked.outcomes) > 1:
        return _two_ends(bench, one)
    if one.answer is None:
        return None if one.sends else bench.short(never_came(bench, one), [one.record])
    if one.outcome is None:
        return no_outcome(bench, one, one.answer)
    if _is_late(bench, one):
        return None  # the client cannot have known
    if error_of(one.answer):
        return _error_as_success(bench, one, one.answer) if one.outcome.ok else None
    return _success_as_error(bench, one, one.answer, one.outcome)


class _GivenUp(NamedTuple):
    """A request that was told as never answered, though an answer came later: that end, and what the client had waited
    for it since.
    """

    since: Recorded
    end: Outcome

    @property
    def waited(self) -> int:
        return self.end.t - self.since.t


def _given_up(one: Commanded) -> _GivenUp | None:
    """Nothing where its end was told after the answer came, or as something else. The wait is that for the request that
    was answered. One that was sent after its end was told had been waited for since the one before it, or the command.
    """
    if one.answer is None or one.outcome is None or not one.gave_up or one.outcome.record > one.answer.record:
        return None
    before = [q for q in one.sends if q.record < one.outcome.record]
    answered = next((q for q in before if q.answer is one.answer), None)
    return _GivenUp(answered or next(reversed(before), one), one.outcome)


def _is_late(bench: Bench, one: Commanded) -> bool:
    """Whether it was given up before its answer came, in a time that a client may give an answer. Who was asked to stop
    waits for none.
    """
    given = _given_up(one)
    if given is None:
        return False
    in_time = bench.micros("request_wait") <= given.waited <= bench.micros("request_end")
    return in_time or given.end.t >= bench.owed_until


def _two_ends(bench: Bench, one: Commanded) -> Finding:
    """Whoever was told the first has acted on it: what was told as not sent was placed anew."""
    first, second = one.asked.outcomes[:2]
    return bench.breach(
        Form.CONTENT,
        f"`{one.name}` was told to have ended {len(one.asked.outcomes)} times: as {_told_as(first)}, and"
        f" {seconds(second.t - first.t)} later as {_told_as(second)}",
        "one outcome for each request",
        records_of(one, *one.sends[:3], first, second),
        clause="one end",
    )


def _told_as(outcome: Outcome) -> str:
    if outcome.ok:
        return "a success"
    return f"status {outcome.status}" if outcome.status else "a failure without an answer"


def _error_as_success(bench: Bench, one: Commanded, answer: Answer) -> Finding:
    return bench.breach(
        Form.CONTENT,
        f"`{one.name}` was answered by {error_of(answer)}, and told as a success",
        "an error, with the text that the broker gave",
        _evidence(one),
    )


def _success_as_error(bench: Bench, one: Commanded, answer: Answer, outcome: Outcome) -> Finding | None:
    """A breach, unless the connection was lost, so that the client cannot have known."""
    if outcome.ok or _was_away(bench, one, outcome):
        return None
    given = _given_up(one)
    if given is not None:
        return _gave_up_wrongly(bench, one, answer, given)
    return bench.breach(
        # Without a status the client had given up waiting for it.
        Form.CONTENT if outcome.status else Form.ABSENCE,
        f"`{one.name}` was answered by a plain 200, and told as an error: {outcome.error}",
        "a success: the answer has none of the fields of an error",
        _evidence(one),
        clause="success",
    )


def _was_away(bench: Bench, one: Commanded, outcome: Outcome) -> bool:
    """Whether the end was told without an answer by a client whose socket for it was lost, or that had none to send it
    on. That it was sent all the same, later, is the matter of REC-095 and RLP-090.
    """
    if outcome.status:
        return False
    sent = next((q for q in reversed(one.sends) if q.record < outcome.record), None)
    if sent is not None:
        return bench.talk.connections[sent.conn].loss is not None
    return not any(c.stood_at(outcome.t) for c in bench.talk.connections.values())


def _gave_up_wrongly(bench: Bench, one: Commanded, answer: Answer, given: _GivenUp) -> Finding:
    """Given up too soon, or too late, before its answer came, which was a success."""
    least, most = bench.limit("request_wait"), bench.limit("request_end")
    said = f"`{one.name}` was told as never answered {seconds(given.waited)} after it was"
    said += f" {'asked for' if given.since is one else 'sent'}, and answered by a plain 200"
    said += f" {seconds(answer.t - given.end.t)} after that"
    expected = f"an answer is awaited for {least:g} s at least, and for {most:g} s at most"
    evidence = records_of(given.since, given.end, answer)
    if given.waited > bench.micros("request_end"):
        waited = bench.time("request to its end", given.waited, most)
        return bench.against(waited, observed=said, expected=expected, evidence=evidence, clause="success")
    waited = bench.time("request to its end, at least", given.waited, least)
    if waited.value > least - waited.error:
        return bench.inconclusive(said, expected, evidence, (waited,))
    return bench.breach(Form.EARLY, said, expected, evidence, (waited,), clause="success")


def _evidence(one: Commanded) -> list[int]:
    return records_of(one, one.answer, one.outcome)
