"""An order that the client was asked for while it had no connection: TP §11 (20). Kept, it is sent at another price."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from brokercert.judge.buffering.late_reports import unless_held
from brokercert.judge.check import seconds
from brokercert.judge.told import Asked
from brokercert.judge.tradovate.bench import Bench, check
from brokercert.judge.tradovate.model.conversation import Request
from brokercert.judge.tradovate.model.sends import sends_of, why_silent
from brokercert.judge.tradovate.reconnection.inflight import PLACES
from brokercert.verdict import Finding, Form

EXPECTED = "told as not sent, and not sent later"


class _Order(NamedTuple):
    """An order that was asked for without a connection, and what was sent of it. `lost`: the record of the loss."""

    asked: Asked
    sends: list[Request]
    lost: int

    @property
    def evidence(self) -> list[int]:
        return [self.lost, self.asked.record]


@check("REC-095")
def check_no_order_is_kept(bench: Bench) -> Iterator[Finding]:
    """An order that the client is asked for while it has no connection is told as not sent, and it is not sent on any
    later socket. One that waits a few seconds for a reconnect under way is none that was kept.
    """
    for asked in bench.talk.told.requests():
        if asked.body.get("endpoint") == PLACES:
            lost = _away_since(bench, asked)
            if lost is None:
                said = "when an order was asked for, the client had a connection, or may not have known of its loss yet"
                yield bench.short(said, [asked.record])
            else:
                yield from _judged(bench, _Order(asked, sends_of(bench.talk, asked), lost))


def _away_since(bench: Bench, asked: Asked) -> int | None:
    """The record of the loss that had left the client without a connection when it was asked; None: it had one, or it
    may not have known of the loss yet.
    """
    if any(c.upgraded and c.stood_at(asked.t) for c in bench.talk.connections.values()):
        return None
    losses = [loss for _, loss in bench.talk.lost if loss.t <= asked.t]
    last = max(losses, key=lambda loss: loss.t, default=None)
    return last.record if last is not None and asked.t - last.t >= bench.micros("arrival") else None


def _judged(bench: Bench, order: _Order) -> Iterator[Finding]:
    silent = why_silent(bench.talk, order.asked)
    if silent:
        yield bench.short(silent, order.evidence)
    elif _sent_otherwise(bench, order):
        yield bench.short("the order went over REST, for which the client needs no socket", order.evidence)
    else:
        yield _sent_late(bench, order) or _told(bench, order) or _not_kept(bench, order)


def _sent_otherwise(bench: Bench, order: _Order) -> bool:
    """Whether it may have gone over REST, which a client can have all the time."""
    return any(PLACES in rest.what.target.lower() and rest.t > order.asked.t for rest in bench.talk.rest)


def _sent_late(bench: Bench, order: _Order) -> Finding | None:
    """It was kept: it came when nobody expected it any more, be it that its caller had been told that it would not."""
    late = next((q for q in order.sends if q.t - order.asked.t > bench.micros("order_waits")), None)
    if late is None:
        return None
    told = order.asked.outcome
    though = ", though it had been told as not sent" if told is not None and told.t < late.t and not told.ok else ""
    said = f"an order that was asked for without a connection was sent {seconds(late.t - order.asked.t)} later{though}"
    return bench.breach(Form.AGAIN, said, EXPECTED, [*order.evidence, late.record], clause="sent later")


def _told(bench: Bench, order: _Order) -> Finding | None:
    """What was told of it is missing, not so, or said twice."""
    outcomes = order.asked.outcomes
    if not outcomes:
        return _nothing_told(bench, order)
    evidence = [*order.evidence, *(outcome.record for outcome in outcomes[:2])]
    if len(outcomes) > 1:
        return bench.breach(Form.AGAIN, f"{len(outcomes)} outcomes of one order were told", EXPECTED, evidence)
    if outcomes[0].ok and not order.sends:
        said = "an order that was asked for without a connection, and never sent, was told as a success"
        return bench.breach(Form.CONTENT, said, EXPECTED, evidence, clause="told")
    return None


def _nothing_told(bench: Bench, order: _Order) -> Finding:
    watch = bench.owed(order.asked.t, bench.micros("request_end"))
    silent = watch.missing(
        f"an order was asked for without a connection, and nothing was told of it in {watch}",
        EXPECTED,
        order.evidence,
        clause="told",
        short=f"watched for {watch} after the order was asked for only",
    )
    return (
        silent if watch.short else unless_held(bench, silent, bench.talk.told.late_answers("outcome", order.asked.id))
    )


def _not_kept(bench: Bench, order: _Order) -> Finding:
    """It was told of, and nothing came of it on a later socket, as far as there was one to see it on."""
    outcome = order.asked.outcome
    assert outcome is not None
    evidence = [*order.evidence, outcome.record]
    if order.sends:
        waited = seconds(order.sends[0].t - order.asked.t)
        return bench.short(f"the client was back, and sent the order {waited} after it was asked for", evidence)
    back = bench.talk.granted_after(order.asked.t)
    if back is None:
        return bench.short("the client was not back: an order that it keeps would show on a new socket only", evidence)
    watch = bench.barred(back.t, bench.micros("window_default"))
    return watch.kept(
        f"an order that was asked for without a connection was told as `{outcome.error or outcome.status}`, and was not"
        f" sent in {watch} after the client was back",
        [*evidence, back.record],
        short=f"watched for {watch} after the client was back only",
    )
