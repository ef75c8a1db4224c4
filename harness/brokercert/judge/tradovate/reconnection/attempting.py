"""Trying again after a loss: how soon, and how often (S2 §5, TP §10)."""

from __future__ import annotations

import math
from collections.abc import Iterator

from brokercert.judge.attempts import Attempt, unseen_spans
from brokercert.judge.check import seconds
from brokercert.judge.moments import Moment, records_of
from brokercert.judge.tradovate.bench import Bench, check
from brokercert.judge.tradovate.model.back_off import back_off
from brokercert.judge.tradovate.model.trying import tries
from brokercert.judge.tradovate.reconnection.losses import Lost, losses, owed_back, struck
from brokercert.verdict import Finding, Form

# A normal end, one that says nothing, one whose meaning is private to who sends it (RFC 6455 §7.4.2).
NORMAL_ENDS = ("close 1000", "close without a code", "close 4", "c[1000")
PASSING = "Maintenance"  # the reason of a `shutdown` that asks nothing of the client (TP §4)


@check("REC-010")
def check_reconnect_in_time(bench: Bench) -> Iterator[Finding]:
    """After a loss (FIN within 5 s of an event, RST, a close frame that is no normal end, `c[...]`, the client's own
    giving up) the first attempt comes within 10 s, on each lane that was lost. Who gives a socket up in a penalty has
    10 s from its end.
    """
    for lost in _lanes_lost(bench):
        quiet = _quiet_before_fin(lost)
        if _may_be_meant(lost) or quiet >= bench.micros("fin_after_quiet"):
            continue  # REC-015 asks for it
        if quiet < bench.micros("fin_after_event"):
            yield _attempt_in_time(bench, lost)
        else:
            said = f"fin: it came {seconds(quiet)} after the last event, of which neither this row nor REC-015 speaks"
            yield bench.short(said, [lost.loss.record], clause="fin")


@check("REC-015")
def check_reconnect_after_normal_end(bench: Bench) -> Iterator[Finding]:
    """Likewise after a normal end (close frame 1000, without a code or with a private one, `c[1000,...]`), after a FIN
    that follows 10 s of nothing but `h`, and after a `shutdown` for any reason but maintenance.
    """
    for lost in _lanes_lost(bench):
        if _may_be_meant(lost) or _quiet_before_fin(lost) >= bench.micros("fin_after_quiet"):
            yield _attempt_in_time(bench, lost)


def _may_be_meant(lost: Lost) -> bool:
    """An end after which staying away may have a reason: of two sessions over a quota one would drive the other out."""
    told = lost.conn.shut_down
    return _is_normal(lost) or (told is not None and told.text != PASSING)


def _is_normal(lost: Lost) -> bool:
    """An end that may be normal; not where the client said good-bye with it, for that is its own giving up."""
    return lost.loss.by != "client" and lost.loss.how.startswith(NORMAL_ENDS)


def _quiet_before_fin(lost: Lost) -> int:
    """How long nothing but `h` had come before the broker's FIN; 0 for every other end."""
    if lost.loss.how != "fin" or lost.loss.by != "broker":
        return 0
    return lost.loss.t - max((said.t for said in lost.conn.news), default=0)


def _lanes_lost(bench: Bench) -> list[Lost]:
    """The first loss of each series; where the client's shape is known, of each socket that it hit and that is owed."""
    return [one for lost in losses(bench) for one in owed_back(bench, struck(bench, lost))]


def _attempt_in_time(bench: Bench, lost: Lost) -> Finding:
    sign = _first_sign(bench, lost)
    attempts = _attempts(bench, lost, sign)
    first = next((attempt for attempt in attempts if attempt.conn), None)
    due = sign.t + bench.micros("reconnect") + _waits_out(bench, lost, sign)
    if first is not None and (first.t <= due or _took_turns(bench, lost, first)):
        return _tried(bench, lost, sign, first)
    doubt = _no_token(attempts, sign.t, due) or _unseen(bench, sign.t, due) or _unknown(bench, lost)
    if doubt is not None:
        return bench.short(f"{lost.loss.how}: {doubt}", sorted({lost.loss.record, sign.record}), clause=lost.loss.how)
    return _never_tried(bench, lost, sign) if first is None else _tried(bench, lost, sign, first)


def _attempts(bench: Bench, lost: Lost, sign: Moment) -> list[Attempt]:
    """A client that opens its new socket before it leaves the old one has tried already, and one that does so at once:
    in virtual time loss and attempt may bear the same stamp.
    """
    found = tries(bench, min(sign.t, lost.begin) - 1, lost.conn)
    return [attempt for attempt in found if attempt.conn != lost.conn.id]


def _no_token(attempts: list[Attempt], sign: int, due: int) -> str | None:
    """The client asked for a token in time and got none, so that no connection could follow."""
    alone = next((attempt for attempt in attempts if not attempt.conn and attempt.t <= due), None)
    if alone is None:
        return None
    return f"{seconds(alone.t - sign)} after it the client asked for a token, and was given none"


def _took_turns(bench: Bench, lost: Lost, first: Attempt) -> bool:
    """Whether another socket of its kind came back shortly before: the client brings them back one after the other."""
    before = max(first.t - bench.micros("in_turn"), lost.begin)
    return any(before <= c.accepted < first.t for c in bench.lanes.others_of_kind(lost.conn))


