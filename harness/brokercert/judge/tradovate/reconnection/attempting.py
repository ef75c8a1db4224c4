"""Trying again after a loss: how soon, and how often (S2 §5, TP §10)."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from brokercert.judge.attempts import Attempt, unseen_spans
from brokercert.judge.check import seconds
from brokercert.judge.moments import Moment, records_of
from brokercert.judge.tradovate.bench import Bench, check
from brokercert.judge.tradovate.model.back_off import back_off
from brokercert.judge.tradovate.model.trying import tries
from brokercert.judge.tradovate.reconnection.losses import Equals, Lost, Place, equals_of, losses, struck
from brokercert.verdict import Finding, Form, Verdict

# A normal end, one that says nothing, one whose meaning is private to who sends it (RFC 6455 §7.4.2).
NORMAL_ENDS = ("close 1000", "close without a code", "close 4", "c[1000")
BREACHES = (Verdict.FAIL, Verdict.WARNING)
PASSING = "Maintenance"  # the reason of a `shutdown` that asks nothing of the client (TP §4)


@check("REC-010")
def check_reconnect_in_time(bench: Bench) -> Iterator[Finding]:
    """After a loss (FIN within 5 s of an event, RST, a close frame that is no normal end, `c[...]`, the client's own
    giving up) the first attempt comes within 10 s, on each lane that was lost. Who gives a socket up in a penalty has
    10 s from its end.
    """
    for equals in _lost(bench):
        yield from _judged(bench, equals, lambda lost: _is_in_use(bench, lost))
        for lost in equals.lost if equals.owed else ():
            if _is_between(bench, lost):
                after = seconds(_quiet_before_fin(lost))
                said = f"fin: it came {after} after the last event, of which neither this row nor REC-015 speaks"
                yield bench.short(said, [lost.loss.record], clause="fin")


@check("REC-015")
def check_reconnect_after_normal_end(bench: Bench) -> Iterator[Finding]:
    """Likewise after a normal end (close frame 1000, without a code or with a private one, `c[1000,...]`), after a FIN
    that follows 10 s of nothing but `h`, and after a `shutdown` for any reason but maintenance.
    """
    for equals in _lost(bench):
        yield from _judged(bench, equals, lambda lost: _may_be_normal(bench, lost))


def _may_be_normal(bench: Bench, lost: Lost) -> bool:
    """REC-015 speaks of it."""
    return _may_be_meant(lost) or _quiet_before_fin(lost) >= bench.micros("fin_after_quiet")


def _is_in_use(bench: Bench, lost: Lost) -> bool:
    """REC-010 speaks of it."""
    return not _may_be_normal(bench, lost) and _quiet_before_fin(lost) < bench.micros("fin_after_event")


def _is_between(bench: Bench, lost: Lost) -> bool:
    """Neither does."""
    return not _may_be_normal(bench, lost) and not _is_in_use(bench, lost)


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


def _lost(bench: Bench) -> list[Equals]:
    """The sockets of the first loss of each series. Without the client's shape that is the first one alone."""
    return [equals for lost in losses(bench) for equals in equals_of(bench, struck(bench, lost))]


@dataclass(frozen=True, slots=True)
class _Owed:
    """A lost socket, and the place that is taken for its own. `of`: the equal ones that were lost with it."""

    lost: Lost
    place: Place
    of: Equals

    @property
    def is_alone(self) -> bool:
        return self.of.owed == 1


def _judged(bench: Bench, equals: Equals, asks: Callable[[Lost], bool]) -> Iterator[Finding]:
    """The sockets among equal ones of which a row speaks. The places may be anybody's: a breach is what is one though
    they have the places that were filled first, and a pass what is one though they have the others.
    """
    own = sorted(filter(asks, equals.lost), key=lambda lost: _order(bench, lost))
    others = len(equals.lost) - len(own)
    best = _with_places(bench, own, equals, equals.places[: len(own)])
    if not own or not others or any(one.verdict in BREACHES for one in best):
        yield from best
        return
    last = _with_places(bench, own, equals, equals.places[others:])
    if all(one.verdict is Verdict.PASS for one in last):
        yield from best
    else:
        yield _nobody_knows(bench, own, equals)


def _with_places(bench: Bench, own: list[Lost], equals: Equals, places: list[Place]) -> list[Finding]:
    """What is said where these sockets have these places. Those that nobody filled are one finding."""
    before = {place.old.id for place in equals.places[: equals.surplus]}
    owed = [_Owed(lost, place, equals) for lost, place in zip(own, places, strict=True) if place.old.id not in before]
    known = bench.lanes.lane(equals.lost[0].conn) is not None
    back = [one for one in owed if one.place.new is not None or not known]
    away = [one for one in owed if one not in back]
    return [_attempt_in_time(bench, one) for one in (*back, *away[-1:])]


def _order(bench: Bench, lost: Lost) -> tuple[int, int, str]:
    """Who is due first: equal ones that differ in nothing of it differ in nothing that is judged."""
    sign = _first_sign(bench, lost)
    return sign.t + _allowance(bench, lost) + _waits_out(bench, lost, sign), sign.t, lost.loss.how


