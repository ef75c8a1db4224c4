"""An order that was in flight when its socket died: TP §11 (13). Sending it again may be a second order."""

from __future__ import annotations

from collections.abc import Iterator

from brokercert.judge.buffering.late_reports import unless_held
from brokercert.judge.check import seconds
from brokercert.judge.tradovate.beliefs.compared import compare_at
from brokercert.judge.tradovate.bench import Bench, check
from brokercert.judge.tradovate.model.sends import sends_of, why_silent
from brokercert.trace.names import RuleName
from brokercert.verdict import Finding, Form

FOUND = "after the order in flight"  # the point of comparison


@check("REC-090")
def check_order_in_flight(bench: Bench) -> Iterator[Finding]:
    """An order that was not answered when its socket died is not sent again blindly; it is told once what became of it,
    and nothing that is not so; and the client's state has the order where the broker has it.
    """
    talk = bench.talk
    orders = [one for one in talk.told.requests() if one.body.get("endpoint") == "order/placeorder"]
    if not orders:
        return
    one = orders[0]
    sends = [q for c in talk.connections.values() for q in c.requests if q.endpoint == "order/placeorder"]
    sends.sort(key=lambda request: request.record)
    if not sends or not sends_of(talk, one):
        yield bench.short(why_silent(talk, one) or "the client was asked for an order, and none came", [one.record])
        return
    first = sends[0]
    loss = talk.connections[first.conn].loss
    if first.answer is not None or loss is None:
        return
    placed = any(rule.name == RuleName.FIRST for _, _, rule in talk.rules)
    expected = "one order, and one outcome that is true"
    again = sends[1] if len(sends) > 1 else None
    if again is not None:
        synced = talk.connections[again.conn].synced
        looked = synced is not None and synced.t < again.t
        if placed or not looked:
            what = "which the broker had taken" if placed else "before the client could know what had become of it"
            yield bench.breach(
                Form.AGAIN,
                f"an order in flight, {what}, was sent again {seconds(again.t - loss.t)} after its socket had died",
                expected,
                [one.record, first.record, loss.record, again.record],
                clause="sent again",
            )
            return
    if one.outcome is not None and one.outcome.ok and not placed and again is None:
        yield bench.breach(
            Form.CONTENT,
            "an order in flight that never reached the broker was told as a success",
            expected,
            [first.record, loss.record, one.outcome.record],
            clause="true",
        )
        return
    if one.outcome is not None and placed and not one.outcome.ok and one.outcome.status:
        # Unknown is true (status 0), and so is a success that the next snapshot showed: an answer there was none.
        yield bench.breach(
            Form.CONTENT,
            f"an order in flight, which the broker had taken, was told as refused (status {one.outcome.status}, "
            f"`{one.outcome.error}`), though nothing ever answered it",
            f"{expected}: status 0 where it is not known, a success where it was found",
            [first.record, loss.record, one.outcome.record],
            clause="true",
        )
        return
    if one.outcome is None:
        watched = bench.end - loss.t
        if watched < bench.micros("request_end") and talk.died() is None:
            yield bench.short(f"watched for {seconds(watched)} after the loss only", [loss.record])
            return
        silent = bench.breach(
            Form.ABSENCE,
            f"nothing was told of an order in flight in {seconds(watched)} after its socket died{bench.exit_text()}",
            expected,
            [one.record, first.record, loss.record],
            clause="told",
        )
        yield unless_held(bench, silent, talk.told.late_answers("outcome", one.id))
        return
    if len(one.outcomes) > 1:
        yield bench.breach(
            Form.AGAIN,
            f"{len(one.outcomes)} outcomes of one order were told",
            expected,
            [one.record, *(outcome.record for outcome in one.outcomes[:2])],
            clause="told",
        )
        return
    watched = talk.now - loss.t if talk.exited is None else bench.end - loss.t
    if bench.end - loss.t < bench.micros("window_default"):
        yield bench.short(f"watched for {seconds(watched)} after the loss only", [loss.record])
        return
    text = "placed" if placed else "never received"
    yield bench.ok(
        Form.RESTRAINT,
        f"an order in flight, {text} by the broker, was sent once and told of once",
        [first.record, loss.record],
    )
    if "snapshot" in bench.header.offers:
        yield from compare_at(bench, FOUND)
