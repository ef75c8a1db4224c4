"""What a client does with requests that have to wait for the end of a penalty: S2 §4, TP §7.4.

The law: queued is what the client was asked for when it knew of the penalty and before that ended. What it sent is read
from its sockets, in the order in which it came there.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from brokercert.judge.check import Breach, seconds
from brokercert.judge.told import Asked
from brokercert.judge.tradovate.bench import Bench, check
from brokercert.judge.tradovate.model.conversation import Answer, Request
from brokercert.judge.tradovate.model.sends import Sends, why_silent
from brokercert.verdict import Finding, Form

# How a client may order what waits; `queue-order` of its readings says which it is.
URGENCY: dict[str, Callable[[Asked], int]] = {
    "lower-first": lambda asked: _priority(asked),
    "higher-first": lambda asked: -_priority(asked),
    "first-come": lambda asked: 0,
}


@dataclass(frozen=True, slots=True)
class Queued:
    """The requests asked for during one penalty, each with its sends."""

    ticket: Answer
    ends: int
    requests: list[tuple[Asked, list[Request]]]


def queued(bench: Bench) -> Queued | None:
    """Of the first penalty for an endpoint to which the client was asked to send; None where there was none."""
    talk = bench.talk
    asked = talk.told.requests()
    endpoints = {str(one.body.get("endpoint", "")).lower() for one in asked}
    tickets = [
        (q.answer, q.endpoint)
        for c in talk.connections.values()
        for q in c.requests
        if q.answer is not None and q.answer.ticket and not q.answer.captcha and q.endpoint in endpoints
    ]
    if not tickets:
        return None
    ticket, endpoint = min(tickets, key=lambda found: found[0].record)
    known, ends = ticket.t + bench.micros("arrival"), ticket.t + ticket.wait
    sends = Sends(talk)
    inside = [
        (one, sends.of(one))
        for one in asked
        if known - TOLERANCE <= one.t < ends and str(one.body.get("endpoint", "")).lower() == endpoint
    ]
    return Queued(ticket, ends, inside) if inside else None


TOLERANCE = 1_000  # microseconds: a timer's resolution


@check("RLP-050")
def check_queued(bench: Bench) -> Iterator[Finding]:
    """Requests to an endpoint under penalty wait for its end: none is lost, none is sent twice, none before. One that
    was told to have ended and was not sent is lost at once: nothing is sent any more of which an outcome was told.
    """
    found = queued(bench)
    if found is None:
        return
    expected = "sent once, after the penalty's end"
    early = found.ends - bench.micros("ticket_early")
    due = found.ends + bench.micros("request_end")
    waited = f"{len(found.requests)} requests were asked for during a penalty"
    silent = next((why for one, _ in found.requests if (why := why_silent(bench.talk, one))), "")
    if silent:
        yield bench.short(silent, [found.requests[0][0].record])
        return
    broken: dict[str, list[tuple[Asked, list[Request]]]] = defaultdict(list)
    open_still = 0
    watched = bench.end >= due or bench.talk.died() is not None
    for one, sends in found.requests:
        if not sends and one.outcome is None and not watched:
            open_still += 1
        elif not sends:
            broken["lost"].append((one, sends))
        elif sends[0].t < early:
            broken["early"].append((one, sends))
        elif any(before.answer is None or not before.answer.ticket for before in sends[:-1]):
            broken["doubled"].append((one, sends))
    if open_still and not broken:
        yield bench.short(
            f"{waited}; {open_still} of them were not sent yet, and watched for {seconds(bench.end - found.ends)} "
            "after its end only"
        )
        return
    for clause, those in broken.items():
        one, sends = those[0]
        evidence = [found.ticket.record, one.record, *(send.record for send in sends[:2])]
        match clause:
            case "lost":
                how = "not sent"
                if one.outcome is not None:
                    how += f", but told as `{one.outcome.error or 'a success'}`"
                    evidence.append(one.outcome.record)
                how += bench.exit_text()
            case "early":
                how = f"sent before its end, the first {seconds(sends[0].t - found.ticket.t)} after a ticket of"
                how += f" {seconds(found.ticket.wait)}"
            case _:
                how = f"sent more than once, the first again {seconds(sends[1].t - sends[0].t)} later"
        # One that came too early may not have known of its ticket yet, as in RLP-020.
        form: Breach = Form.ABSENCE if clause == "lost" else Form.AGAIN
        yield bench.breach(form, f"{waited}; {len(those)} of them were {how}", expected, evidence, clause=clause)
    if not broken:
        last = max((sends[0].t for _, sends in found.requests if sends), default=found.ends)
        yield bench.ok(
            Form.RESTRAINT,
            f"{waited}; each was sent once, up to {seconds(last - found.ends)} after its end",
            [found.ticket.record],
        )


@check("RLP-060")
def check_priority(bench: Bench) -> Iterator[Finding]:
    """Queued requests leave in the order that the client declares, and within one class as they came."""
    found = queued(bench)
    if found is None:
        return
    declared = bench.header.readings.get("queue-order", "lower-first")
    urgency = URGENCY[declared]
    lanes: dict[int, list[tuple[Request, Asked]]] = defaultdict(list)
    for one, sends in found.requests:
        waited = next((send for send in sends if send.t >= found.ends - bench.micros("ticket_early")), None)
        if waited is not None:
            lanes[waited.conn].append((waited, one))
    if sum(map(len, lanes.values())) < 2:
        yield bench.short(f"{sum(map(len, lanes.values()))} queued request(s) left after the penalty only")
        return
    for lane in lanes.values():
        lane.sort(key=lambda left: left[0].record)
        worst: tuple[Request, Asked] | None = None  # of those that left so far, the one that should leave last
        for sent, one in lane:
            rank = (urgency(one), one.id)
            if worst is not None and rank < (urgency(worst[1]), worst[1].id):
                before, other = worst
                same_class = urgency(one) == urgency(other)
                what = "asked for after it" if same_class else f"of priority {_priority(other)}"
                yield bench.breach(
                    Form.AGAIN,
                    f"a queued request of priority {_priority(one)} left after one {what}",
                    f"the declared order (`queue-order = {declared}`), and within a class as they came",
                    [one.record, other.record, before.record, sent.record],
                    clause="first come" if same_class else "priority",
                )
                return
            if worst is None or rank > (urgency(worst[1]), worst[1].id):
                worst = (sent, one)
    count = len({_priority(one) for one, _ in found.requests})
    yield bench.ok(Form.SHOWN, f"queued requests of {count} priorities left in the declared order ({declared})")


def _priority(asked: Asked) -> int:
    value = asked.body.get("priority")
    return value if isinstance(value, int) else 0
