"""An order that was in flight when its socket died: TP §11 (13). Sending it again may be a second order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from brokercert.judge.buffering.late_reports import unless_held
from brokercert.judge.check import seconds
from brokercert.judge.told import Asked, Outcome
from brokercert.judge.tradovate.bench import Bench, check
from brokercert.judge.tradovate.model.compared import compare_at
from brokercert.judge.tradovate.model.conversation import Loss, Request
from brokercert.judge.tradovate.model.sends import sends_of, why_silent
from brokercert.trace.names import RuleName
from brokercert.verdict import Finding, Form

FOUND = "after the order in flight"  # the point of comparison
PLACES = "order/placeorder"
EXPECTED = "one order, and one outcome that is true"


@dataclass(frozen=True, slots=True)
class _Order:
    """An order in flight. `placed`: the broker had taken it; `again`: the client's second send of it."""

    bench: Bench
    asked: Asked
    first: Request
    loss: Loss
    placed: bool
    again: Request | None


@check("REC-090")
def check_order_in_flight(bench: Bench) -> Iterator[Finding]:
    """An order that was not answered when its socket died is not sent again blindly; it is told once what became of it,
    and nothing that is not so; and the client's state has the order where the broker has it.
    """
    asked = next((one for one in bench.talk.told.requests() if one.body.get("endpoint") == PLACES), None)
    if asked is None:
        return
    order = _in_flight(bench, asked)
    if isinstance(order, Finding):
        yield order
    elif order is not None:
        yield from _judged(order)


def _judged(order: _Order) -> Iterator[Finding]:
    wrong = _sent_blindly(order) or _told_untrue(order) or _told_otherwise_than_once(order)
    yield from _kept(order) if wrong is None else (wrong,)


def _in_flight(bench: Bench, asked: Asked) -> _Order | Finding | None:
    """The order, or why none came; None where it was answered, or its socket lived."""
    sends = sends_of(bench.talk, asked)  # the client may place orders of its own beside it
    if not sends:
        return _none_came(bench, asked)
    first, *more = sends
    loss = bench.talk.connections[first.conn].loss
    if first.answer is not None or loss is None:
        return None
    return _Order(bench, asked, first, loss, _was_placed(bench), next(iter(more), None))


def _none_came(bench: Bench, asked: Asked) -> Finding:
    said = why_silent(bench.talk, asked) or "the client was asked for an order, and none came"
    return bench.short(said, [asked.record])


def _was_placed(bench: Bench) -> bool:
    """The broker took the order before the socket died."""
    return any(rule.what.name == RuleName.FIRST for rule in bench.talk.rules)


def _sent_blindly(order: _Order) -> Finding | None:
    """It was sent again, though the broker had it, or before the client could know that it had not."""
    if order.again is None:
        return None
    # On whatever socket: a client may have one for its events and one for its orders.
    looked = any(order.loss.t < synced.t < order.again.t for _, synced in order.bench.talk.caught_up)
    if looked and not order.placed:
        return None
    what = "which the broker had taken" if order.placed else "before the client could know what had become of it"
    return order.bench.breach(
        Form.AGAIN,
        f"an order in flight, {what}, was sent again {seconds(order.again.t - order.loss.t)} after its socket had died",
        EXPECTED,
        [order.asked.record, order.first.record, order.loss.record, order.again.record],
        clause="sent again",
    )


def _told_untrue(order: _Order) -> Finding | None:
    """A success of what never came, or a refusal of what was taken."""
    outcome = order.asked.outcome
    if outcome is None:
        return None
    untrue = _untrue(order, outcome)
    evidence = [order.first.record, order.loss.record, outcome.record]
    return order.bench.breach(Form.CONTENT, *untrue, evidence, clause="true") if untrue else None


def _untrue(order: _Order, outcome: Outcome) -> tuple[str, str] | None:
    """What was told and is not so, and what is expected; None where it is so."""
    if outcome.ok and not order.placed and order.again is None:
        return "an order in flight that never reached the broker was told as a success", EXPECTED
    if order.placed and not outcome.ok and outcome.status:
        # Unknown is true (status 0), and so is a success that the next snapshot showed: an answer there was none.
        said = (
            f"an order in flight, which the broker had taken, was told as refused (status {outcome.status}, "
            f"`{outcome.error}`), though nothing ever answered it"
        )
        return said, f"{EXPECTED}: status 0 where it is not known, a success where it was found"
    return None


def _told_otherwise_than_once(order: _Order) -> Finding | None:
    """No outcome came, or several."""
    bench, asked, loss = order.bench, order.asked, order.loss
    if asked.outcome is None:
        watch = bench.owed(loss.t, bench.micros("request_end"))
        silent = watch.missing(
            f"nothing was told of an order in flight in {watch} after its socket died",
            EXPECTED,
            [asked.record, order.first.record, loss.record],
            clause="told",
            short=f"watched for {watch} after the loss only",
            seen=[loss.record],
        )
        return silent if watch.short else unless_held(bench, silent, bench.talk.told.late_answers("outcome", asked.id))
    if len(asked.outcomes) > 1:
        return bench.breach(
            Form.AGAIN,
            f"{len(asked.outcomes)} outcomes of one order were told",
            EXPECTED,
            [asked.record, *(outcome.record for outcome in asked.outcomes[:2])],
            clause="told",
        )
    return None


def _kept(order: _Order) -> Iterator[Finding]:
    """It was sent once and told of once, as far as it was watched."""
    bench, loss = order.bench, order.loss
    watch = bench.barred(loss.t, bench.micros("window_default"))
    text = "placed" if order.placed else "never received"
    yield watch.kept(
        f"an order in flight, {text} by the broker, was sent once and told of once",
        [order.first.record, loss.record],
        short=f"watched for {watch} after the loss only",
        seen=[loss.record],
    )
    if not watch.short and "snapshot" in bench.header.offers:
        yield from compare_at(bench, FOUND)
