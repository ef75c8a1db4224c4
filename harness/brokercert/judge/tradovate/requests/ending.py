"""A request that is never answered: it ends all the same, and the others go on (S2 overview, TP §3)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from brokercert.judge.buffering.late_reports import unless_held
from brokercert.judge.check import Breach, seconds
from brokercert.judge.moments import records_of
from brokercert.judge.told import Outcome, Report
from brokercert.judge.tradovate.bench import Bench, check
from brokercert.judge.tradovate.model.conversation import Request
from brokercert.judge.tradovate.model.sends import unanswered
from brokercert.judge.tradovate.requests.commanded import Commanded, commanded, never_came
from brokercert.verdict import Finding, Form


class Lost(NamedTuple):
    """A request that was never answered: its command, and what was sent of it."""

    one: Commanded
    sent: Request


@check("REQ-030")
def check_unanswered_ends(bench: Bench) -> Iterator[Finding]:
    """A request that is never answered ends within 60 s, as no success, and the others go on meanwhile and after it, on
    a later socket too.
    """
    asked = list(commanded(bench))
    lost = next((Lost(one, sent) for one in asked for sent in unanswered(one.sends)), None)
    if lost is not None:
        others = [one for one in asked if one is not lost.one and not _lost_with_its_socket(bench, one)]
        yield from _ended(bench, lost, others)
    elif asked and not asked[0].sends:
        yield bench.short(never_came(bench, asked[0]), [asked[0].record])


def _lost_with_its_socket(bench: Bench, one: Commanded) -> bool:
    """Whether it was told as not answered after the broker or the network had taken a socket: it was in flight there,
    or waited for its turn, and need not go on.
    """
    told = one.outcome
    if told is None or not one.gave_up:
        return False
    losses = (loss for _, loss in bench.talk.lost if loss.by != "client")
    return any(one.record < loss.record < told.record for loss in losses)


def _ended(bench: Bench, lost: Lost, others: list[Commanded]) -> Iterator[Finding]:
    """How the request that was never answered ended, and the others."""
    outcome = lost.one.outcome
    if outcome is None:
        yield _nothing_told(bench, lost)
    elif outcome.ok:
        yield _told_as_success(bench, lost, outcome)
    else:
        yield _told_in_time(bench, lost, outcome)
        yield _others_go_on(bench, lost, outcome, others)


def _expected(bench: Bench) -> str:
    return f"told as never answered within {bench.limit('request_end'):g} s, and others sent and answered as ever"


def _nothing_told(bench: Bench, lost: Lost) -> Finding:
    one, sent = lost
    watch = bench.owed(sent.t, bench.micros("request_end"))
    silent = watch.missing(
        f"`{one.name}` was not answered, and nothing was told of it in {watch}",
        _expected(bench),
        [one.record, sent.record],
        short=f"watched for {watch} after the request only",
        seen=[sent.record],
    )
    if watch.short:
        return silent
    return unless_held(bench, silent, bench.talk.told.late_answers("outcome", one.asked.id))


def _told_as_success(bench: Bench, lost: Lost, outcome: Outcome) -> Finding:
    one, sent = lost
    # Where its like was sent once more and answered, that one's success may have been told.
    form: Breach = Form.CONTENT if one.answer is None else Form.AGAIN
    said = f"`{one.name}` was never answered, and told as a success"
    return bench.breach(form, said, _expected(bench), [one.record, sent.record, outcome.record])


def _told_in_time(bench: Bench, lost: Lost, outcome: Outcome) -> Finding:
    one, sent = lost
    took = outcome.t - sent.t
    finding = bench.against(
        bench.time("request to its end", took, bench.limit("request_end")),
        observed=f"`{one.name}` was not answered, and told so after {seconds(took)}",
        expected=_expected(bench),
        evidence=[one.record, sent.record, outcome.record],
    )
    return unless_held(bench, finding, [Report(outcome.t, outcome.record, {})])


def _others_go_on(bench: Bench, lost: Lost, outcome: Outcome, others: list[Commanded]) -> Finding:
    """A breach, where one of the others was stuck."""
    stuck = next((one for one in others if not _went_on(bench, lost, one)), None)
    if stuck is not None:
        return _stuck(bench, lost, outcome, stuck)
    evidence = [lost.one.record, lost.sent.record, outcome.record]
    return bench.ok(Form.SHOWN, f"{len(others)} other requests went on", evidence, clause="others go on")


def _went_on(bench: Bench, lost: Lost, other: Commanded) -> bool:
    if other.was_answered:
        return True
    gone = bench.talk.connections[lost.sent.conn].given_up()
    return gone is not None and other.asked.t < gone.t  # given up with its connection, and told so


def _stuck(bench: Bench, lost: Lost, outcome: Outcome, other: Commanded) -> Finding:
    """Nothing came of the other request, or it ended without an answer of the broker's."""
    ended, asked = other.outcome, other.asked
    watch = bench.owed(asked.t, max(0, outcome.t - asked.t) + bench.micros("request_end"))
    if ended is None and watch.short:
        return bench.short(f"`{other.name}` was watched for {watch} only", [other.record])
    how, late = "nothing came of it", bench.talk.told.late_answers("outcome", asked.id)
    if ended is not None:
        how, late = f"it ended with `{ended.error}`", []
    when = "while" if asked.t < outcome.t else "after"
    finding = bench.breach(
        Form.ABSENCE,
        f"`{other.name}` was asked for {when} another request was not answered, and {how}{bench.exit_text()}",
        _expected(bench),
        records_of(lost.one, outcome, other, ended),
        clause="others go on",
    )
    return unless_held(bench, finding, late)