def _nobody_knows(bench: Bench, own: list[Lost], equals: Equals) -> Finding:
    said = f"{len(equals.lost)} equal sockets were lost together, and of {len(own)} of them this row speaks: which of"
    said += " them came back, and when, nobody can tell"
    return bench.short(said, sorted(one.loss.record for one in equals.lost), clause=own[0].loss.how)


def _attempt_in_time(bench: Bench, one: _Owed) -> Finding:
    lost, sign = one.lost, _first_sign(bench, one.lost)
    attempts = _attempts(bench, one, sign)
    first = next((attempt for attempt in attempts if attempt.conn), None)
    due = sign.t + bench.micros("reconnect") + _waits_out(bench, lost, sign)
    if first is not None and (first.t <= due or _took_turns(bench, one, first)):
        return _tried(bench, one, sign, first)
    doubt = _no_token(attempts, sign.t, due) or _unseen(bench, sign.t, due) or _unknown(bench, lost)
    if doubt is not None:
        return bench.short(f"{lost.loss.how}: {doubt}", sorted({lost.loss.record, sign.record}), clause=lost.loss.how)
    return _never_tried(bench, one, sign) if first is None else _tried(bench, one, sign, first)


def _attempts(bench: Bench, one: _Owed, sign: Moment) -> list[Attempt]:
    """A client that opens its new socket before it leaves the old one has tried already, and one that does so at once:
    in virtual time loss and attempt may bear the same stamp.
    """
    found = tries(bench, min(sign.t, one.lost.begin) - 1, one.place.old)
    return [attempt for attempt in found if attempt.conn not in (one.lost.conn.id, one.place.old.id)]


def _no_token(attempts: list[Attempt], sign: int, due: int) -> str | None:
    """The client asked for a token in time and got none, so that no connection could follow."""
    alone = next((attempt for attempt in attempts if not attempt.conn and attempt.t <= due), None)
    if alone is None:
        return None
    return f"{seconds(alone.t - sign)} after it the client asked for a token, and was given none"


def _took_turns(bench: Bench, one: _Owed, first: Attempt) -> bool:
    """Whether another socket of its kind came back shortly before: the client brings them back one after the other."""
    before = max(first.t - bench.micros("in_turn"), one.lost.begin)
    return any(before <= c.accepted < first.t for c in bench.lanes.others_of_kind(one.place.old))


def _unknown(bench: Bench, lost: Lost) -> str | None:
    """A socket of which nobody can say what it is for."""
    found = bench.lanes.strangers(lost.begin)
    if not found:
        return None
    return f"connection {found[0].id} is of no lane of a healthy start, so that it may have been the attempt"


def _never_tried(bench: Bench, one: _Owed, sign: Moment) -> Finding:
    lost = one.lost
    how, rest = lost.loss.how, _waits_out(bench, lost, sign)
    allowance = _allowance(bench, lost) + rest
    others = [c.accepted for c in bench.lanes.others_of_kind(one.place.old) if c.accepted > sign.t]
    turn = max((t - sign.t + bench.micros("in_turn") for t in others), default=0)
    watch = bench.owed(sign.t, max(turn, bench.micros("reconnect") + allowance))
    return watch.missing(
        f"{how}: {_none_came(bench, one, sign.t)} in {watch}",
        _expected(bench, rest),
        sorted({lost.loss.record, sign.record, *([] if one.is_alone else (x.loss.record for x in one.of.lost))}),
        clause=how,
        short=f"{how}: watched for {watch} only",
    )


def _none_came(bench: Bench, one: _Owed, sign: int) -> str:
    """What did not come: nothing at all, or nothing that was to replace that socket."""
    if not any(c.accepted > sign for c in bench.talk.connections.values()):
        return "no attempt to reconnect"
    if not one.is_alone:
        return f"{one.of.back} of {one.of.owed} equal sockets came back"
    return f"no connection took the place of connection {one.lost.conn.id}"


def _its_lane(bench: Bench, lost: Lost) -> str:
    """Which of several sockets it was."""
    several = bench.talk.shape is not None and bench.talk.shape.sockets > 1
    return f" on the lane of connection {lost.conn.id}" if several else ""


def _tried(bench: Bench, one: _Owed, sign: Moment, first: Attempt) -> Finding:
    lost = one.lost
    limit, how, allowance = bench.limit("reconnect"), lost.loss.how, _allowance(bench, lost)
    took = max(0, first.t - sign.t)
    waited = min(took, _waits_out(bench, lost, sign))
    said = f"{how}: first attempt after {seconds(took)}{_its_lane(bench, lost)}"
    said += f", {seconds(allowance)} of it the broker's closing" if allowance else ""
    said += f", {seconds(waited)} of it in a penalty" if waited else ""
    span = bench.penalty_at(lost.conn, lost.loss) if waited else None
    evidence = sorted(
        {lost.loss.record, sign.record, first.record, *records_of(span.answer if span is not None else None)}
    )
    allowance += waited
    if took - allowance > bench.micros("reconnect") and _took_turns(bench, one, first):
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