def _unknown(bench: Bench, lost: Lost) -> str | None:
    """A socket of which nobody can say what it is for."""
    found = bench.lanes.strangers(lost.begin)
    if not found:
        return None
    return f"connection {found[0].id} is of no lane of a healthy start, so that it may have been the attempt"


def _never_tried(bench: Bench, lost: Lost, sign: Moment) -> Finding:
    how, rest = lost.loss.how, _waits_out(bench, lost, sign)
    allowance = _allowance(bench, lost) + rest
    others = [c.accepted for c in bench.lanes.others_of_kind(lost.conn) if c.accepted > sign.t]
    turn = max((t - sign.t + bench.micros("in_turn") for t in others), default=0)
    watch = bench.owed(sign.t, max(turn, bench.micros("reconnect") + allowance))
    return watch.missing(
        f"{how}: {_none_came(bench, lost, sign.t)} in {watch}",
        _expected(bench, rest),
        sorted({lost.loss.record, sign.record}),
        clause=how,
        short=f"{how}: watched for {watch} only",
    )


def _none_came(bench: Bench, lost: Lost, sign: int) -> str:
    """What did not come: nothing at all, or nothing that was to replace that socket."""
    if not any(c.accepted > sign for c in bench.talk.connections.values()):
        return "no attempt to reconnect"
    if lost.equals > 1:
        return f"{lost.back} of {lost.equals} equal sockets came back"
    return f"no connection took the place of connection {lost.conn.id}"


def _its_lane(bench: Bench, lost: Lost) -> str:
    """Which of several sockets it was."""
    several = bench.talk.shape is not None and bench.talk.shape.sockets > 1
    return f" on the lane of connection {lost.conn.id}" if several else ""


def _tried(bench: Bench, lost: Lost, sign: Moment, first: Attempt) -> Finding:
    limit, how, allowance = bench.limit("reconnect"), lost.loss.how, _allowance(bench, lost)
    took = max(0, first.t - sign.t)
    waited = min(took, _waits_out(bench, lost, sign))
    said = f"{how}: first attempt after {seconds(took)}{_its_lane(bench, lost)}"
    said += f", {seconds(allowance)} of it the broker's closing" if allowance else ""
    said += f", {seconds(waited)} of it in a penalty" if waited else ""
    span = bench.penalty_at(lost.conn, lost.loss) if waited else None
    evidence = sorted({lost.loss.record, sign.record, first.record, *records_of(span and span.answer)})
    allowance += waited
    if took - allowance > bench.micros("reconnect") and _took_turns(bench, lost, first):
        return bench.ok(Form.SHOWN, f"{said}, in turn after another socket's", evidence, clause=how)
    return bench.against(
        bench.time(f"{how} to first attempt", max(0, took - allowance), limit),
        observed=said,
        expected=_expected(bench, waited),
        evidence=evidence,
        clause=how,
    )


def _expected(bench: Bench, in_penalty: int) -> str:
    of = " of the end of its penalty" if in_penalty else ""
    return f"a first attempt within {bench.limit('reconnect'):g} s{of}"


def _waits_out(bench: Bench, lost: Lost, sign: Moment) -> int:
    """How long the penalty still ran for which the client may have left: it may wait that out without a socket. A loss
    that the broker or the network made asks for a new socket at once, whatever runs.
    """
    span = bench.penalty_at(lost.conn, lost.loss) if lost.loss.by == "client" else None
    return max(0, span.ends - sign.t) if span is not None else 0


def _first_sign(bench: Bench, lost: Lost) -> Moment:
    """From when the clock runs: for the client's own giving up, its FIN or RST."""
    if lost.loss.by != "client":
        return Moment(lost.loss.t, lost.loss.record)
    most = bench.micros("client_closing")
    ends = [Moment(end.t, end.record) for end in lost.conn.ended if end.by == "client" and end.t - lost.loss.t <= most]
    return ends[0] if ends else Moment(lost.loss.t, lost.loss.record)


def _allowance(bench: Bench, lost: Lost) -> int:
    """What the broker's own closing took after its first sign: not what it only did when the client had left."""
    if lost.loss.by != "broker":
        return 0
    left = _left_after_words(lost)
    after = [end.t - lost.loss.t for end in lost.conn.ended if end.by == "broker" and end.t < left]
    return min([bench.micros("closing_allowance"), *after]) if after else 0


def _left_after_words(lost: Lost) -> float:
    """When the client left a socket that `c[...]` had ended in words alone. Its echo of a close frame is no leaving."""
    left = lost.conn.client_close if lost.loss.how.startswith("c[") else None
    return math.inf if left is None else left.t


def _unseen(bench: Bench, sign: int, due: int) -> str | None:
    """A time in which an attempt that was due left no record: it may have tried in vain, and wait for its next turn."""
    spans = ((max(since, sign), until) for since, until in unseen_spans(bench.talk) if since < due and until > sign)
    for since, until in spans:
        return f"connects left no record from {seconds(since - sign)} to {seconds(until - sign)} after it"
    return None


@check("REC-050")
def check_back_off(bench: Bench) -> Iterator[Finding]:
    """Repeated failures are met with back-off: attempts stay inside the limits, and their delays grow or are long."""
    yield from back_off(bench)
